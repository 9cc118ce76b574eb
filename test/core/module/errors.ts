import { scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { errorRow, LAST_REASON, writeError } from '../../../filter/mcp/errors';

/** Rows are numbered from 0, `none`, to this. */
export function errorsLast(): i32 {
  return LAST_REASON;
}

export function errorsName(row: i32): Span {
  return errorRow(row).name;
}

export function errorsStatus(row: i32): u32 {
  return errorRow(row).status;
}

export function errorsStatusWithoutId(row: i32): u32 {
  return errorRow(row).statusWithoutId;
}

export function errorsWithholdsId(row: i32): bool {
  return errorRow(row).withholdsId;
}

export function errorsCode(row: i32): i32 {
  return errorRow(row).code;
}

export function errorsMessage(row: i32): Span {
  return errorRow(row).message;
}

export function errorsWrite(
  row: i32,
  id: usize,
  idCount: u32,
  detail: usize,
  detailCount: u32,
  server: usize,
  serverCount: u32,
  more: usize,
  moreCount: u32,
): Span {
  scratch.reset();
  const writer = newWriter(scratch, 64);
  writeError(
    writer,
    span(id, idCount),
    row,
    span(detail, detailCount),
    span(server, serverCount),
    span(more, moreCount),
  );
  return writer.written;
}
