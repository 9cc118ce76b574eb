import { WebAssembly } from '../../../proxy-wasm/webassembly.ts';

/** A host call at a time when the module may not make it. V8 shows it as a plain `Error`. (cpp-host: v8.cc) */
export class RestrictedCallback extends Error {
  constructor() {
    super('restricted_callback');
  }
}

/** Whether the module is at fault. Anything else that was thrown is a bug of the host, and none of a module's business. */
export function isTrap(thrown: unknown): boolean {
  return (
    thrown instanceof WebAssembly.RuntimeError ||
    thrown instanceof WebAssembly.Exception ||
    thrown instanceof RestrictedCallback ||
    (thrown instanceof RangeError && thrown.message === 'Maximum call stack size exceeded')
  );
}

/** Envoy's line about it; names as they are in the module, where Envoy demangles those of C++. */
export function trapMessage(name: string, thrown: unknown, withBacktrace: boolean): string {
  const what = thrown instanceof Error ? String(thrown) : '#<Exception>';
  const message = `Function: ${name} failed: Uncaught ${what}`;
  if (!withBacktrace) return message;
  const frames = thrown instanceof Error ? backtrace(thrown.stack ?? '') : [];
  return [message, 'Proxy-Wasm plugin in-VM backtrace:', ...frames].join('\n');
}

/** V8's own: `at name (wasm://wasm/<hash>:wasm-function[<index>]:0x<offset>)`, without the name `at wasm://…`. */
const wasmFrame = /^ +at (?:(.+) \()?wasm:\/\/.+:wasm-function\[(\d+)\]:(0x[0-9a-f]+)\)?$/;

function backtrace(stack: string): string[] {
  return stack
    .split('\n')
    .map((line) => wasmFrame.exec(line))
    .filter((frame) => frame !== null)
    .map(([, name, index = '', offset = ''], depth) => {
      return `${String(depth).padStart(3)}:  ${offset} - ${name ?? `unknown(function index:${index})`}`;
    });
}
