import { hasRoom, MOST_PAGES } from '../../../filter/bytes/room';

export function roomFor(size: u32): bool {
  return hasRoom(size as u64);
}

export function roomPages(): u64 {
  return MOST_PAGES;
}
