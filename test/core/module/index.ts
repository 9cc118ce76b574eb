/** The core without a host: every function that a test calls, and memory to put its arguments in. No imports. */
export * from './aead';
export * from './answer';
export * from './arena';
export * from './base64url';
export * from './blocks';
export * from './body';
export * from './canonical';
export * from './client-capabilities';
export * from './config';
export * from './access';
export * from './cookie';
export * from './envelope';
export * from './errors';
export * from './event-parser';

export * from './events';
export * from './exchange';
export * from './fanout';
export * from './header-text';
export * from './http-sse';
export * from './input-reader';
export * from './list';
export * from './merge';
export * from './merge-patch';
export * from './message';
export * from './page';
export * from './passing-answer';
export { useSlots } from './host-slots';
export * from './pool';
export * from './reader';
export * from './gateway';
export * from './glob';
export * from './request-body';
export * from './resource-uri';
export * from './response-plan';
export * from './result-limiter';
export * from './rewriter';
export * from './room';
export * from './scanner';
export * from './session';
export * from './slots';
export * from './table';
export * from './template';
export * from './text';
export * from './trace-context';
export * from './upstream-id';
export * from './version';
export * from './via';
export * from './writer';

export function allocate(size: usize): usize {
  return heap.alloc(size);
}

export function release(pointer: usize): void {
  heap.free(pointer);
}

export function abort(message: usize, file: usize, line: u32, column: u32): void {
  unreachable();
}
