import { scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { newRequestId, requestMessage, responseTo, resultMessage } from '../../../filter/upstream/message';

export function messageNewId(now: u64, step: i32): Span {
  scratch.reset();
  return newRequestId(now, step, scratch);
}

export function messageRequest(
  id: usize,
  idCount: u32,
  method: usize,
  methodCount: u32,
  params: usize,
  paramsCount: u32,
): Span {
  scratch.reset();
  return requestMessage(span(id, idCount), span(method, methodCount), span(params, paramsCount), scratch);
}

export function messageResult(id: usize, idCount: u32, result: usize, resultCount: u32): Span {
  scratch.reset();
  return resultMessage(span(id, idCount), span(result, resultCount), scratch);
}

export function messageResponseTo(id: usize, idCount: u32, document: usize, count: u32): Span {
  scratch.reset();
  return responseTo(span(id, idCount), span(document, count), scratch);
}
