import { Span, pointer } from '../bytes/span';
import { Level, log } from './log';

/** What was said, and by which root: its id and the address of the text, which is a constant. */
const said: Array<u64> = [];

/** What is true of every request is said once for each worker and configuration. @param text a literal */
export function once(root: u32, level: Level, text: Span, threshold: u32): void {
  const key = ((root as u64) << 32) | (pointer(text) as u64);
  if (said.includes(key)) return;
  said.push(key);
  log(level, text, threshold);
}

export function forgetSaid(root: u32): void {
  for (let i = said.length - 1; i >= 0; i--) {
    if (((said[i] >> 32) as u32) !== root) continue;
    const last = said.pop();
    if (i < said.length) said[i] = last;
  }
}
