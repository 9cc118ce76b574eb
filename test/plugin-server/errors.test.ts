import { readFile } from 'node:fs/promises';
import { type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { PluginServerError, errorTable } from '../../plugin-server/errors.ts';
import { createPluginServer } from '../../plugin-server/index.ts';
import { catalogErrors } from '../../plugin-server/catalog/errors.ts';
import { liveErrors } from '../../plugin-server/live/errors.ts';
import { pluginsErrors } from '../../plugin-server/plugins/errors.ts';
import { publishErrors } from '../../plugin-server/publish/errors.ts';
import { sendRaw } from './client.ts';

test('the documentation has the table of errors, row by row', async () => {
  const docs = await readFile(new URL('../../docs/plugin-server.md', import.meta.url), 'utf8');
  const documented = [...docs.matchAll(/^\| `(\w+)` *\| (\d+|–) *\| `(.*)` *\|$/gm)].map((row) => row.slice(1));
  const table = Object.entries(errorTable).map(([code, { status, message }]) => [
    code,
    String(status ?? '–'),
    message.replaceAll('%s', '…').replace('\n', ' '),
  ]);
  const byCode = ([a = '']: string[], [b = '']: string[]): number => (a < b ? -1 : 1);
  expect(documented.toSorted(byCode)).toEqual(table.toSorted(byCode));
  // For who looks a status up.
  const statuses = documented.map(([, status = '']) => (status === '–' ? Infinity : Number(status)));
  expect(statuses).toEqual(statuses.toSorted((a, b) => a - b));
});

test('no two features have an error of the same code', () => {
  const features = [liveErrors, pluginsErrors, publishErrors, catalogErrors];
  const codes = features.flatMap((rows) => Object.keys(rows));
  expect(codes).toHaveLength(new Set(codes).size);
  for (const [code, row] of features.flatMap((rows) => Object.entries(rows)))
    expect(errorTable).toHaveProperty(code, row);
});

test('an error fills in its details in order', () => {
  const error = new PluginServerError('unknown_version', '1.0.1', 'sluice', '1.0.0', 'sluice');
  expect(error).toMatchObject({
    code: 'unknown_version',
    status: 404,
    message: 'there is no version 1.0.1 of sluice; did you mean 1.0.0? GET /plugins/sluice lists all',
  });
});

test('a fault of our own goes to the log, and only its request id to the client', async () => {
  const log: string[] = [];
  const app = createPluginServer({
    artifacts: [],
    log: { level: 'error', stream: { write: (line: string) => log.push(line) } },
  });
  app.get('/fault', () => {
    throw new TypeError('an inner detail');
  });
  const answer = await app.inject('/fault');
  await app.close();
  expect(answer.statusCode).toBe(500);
  expect(answer.json()).toEqual({
    error: { code: 'internal', message: 'the server failed; its log tells why, under request id req-1' },
  });
  expect(log).toHaveLength(1);
  expect(JSON.parse(log[0] ?? '')).toMatchObject({
    reqId: 'req-1',
    err: { type: 'TypeError', message: 'an inner detail' },
  });
});

test('a mistake of the client is no line in the error log', async () => {
  const log: string[] = [];
  const app = createPluginServer({
    artifacts: [],
    log: { level: 'warn', stream: { write: (line: string) => log.push(line) } },
  });
  expect((await app.inject('/plugins/sluice')).statusCode).toBe(404);
  expect((await app.inject({ url: '/plugins', method: 'PUT', payload: 'x' })).statusCode).toBe(405);
  await app.close();
  expect(log).toEqual([]);
});

test('a request that does not arrive in time (slowloris) is answered with 408', async () => {
  const app = createPluginServer({ artifacts: [] });
  // What Node's timer does after requestTimeout, without waiting for it.
  app.server.on('connection', (socket: Socket) => {
    const timeout = Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    socket.once('data', () => app.server.emit('clientError', timeout, socket));
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const answer = await sendRaw(url, 'GET /healthz HTTP/1.1\r\nhost: a\r\n');
  await app.close();
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(answer).toMatch(/\{"error":\{"code":"request_timeout","message":"[^"]+"\}\}\n$/);
});
