/** Magic and version, and a function that is exported as what a host looks for: the least that a plugin is. */
const plugin = wasm('proxy_abi_version_0_2_1');

/** A valid plugin that carries `content` in a custom section, so that modules of any size and content can be made. */
export function moduleWith(content: Uint8Array | string): Buffer {
  return Buffer.concat([plugin, section(0, Buffer.from('\x01x'), Buffer.from(content as string))]);
}

interface Import {
  readonly module: string;
  readonly name: string;
  /** Of `i32` parameters; an `i32` is returned. */
  readonly parameters: number;
}

/** A module with one empty function, exported under `name` (`''`: not at all), and with imports. */
export function wasm(name: string, imports: readonly Import[] = []): Buffer {
  const empty = Buffer.from([0x60, 0, 0]);
  const types = imports.map(({ parameters }) =>
    Buffer.from([0x60, parameters, ...Array<number>(parameters).fill(0x7f), 1, 0x7f]),
  );
  const imported = imports.map((each, index) =>
    Buffer.concat([text(each.module), text(each.name), Buffer.from([0, index + 1])]),
  );
  const exported = name === '' ? [] : [Buffer.concat([text(name), Buffer.from([0, imports.length])])];
  return Buffer.concat([
    Buffer.from('\0asm\x01\0\0\0', 'latin1'),
    section(1, vector([empty, ...types])),
    section(2, vector(imported)),
    section(3, Buffer.from([1, 0])),
    section(7, vector(exported)),
    section(10, Buffer.from([1, 2, 0, 0x0b])),
  ]);
}

function section(id: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([id]), leb128(content.length), content]);
}

function vector(items: readonly Buffer[]): Buffer {
  return Buffer.concat([leb128(items.length), ...items]);
}

function text(value: string): Buffer {
  return Buffer.concat([leb128(Buffer.byteLength(value)), Buffer.from(value)]);
}

function leb128(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) + 0x80);
  return Buffer.from([...bytes, value]);
}
