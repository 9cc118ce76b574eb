import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type CompleteServer, startCompleteServer } from '../upstreams/complete/server.ts';
import { type BareNames, startBareNames } from './bare-names.ts';
import { knownGaps } from './known-gaps.ts';
import { complaints, isSame } from './findings.ts';
import { revisions, runSuite } from './suite.ts';

/** Checks of these scenarios have details that must differ: addresses, session ids, lists with the names of two servers. */
const ownDetails = [
  'dns-rebinding-protection',
  'json-schema-2020-12',
  'prompts-list',
  'resources-list',
  'server-initialize',
  'server-sse-multiple-streams',
  'server-sse-polling',
  'tools-list',
];

/** The gateway answers lists itself, in JSON: the suite says that event streams are optional there. */
const inJson = 'server-sse-streams-functional';

describeGateway('the official conformance suite', () => {
  let one: CompleteServer;
  let two: CompleteServer;
  beforeAll(async () => {
    [one, two] = await Promise.all([startCompleteServer('one'), startCompleteServer('two')]);
  });
  afterAll(() => Promise.all([one.stop(), two.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      { name: 'one', url: one.url },
      { name: 'two', url: two.url },
    ],
  }));
  let bare: BareNames;
  beforeAll(async () => {
    bare = await startBareNames(gateway.current.url, 'two');
  });
  afterAll(() => bare.stop());

  it.each(revisions)(
    'of %s finds through a gateway with two servers what it finds at one of them',
    async (revision) => {
      const alone = await runSuite(two.url, revision);
      expect(complaints(alone), 'the server itself').toEqual([]);
      expect([...alone.values()].flat().filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(55);

      const through = await runSuite(bare.url, revision);
      const different = [...alone.keys()]
        .filter((scenario) => !isSame(scenario, alone, through, { ownDetails, asInfo: [inJson] }))
        .sort();
      const expected = knownGaps.filter((scenario) => alone.has(scenario));
      expect(different, complaints(through).join('\n')).toEqual(expected);
    },
    120_000,
  );
});
