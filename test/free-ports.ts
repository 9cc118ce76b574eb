// Ports for programs that are told which one to take, or that must not find anybody there.
import { once } from 'node:events';
import { createServer } from 'node:net';

/** The system hands none of these to a program that asks for any: Linux begins at 32768, others at 49152. */
const [lowest, above] = [12_000, 30_000];

/**
 * Free ports on 127.0.0.1. Nobody but another caller of this comes upon them before they are used.
 * @param offsets from the first one, less than 2000 either way
 */
export async function freePorts<T extends readonly number[]>(offsets: T): Promise<{ [K in keyof T]: number }> {
  for (;;) {
    const first = lowest + Math.floor(Math.random() * (above - lowest));
    const ports = offsets.map((offset) => first + offset);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return ports as { [K in keyof T]: number };
  }
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts([0] as const);
  return port;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
