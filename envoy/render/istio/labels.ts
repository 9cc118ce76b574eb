import type { RenderOptions } from '../targets/options.ts';

/** `istio=ingressgateway` */
export function labelsOf({ selector }: Pick<RenderOptions, 'selector'>): Record<string, string> {
  const [key = '', value = ''] = selector.split('=');
  return { [key]: value };
}
