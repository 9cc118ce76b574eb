// A client over HTTP/1.x whose every byte is the test's: what Node's own client would not send.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WireAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/**
 * Sends these bytes on a connection of its own, piece by piece.
 * @returns the answers that came until one of them, or the gateway, ended the connection
 */
export async function exchange(origin: string, pieces: readonly string[], pause = 5): Promise<WireAnswer[]> {
  const { hostname, port } = new URL(origin);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let received = '';
  const ended = new Promise<void>((resolve) => {
    socket.on('error', () => undefined); // the end of the connection tells it
    socket.on('close', () => {
      resolve();
    });
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      // Envoy keeps a connection for a second after it has said that it closes it.
      if (answersIn(received).some(({ head }) => /^connection: close$/im.test(head))) socket.destroy();
    });
  });
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await sleep(pause);
    socket.write(piece, 'latin1');
  }
  await ended;
  return answersIn(received);
}

/** The whole answers in these bytes. */
function answersIn(bytes: string): WireAnswer[] {
  const answers: WireAnswer[] = [];
  for (let rest = bytes; ;) {
    const [, head = '', status = ''] = /^(HTTP\/1\.[01] (\d+) .*?\r\n)\r\n/s.exec(rest) ?? [];
    if (head === '') return answers;
    const from = head.length + 2;
    const body = bodyOf(head, rest.slice(from));
    if (body === undefined) return answers;
    answers.push({ status: Number(status), head: head.replaceAll('\r\n', '\n'), body: body.text });
    rest = rest.slice(from + body.size);
  }
}

/** @returns undefined: not all of it has come */
function bodyOf(head: string, bytes: string): { readonly text: string; readonly size: number } | undefined {
  if (/^transfer-encoding: chunked\r$/im.test(head)) {
    const size = bytes.indexOf('0\r\n\r\n') + 5;
    return size < 5 ? undefined : { text: bytes.slice(0, size).replace(/(?:^|\r\n)[\da-f]+\r\n/g, ''), size };
  }
  const [, length = '0'] = /^content-length: (\d+)\r$/im.exec(head) ?? [];
  const size = Number(length);
  return bytes.length < size ? undefined : { text: bytes.slice(0, size), size };
}
