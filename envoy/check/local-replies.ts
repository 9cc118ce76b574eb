import type { Report } from './finding.ts';
import type { Node } from '../yaml/node.ts';

/** Filters of a mapper that tell replies of other filters, or requests to other places, from the module's own answers. */
const telling = ['extension_filter', 'response_flag_filter', 'header_filter', 'metadata_filter'];
const combined = ['and_filter', 'or_filter'];

/**
 * An answer of the module is a local reply to Envoy, like any other: what changes the text of all of them, changes that of
 * `initialize` and of lists.
 * @param replies local_reply_config of a connection manager
 */
export function checkLocalReplies(replies: Node, report: Report): void {
  const format = replies.get('body_format');
  if (format.isThere) report('local-replies', format, 'is for all local replies, those of the module included');
  for (const mapper of replies.get('mappers').items) {
    if (tells(mapper.get('filter'))) continue;
    for (const name of ['body', 'body_format_override', 'status_code']) {
      const member = mapper.get(name);
      if (member.isThere) report('local-replies', member, 'is for local replies of the module, too');
    }
  }
}

function tells(filter: Node): boolean {
  if (telling.some((name) => filter.get(name).isThere)) return true;
  return combined.some((name) => filter.get(name, 'filters').items.some(tells));
}
