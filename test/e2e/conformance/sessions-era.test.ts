import { expect, it } from 'vitest';
import { describeGateway } from '../engine.ts';
import { startCompleteServer } from '../upstreams/complete/server.ts';
import { knownGaps } from './known-gaps.ts';
import { complaints, isSame } from './findings.ts';
import { revisions, runSuite } from './suite.ts';
import { useTwoServers } from './two-servers.ts';

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
  const server = useTwoServers(startCompleteServer, 'two');

  it.each(revisions)(
    'of %s finds through a gateway with two servers what it finds at one of them',
    async (revision) => {
      const alone = await runSuite(server.alone(), revision);
      expect(complaints(alone), 'the server itself').toEqual([]);
      expect([...alone.values()].flat().filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(55);

      const through = await runSuite(server.through(), revision);
      const different = [...alone.keys()]
        .filter((scenario) => !isSame(scenario, alone, through, { ownDetails, asInfo: [inJson] }))
        .sort();
      const expected = knownGaps.filter((scenario) => alone.has(scenario));
      expect(different, complaints(through).join('\n')).toEqual(expected);
    },
    120_000,
  );
});
