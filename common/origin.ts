/** The origin that a text is: `http://127.0.0.1:8801`. Undefined where it is none, or has a path or credentials, which would be silently left out. */
export function originIn(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url !== undefined && ['http:', 'https:'].includes(url.protocol) && url.href === `${url.origin}/`;
  return isOrigin ? url.origin : undefined;
}
