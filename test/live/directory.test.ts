// Files as people, editors and Kubernetes change them, and what becomes of it.
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import { checkFiles } from '../../envoy/check/files.ts';
import type { Finding } from '../../envoy/check/finding.ts';
import { checkGatewayDirectory, checkGatewayText } from '../../plugin-server/live/check.ts';
import { historyLimit } from '../../plugin-server/versions/versions.ts';
import { until } from '../e2e/until.ts';
import {
  type Folders,
  type LiveServer,
  folders,
  fullDisk,
  otherModule,
  startLive,
  storeWith,
  useKept,
  write,
} from './support.ts';

const server = (name: string, url = `http://${name}.example:8080/mcp`): object => ({ name, url, prefix: `${name}_` });
const configuration = (...names: string[]): object => ({ servers: names.map((name) => server(name)) });

const given = (
  { live }: LiveServer,
  gateway = 'edge',
): { generation: number; clusters: string[]; module: string } | undefined => {
  const active = live.directory.get(gateway)?.active;
  if (active === undefined) return undefined;
  const { compiled, kept } = active;
  const clusters = compiled.clusterSet.clusters.map(({ name }) => name.replace(/@.*/, ''));
  return { generation: kept.generation, clusters, module: kept.module.version };
};

const problems = ({ live }: LiveServer, gateway = 'edge') =>
  live.directory.get(gateway)?.refusal?.problems.map(({ path, message }) => [path, message] as const);

const messages = ({ log }: LiveServer, level: string): string[] =>
  log.filter((line) => line['level'] === level).map(({ message }) => String(message));

const keep = useKept('edge', configuration('a'));

async function serving(where: Folders, content?: object): Promise<LiveServer> {
  if (content === undefined) keep(where);
  else write(where, 'edge', content);
  return startLive(where);
}

describe('an edit is taken', () => {
  test('where an editor puts a new file in place of the old one', async () => {
    const where = folders();
    const running = await serving(where);
    write(where, 'edge', configuration('a', 'b'));
    await until('it is given out', () => given(running)?.generation === 2);
    expect(given(running)).toEqual({ generation: 2, clusters: ['a', 'b'], module: '0.1.0' });
    expect(messages(running, 'info')).toContain('gateway edge: version 2 is given out, with sluice 0.1.0');
  });

  test('where Kubernetes swaps the link that leads to all files', async () => {
    const where = folders();
    const edge = join(where.gateways, 'edge');
    const mount = (version: string, ...names: string[]): void => {
      mkdirSync(join(edge, version), { recursive: true });
      writeFileSync(join(edge, version, 'sluice.yaml'), JSON.stringify(configuration(...names)));
      symlinkSync(version, join(edge, '..data_tmp'));
      renameSync(join(edge, '..data_tmp'), join(edge, '..data'));
    };
    mount('..1', 'a');
    symlinkSync('..data/sluice.yaml', join(edge, 'sluice.yaml'));
    const running = await startLive(where);
    mount('..2', 'b');
    await until('it is given out', () => given(running)?.generation === 2);
    expect(given(running)?.clusters).toEqual(['b']);
  });

  test('only whole, where a file is written piece by piece', async () => {
    const where = folders();
    const running = await serving(where);
    const file = join(where.gateways, 'edge/sluice.yaml');
    const text = JSON.stringify(configuration('a', 'b', 'c'));
    for (let end = 0; end <= text.length; end += 10) {
      writeFileSync(file, text.slice(0, end));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    writeFileSync(file, text);
    await until('it is given out', () => given(running)?.generation === 2);
    expect(given(running)?.clusters).toEqual(['a', 'b', 'c']);
    expect(messages(running, 'error')).toEqual([]);
  });

  test('in a directory that is new; one that is gone is forgotten', async () => {
    const where = folders();
    const running = await serving(where);
    write(where, 'core', configuration('c'));
    await until('it is given out', () => given(running, 'core') !== undefined);
    rmSync(join(where.gateways, 'core'), { recursive: true });
    await until('it is forgotten', () => running.live.directory.get('core') === undefined);
    expect(given(running)?.generation).toBe(1);
  });

  test('and a comment is none', async () => {
    const where = folders();
    const running = await serving(where);
    write(where, 'edge', `# the same\n${JSON.stringify(configuration('a'))}`);
    await running.live.directory.refresh();
    expect(given(running)?.generation).toBe(1);
  });
});

describe('a module that is published', () => {
  test('into the range is an edit; one beside it is none', async () => {
    const where = folders();
    const running = await serving(where, { ...configuration('a'), module: { version: '^0.1' } });
    await running.store.publish(loadArtifact('sluice', '0.2.0', otherModule('0.2.0')));
    await running.store.publish(loadArtifact('sluice', '0.1.1', otherModule('0.1.1')));
    await until('it is given out', () => given(running)?.generation === 2);
    expect(given(running)?.module).toBe('0.1.1');
    expect(running.live.directory.get('edge')?.history.map(({ cause }) => cause)).toEqual(['edit', 'module']);
  });

  test('and refuses the configuration leaves the one before it', async () => {
    const where = folders();
    const running = await serving(where);
    // Envoy would load it, but it is none of ours: it accepts nothing.
    await running.store.publish(
      loadArtifact('sluice', '0.1.1', Buffer.concat([otherModule('x').subarray(0, 8), abiOnly])),
    );
    await until('it is refused', () => problems(running) !== undefined);
    expect(given(running)).toMatchObject({ generation: 1, module: '0.1.0' });
  });
});

/** The sections of a module that exports the marker of the ABI, and nothing else. */
const abiOnly = Buffer.from([
  ...[1, 4, 1, 0x60, 0, 0], // a type: no parameters, no results
  ...[3, 2, 1, 0], // a function of that type
  ...[7, 27, 1, 23, ...Buffer.from('proxy_abi_version_0_2_1'), 0, 0],
  ...[10, 4, 1, 2, 0, 0x0b],
]);

describe('an edit that is refused', () => {
  test.each<[string, object | string, string, RegExp]>([
    ['no YAML', 'servers: [', '', /^is not YAML: /],
    ['two documents', 'a: 1\n---\nb: 1\n', '', /^is a further document/],
    ['a list', [], '', /^expected an object with servers$/],
    ['no servers', {}, 'servers', /^expected a list of at least one server$/],
    ['a server without a URL', { servers: [{ name: 'a' }] }, 'servers[0].url', /expected the URL of the server/],
    [
      'a URL of another scheme',
      { servers: [{ name: 'a', url: 'ftp://a/' }] },
      'servers[0].url',
      /has to begin with http/,
    ],
    [
      'a password in a URL',
      { servers: [{ name: 'a', url: 'http://u:hunter2@a/' }] },
      'servers[0].url',
      /may not carry a password/,
    ],
    [
      'two servers of one name',
      { servers: [server('a'), server('a')] },
      'servers[1].name',
      /is the name of another server/,
    ],
    [
      'the name of the plugin server',
      { servers: [server('plugin-server')] },
      'servers[0].name',
      /cluster of the plugin server/,
    ],
    ['url and cluster', { servers: [{ ...server('a'), cluster: 'b' }] }, 'servers[0]', /exclude each other/],
    [
      'a module that is not there',
      { ...configuration('a'), module: { name: 'sluize' } },
      'module',
      /did you mean sluice\?/,
    ],
    ['a version that is not there', { ...configuration('a'), module: { version: '^9' } }, 'module', /\^9/],
    [
      'a version that YAML took for a number',
      'module: { version: 0.1 }\nservers: [{ name: a, url: "http://a.example/mcp" }]',
      'module.version',
      /found 0\.1 \(put it into quotes\)/,
    ],
    [
      'a version that is none',
      { ...configuration('a'), module: { version: 'newest' } },
      'module.version',
      /found "newest"/,
    ],
    [
      'an unknown member of module',
      { ...configuration('a'), module: { verison: '1' } },
      'module.verison',
      /did you mean "version"\?/,
    ],
    ['an unknown member', { ...configuration('a'), endpont: '/mcp' }, 'endpont', /endpoint/],
    ['a wrong value', { ...configuration('a'), limits: { heldBody: '1Kb' } }, 'limits.heldBody', /./],
    [
      'an alias bomb',
      `a: &a [${'x,'.repeat(60)}]\nb: &b [${'*a,'.repeat(60)}]\nc: &c [${'*b,'.repeat(60)}]\nservers: [${'*c,'.repeat(60)}]\n`,
      '',
      /more than 200000 values, or aliases that make it so/,
    ],
    ['more than 1 MiB', ' '.repeat(1024 * 1024 + 1), '', /more than the limit of 1048576/],
  ])('%s', async (_what, content, path, message) => {
    const where = folders();
    const running = await serving(where);
    write(where, 'edge', content);
    await until('it is refused', () => problems(running) !== undefined);
    const found = problems(running)?.find((each) => each[0] === path);
    expect(found?.[1], JSON.stringify(problems(running))).toMatch(message);
    expect(JSON.stringify(problems(running))).not.toContain('hunter2');
    expect(given(running)).toMatchObject({ generation: 1, clusters: ['a'] });
    expect(messages(running, 'error')).toEqual([expect.stringContaining('the edit is refused, version 1 stays')]);
    expect(await checkGatewayDirectory(join(where.gateways, 'edge'), running.store)).not.toEqual([]);
  });

  test('is told whole: every error at once, in their places', async () => {
    const where = folders();
    write(where, 'edge', {
      endpont: 1,
      module: { version: 1 },
      servers: [{ name: 'a' }, { ...server('b'), prefx: '' }],
    });
    const found = await checkGatewayDirectory(join(where.gateways, 'edge'), storeWith('0.1.0'));
    expect(found.map(({ path }) => path)).toEqual(expect.arrayContaining(['module.version', 'servers[0].url']));
    write(where, 'edge', { endpont: 1, servers: [{ name: 'a' }, { ...server('b'), prefx: '' }] });
    const rest = await checkGatewayDirectory(join(where.gateways, 'edge'), storeWith('0.1.0'));
    expect(rest.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['servers[0].url', 'endpont', 'servers[1].prefx']),
    );
  });

  test.each(['sluice.yaml', 'token'])('for a pipe in place of %s holds nothing up', async (name) => {
    const where = folders();
    write(where, 'other', configuration('a'));
    const running = await serving(where);
    rmSync(join(where.gateways, 'edge', name), { force: true });
    execFileSync('mkfifo', [join(where.gateways, 'edge', name)]);
    await until('it is told', () => {
      const edge = running.live.directory.get('edge');
      return [...(edge?.refusal?.problems ?? []), ...(edge?.tokens.problems ?? [])].some(({ message }) =>
        message.endsWith('is not a file'),
      );
    });
    write(where, 'other', configuration('a', 'b'));
    await until('the other one is taken', () => given(running, 'other')?.generation === 2);
    expect(given(running)?.generation).toBe(1);
    await running.close();
  });

  test('shows everything that `sluice check` shows, with line and column', async () => {
    const text = `servers:
  - { name: a, url: "http://a.example/mcp", prefx: '' }
  - { name: b, url: nowhere }
  - { name: a, cluster: c, url: "http://c.example/mcp" }
endpoint: mcp
lmits: {}
module: { version: 0.1 }
`;
    const { problems: found } = await checkGatewayText(text, storeWith('0.1.0'));
    const module = {
      file: 'm',
      bytes: storeWith('0.1.0').get('sluice', '0.1.0').bytes,
      digest: '',
      version: undefined,
    };
    const shown = await checkFiles([{ name: 'sluice.yaml', bytes: Buffer.from(text) }], { module });
    expect(found.length).toBeGreaterThan(6);
    const placed = ({ line, column, path, message }: Finding): string => `${line}:${column}: ${path}: ${message}`;
    expect(found.map(placed)).toEqual(shown.map(placed));
    expect(found.map(placed)).toContainEqual(expect.stringMatching(/^3:16: servers\[1\]\.url: "nowhere" is not a URL/));
    expect(found.map(placed)).toContainEqual(expect.stringMatching(/^2:45: servers\[0\]\.prefx: is not a member/));
  });

  test('more than 100 aliases are read', async () => {
    const servers = Array.from(
      { length: 150 },
      (_, at) => `  - { name: s${at}, url: "http://a.example/mcp", prefix: s${at}_, tools: *t }`,
    );
    const text = `servers:\n  - { name: a, url: "http://a.example/mcp", prefix: a_, tools: &t { allow: [x] } }\n${servers.join('\n')}\n`;
    const { problems: found } = await checkGatewayText(text, storeWith('0.1.0'));
    expect(found.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  test('and is corrected is taken, and nothing is refused any more', async () => {
    const where = folders();
    const running = await serving(where);
    write(where, 'edge', 'servers: [');
    await until('it is refused', () => problems(running) !== undefined);
    write(where, 'edge', configuration('a'));
    await until('it is taken', () => problems(running) === undefined);
    expect(given(running)?.generation).toBe(1);
  });

  test('by taking the file away leaves what was there', async () => {
    const where = folders();
    const running = await serving(where);
    rmSync(join(where.gateways, 'edge/sluice.yaml'));
    await until('it is told', () => problems(running) !== undefined);
    expect(problems(running)).toEqual([['', 'sluice.yaml is not there']]);
    expect(given(running)?.generation).toBe(1);
    // The whole directory away, as a volume that is not mounted: nothing is forgotten.
    renameSync(where.gateways, `${where.gateways}-away`);
    await until('it is told', () => running.live.problems().some((line) => line.includes('everything stays as it is')));
    expect(given(running)?.generation).toBe(1);
  });

  test('stays refused across a restart, and the last good one is given out', async () => {
    const where = folders();
    const first = await serving(where);
    write(where, 'edge', configuration('a', 'b'));
    await until('it is given out', () => given(first)?.generation === 2);
    write(where, 'edge', 'servers: [');
    await until('it is refused', () => problems(first) !== undefined);
    await first.close();
    const second = await startLive(where);
    expect(given(second)).toEqual({ generation: 2, clusters: ['a', 'b'], module: '0.1.0' });
    expect(problems(second)).toHaveLength(1);
  });
});

test('what a configuration is warned of is known after a restart, where its directory comes back, and after a rollback', async () => {
  const warned = ({ live }: LiveServer): unknown => live.directory.get('edge')?.warnings.map(({ path }) => path);
  const where = folders();
  const first = await serving(where, configuration('a'));
  expect(warned(first)).toEqual(['sessions']);
  await first.close();
  const second = await startLive(where);
  expect(warned(second)).toEqual(['sessions']);
  const edge = join(where.gateways, 'edge');
  renameSync(edge, `${where.gateways}-edge`);
  await until('it is forgotten', () => second.live.directory.get('edge') === undefined);
  renameSync(`${where.gateways}-edge`, edge);
  await until('it is back', () => given(second)?.generation === 1);
  expect(warned(second)).toEqual(['sessions']);
  write(where, 'edge', configuration('b'));
  await until('it is given out', () => given(second)?.generation === 2);
  await second.live.directory.get('edge')?.rollBack();
  expect(warned(second)).toEqual(['sessions']);
});

describe('a rollback', () => {
  async function twoVersions(): Promise<{ where: Folders; running: LiveServer }> {
    const where = folders();
    const running = await serving(where);
    write(where, 'edge', configuration('b'));
    await until('it is given out', () => given(running)?.generation === 2);
    await running.live.directory.get('edge')?.rollBack();
    return { where, running };
  }

  test.each(['', '{"generation":', '{"generation":"1"}'])(
    'outlives a current.json that is damaged: %j',
    async (text) => {
      const { where, running } = await twoVersions();
      await running.close();
      const file = join(where.state, 'edge/current.json');
      chmodSync(file, 0o600);
      writeFileSync(file, text);
      const second = await startLive(where);
      expect(given(second)).toEqual({ generation: 1, clusters: ['a'], module: '0.1.0' });
      expect(second.live.directory.get('edge')?.rolledBack).toBe(true);
    },
  );

  test('to a version whose module is gone is refused, and nothing changes', async () => {
    const { where, running } = await twoVersions();
    await running.store.publish(loadArtifact('sluice', '0.1.1', otherModule('gone')));
    write(where, 'edge', configuration('c'));
    await until('it is given out', () => given(running)?.generation === 3);
    await running.close();
    const { sha256 } = running.store.get('sluice', '0.1.1');
    const kept = join(where.state, '.modules', `${sha256}.wasm`);
    // Another server, whose store never had that module; what is given out stays what it was.
    const second = await startLive(where);
    await second.live.directory.get('edge')?.rollBack('1');
    rmSync(kept);
    const gone = second.live.directory.get('edge')?.rollBack('3');
    await expect(gone).rejects.toMatchObject({ code: 'module_gone', status: 409 });
    await expect(gone).rejects.toThrow(`version 3 of the gateway edge needs sluice 0.1.1 with sha256 ${sha256}`);
    expect(given(second)).toMatchObject({ generation: 1, clusters: ['a'] });
  });

  test('that cannot be kept is refused, and nothing changes', async () => {
    const { where, running } = await twoVersions();
    const isFull = fullDisk(where.state);
    const refused = running.live.directory.get('edge')?.rollBack('2');
    await expect(refused).rejects.toMatchObject({ code: 'not_kept', status: 507 });
    expect(given(running)).toMatchObject({ generation: 1, clusters: ['a'] });
    expect(running.live.directory.get('edge')?.rolledBack).toBe(true);
    isFull.end();
    await running.live.directory.get('edge')?.rollBack('2');
    expect(given(running)).toMatchObject({ generation: 2, clusters: ['b'] });
  });

  test('holds until the file is edited, a restart and a new module or not', async () => {
    const { where, running } = await twoVersions();
    await running.store.publish(loadArtifact('sluice', '0.1.1', otherModule('0.1.1')));
    await running.live.directory.refresh();
    expect(given(running)).toEqual({ generation: 1, clusters: ['a'], module: '0.1.0' });
    await running.close();
    const second = await startLive(where);
    expect(given(second)).toEqual({ generation: 1, clusters: ['a'], module: '0.1.0' });
    expect(second.live.directory.get('edge')?.rolledBack).toBe(true);
    write(where, 'edge', configuration('c'));
    await until('it is given out', () => given(second)?.generation === 3);
    expect(second.live.directory.get('edge')?.rolledBack).toBe(false);
  });

  test.each([
    ['a number', '2'],
    ['a version', undefined],
  ])('leads to %s', async (_what, to) => {
    const { running } = await twoVersions();
    const gateway = running.live.directory.get('edge');
    const version = gateway?.history.at(-1)?.version ?? '';
    await gateway?.rollBack(to ?? version.slice(0, 8));
    expect(given(running)?.generation).toBe(2);
  });

  test.each(['before', 'after'])(
    'ends with an edit to what is given out, and what it turned away from can be had again: a restart %s that edit',
    async (when) => {
      const { where, running } = await twoVersions();
      const restarted = async (): Promise<LiveServer> => {
        await running.close();
        return startLive(where);
      };
      let server = when === 'before' ? await restarted() : running;
      write(where, 'edge', configuration('a'));
      await server.live.directory.refresh();
      if (when === 'after') server = await restarted();
      write(where, 'edge', configuration('b'));
      await until('it is given out', () => given(server)?.clusters.join() === 'b');
      expect(server.live.directory.get('edge')?.rolledBack).toBe(false);
    },
  );

  test('holds where its file is away for a while, or wrong, and nothing is refused any more once it is back', async () => {
    const { where, running } = await twoVersions();
    for (const harm of [
      () => {
        rmSync(join(where.gateways, 'edge/sluice.yaml'));
      },
      () => {
        write(where, 'edge', 'servers: [');
      },
    ]) {
      harm();
      await until('it is told', () => problems(running) !== undefined);
      write(where, 'edge', configuration('b'));
      await until('nothing is refused', () => problems(running) === undefined);
    }
    expect(given(running)).toEqual({ generation: 1, clusters: ['a'], module: '0.1.0' });
    expect(running.live.directory.get('edge')?.rolledBack).toBe(true);
  });

  test('is followed by a plugin server that shares the state, and so is what comes after it', async () => {
    const { where, running } = await twoVersions();
    const other = await startLive(where);
    expect(given(other)?.generation).toBe(1);
    await running.live.directory.get('edge')?.rollBack('2');
    await until('it is followed', () => given(other)?.generation === 2);
    expect(other.live.directory.get('edge')?.rolledBack).toBe(true);
    write(where, 'edge', configuration('c'));
    await until('both have it', () => given(running)?.clusters[0] === 'c' && given(other)?.clusters[0] === 'c');
    expect(running.live.directory.get('edge')?.rolledBack).toBe(false);
    const versions = [running, other].map(({ live }) => live.directory.get('edge')?.active?.compiled.version);
    expect(new Set(versions).size).toBe(1);
  });

  test('gives the module that it had, though the store has it no more', async () => {
    const where = folders();
    write(where, 'edge', configuration('a'));
    const first = await startLive(where, { store: storeWith('0.1.0') });
    await first.close();
    const second = await startLive(where, { store: storeWith('0.2.0', '0.3.0') });
    expect(given(second)).toMatchObject({ generation: 2, module: '0.3.0' });
    await second.live.directory.get('edge')?.rollBack();
    expect(given(second)).toMatchObject({ generation: 1, module: '0.1.0' });
  });
});

describe('the history', () => {
  test(`keeps ${historyLimit} versions`, async () => {
    const where = folders();
    const running = await serving(where);
    const gateway = running.live.directory.get('edge');
    for (let version = 2; version <= historyLimit + 2; version++) {
      await gateway?.take(JSON.stringify(configuration(`a-${version}`)));
    }
    expect(gateway?.history).toHaveLength(historyLimit);
    const files = readdirSync(join(where.state, 'edge')).filter((name) => /^\d+\.json$/.test(name));
    expect(files).toHaveLength(historyLimit);
    expect(files).not.toContain('1.json');
  });

  test.each([
    ['a version that is cut off', 'edge/1.json', (text: string) => text.slice(0, 40)],
    ['a version of another number', 'edge/1.json', (text: string) => text.replace('"generation":1', '"generation":9')],
    ['a pointer to nothing', 'edge/current.json', () => '{"generation":7}'],
    ['a pointer that is none', 'edge/current.json', () => 'x'],
  ])('with %s is begun anew from the file', async (_what, name, damage) => {
    const where = folders();
    const first = await serving(where);
    await first.close();
    const file = join(where.state, name);
    const text = damage(readFileSync(file, 'utf8'));
    chmodSync(file, 0o600);
    writeFileSync(file, text);
    const second = await startLive(where);
    expect(given(second)).toMatchObject({ clusters: ['a'] });
    expect(problems(second)).toBeUndefined();
  });

  describe('of two plugin servers that share it', () => {
    /** Each has a directory of gateways of its own. */
    async function sharing(): Promise<{ state: string; servers: LiveServer[] }> {
      const first = folders();
      const second = { ...folders(), state: first.state };
      keep(first);
      write(second, 'edge', configuration('a'));
      return { state: first.state, servers: [await startLive(first), await startLive(second)] };
    }

    const takeAll = (servers: readonly LiveServer[], names: readonly string[]) =>
      Promise.all(
        servers.map(async ({ live }, index) => {
          const name = names[index] ?? '';
          await live.directory.get('edge')?.take(JSON.stringify(configuration(name)));
        }),
      );

    const serversKept = (state: string): string[] =>
      readdirSync(join(state, 'edge'))
        .filter((name) => /^\d+\.json$/.test(name))
        .sort()
        .map((name) => readFileSync(join(state, 'edge', name), 'utf8'))
        .map((text) => (JSON.parse(text) as { text: string }).text)
        .flatMap((text) => (JSON.parse(text) as { servers: { name: string }[] }).servers.map(({ name }) => name));

    test('has the edits of both, and both give out one of them', async () => {
      const { state, servers } = await sharing();
      await takeAll(servers, ['b', 'c']);
      expect(serversKept(state).sort()).toEqual(['a', 'b', 'c']);
      await until('both give out the same', () => new Set(servers.map((one) => JSON.stringify(given(one)))).size === 1);
    });

    test('has an edit once that both have taken', async () => {
      const { state, servers } = await sharing();
      await takeAll(servers, ['b', 'b']);
      expect(serversKept(state)).toEqual(['a', 'b']);
      expect(servers.map((one) => given(one)?.generation)).toEqual([2, 2]);
    });

    test('keeps the modules of gateways that only one of them has', async () => {
      const where = folders();
      const first = await serving(where);
      await first.close();
      const [module = ''] = readdirSync(join(where.state, '.modules'));
      utimesSync(join(where.state, '.modules', module), 0, 0);
      await startLive({ ...folders(), state: where.state });
      expect(readdirSync(join(where.state, '.modules'))).toEqual([module]);
    });
  });

  test('with a module that became another takes the store’s', async () => {
    const where = folders();
    const first = await serving(where);
    await first.close();
    const [module = ''] = readdirSync(join(where.state, '.modules'));
    const file = join(where.state, '.modules', module);
    chmodSync(file, 0o600);
    writeFileSync(file, 'another');
    expect(given(await startLive(where))).toMatchObject({ generation: 1, module: '0.1.0' });
  });

  test('that cannot be written refuses the edit, and takes it as soon as it can', async () => {
    const where = folders();
    const running = await serving(where);
    // A full disk is not to be had in a test; a file where a folder has to be is as much in the way.
    renameSync(join(where.state, 'edge'), join(where.state, 'edge-away'));
    writeFileSync(join(where.state, 'edge'), '');
    write(where, 'edge', configuration('b'));
    await until('it is refused', () => problems(running) !== undefined);
    expect(problems(running)?.[0]?.[1]).toMatch(
      /^nothing is changed, as the new version cannot be kept \([A-Z]+\); see that/,
    );
    expect(given(running)).toMatchObject({ generation: 1, clusters: ['a'] });
    rmSync(join(where.state, 'edge'));
    renameSync(join(where.state, 'edge-away'), join(where.state, 'edge'));
    await until('it is taken', () => given(running)?.generation === 2);
  });

  test('that is moved away is not made anew, and goes on once it is back', async () => {
    const where = folders();
    const running = await serving(where);
    renameSync(where.state, `${where.state}-away`);
    write(where, 'edge', configuration('b'));
    await until('it is refused', () => problems(running) !== undefined);
    expect(given(running)).toMatchObject({ generation: 1, clusters: ['a'] });
    renameSync(`${where.state}-away`, where.state);
    await until('it is taken', () => given(running)?.generation === 2);
    expect(problems(running)).toBeUndefined();
  });

  test('needs a folder that can be written to', async () => {
    const where = folders();
    writeFileSync(where.state, '');
    await expect(startLive(where)).rejects.toMatchObject({ code: 'state_unwritable' });
  });

  test('needs a directory of gateways that is there', async () => {
    const where = folders();
    rmSync(where.gateways, { recursive: true });
    await expect(startLive(where)).rejects.toMatchObject({ code: 'gateways_unreadable' });
  });
});

describe('an edit of the keys of sessions', () => {
  const withKeys = (...keys: string[]): object => ({
    ...configuration('a'),
    sessions: { keys: keys.map((key) => ({ id: Number(/\d+/.exec(key)?.[0]), env: key })) },
  });
  const warned = ({ live }: LiveServer): string[] =>
    (live.directory.get('edge')?.warnings ?? []).map(
      ({ path, message }) => `${path}: ${message.replace(/[;:].*/s, '')}`,
    );

  test.each<[string, string[], string[], string[]]>([
    ['names a new one last', ['KEY_1'], ['KEY_1', 'KEY_2'], []],
    ['moves it to the front', ['KEY_1', 'KEY_2'], ['KEY_2', 'KEY_1'], []],
    ['takes the old one away', ['KEY_2', 'KEY_1'], ['KEY_2'], []],
    ['names a new one first', ['KEY_1'], ['KEY_2', 'KEY_1'], ['[0]: the key 2 is new and seals at once']],
    ['takes the one away that seals', ['KEY_1', 'KEY_2'], ['KEY_2'], [': the key 1 sealed up to now, and is gone']],
    ['gives an id another variable', ['KEY_1'], ['NEW_KEY_1'], ['[0]: the key 1 is NEW_KEY_1 now, and was KEY_1']],
  ])('that %s is warned of where sessions end', async (_what, before, after, expected) => {
    const where = folders();
    const running = await serving(where, withKeys(...before));
    await running.live.directory.get('edge')?.take(JSON.stringify(withKeys(...after)));
    expect(given(running)?.generation).toBe(2);
    expect(warned(running)).toEqual(expected.map((text) => `sessions.keys${text}`));
    for (const text of warned(running)) expect(messages(running, 'warn').join()).toContain(text);
  });

  test('is warned of where a rollback takes it back', async () => {
    const where = folders();
    const running = await serving(where, withKeys('KEY_1', 'KEY_2'));
    const edge = running.live.directory.get('edge');
    await edge?.take(JSON.stringify(withKeys('KEY_2', 'KEY_1')));
    await edge?.take(JSON.stringify(withKeys('KEY_2')));
    await edge?.rollBack('1');
    expect(warned(running)).toEqual(['sessions.keys[0]: the key 1 is new and seals at once']);
    await edge?.rollBack('3');
    expect(warned(running)).toEqual(['sessions.keys: the key 1 sealed up to now, and is gone']);
  });
});

test('what is wrong in one gateway disturbs no other', async () => {
  const where = folders();
  write(where, 'bad', 'servers: [');
  write(where, 'worse', '\0');
  for (const name of ['no name', 'größe']) mkdirSync(join(where.gateways, name));
  mkdirSync(join(where.gateways, 'empty'));
  const running = await serving(where);
  expect(given(running)?.generation).toBe(1);
  expect(running.live.problems()).toEqual([
    expect.stringContaining('"größe", "no name" are no names of gateways'),
    ...['bad', 'empty', 'worse'].map((name) => `${name}: the last edit was refused, nothing is given out`),
  ]);
});
