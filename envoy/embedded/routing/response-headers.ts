import type { HeaderOption } from '../config/route.ts';
import type { HeaderMap } from '../header-map.ts';

/** Does what a route has to say about response headers. */
export function addHeaders(headers: HeaderMap, options: readonly HeaderOption[]): void {
  if (options.length === 0) return;
  const before = headers.copy();
  for (const { name, value, append } of options) {
    const exists = before.has(name); // whatever the options before this one did
    if (append === 'APPEND_IF_EXISTS_OR_ADD') headers.add(name, value);
    else if (append === 'OVERWRITE_IF_EXISTS_OR_ADD' || (append === 'OVERWRITE_IF_EXISTS') === exists) {
      headers.set(name, value);
    }
  }
}
