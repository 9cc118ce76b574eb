// Calls that are decided on by their arguments: nothing of one goes to its server before they were read whole.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message, refusal, toolNames } from './clients/answers.ts';
import type { RawAnswer } from './clients/raw.ts';
import { callMessage, lateNameMessage, listMessage, openSession, type Session } from './clients/session.ts';
import { type Framing, framings, upload } from './clients/upload.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';

const kibibyte = 1 << 10;
const heldBody = 256 * kibibyte;

const authorization = {
  default: 'allow',
  rules: [
    { name: 'outside', effect: 'deny', tools: ['one_write'], arguments: [{ pointer: '/path', prefix: '/etc/' }] },
    { name: 'unsaid', effect: 'deny', tools: ['one_write'], arguments: [{ pointer: '/path', absent: true }] },
  ],
};

describeGateway('a rule on arguments', () => {
  let one: Scripted;
  let two: Scripted;
  let session: Session;
  beforeAll(async () => {
    one = await startScripted({ tools: ['write', 'read'] });
    two = await startScripted({ tools: ['write'] });
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
    plugin: { authorization, limits: { heldBody: '256Ki' } },
  }));
  beforeAll(async () => {
    session = await openSession(gateway.current.url);
  });

  const write = JSON.stringify('one_write');
  /** What a client gets, and whether the server has got anything of it. */
  async function outcomeOf(ask: () => Promise<RawAnswer>): Promise<{ outcome: string; reached: boolean }> {
    one.forget();
    const answer = await ask();
    const { result, error } = message(answer);
    const reason = error?.data?.['reason'];
    const outcome = typeof reason === 'string' ? reason : result?.['isError'] === true ? 'refused' : 'ok';
    return { outcome, reached: one.arrivals.length > 0 };
  }
  const served = { outcome: 'ok', reached: true };
  const refused = { outcome: 'refused', reached: false };

  it.each<[string, string, object]>([
    ['what no rule is against', '{"path":"/home/ada"}', served],
    ['what a rule is against', '{"path":"/etc/passwd"}', refused],
    ['the same in escapes', '{"p\\u0061th":"\\/etc\\u002fpasswd"}', refused],
    ['what a rule cannot read', '{"path":["/etc/passwd"]}', refused],
    ['null', '{"path":null}', refused],
    ['nothing', '{}', refused],
    ['a member twice', '{"path":"/home","path":"/etc/passwd"}', { outcome: 'parse_error', reached: false }],
    ['a member in other letters', '{"path":"/home","Path":"/etc/x"}', { outcome: 'parse_error', reached: false }],
  ])('decides on %s', async (_, args, expected) => {
    expect(await outcomeOf(() => session.post(callMessage(write, args)))).toEqual(expected);
    expect(await outcomeOf(() => session.post(lateNameMessage(write, args)))).toEqual(expected);
  });

  it('is told as a result that the model reads', async () => {
    const answer = await session.post(callMessage(write, '{"path":"/etc/passwd"}', '"x"'));
    const text =
      'The rules of this gateway do not allow this call with these arguments: /path of one_write. ' +
      'Call it with other arguments, or ask who runs the gateway.';
    expect([answer.status, message(answer)]).toEqual([
      200,
      { jsonrpc: '2.0', id: 'x', result: { content: [{ type: 'text', text }], isError: true } },
    ]);
  });

  it('changes nothing of what is listed, nor of other tools', async () => {
    expect(toolNames(await session.post(listMessage()))).toEqual(['one_write', 'one_read', 'two_write']);
    const doubled = '{"path":"/etc/passwd","path":1}';
    expect(await outcomeOf(() => session.post(callMessage('"one_read"', doubled)))).toEqual(served);
    expect((await outcomeOf(() => session.post(callMessage('"two_write"', doubled)))).outcome).toBe('ok');
  });

  it('holds for each message of a batch', async () => {
    const older = await openSession(gateway.current.url, { revision: '2025-03-26' });
    one.forget();
    const calls = ['{"path":"/home"}', '{"path":"/etc/x"}'].map((args, index) => callMessage(write, args, `${index}`));
    const answer = await older.post(`[${calls.join(',')}]`);
    const answers = JSON.parse(answer.text) as { id: number; result: { isError?: boolean } }[];
    expect(answers.map(({ id, result }) => [id, result.isError === true])).toEqual([
      [0, false],
      [1, true],
    ]);
    expect(one.of('tools/call')).toHaveLength(1);
  });

  describe.each(framings)('on a large call over %s', (framing: Framing) => {
    /** In parts, with time for the first to be decided on. */
    async function send(args: string): Promise<RawAnswer> {
      const body = Buffer.from(callMessage(write, args, '7'));
      const headers = { 'mcp-session-id': session.id, 'mcp-protocol-version': '2025-11-25' };
      const sent = upload(gateway.current.url, { framing, size: body.length, headers });
      for (let at = 0; at < body.length; at += 64 * kibibyte) await sent.write(body.subarray(at, at + 64 * kibibyte));
      sent.end();
      return sent.answer;
    }
    const padded = (size: number, path: string): string => `{"text":"${'x'.repeat(size)}","path":"${path}"}`;

    it('waits for the last of the arguments', async () => {
      expect(await outcomeOf(() => send(padded(200 * kibibyte, '/home/ada')))).toEqual(served);
      expect(await outcomeOf(() => send(padded(200 * kibibyte, '/etc/passwd')))).toEqual(refused);
    });

    it('lets nothing pass that is larger than may be held', async () => {
      one.forget();
      const answer = await send(padded(heldBody + 64 * kibibyte, '/home/ada'));
      expect(refusal(answer)).toEqual({ status: 200, id: 7, code: -32600, reason: 'body_too_large' });
      expect(message(answer).error?.message).toContain('has to hold all of it');
      expect(one.arrivals).toEqual([]);
    });
  });
});
