// What a debugger needs to show the sources of a module: a map, and in the module where that is.
import { pathToFileURL } from 'node:url';

interface SourceMap {
  sources: string[];
  sourceRoot: string;
}

/** Where the compiler's own sources are, which a map names `~lib/…`. */
const library = 'node_modules/assemblyscript/std/assembly/';

/**
 * The compiler's map, with sources that are files of the clone: a breakpoint in one of them is one in the module.
 * @param text the map, JSON
 * @param clone the folder that the sources are relative to, with a slash behind it
 */
export function withFiles(text: string, clone: string): string {
  const map = JSON.parse(text) as SourceMap;
  map.sourceRoot = pathToFileURL(clone).href;
  map.sources = map.sources.map((source) => source.replace(/^~lib\//, library));
  return JSON.stringify(map);
}

const SECTION = 'sourceMappingURL';
const CUSTOM = 0;
const HEADER = 8;

/**
 * A module that names `url` as that of its source map, in place of what it named.
 * https://github.com/WebAssembly/tool-conventions/blob/main/Debugging.md#source-maps
 */
export function withSourceMapUrl(module: Uint8Array, url: string): Uint8Array {
  const parts = [module.subarray(0, HEADER)];
  for (let at = HEADER; at < module.length;) {
    const [size, body] = unsigned(module, at + 1);
    if (module[at] !== CUSTOM || nameAt(module, body) !== SECTION) parts.push(module.subarray(at, body + size));
    at = body + size;
  }
  const content = Buffer.concat([named(SECTION), named(url)]);
  return Buffer.concat([...parts, Uint8Array.of(CUSTOM), encoded(content.length), content]);
}

function nameAt(module: Uint8Array, at: number): string {
  const [length, start] = unsigned(module, at);
  return Buffer.from(module.subarray(start, start + length)).toString();
}

function named(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  return Buffer.concat([encoded(bytes.length), bytes]);
}

/** An unsigned LEB128 number, and the offset behind it. */
function unsigned(module: Uint8Array, at: number): [value: number, behind: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = module[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function encoded(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, value]);
}
