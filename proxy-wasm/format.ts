/** The part of the engine's API that is used here: @types/node leaves it to the DOM library, which we do without. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  compile(bytes: Uint8Array): Promise<object>;
  Module: new (bytes: Uint8Array) => object;
};

const magic = Buffer.from('\0asm');
/** Version 1 of the binary format. A component has the same magic and `0d 00 01 00` here. */
const moduleVersion = 1;
const componentVersion = 0x1000d;

/** What people put into a `plugin.wasm` by mistake, by its first bytes. */
const lookalikes: readonly [prefix: Buffer, advice: string][] = [
  [Buffer.from([0x1f, 0x8b]), 'it is gzip data; serve the plugin.wasm that is in it'],
  [Buffer.from('PK'), 'it is a zip archive; serve the plugin.wasm that is in it'],
  [Buffer.from('(module'), 'it is WebAssembly text; translate it with wat2wasm'],
  [Buffer.from('<'), 'it is HTML or XML, probably the error page of a download'],
  [Buffer.from('version https://git-lfs'), 'it is a Git LFS pointer; run git lfs pull'],
];

function hasMagic(bytes: Uint8Array): boolean {
  return magic.equals(bytes.subarray(0, magic.length));
}

/**
 * Why `bytes` are no WebAssembly module that an engine would take, or `undefined` if they are one. The whole module is
 * validated by the engine of this process, which is the one in Envoy (V8); imports and exports are not looked at.
 */
export function moduleDefect(bytes: Uint8Array): string | undefined {
  const defect = headerDefect(bytes);
  if (defect !== undefined) return defect;
  return WebAssembly.validate(bytes) ? undefined : validationError(bytes);
}

/** Bytes that are validated in about 20 ms; what is larger would hold other requests up. */
const smallModule = 4 * 1024 * 1024;

/** As `moduleDefect`, for large modules on the engine's own threads, which costs three times as much in all. */
export async function moduleDefectOf(bytes: Uint8Array): Promise<string | undefined> {
  if (bytes.length <= smallModule) return moduleDefect(bytes);
  const defect = headerDefect(bytes);
  if (defect !== undefined) return defect;
  return WebAssembly.compile(bytes).then(
    () => undefined,
    (error: unknown) => (error as Error).message,
  );
}

function headerDefect(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 32));
  if (head.length === 0) return 'it is empty';
  if (!hasMagic(head)) {
    const lookalike = lookalikes.find(([prefix]) => head.subarray(0, prefix.length).equals(prefix));
    return lookalike?.[1] ?? `it begins with ${head.subarray(0, 4).toString('hex')}, not with 0061736d`;
  }
  if (head.length < 8) return 'it ends within its header; copy the file again';
  const version = head.readUInt32LE(4);
  if (version === componentVersion) return 'it is a component; Envoy loads core modules only';
  if (version !== moduleVersion) return `it has version ${version} of the binary format, Envoy loads version 1`;
  return undefined;
}

/** The engine tells what is wrong only when it compiles. */
function validationError(bytes: Uint8Array): string {
  try {
    new WebAssembly.Module(bytes);
    return 'it does not validate';
  } catch (error) {
    return (error as Error).message;
  }
}
