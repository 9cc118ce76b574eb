import { hashOf } from '../../../filter/bytes/hash';
import { span } from '../../../filter/bytes/span';
import { newTable, Table } from '../../../filter/bytes/table';

let table: Table = newTable();

export function tableOpen(): void {
  table = newTable();
}

export function tableSet(key: u32, value: usize): void {
  table.set(key, value);
}

export function tableGet(key: u32): usize {
  return table.get(key);
}

export function tableTake(key: u32): usize {
  return table.take(key);
}

export function tableCount(): u32 {
  return table.count;
}

export function hash(at: usize, size: u32): u32 {
  return hashOf(span(at, size));
}
