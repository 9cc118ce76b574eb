/** Where the list of a node's extensions begins. In a string its quotes would be escaped. */
const member = Buffer.from(',"extensions":');
const emptyList = Buffer.from('[]');

/** So many releases and builds of Envoy are known at a time. */
const mostLists = 16;
/** Bytes. Shorter ones are parsed as quickly. */
const shortest = 1024;

/** The lists of extensions that polls have brought, so that they need not be parsed again. */
export class KnownLists {
  /** The one that was met last comes first. */
  readonly #lists: Buffer[] = [];

  /** The same JSON with an empty list in place of one that is known. */
  cutOut(body: Buffer): Buffer {
    const start = listIn(body);
    if (start === undefined) return body;
    const index = this.#lists.findIndex((list) => body.subarray(start, start + list.length).equals(list));
    const [list] = index < 0 ? [] : this.#lists.splice(index, 1);
    if (list === undefined) return body;
    this.#lists.unshift(list);
    return Buffer.concat([body.subarray(0, start), emptyList, body.subarray(start + list.length)]);
  }

  /** @param body valid JSON */
  learn(body: Buffer): void {
    const start = listIn(body);
    if (start === undefined || this.#lists[0]?.equals(body.subarray(start, start + this.#lists[0].length)) === true)
      return;
    const end = endOfValue(body, start);
    if (end - start < shortest) return;
    this.#lists.unshift(Buffer.from(body.subarray(start, end)));
    this.#lists.splice(mostLists);
  }
}

function listIn(body: Buffer): number | undefined {
  const at = body.indexOf(member);
  return at >= 0 && body[at + member.length] === 0x5b ? at + member.length : undefined;
}

/** Behind the list or object that begins at `start` in valid JSON. */
function endOfValue(body: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < body.length; at++) {
    const byte = body[at];
    if (byte === 0x22) at = endOfString(body, at);
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if ((byte === 0x5d || byte === 0x7d) && --depth === 0) return at + 1;
  }
  return body.length;
}

/** Where the quote is that closes a string. */
function endOfString(body: Buffer, start: number): number {
  let at = start + 1;
  while (body[at] !== 0x22 && at < body.length) at += body[at] === 0x5c ? 2 : 1;
  return at;
}
