// A body that comes in parts: when it is decided on, and what its server gets of it once it was sent on before its end.
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { cutAt, Window } from './chunks.ts';
import { instance } from './core.ts';

const core = instance();
const window = new Window(core, 1 << 20);
const heldBody = 128 << 10;
const released = 64 << 10;
const next = { read: 0, admit: 1, release: 2, refuse: 3 } as const;
const outcome = { forward: 2 } as const;

beforeAll(() => {
  const configuration = {
    servers: [{ name: 'weather', cluster: 'c', prefix: 'weather_' }],
    limits: { heldBody: '128Ki', requestBody: '512Ki' },
  };
  expect(core.call('exchangeConfigure', ...core.span(JSON.stringify(configuration)))).toBe(1);
});

const HEAD = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"weather_get","arguments":{"x":"';
const TAIL = '"}}}';

/** A call whose server is known from its first bytes. @param size bytes of it */
function call(size: number, tail = TAIL): Buffer {
  return Buffer.from(HEAD + 'x'.repeat(Math.max(0, size - HEAD.length - tail.length)) + tail);
}

function read(part: Uint8Array, { ended = false, isHeldAhead = false } = {}): number {
  return core.call('requestRead', ...window.show(part), ended, isHeldAhead);
}

function reason(): string {
  const { error } = JSON.parse(core.text('exchangeReplyBody') ?? '') as { error: { data: { reason: string } } };
  return error.data.reason;
}

describe('a body that nothing has been decided on', () => {
  const whole = call(200_000);

  test.each([
    { name: 'is read on while it is small', part: call(1000).subarray(0, 500), next: next.read },
    { name: 'is decided on at its end', part: call(1000), ended: true, next: next.admit },
    { name: 'waits for its end where its document is closed', part: call(released), next: next.read },
    {
      name: 'is released once it is large and its server known',
      part: whole.subarray(0, released),
      next: next.release,
    },
    {
      name: 'is read on while its server is not known, for as long as it may be held',
      part: Buffer.from(`{"x":"${'x'.repeat(released)}`),
      next: next.read,
    },
    {
      name: 'is refused where its server is not known and it is more than may be held',
      part: Buffer.from(`{"x":"${'x'.repeat(heldBody)}`),
      next: next.refuse,
      reason: 'body_too_large',
    },
    {
      name: 'is refused where it is more than any may be',
      part: call(600_000),
      ended: true,
      next: next.refuse,
      reason: 'body_too_large',
    },
    {
      name: 'waits for its end, closed, however large it is',
      part: call(heldBody + 1),
      next: next.read,
    },
    {
      name: 'is released, closed, where another filter holds it and it is more than may be held',
      part: call(heldBody + 1),
      isHeldAhead: true,
      next: next.release,
    },
    {
      name: 'waits for its end, closed, where another filter holds it and it is no call',
      part: call(heldBody + 1, '"}},"id":2}'),
      isHeldAhead: true,
      next: next.refuse,
      reason: 'body_too_large',
    },
  ])('$name', ({ part, ended = false, isHeldAhead = false, next, reason: expected }) => {
    core.call('requestOpen', -1);
    expect(read(part, { ended, isHeldAhead })).toBe(next);
    if (expected !== undefined) expect(reason()).toBe(expected);
  });

  test('waits for what makes sure of its session, for half of what may be held', () => {
    core.call('requestOpen', -1);
    core.call('requestProbe');
    expect(read(whole.subarray(0, heldBody / 2))).toBe(next.read);
    expect(core.call('requestIsProbed')).toBe(0);
    expect(read(whole.subarray(heldBody / 2, heldBody / 2 + 1))).toBe(next.release);
    expect(core.call('requestIsProbed')).toBe(1);
  });

  test('is decided on alike in however many parts it comes', () => {
    const places = fc.array(fc.nat(), { maxLength: 6 });
    fc.assert(
      fc.property(fc.integer({ min: 200, max: heldBody }), places, (size, places) => {
        core.call('requestOpen', -1);
        const parts = cutAt(call(size), places);
        const steps = parts.map((part, i) => read(part, { ended: i === parts.length - 1 }));
        expect(steps.at(-1)).toBe(next.admit);
        expect(steps).not.toContain(next.refuse);
      }),
    );
  });
});

/** What the server gets of parts that come behind a release; undefined: the request is cut off. */
function pass(parts: readonly Uint8Array[], ended = true): { sent: string; isWhole: boolean } {
  let sent = '';
  for (const [i, part] of parts.entries()) {
    const passing = core.text('requestPass', ...window.show(part), ended && i === parts.length - 1);
    if (passing === undefined) return { sent, isWhole: false };
    sent += passing;
  }
  return { sent, isWhole: true };
}

/** Begins with a part that is released. @param size as its headers say */
function release(beginning: Uint8Array, size = -1): void {
  core.call('requestOpen', size);
  expect(read(beginning)).toBe(next.release);
  expect(core.call('requestRelease')).toBe(outcome.forward);
}

describe('a body that was sent on before its end', () => {
  const places = fc.array(fc.nat(), { maxLength: 6 });
  const beginning = call(200_000).subarray(0, released);

  test('passes as it came, in whatever parts, and its last brace not before its end', () => {
    const whole = call(70_000);
    fc.assert(
      fc.property(places, fc.nat(20), (places, spaces) => {
        release(beginning, whole.length + spaces);
        const rest = Buffer.concat([whole.subarray(released), Buffer.alloc(spaces, ' ')]);
        expect(pass(cutAt(rest, places))).toEqual({ sent: rest.toString(), isWhole: true });

        release(beginning, whole.length + spaces + 1);
        expect(pass(cutAt(rest, places), false).sent).toBe(whole.subarray(released, -1).toString());
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['a second method', '"}},"method":"tools/list"}', 'parse_error'],
    ['a second id', '"}},"id":2}', 'parse_error'],
    ['another era', '"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}', 'invalid_request'],
    ['a second document', '"}}}{}', 'parse_error'],
    ['no end', '"}}', 'parse_error'],
    ['a result', '"}},"result":{}}', 'invalid_request'],
    ['much white space', `"}}}${' '.repeat(5000)}`, 'invalid_request'],
  ])('is cut off before its end: %s', (_, tail, expected) => {
    fc.assert(
      fc.property(places, (places) => {
        release(beginning, 400_000);
        const { sent, isWhole } = pass(cutAt(Buffer.from(tail), places));
        expect(isWhole).toBe(false);
        expect(() => JSON.parse(beginning.toString() + sent) as unknown).toThrow();
        expect(reason()).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });

  test('is cut off where it becomes more than any may be', () => {
    release(beginning);
    expect(pass([Buffer.alloc(500_000, 'x')])).toEqual({ sent: '', isWhole: false });
    expect(reason()).toBe('body_too_large');
  });

  test('may end in trailers where none of it was kept back', () => {
    release(beginning);
    pass([Buffer.from(TAIL)], false);
    expect(core.call('requestMayEnd')).toBe(1);
    release(beginning, 100_000);
    pass([Buffer.from(TAIL)], false);
    expect(core.call('requestMayEnd')).toBe(0);
    expect(reason()).toBe('invalid_request');
    release(beginning);
    expect(core.call('requestMayEnd')).toBe(0);
    expect(reason()).toBe('parse_error');
  });
});

describe('a body whose headers have decided', () => {
  const META = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}';
  const start = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"';
  const end = `","arguments":{"name":"weather_x"},${META}}}`;

  /** What the server gets of a body in parts; undefined: the request is cut off. */
  function sent(parts: readonly Uint8Array[]): string | undefined {
    const name = core.span('weather_get');
    expect(core.call('requestOpenByHeaders', ...name)).toBe(outcome.forward);
    let sent = '';
    for (const [i, part] of parts.entries()) {
      const pass = core.call('requestIsNamed') === 1 ? 'requestPass' : 'requestPassBeginning';
      const passing = core.text(pass, ...window.show(part), i === parts.length - 1);
      if (passing === undefined) return undefined;
      if (core.call('requestIsNamed') === 0) expect(passing).toBe('');
      sent += passing;
    }
    return sent;
  }

  test('reaches its server with the name that the server knows, in whatever parts it comes', () => {
    const body = Buffer.from(`${start}weather_get${end}`);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 6 }), (places) => {
        expect(sent(cutAt(body, places))).toBe(`${start}get${end}`);
      }),
    );
  });

  test('does not reach it where it says another name', () => {
    expect(sent([Buffer.from(`${start}weather_set${end}`)])).toBeUndefined();
    expect(reason()).toBe('header_mismatch');
  });

  test('is refused where its name comes behind more than may be held', () => {
    const long = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":"${'x'.repeat(heldBody)}`;
    expect(sent([Buffer.from(long), Buffer.from(`","name":"weather_get${end}`)])).toBeUndefined();
    expect(reason()).toBe('body_too_large');
  });
});
