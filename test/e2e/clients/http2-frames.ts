// A client that writes the frames of HTTP/2 itself (RFC 9113), and knows of the answers their data and how they ended.
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { until } from '../until.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Types of frames. */
export const Frame = {
  Data: 0,
  Headers: 1,
  Reset: 3,
  Settings: 4,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;

export const endStream = 1;
const endHeaders = 4;
const acknowledged = 1;
const initialWindowSize = 4;
/** Of RST_STREAM and GOAWAY: CANCEL. */
const cancel = 8;

type Headers = Readonly<Record<string, string>>;

/** What has come of one stream. */
interface Answer {
  data: Buffer;
  /** The stream has ended as its server wanted. */
  ended: boolean;
  /** The code of its RST_STREAM. */
  reset?: number;
}

export class FrameClient {
  readonly #socket: Socket;
  readonly #answers = new Map<number, Answer>();
  #unread: Buffer = Buffer.alloc(0);
  readonly #opensWindows: boolean;
  #next = 1;
  /** Data of the pings that were acknowledged. */
  readonly pongs: string[] = [];

  private constructor(socket: Socket, opensWindows: boolean) {
    this.#socket = socket;
    this.#opensWindows = opensWindows;
    socket.on('data', (bytes) => {
      this.#read(bytes);
    });
    socket.on('error', () => undefined); // those that wait for an answer get none
  }

  /** @param window bytes that the server may send in a stream; with 0 only what `open` allows */
  static async connect(url: string, window = 1 << 20): Promise<FrameClient> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    const client = new FrameClient(socket, window > 0);
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(initialWindowSize);
    settings.writeUInt32BE(window, 2);
    socket.write(preface);
    client.send(Frame.Settings, 0, 0, settings);
    if (window > 0) client.open(0, 1 << 24);
    return client;
  }

  /** The number of a new stream. */
  stream(): number {
    const id = this.#next;
    this.#next += 2;
    this.#answers.set(id, { data: Buffer.alloc(0), ended: false });
    return id;
  }

  send(type: number, flags: number, stream: number, payload: Buffer | string = ''): void {
    const bytes = Buffer.from(payload);
    const head = Buffer.alloc(9);
    head.writeUIntBE(bytes.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    this.#socket.write(Buffer.concat([head, bytes]));
  }

  /** A POST in a stream of its own, whose body is still to come. @param parts frames that the headers come in */
  post(url: string, headers: Headers, { parts = 1, flags = 0 } = {}): number {
    const { host, pathname } = new URL(url);
    const pseudo = { ':method': 'POST', ':scheme': 'http', ':authority': host, ':path': pathname };
    const block = encoded({ ...pseudo, ...headers });
    const id = this.stream();
    const size = Math.ceil(block.length / parts);
    for (let part = 0; part < parts; part++) {
      const type = part === 0 ? Frame.Headers : Frame.Continuation;
      const ends = part === parts - 1 ? endHeaders : 0;
      this.send(type, ends | (part === 0 ? flags : 0), id, block.subarray(part * size, (part + 1) * size));
    }
    return id;
  }

  trailers(stream: number, headers: Headers): void {
    this.send(Frame.Headers, endHeaders | endStream, stream, encoded(headers));
  }

  /** Lets the server send more. @param stream 0: on the connection */
  open(stream: number, bytes: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(bytes);
    this.send(Frame.WindowUpdate, 0, stream, payload);
  }

  reset(stream: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(cancel);
    this.send(Frame.Reset, 0, stream, payload);
  }

  /** Says that it answers no more streams of the server's; its own go on. */
  goAway(): void {
    this.send(Frame.GoAway, 0, 0, Buffer.alloc(8));
  }

  /** As it is now. */
  answer(stream: number): Readonly<Answer> {
    const answer = this.#answers.get(stream);
    if (answer === undefined) throw new Error(`there is no stream ${stream}`);
    return answer;
  }

  /** The text of a stream that has ended. @throws where it was reset */
  async text(stream: number): Promise<string> {
    const answer = this.answer(stream);
    await until(`stream ${stream} has ended`, () => answer.ended || answer.reset !== undefined);
    if (!answer.ended) throw new Error(`stream ${stream} was reset with code ${answer.reset ?? 0}`);
    return answer.data.toString();
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    while (this.#unread.length >= 9) {
      const size = this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < 9 + size) return;
      const [type = 0, flags = 0] = this.#unread.subarray(3, 5);
      this.#take(type, flags, this.#unread.readUInt32BE(5), this.#unread.subarray(9, 9 + size));
      this.#unread = this.#unread.subarray(9 + size);
    }
  }

  #take(type: number, flags: number, stream: number, payload: Buffer): void {
    const isAcknowledged = (flags & acknowledged) !== 0;
    if (type === Frame.Settings && !isAcknowledged) this.send(Frame.Settings, acknowledged, 0);
    if (type === Frame.Ping && isAcknowledged) this.pongs.push(payload.toString());
    const answer = this.#answers.get(stream);
    if (answer === undefined) return;
    if (type === Frame.Data) {
      answer.data = Buffer.concat([answer.data, payload]);
      if (this.#opensWindows && payload.length > 0) {
        this.open(0, payload.length);
        this.open(stream, payload.length);
      }
    }
    if (type === Frame.Reset) answer.reset = payload.readUInt32BE();
    const mayEnd = type === Frame.Data || type === Frame.Headers;
    if (mayEnd && (flags & endStream) !== 0) answer.ended = true;
  }
}

/** Literals without index and without Huffman's code (RFC 7541 §6.2.2). */
function encoded(headers: Headers): Buffer {
  const parts = Object.entries(headers).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]);
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** With a prefix of seven bits (RFC 7541 §5.1). */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128);
  return Buffer.of(...bytes, rest);
}
