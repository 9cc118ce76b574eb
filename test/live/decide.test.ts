// What a node is given, and when: by table, and by any order of edits and polls that there can be.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterVersionOf } from '../../plugin-server/live/compile.ts';
import {
  type Given,
  decideClusters,
  decideFilters,
  isSettled,
  refuses,
  whyNoFilter,
} from '../../plugin-server/live/decide.ts';
import { Nodes, type Subscription, nodeExpiry, nodeLimit, noteOffer } from '../../plugin-server/live/nodes.ts';
import { parsePoll } from '../../plugin-server/live/poll.ts';
import { compiledOf } from './compiled.ts';

const mark = 5;
/** Polls of a `Conversation`, each of which takes a millisecond. */
const drainTime = 3;

/** A gateway whose history is all that is given here, the last one current. */
function gateway(
  ...versions: readonly (readonly string[])[]
): Given & { readonly all: readonly ReturnType<typeof compiledOf>[] } {
  const all = versions.map((servers) => compiledOf(servers));
  const compiled = all.at(-1);
  if (compiled === undefined) throw new Error('a gateway has a version');
  return {
    all,
    compiled,
    mark,
    now: 0,
    drainTime,
    clusterSet: (version) => all.find(({ clusterSet }) => clusterSet.version === version)?.clusterSet,
  };
}

/** A node as the plugin server knows it, and what it says next. */
class Conversation {
  readonly nodes = new Nodes();
  #now = 0;

  clusters(given: Given, version: string) {
    const body = Buffer.from(JSON.stringify({ version_info: version, node: { id: 'n', cluster: 'c' } }));
    const { node, subscription } = this.nodes.heard('clusters', parsePoll('clusters', body), 'here', ++this.#now);
    return note(decideClusters({ ...given, now: this.#now }, node, subscription), subscription);
  }

  filters(given: Given, version: string, names = ['sluice']) {
    const body = Buffer.from(
      JSON.stringify({ version_info: version, node: { id: 'n', cluster: 'c' }, resource_names: names }),
    );
    const poll = parsePoll('filters', body);
    const { node, subscription } = this.nodes.heard('filters', poll, 'here', ++this.#now);
    return note(decideFilters(given, node, subscription, poll.names), subscription);
  }

  get node() {
    const [node] = this.nodes.all(this.#now);
    if (node === undefined) throw new Error('it has not polled yet');
    return node;
  }
}

type Decided = ReturnType<typeof decideClusters>;

/** As the delivery does it. */
function note(decision: Decided, subscription: Subscription): Decided {
  if (decision.kind !== 'give') return decision;
  if (decision.again) subscription.refused = decision.version;
  noteOffer(subscription, decision.version);
  return decision;
}

/** Of clusters the names of their servers. */
const names = (decision: Decided): string[] =>
  decision.kind === 'give' ? decision.resources.map(({ name }) => name.replace(/@.*/, '')) : [];

describe('a node that starts', () => {
  test('gets its clusters, then, when it reports them, its filter', () => {
    const given = gateway(['a', 'b']);
    const node = new Conversation();
    expect(names(node.clusters(given, ''))).toEqual(['a', 'b']);
    expect(node.filters(given, '')).toEqual({ kind: 'wait', elsewhere: false });
    expect(node.clusters(given, given.compiled.clusterSet.version)).toEqual({ kind: 'nothing' });
    expect(names(node.filters(given, ''))).toEqual(['sluice']);
    expect(node.filters(given, given.compiled.version)).toEqual({ kind: 'nothing' });
    expect(isSettled(given.compiled, node.node)).toBe(true);
  });

  test('anew gets both anew, whatever it had', () => {
    const given = gateway(['a']);
    const node = new Conversation();
    node.clusters(given, given.compiled.clusterSet.version);
    node.filters(given, given.compiled.version);
    expect(names(node.clusters(given, ''))).toEqual(['a']);
    expect(node.filters(given, '')).toEqual({ kind: 'wait', elsewhere: false });
  });

  test('anew, seen by its filters first, waits for its clusters', () => {
    const given = gateway(['a']);
    const node = new Conversation();
    node.clusters(given, given.compiled.clusterSet.version);
    node.filters(given, given.compiled.version);
    expect(node.filters(given, '')).toEqual({ kind: 'wait', elsewhere: true });
  });

  test('and polls for clusters elsewhere, waits', () => {
    expect(new Conversation().filters(gateway(['a']), '')).toEqual({ kind: 'wait', elsewhere: true });
  });
});

describe('an edit', () => {
  const given = gateway(['a', 'b'], ['b', 'c']);
  const [before, after] = given.all;
  if (before === undefined || after === undefined) throw new Error('there are two');
  const both = `${after.clusterSet.version}+`;

  function settled(): Conversation {
    const node = new Conversation();
    node.clusters(gateway(['a', 'b']), before?.clusterSet.version ?? '');
    node.filters(gateway(['a', 'b']), before?.version ?? '');
    return node;
  }

  test('adds clusters first, then changes the filter, then, when calls have had time to end, removes clusters', () => {
    const node = settled();
    expect(node.filters(given, before.version)).toEqual({ kind: 'wait', elsewhere: false });
    const added = node.clusters(given, before.clusterSet.version);
    expect(names(added)).toEqual(['b', 'c', 'a']);
    const version = added.kind === 'give' ? added.version : '';
    expect(version.startsWith(both)).toBe(true);
    expect(node.clusters(given, version)).toEqual({ kind: 'nothing' });
    expect(names(node.filters(given, before.version))).toEqual(['sluice']);
    expect(node.clusters(given, version)).toEqual({ kind: 'nothing' });
    expect(node.filters(given, after.version)).toEqual({ kind: 'nothing' });
    expect(isSettled(after, node.node)).toBe(true);
    expect(node.clusters(given, version)).toEqual({ kind: 'nothing' });
    expect(node.filters(given, after.version)).toEqual({ kind: 'nothing' });
    const removed = node.clusters(given, version);
    expect(removed).toMatchObject({ kind: 'give', version: after.clusterSet.version });
    expect(names(removed)).toEqual(['b', 'c']);
    node.clusters(given, after.clusterSet.version);
    expect(isSettled(after, node.node)).toBe(true);
  });

  test('of a node that this server has not heard of keeps what it has, as far as the history knows it', () => {
    expect(names(new Conversation().clusters(given, before.clusterSet.version))).toEqual(['b', 'c', 'a']);
    expect(names(new Conversation().clusters(given, 'unheard-of'))).toEqual(['b', 'c']);
    expect(new Conversation().clusters(given, `${both}whatever`)).toEqual({ kind: 'nothing' });
  });

  test('that is taken back while its clusters are on their way changes the filter when the node has said which it has', () => {
    const first = gateway(['a']);
    const node = new Conversation();
    node.clusters(first, '');
    const { version } = first.compiled.clusterSet;
    for (let poll = 0; poll <= drainTime; poll++) node.clusters(first, version);
    node.filters(gateway(['a'], ['b']), '');
    expect(names(node.clusters(gateway(['a'], ['b']), version))).toContain('b');
    const back = gateway(['a'], ['b'], ['a']);
    expect(node.filters(back, '')).toEqual({ kind: 'wait', elsewhere: false });
    // That answer may have been lost: its next poll says so.
    node.clusters(back, version);
    expect(names(node.filters(back, ''))).toEqual(['sluice']);
  });

  test('that a node leaves without effect is given twice, then it is taken for refused', () => {
    const node = settled();
    node.clusters(given, after.clusterSet.version);
    expect(node.filters(given, before.version)).toMatchObject({ kind: 'give', again: false });
    const first = node.filters(given, before.version);
    expect(first).toMatchObject({ kind: 'give', again: false });
    expect([...node.node.filters.values()].some((each) => refuses(after, each))).toBe(false);
    const second = node.filters(given, before.version);
    expect(second).toMatchObject({ kind: 'give', again: true });
    expect([...node.node.filters.values()].some((each) => refuses(after, each))).toBe(true);
    // Envoy takes the bytes that it has just refused for applied.
    expect(
      first.kind === 'give' && second.kind === 'give' && first.resources[0]?.json !== second.resources[0]?.json,
    ).toBe(true);
    node.filters(given, after.version);
    expect([...node.node.filters.values()].some((each) => refuses(after, each))).toBe(false);
  });
});

describe('a pair', () => {
  const pair = { ...gateway(['a']), compiled: compiledOf(['a'], 'pair') };
  const has = pair.compiled.clusterSet.version;

  test('is given to a node that asks for both of its filters, each with what it asked for', () => {
    const node = new Conversation();
    node.clusters(pair, has);
    expect(node.filters(pair, '')).toEqual({ kind: 'wait', elsewhere: false });
    expect(names(node.filters(pair, '', ['sluice-holder']))).toEqual(['sluice-holder']);
    expect(names(node.filters(pair, ''))).toEqual(['sluice']);
    node.filters(pair, pair.compiled.version);
    expect(isSettled(pair.compiled, node.node)).toBe(false);
    node.filters(pair, pair.compiled.version, ['sluice-holder']);
    expect(isSettled(pair.compiled, node.node)).toBe(true);
  });

  test('is what a bootstrap for a pair keeps where the gateway goes to one filter', () => {
    const node = new Conversation();
    node.clusters(pair, has);
    node.filters(pair, pair.compiled.version);
    node.filters(pair, pair.compiled.version, ['sluice-holder']);
    expect(node.filters(gateway(['a']), pair.compiled.version)).toEqual({ kind: 'wait', elsewhere: false });
  });

  test.each([
    ['sluice-holder', 'hold', /set hostMode: pair, or take sluice-holder out/],
    ['slucie', 'hold', /did you mean sluice\?/],
  ] as const)('has no %s in hostMode %s', (name, mode, why) => {
    expect(whyNoFilter(name, compiledOf(['a'], mode))).toMatch(why);
  });
});

test('nodes that are not heard of are forgotten, those of the longest silence first', () => {
  const nodes = new Nodes();
  const hear = (id: number, now: number): void => {
    const body = Buffer.from(JSON.stringify({ node: { id: `n${id}`, cluster: 'c' } }));
    nodes.heard('clusters', parsePoll('clusters', body), 'here', now);
  };
  for (let id = 0; id <= nodeLimit; id++) hear(id, id);
  hear(1, nodeLimit + 1);
  hear(-1, nodeLimit + 2);
  const ids = nodes.all(nodeLimit + 2).map(({ id }) => id);
  expect(ids).toHaveLength(nodeLimit);
  expect(ids).toContain('n1');
  expect(ids).not.toContain('n2');
  expect(nodes.all(nodeLimit + 2 + nodeExpiry)).toEqual([]);
});

test('whatever comes in whatever order, a filter never lacks a cluster, and all nodes end with the last edit', () => {
  const servers = fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('edit' as const), servers }),
    fc.record({ kind: fc.constantFrom('clusters' as const, 'filters' as const), lost: fc.boolean() }),
    fc.constant({ kind: 'restart' as const }),
  );
  fc.assert(
    fc.property(servers, fc.array(step, { maxLength: 40 }), (first, steps) => {
      const history = [first];
      let conversation = new Conversation();
      const envoy = {
        clusters: { version: '', names: [] as string[] },
        filters: { version: '', needs: [] as string[] },
      };
      const poll = (kind: 'clusters' | 'filters', lost = false): void => {
        const given = gateway(...history);
        const decision = conversation[kind](given, envoy[kind].version);
        if (decision.kind !== 'give' || lost) return;
        if (kind === 'clusters') envoy.clusters = { version: decision.version, names: names(decision) };
        else {
          const needed = given.clusterSet(clusterVersionOf(decision.version));
          envoy.filters = {
            version: decision.version,
            needs: needed?.clusters.map(({ name }) => name.replace(/@.*/, '')) ?? ['unknown'],
          };
        }
        expect(envoy.clusters.names).toEqual(expect.arrayContaining(envoy.filters.needs));
      };
      poll('clusters'); // an Envoy begins with them
      for (const each of steps) {
        if (each.kind === 'edit') history.push(each.servers);
        else if (each.kind === 'restart')
          conversation = new Conversation(); // of the plugin server: it has its history
        else poll(each.kind, each.lost);
      }
      for (let round = 0; round < 4 + drainTime; round++) {
        poll('clusters');
        poll('filters');
      }
      const { compiled } = gateway(...history);
      expect(envoy.filters.version).toBe(compiled.version);
      expect(envoy.clusters.version).toBe(compiled.clusterSet.version);
    }),
  );
});
