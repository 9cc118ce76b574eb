import { newArena } from '../../../filter/bytes/arena';
import { Span, literal, NONE } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { owner, slotTable } from '../../../filter/session/slots';
import { ring } from './host-slots';

const work = newArena(16 << 10);
const ONE = slotTable(literal('sluice/test-one/'), 1024);
const TWO = slotTable(literal('sluice/test-two/'), 1024, 2);

/** @param choices 1 or 2: which table. The entry of an owner is its number. */
export function slotsPut(choices: u32, number: u64): void {
  work.reset();
  const table = choices === 1 ? ONE : TWO;
  table.write(owner(table, NONE, number, work), newWriter(work, 8).u64(number).written, ring, work);
}

/** NONE: another is in its slots. */
export function slotsGet(choices: u32, number: u64): Span {
  work.reset();
  const table = choices === 1 ? ONE : TWO;
  return table.read(owner(table, NONE, number, work), ring, work);
}
