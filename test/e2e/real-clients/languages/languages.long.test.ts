// In `npm run test:clients`: clients made with the SDKs of other languages, in both eras, with servers of both.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { describeGateway } from '../../engine.ts';
import { useGateway } from '../../gateway.ts';
import { isRunnable } from '../../languages/programs.ts';
import { proofTimeout } from '../../proof/scale.ts';
import { until } from '../../until.ts';
import { type CompleteServer, startCompleteServer } from '../../upstreams/complete/server.ts';
import { type ModernServer, startModernServer } from '../../upstreams/modern.ts';
import { type Conversation, type Heard, type Plan, beginConversation } from './converse.ts';
import { type ClientProgram, programs } from './programs.ts';

// A Python takes seconds to begin, and half a minute where the machine does much else.
vi.setConfig({ testTimeout: proofTimeout });

const names = ['one', 'two'] as const;
type Name = (typeof names)[number];
type Era = ClientProgram['era'];

/** Which era a server speaks. */
const setups: Record<string, Record<Name, Era>> = {
  'old servers': { one: 'sessions', two: 'sessions' },
  'modern servers': { one: 'stateless', two: 'stateless' },
  'one of each': { one: 'sessions', two: 'stateless' },
};

const answer = { username: 'Ada', email: 'ada@example.com', name: 'Ada', ok: true };

/** The tools that ask, and what the program's answers make of them: texts with members in any order. */
const asking: Record<Era, readonly (readonly [string, object, RegExp])[]> = {
  sessions: [
    ['test_elicitation', { message: 'Who?' }, /action=accept.*"username":"Ada"/],
    ['test_sampling', { prompt: 'Say it' }, /^LLM response: Say it, Say it$/],
    ['test_roots', {}, /^file:\/\/\/home\/ada$/],
  ],
  stateless: [
    ['test_input_required_result_elicitation', {}, /^Hello, Ada!$/],
    ['test_input_required_result_sampling', {}, /"model":"parrot"/],
    ['test_input_required_result_request_state', {}, /^state-ok$/],
  ],
};
const counts: Record<Era, { tools: number; prompts: number }> = {
  sessions: { tools: 21, prompts: 5 },
  stateless: { tools: 36, prompts: 6 },
};

describeGateway('clients of other languages', () => {
  const old = new Map<Name, CompleteServer>();
  const modern = new Map<Name, ModernServer>();
  beforeAll(async () => {
    for (const name of names) {
      old.set(name, await startCompleteServer(name));
      modern.set(name, await startModernServer(name));
    }
  });
  afterAll(() => Promise.all([...old.values(), ...modern.values()].map((server) => server.stop())));
  const urlOf = (name: Name, era: Era): string =>
    (era === 'sessions' ? old.get(name) : modern.get(name))?.url ?? 'not started';
  const gateways = Object.fromEntries(
    Object.entries(setups).map(([setup, eras]) => [
      setup,
      useGateway(() => ({ servers: names.map((name) => ({ name, url: urlOf(name, eras[name]) })) })),
    ]),
  );

  describe.each(programs)('$client', ({ program, era }) => {
    const isHere = isRunnable(program, 'the client of');
    const runs = describe.runIf(isHere);
    let command: readonly string[];
    beforeAll(async () => {
      if (isHere) command = await program.install();
    }, proofTimeout);

    const cases = Object.entries(setups).flatMap(([setup, eras]) =>
      (era === 'sessions' ? (['session'] as const) : (['session', 'auto'] as const)).map((mode) => ({
        setup,
        eras,
        mode,
      })),
    );
    runs.each(cases)('in mode $mode with $setup', ({ setup, eras, mode }) => {
      const isStateless = mode === 'auto' && names.some((name) => eras[name] === 'stateless');
      const spoken: Era = isStateless ? 'stateless' : 'sessions';
      /** What a server with sessions asks for does not come to clients without. */
      const asksOf = (name: Name) => (spoken === 'stateless' && eras[name] === 'sessions' ? [] : asking[eras[name]]);
      let conversation: Conversation;
      beforeAll(() => {
        const plan: Plan = {
          url: gateways[setup]?.current.url ?? '',
          mode,
          answer,
          servers: names.map((name) => ({
            same: `${name}_test_same_name`,
            uri: `test://${name}/static-text`,
            completes: `${name}_test_prompt_with_arguments`,
            progress: `${name}_test_tool_with_progress`,
            asks: asksOf(name).map(([tool, args]) => [`${name}_${tool}`, args] as const),
          })),
          waits: 'one_test_waiting',
        };
        conversation = beginConversation(command, plan);
      });
      afterAll(() => {
        conversation.kill();
      });

      it('lists, calls, gets, reads, completes, and answers what it is asked', async () => {
        const heard = (await conversation.next()) as Heard;
        const sum = (what: 'tools' | 'prompts') => counts[eras.one][what] + counts[eras.two][what];
        expect(heard).toMatchObject({
          revision: isStateless ? '2026-07-28' : '2025-11-25',
          tools: sum('tools'),
          prompts: sum('prompts'),
          templates: names.map((name) => `test://${name}/template/{id}/data`),
        });
        for (const name of names) expect(heard.resources).toContain(`test://${name}/static-text`);
        expect(heard.servers).toEqual(
          names.map((name) => ({
            called: `a tool of ${name}`,
            prompt: `a prompt of ${name}`,
            read: `The static text of ${name}.`,
            completed: ['v0', 'v1', name],
            progress: [0, 50, 100],
            asked: asksOf(name).map(([, , said]) => expect.stringMatching(said) as string),
          })),
        );
      });

      it('cancels a call, and the server knows', async () => {
        const server = old.get('one');
        const isTold = (what: string) => eras.one === 'stateless' || server?.told.at(-1) === what;
        await until('the call waits', () => isTold('a call waits'));
        conversation.goOn();
        expect(await conversation.next()).toEqual({ cancelled: true });
        await until('the server knows', () => isTold('a call was cancelled'));
      });

      it('notices nothing of sessions that its servers have lost, and ends its own', async () => {
        for (const server of old.values()) server.forget();
        conversation.goOn();
        expect(await conversation.next()).toEqual({ again: names.map((name) => `a tool of ${name}`) });
        expect(await conversation.end()).toBe(0);
        await until('no session is open', () => [...old.values()].every(({ sessions }) => sessions.size === 0));
      });
    });
  });
});
