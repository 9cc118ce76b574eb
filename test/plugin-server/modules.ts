/** The smallest module there is: magic and version. */
const header = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** A valid module that carries `content` in a custom section, so that modules of any size and content can be made. */
export function moduleWith(content: Uint8Array | string): Buffer {
  const name = Buffer.from('x');
  const section = Buffer.concat([Buffer.from([name.length]), name, Buffer.from(content as string)]);
  return Buffer.concat([header, Buffer.from([0]), leb128(section.length), section]);
}

function leb128(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) + 0x80);
  return Buffer.from([...bytes, value]);
}
