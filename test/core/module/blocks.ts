import { giveBackBlock, takeBlock } from '../../../filter/bytes/blocks';

export function blockTaken(size: usize): usize {
  return takeBlock(size);
}

export function blockGivenBack(block: usize, size: usize): void {
  giveBackBlock(block, size);
}

/** Pages of 64 KiB. */
export function pagesOfMemory(): i32 {
  return memory.size();
}
