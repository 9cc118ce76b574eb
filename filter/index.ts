export function abort(message: usize, file: usize, line: u32, column: u32): void {
  unreachable();
}
export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_memory_allocate(size: usize): usize {
  return heap.alloc(size);
}
export function proxy_on_vm_start(root: i32, size: i32): i32 {
  return 1;
}
export function proxy_on_configure(root: i32, size: i32): i32 {
  return 1;
}
export function proxy_on_context_create(id: i32, root: i32): void {}
