import { scratch } from '../bytes/arena';
import { Span, pointer, length } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { proxy_log } from '../env';

/** Levels of the ABI. */
export const enum Level {
  Trace,
  Debug,
  Info,
  Warn,
  Error,
  Critical,
}

/** A line to be finished by the caller. */
export function line(): Writer {
  return newWriter(scratch, 128);
}

/** @param threshold of the plugin (`log`); Envoy's own for the component `wasm` applies as well */
export function log(level: Level, text: Span, threshold: u32 = Level.Trace): void {
  if ((level as u32) >= threshold) proxy_log(level, pointer(text), length(text) as usize);
}
