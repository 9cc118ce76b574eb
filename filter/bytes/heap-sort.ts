/**
 * Sorts in place, in n log n steps whatever the order was: what is sorted comes from outside, and no order of it may make
 * a worker slow.
 * @param context is given to both functions. @param isBefore whether the first stands before the second, no two being equal
 */
export function heapSort(
  count: i32,
  context: usize,
  isBefore: (context: usize, a: i32, b: i32) => bool,
  swap: (context: usize, a: i32, b: i32) => void,
): void {
  for (let i = count / 2 - 1; i >= 0; i--) sink(i, count, context, isBefore, swap);
  for (let last = count - 1; last > 0; last--) {
    swap(context, 0, last);
    sink(0, last, context, isBefore, swap);
  }
}

function sink(
  index: i32,
  count: i32,
  context: usize,
  isBefore: (context: usize, a: i32, b: i32) => bool,
  swap: (context: usize, a: i32, b: i32) => void,
): void {
  for (;;) {
    let child = 2 * index + 1;
    if (child >= count) return;
    if (child + 1 < count && isBefore(context, child, child + 1)) child++;
    if (!isBefore(context, index, child)) return;
    swap(context, index, child);
    index = child;
  }
}
