import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ServerState } from '../../cli/start/survey.ts';
import { type ServerChange, watchServers } from '../../cli/start/watch.ts';

/** A server that is looked at every 5 ms, and what is told of it; `answers.now` is what it says when it is asked. */
async function watched(first: ServerState) {
  const { server, port } = await listening();
  const answers = { now: first, asked: 0 };
  const told: ServerChange[] = [];
  const end = new AbortController();
  onTestFinished(() => {
    end.abort();
    server.close();
  });
  watchServers({
    servers: [{ name: 'a', url: `http://127.0.0.1:${port}/mcp` }],
    states: [first],
    ask: () => {
      answers.asked++;
      return Promise.resolve(answers.now);
    },
    tell: (change) => void told.push(change),
    signal: end.signal,
    interval: 5,
  });
  const untilAsked = async (times: number): Promise<void> => {
    const before = answers.asked;
    await vi.waitFor(() => {
      expect(answers.asked).toBeGreaterThanOrEqual(before + times);
    }, 20_000);
  };
  return { server, port, answers, told, end, untilAsked };
}

async function listening(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => socket.resume()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

test('a server that is well is never asked, and nothing is told', async () => {
  const { server, answers, told } = await watched({ tools: ['x'] });
  let looks = 0;
  server.on('connection', () => looks++);
  await vi.waitFor(() => {
    expect(looks).toBeGreaterThan(20);
  }, 20_000);
  expect({ asked: answers.asked, told }).toEqual({ asked: 0, told: [] });
});

test('what stays wrong is told once, and asked less and less often', async () => {
  const { server, answers, told, untilAsked } = await watched({ problem: '404' });
  let looks = 0;
  server.on('connection', () => looks++);
  await untilAsked(5);
  expect(told).toEqual([]);
  expect(looks).toBeGreaterThanOrEqual(1 + 2 + 4 + 8 + 16);
  answers.now = { tools: ['x', 'y'] };
  await untilAsked(1);
  await vi.waitFor(() => {
    expect(told).toEqual([{ name: 'a', state: 'up', tools: 2 }]);
  });
});

test('another problem is told too, and a server that only looks closed is not', async () => {
  const { server, answers, told, untilAsked, port } = await watched({ tools: [] });
  server.close();
  await untilAsked(1);
  expect(told).toEqual([]); // it answered when it was asked
  answers.now = { problem: 'nothing listens' };
  await vi.waitFor(() => {
    expect(told).toEqual([{ name: 'a', state: 'down', problem: 'nothing listens' }]);
  }, 20_000);
  answers.now = { problem: '503' };
  const again = await listening(port);
  onTestFinished(() => void again.server.close());
  await vi.waitFor(() => {
    expect(told[1]).toEqual({ name: 'a', state: 'down', problem: '503' });
  }, 20_000);
});

test('nothing is told after the end', async () => {
  const { server, answers, told, end, untilAsked } = await watched({ problem: '404' });
  await untilAsked(1);
  end.abort();
  answers.now = { tools: [] };
  const { asked } = answers;
  server.close();
  await vi.waitFor(() => {
    expect(server.listening).toBe(false);
  });
  expect({ asked: answers.asked, told }).toEqual({ asked, told: [] });
});
