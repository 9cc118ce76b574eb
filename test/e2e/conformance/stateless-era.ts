import { expect, it } from 'vitest';
import { describeGateway } from '../engine.ts';
import { startModernServer } from '../upstreams/modern.ts';
import { complaints, isSame } from './findings.ts';
import { runSuite, stateless } from './suite.ts';
import { useTwoServers } from './two-servers.ts';

/** Addresses, sealed states, lists with the names of two servers, and words of a refusal. */
const ownDetails = [
  'dns-rebinding-protection',
  'http-header-validation',
  'input-required-result-multi-round',
  'input-required-result-multiple-input-requests',
  'input-required-result-request-state',
  'input-required-result-tampered-state',
  'json-schema-2020-12',
  'prompts-list',
  'resources-list',
  'server-stateless',
  'tools-list',
];

/** Of several servers no stream can be made: the suite skips what nobody offers. */
const unoffered = [
  'sep-2575-server-sends-prompts-list-changed-on-subscription',
  'sep-2575-server-sends-tools-list-changed-on-subscription',
];

const allowed = { ownDetails, unoffered };

/** The official suite of revision 2026-07-28, in every host mode. */
export function proveConformance(): void {
  describeGateway('the official conformance suite without sessions', () => {
    const server = useTwoServers(startModernServer, 'one');

    it('finds through a gateway with two servers what it finds at one of them', async () => {
      const alone = await runSuite(server.alone(), stateless);
      expect(complaints(alone), 'the server itself').toEqual([]);
      expect([...alone.values()].flat().filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(100);
      const through = await runSuite(server.through(), stateless);
      const different = [...alone.keys()].filter((scenario) => !isSame(scenario, alone, through, allowed)).sort();
      expect(different, complaints(through).join('\n')).toEqual([]);
    }, 120_000);
  });
}
