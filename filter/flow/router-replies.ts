import { Span, literal, startsWith } from '../bytes/span';
import { Reason } from '../mcp/errors';

/**
 * What Envoy itself says in our stead, told by its response code details (Envoy: %RESPONSE_CODE_DETAILS%); each was seen
 * on a real Envoy. What is not here is another filter's (jwt_authn_access_denied{…}, rbac_access_denied_…,
 * ext_authz_denied, local_rate_limited, fault_filter_abort) or the upstream's, and is left as it is.
 */
@unmanaged
export class RouterReply {
  /** How the details begin; they may go on, as in `upstream_reset_before_response_started{overflow}`. */
  prefix: Span;
  reason: Reason;
  detail: Span;
}

const CAPACITY = 32;
const ROWS: usize = heap.alloc((CAPACITY as usize) * offsetof<RouterReply>());
let count = 0;

function at(index: i32): RouterReply {
  return changetype<RouterReply>(ROWS + (index as usize) * offsetof<RouterReply>());
}

function row(prefix: string, reason: Reason, detail: string): void {
  const added = at(count++);
  added.prefix = literal(prefix);
  added.reason = reason;
  added.detail = literal(detail);
}

// The first that fits counts.
// prettier-ignore
{
  row('response_timeout', Reason.UpstreamTimeout, 'no answer within the timeout of its route');
  row('upstream_per_try_timeout', Reason.UpstreamTimeout, 'no answer');
  row('upstream_per_try_idle_timeout', Reason.UpstreamTimeout, 'it fell silent');
  row('max_duration_timeout', Reason.UpstreamTimeout, 'the longest duration that its route allows is over');
  row('upstream_max_stream_duration_reached', Reason.UpstreamTimeout, 'the longest duration that its cluster allows is over');
  row('no_healthy_upstream', Reason.UpstreamUnreachable, 'the cluster has no healthy endpoint');
  row('upstream_reset_before_response_started{overflow', Reason.UpstreamUnreachable, 'too many requests at once for the circuit breakers of its cluster');
  row('upstream_reset_before_response_started{protocol_error', Reason.UpstreamProtocol, 'what it sends is not HTTP as Envoy expects, or its headers are too large');
  // These alone make it certain that the server has not seen the request.
  row('upstream_reset_before_response_started{remote_connection_failure', Reason.UpstreamUnreachable, 'no connection');
  row('upstream_reset_before_response_started{local_connection_failure', Reason.UpstreamUnreachable, 'no connection');
  row('upstream_reset_before_response_started{connection_timeout', Reason.UpstreamUnreachable, 'no connection');
  row('upstream_reset_before_response_started{remote_refused_stream_reset', Reason.UpstreamUnreachable, 'it refused the request');
  row('upstream_reset_', Reason.UpstreamDropped, 'the server ended it');
  row('maintenance_mode', Reason.UpstreamUnreachable, 'its cluster is in maintenance');
  row('cluster_not_found', Reason.UpstreamUnknownCluster, 'the cluster does not exist');
  // A request that we decided on and that no route for its server took: it ends at the default-deny route, or at none.
  row('route_not_found', Reason.UpstreamUnknownCluster, 'no route matches its x-mcp-servername');
  row('direct_response', Reason.UpstreamUnknownCluster, 'no route matches its x-mcp-servername');
  row('request_payload_too_large', Reason.HostBodyLimit, '');
  row('request_overall_timeout', Reason.RequestTimeout, '');
  row('stream_idle_timeout', Reason.RequestTimeout, '');
}

/** The row for such a reply, or null. */
export function routerReply(details: Span): RouterReply | null {
  for (let i = 0; i < count; i++) if (startsWith(details, at(i).prefix)) return at(i);
  return null;
}
