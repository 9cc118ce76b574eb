import { expect, it } from 'vitest';
import { describeGateway, engine, hostMode } from '../engine.ts';
import { startTaskServer } from '../upstreams/tasks.ts';
import { complaints } from './findings.ts';
import { runScenarios } from './suite.ts';
import { useTwoServers } from './two-servers.ts';

/** All that the official suite has about tasks, but for a scenario that it skips itself. */
const scenarios = [
  'tasks-lifecycle',
  'tasks-capability-negotiation',
  'tasks-wire-fields',
  'tasks-request-state-removal',
  'tasks-mrtr-input',
  'tasks-request-headers',
  'tasks-dispatch-and-envelope',
  'tasks-required-task-error',
  'tasks-mrtr-composition',
];

describeGateway('the official conformance suite of the extension for tasks', () => {
  const server = useTwoServers(startTaskServer, 'one');

  // Tasks are tested in all projects by tasks.test.ts; the suite's own waits are long.
  const isOnce = engine?.name === (hostMode === 'hold' ? 'envoy' : 'embedded');
  it.runIf(isOnce)(
    'finds nothing wrong with tasks through a gateway with two servers',
    async () => {
      const through = await runScenarios(server.through(), scenarios);
      expect(complaints(through)).toEqual([]);
      expect([...through.values()].flat().filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(40);
    },
    60_000,
  );
});
