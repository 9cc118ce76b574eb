// The official suite as a client of one era, with a server of the other one: what both eras have is as it should be.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type CompleteServer, startCompleteServer } from '../upstreams/complete/server.ts';
import { type ModernServer, startModernServer } from '../upstreams/modern.ts';
import { type BareNames, startBareNames } from './bare-names.ts';
import { complaints } from './findings.ts';
import { runSuite, stateless } from './suite.ts';

/** Checks without a counterpart at a server of 2026-07-28, by their scenarios. */
const ofSessions: Readonly<Record<string, readonly string[]>> = {
  // Its tools ask in their own way, with `input_required`: era-matrix.test.ts and input-requests.test.ts have that.
  'elicitation-sep1034-defaults': ['elicitation-sep1034-general'],
  'elicitation-sep1330-enums': ['elicitation-sep1330-general'],
  'tools-call-elicitation': ['tools-call-elicitation'],
  'tools-call-sampling': ['tools-call-sampling'],
  // Clients of that revision listen instead, and say with each request what is to be logged.
  'resources-subscribe': ['resources-subscribe'],
  'resources-unsubscribe': ['resources-unsubscribe'],
  'tools-call-with-logging': ['tools-call-with-logging'],
  // Its event streams are not taken up again.
  'server-sse-polling': ['server-sse-priming-event', 'server-sse-retry-field'],
};

/** Checks without a counterpart at a server with sessions, by their scenarios. */
const ofStateless: Readonly<Record<string, readonly string[]>> = {
  // It has no tool whose argument a header repeats; the suite takes that of the other server, whose name it does not know.
  'http-custom-header-server-validation': [
    'sep-2243-server-reject-invalid-param-chars',
    'sep-2243-server-reject-param-mismatch',
    'sep-2243-server-validate-param-match',
  ],
  // It has none of these tools, nor the prompt: it asks in the stream of its answer.
  'input-required-result-basic-elicitation': ['sep-2322-elicitation-incomplete'],
  'input-required-result-basic-list-roots': ['sep-2322-list-roots-incomplete'],
  'input-required-result-basic-sampling': ['sep-2322-sampling-incomplete'],
  'input-required-result-capability-check': ['sep-2322-respect-client-capabilities'],
  'input-required-result-ignore-extra-params': ['sep-2322-ignore-unexpected-params'],
  'input-required-result-missing-input-response': ['sep-2322-missing-response-rerequests'],
  'input-required-result-multi-round': ['sep-2322-multi-round-r1'],
  'input-required-result-multiple-input-requests': ['sep-2322-multiple-inputs-incomplete'],
  'input-required-result-non-tool-request': ['sep-2322-non-tool-incomplete'],
  'input-required-result-request-state': ['sep-2322-request-state-incomplete'],
  'input-required-result-result-type': ['sep-2322-result-type-included'],
  'input-required-result-tampered-state': ['sep-2322-reject-tampered-state'],
  'server-stateless': [
    // It lacks the tools with which the suite looks at these.
    'sep-2575-http-server-no-independent-requests-on-stream',
    'sep-2575-missing-capability-http-400',
    'sep-2575-server-no-log-without-loglevel',
    'sep-2575-server-rejects-undeclared-capability',
    // Of several servers no stream can be made: the suite skips what nobody offers.
    'sep-2575-server-sends-prompts-list-changed-on-subscription',
    'sep-2575-server-sends-tools-list-changed-on-subscription',
  ],
};

describeGateway('the official conformance suite of one era, with a server of the other one', () => {
  let old: CompleteServer;
  let modern: ModernServer;
  const bare = new Map<string, BareNames>();
  beforeAll(async () => {
    [old, modern] = await Promise.all([startCompleteServer('old'), startModernServer('modern')]);
  });
  afterAll(() => Promise.all([old.stop(), modern.stop()]));
  const gateway = useGateway(() => ({ servers: [old, modern].map(({ name, url }) => ({ name, url })) }));
  beforeAll(async () => {
    for (const { name } of [old, modern]) bare.set(name, await startBareNames(gateway.current.url, name));
  });
  afterAll(() => Promise.all([...bare.values()].map((proxy) => proxy.stop())));

  it.each([
    ['2025-06-18', 'modern', ofSessions, 50],
    ['2025-11-25', 'modern', ofSessions, 60],
    [stateless, 'old', ofStateless, 115],
  ] as const)(
    'of %s finds nothing wrong with the server %s, but for what its era does not have',
    async (revision, name, without, least) => {
      const found = await runSuite(bare.get(name)?.url ?? '', revision);
      const said = complaints(found);
      const wrong = new Set(said.map((complaint) => complaint.slice(0, complaint.indexOf(':'))));
      const expected = Object.entries(without)
        .filter(([scenario]) => found.has(scenario))
        .flatMap(([scenario, checks]) => checks.map((check) => `${scenario}, ${check}`));
      expect([...wrong].sort(), said.join('\n')).toEqual(expected.sort());
      const passed = [...found.values()].flat().filter(({ status }) => status === 'SUCCESS').length;
      expect(passed).toBeGreaterThan(least);
    },
    120_000,
  );
});
