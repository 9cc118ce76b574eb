const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `1.5s`, as Envoy writes it, or of `10m`, as the plugin configuration does; undefined for anything else. */
export function millisecondsOf(duration: string | undefined): number | undefined {
  const [, amount = '', unit = ''] = /^(\d{1,15}(?:\.\d{0,9})?)(ms|s|m|h)$/.exec(duration ?? '') ?? [];
  const factor = units[unit];
  return factor === undefined ? undefined : Number(amount) * factor;
}
