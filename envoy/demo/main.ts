// Runs one demo server on loopback: `npx tsx envoy/demo/main.ts everything|notes [PORT]`. Where another process forked
// it, its first message there is its port, and it ends with that process.
import { Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { notesServer } from './notes.ts';

const loopback = '127.0.0.1';

const servers: Record<string, (port: string) => unknown> = {
  notes: (port) =>
    notesServer()
      .listen(port)
      .once('error', (error) => {
        process.stderr.write(`${error.message}\n`);
        process.exit(1);
      }),
  everything: (port) => {
    process.env['PORT'] = port;
    // A program, not a library: it starts when it is imported, and has no types.
    return import(import.meta.resolve('@modelcontextprotocol/server-everything/dist/transports/streamableHttp.js'));
  },
};

/** server-everything takes a port but no address, and would listen on all of them: a demo is for this machine only. */
function listenOnLoopbackOnly(): void {
  const prototype = Server.prototype as { listen: (...args: unknown[]) => Server };
  const { listen } = prototype;
  prototype.listen = function (this: Server, port: unknown, ...others: unknown[]): Server {
    this.once('listening', () => {
      const address = this.address() as AddressInfo;
      if (process.send === undefined) process.stdout.write(`http://${loopback}:${address.port}/mcp\n`);
      else process.send({ port: address.port });
    });
    return listen.call(this, port, loopback, ...others);
  };
}

const [name = '', port = '0'] = process.argv.slice(2);
const start = Object.hasOwn(servers, name) ? servers[name] : undefined;
if (start === undefined) {
  process.stderr.write('usage: npx tsx envoy/demo/main.ts everything|notes [PORT]\n');
  process.exitCode = 2;
} else {
  listenOnLoopbackOnly();
  process.once('disconnect', () => process.exit());
  await start(port);
}
