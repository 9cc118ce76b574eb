import { Span, literal } from '../bytes/span';
import { Reason } from '../mcp/errors';

/** What a request may meet, and whose end the status of the gateway tells. */
export const enum Limit {
  None,
  HeldBody,
  RequestBody,
  ClientInfo,
  BufferedBytes,
  WorkerMemory,
  ListenerBuffer,
  Batch,
  ListPages,
  ListBytes,
  Event,
  RestResponse,
  Quotas,
  AuditLines,
}

export const LAST_LIMIT: i32 = Limit.AuditLines;

const NAMES: Array<Span> = [
  literal(''),
  literal('limits.heldBody'),
  literal('limits.requestBody'),
  literal('limits.clientInfo'),
  literal('limits.bufferedBytes'),
  literal('the memory of a worker'),
  literal('per_connection_buffer_limit_bytes'),
  literal('limits.batch'),
  literal('limits.listPages'),
  literal('limits.listBytes'),
  literal('limits.event'),
  literal('limits.restResponse'),
  literal('quotas'),
  literal('audit.linesPerMinute'),
];

/** Its name in the configuration of the gateway, or of Envoy. */
export function limitName(limit: Limit): Span {
  return NAMES[limit];
}

/** The one that a refusal is about, where the reason alone says so. */
export function limitBehind(reason: Reason): Limit {
  switch (reason) {
    case Reason.BodyTooLarge:
    case Reason.WholeTooLarge:
    case Reason.ResponseTooLarge:
      return Limit.HeldBody;
    case Reason.RequestTooLarge:
      return Limit.RequestBody;
    case Reason.ClientInfoTooLarge:
      return Limit.ClientInfo;
    case Reason.HostBodyLimit:
      return Limit.ListenerBuffer;
    case Reason.QuotaExceeded:
      return Limit.Quotas;
    default:
      return Limit.None;
  }
}
