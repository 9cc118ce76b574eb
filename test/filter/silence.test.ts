// Calls of which nothing is heard for long.
import { describe, expect, it } from 'vitest';
import type { Host } from './host.ts';
import { ask, callOf, LIST, openSession, startHost } from './gateway.ts';

const second = 1_000_000_000n;
const answer = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}');
const silent = (seconds: number): string => `warn: weather: tool weather_get was silent for ${seconds} s`;

function call(host: Host): ReturnType<typeof ask> {
  return ask(host, { headers: openSession(host), body: callOf('weather_get') });
}

describe('a call that was silent for long', () => {
  it('is logged with its tool when its answer comes', () => {
    const host = startHost();
    const stream = call(host);
    host.now += 50n * second;
    stream.respond(
      [
        [':status', '200'],
        ['content-type', 'application/json'],
      ],
      [answer],
    );
    stream.close();
    expect(host.log.filter((line) => line.includes('silent'))).toEqual([silent(50)]);
  });

  it('is logged with its tool when its client gives up', () => {
    const host = startHost();
    const stream = call(host);
    host.now += 61n * second;
    stream.close();
    expect(host.log.filter((line) => line.includes('silent'))).toEqual([silent(61)]);
    expect(String(stream.attributes.get('mcp_outcome'))).toBe('aborted');
  });

  it.each([
    ['it was so for less', 49n * second],
    ['the clock was set back meanwhile', -3600n * second],
  ])('is not, where %s', (_, taken) => {
    const host = startHost();
    const stream = call(host);
    host.now += taken;
    stream.respond(
      [
        [':status', '200'],
        ['content-type', 'application/json'],
      ],
      [answer],
    );
    stream.close();
    expect(host.log.filter((line) => line.includes('silent'))).toEqual([]);
  });

  it('is not, where no tool was called', () => {
    const host = startHost();
    const stream = ask(host, { headers: openSession(host), body: LIST });
    host.now += 61n * second;
    stream.close();
    expect(host.log.filter((line) => line.includes('silent'))).toEqual([]);
  });
});
