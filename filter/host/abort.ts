import { proxy_log } from '../env';

const CRITICAL = 5;

/**
 * Where AssemblyScript ends on a failed assertion. Nothing in this module is meant to: the message is for whoever finds
 * that it did, the trap is what Envoy's failure_policy acts on.
 */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  const text = message === null ? 'sluice: aborted' : message;
  // UTF-16 as it lies in memory would be unreadable in the log: one byte per character, ASCII by our own texts.
  const at = changetype<usize>(text);
  const count = text.length;
  for (let i = 0; i < count; i++) store<u8>(at + (i as usize), load<u16>(at + ((i as usize) << 1)) as u8);
  proxy_log(CRITICAL, at, count as usize);
  unreachable();
}
