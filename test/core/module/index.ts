/** The core without a host: every function that a test calls, and memory to put its arguments in. No imports. */
export * from './aead';
export * from './base64url';
export * from './door';
export * from './scanner';

export function allocate(size: usize): usize {
  return heap.alloc(size);
}

export function release(pointer: usize): void {
  heap.free(pointer);
}

export function abort(message: usize, file: usize, line: u32, column: u32): void {
  unreachable();
}
