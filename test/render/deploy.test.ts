// deploy/: manifests, what the real helm makes of the chart, and the image, as far as there is no cluster and no registry here.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { shippedFiles } from '../../scripts/compile-bundle.ts';
import { readServe, serveFlags } from '../../cli/serve/options.ts';
import { parseArgs } from 'node:util';
import type { Resource } from '../istio/documents.ts';
import { errorsOf } from '../istio/schemas.ts';
import { clone, temporaryFolder } from '../launcher/support.ts';
import { realTool } from '../real-tools.ts';

const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string };
const folder = join(clone, 'deploy/plugin-server');
const chart = join(clone, 'deploy/helm/sluice-plugin-server');
const read = (file: string): string => readFileSync(join(clone, 'deploy', file), 'utf8');

interface Container {
  readonly args: string[];
  readonly securityContext: object;
  readonly volumeMounts?: { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe: { readonly httpGet: object };
  readonly readinessProbe: { readonly httpGet: object };
  readonly livenessProbe: { readonly httpGet: object };
}

interface Pod {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly containers: [Container];
  readonly volumes?: { readonly name: string }[];
}

const podOf = (resources: readonly Resource[]): Pod =>
  (resources.find(({ kind }) => kind === 'Deployment')?.spec as { template: { spec: Pod } }).template.spec;

function errorsIn(resources: readonly Resource[]): string[] {
  const judged = resources.filter(({ kind }) => kind !== 'ConfigMap');
  return judged.flatMap(({ apiVersion, kind, metadata, spec }) =>
    errorsOf({ apiVersion, kind, spec }).map((error) => `${kind} ${metadata.name}: ${error}`),
  );
}

/** What is asked of the pods of both. */
function checkPod(pod: Pod): void {
  const [container] = pod.containers;
  expect(pod.automountServiceAccountToken).toBe(false);
  expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(container.readinessProbe.httpGet).toMatchObject({ path: '/readyz', port: 'http' });
  for (const { httpGet } of [container.startupProbe, container.livenessProbe])
    expect(httpGet).toMatchObject({ path: '/healthz' });
  const volumes = (pod.volumes ?? []).map(({ name }) => name);
  expect(volumes.sort()).toEqual((container.volumeMounts ?? []).map(({ name }) => name).sort());
  const [command, ...args] = container.args;
  expect(command).toBe('serve');
  // The command takes them as they are.
  expect(readServe(parseArgs({ args, options: serveFlags }).values).listen).toEqual({ host: '0.0.0.0', port: 8801 });
}

describe('the plain manifests', () => {
  const { resources: files, images } = parse(read('plugin-server/kustomization.yaml')) as {
    resources: string[];
    images: { name: string; newTag: string }[];
  };
  const resources = files.map((file) => parse(read(`plugin-server/${file}`)) as Resource);

  test('are what Kubernetes knows, and nothing else', () => {
    expect(files.toSorted()).toEqual(
      readdirSync(folder)
        .filter((file) => file !== 'kustomization.yaml')
        .sort(),
    );
    expect(resources.map(({ kind }) => kind).sort()).toEqual([
      'Deployment',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
    ]);
    expect(errorsIn(resources)).toEqual([]);
  });

  test('run without root, without a way to write, with probes, and this version', () => {
    checkPod(podOf(resources));
    expect(images).toEqual([{ name: 'sluice-plugin-server', newTag: version }]);
    expect(read('plugin-server/deployment.yaml')).toContain('image: sluice-plugin-server\n');
  });
});

const { program: kustomize, isThere: hasKustomize } = realTool('kustomize');

describe.skipIf(!hasKustomize)('the plain manifests, by the real kustomize', () => {
  const build = (of: string): Resource[] =>
    parseAllDocuments(execFileSync(kustomize, ['build', of], { encoding: 'utf8' })).map(
      (document) => document.toJS() as Resource,
    );

  test('are what Kubernetes knows, all in one namespace', () => {
    const resources = build(folder);
    expect(resources.map(({ kind }) => kind).sort()).toEqual([
      'Deployment',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
    ]);
    expect(resources.map(({ metadata }) => metadata.namespace)).toEqual(resources.map(() => 'sluice'));
    expect(errorsIn(resources)).toEqual([]);
    checkPod(podOf(resources));
    expect(podOf(resources).containers[0]).toMatchObject({ image: `sluice-plugin-server:${version}` });
  });

  test('take the image of a registry, in an overlay and in the file itself', () => {
    const work = temporaryFolder();
    cpSync(folder, join(work, 'base'), { recursive: true });
    mkdirSync(join(work, 'own'));
    const name = 'sluice-plugin-server';
    const newName = `registry.example.com/${name}`;
    const overlay = { resources: ['../base'], namespace: 'tools', images: [{ name, newName, newTag: '9.9.9' }] };
    writeFileSync(join(work, 'own', 'kustomization.yaml'), JSON.stringify(overlay));
    const resources = build(join(work, 'own'));
    expect(podOf(resources).containers[0]).toMatchObject({ image: `${newName}:9.9.9` });
    expect(resources.map(({ metadata }) => metadata.namespace)).toEqual(resources.map(() => 'tools'));

    const file = join(work, 'base', 'kustomization.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('    newTag:', `    newName: ${newName}\n    newTag:`));
    expect(podOf(build(join(work, 'base'))).containers[0]).toMatchObject({ image: `${newName}:${version}` });
  });
});

const { program: builder, isThere: hasPodman } = realTool('podman');

describe.skipIf(!hasPodman)('the image, by podman', () => {
  test('is made on any base without a network, and is what the pods ask for', () => {
    const work = temporaryFolder();
    const context = join(work, 'context');
    mkdirSync(join(context, 'bin'), { recursive: true });
    writeFileSync(join(context, 'bin', 'sluice.mjs'), 'process.exit(0);\n');
    // A store that is this test's own, and a driver that needs nothing of the machine.
    const store = [`--root=${join(work, 'root')}`, `--runroot=${join(work, 'run')}`, '--storage-driver=vfs'];
    const podman = (...args: string[]): string =>
      execFileSync(builder, [...store, ...args], {
        encoding: 'utf8',
        env: { ...process.env, HOME: work, XDG_RUNTIME_DIR: work },
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 120_000,
      });
    const policy = join(work, 'policy.json');
    writeFileSync(policy, '{ "default": [{ "type": "insecureAcceptAnything" }] }');
    const dockerfile = join(clone, 'deploy/Dockerfile');
    const tag = 'localhost/sluice-plugin-server:test';
    // `scratch` is the one base that every builder has: it is empty.
    podman(
      'build',
      `--signature-policy=${policy}`,
      '--network=none',
      '-f',
      dockerfile,
      '--build-arg=BASE_IMAGE=scratch',
      '-t',
      tag,
      context,
    );
    const [image] = JSON.parse(podman('inspect', tag)) as [{ Config: Record<string, unknown> }];
    expect(image.Config).toMatchObject({
      User: '65532:65532',
      WorkingDir: '/tmp',
      Entrypoint: ['node', '/opt/sluice/bin/sluice.mjs'],
      Cmd: ['serve', '--listen', '0.0.0.0:8801'],
      ExposedPorts: { '8801/tcp': {} },
    });
    expect(image.Config['Env']).toEqual(
      expect.arrayContaining([
        'MALLOC_ARENA_MAX=1',
        'MALLOC_TRIM_THRESHOLD_=131072',
        'NODE_OPTIONS=--max-semi-space-size=4',
      ]),
    );
    const archive = join(work, 'image.tar');
    podman('save', `--signature-policy=${policy}`, '--format', 'oci-archive', '-o', archive, tag);
    const [layer = ''] = layersOf(archive, work);
    // Owned by root, so that the user of the image can change none of it.
    expect(layer).toMatch(/0\/0 .* opt\/sluice\/bin\/sluice\.mjs$/m);
    expect(layer).not.toMatch(/65532/);
  });
});

/** What `tar` lists of each layer of an OCI archive, with numbers for owners. */
function layersOf(archive: string, work: string): string[] {
  const to = join(work, 'layout');
  mkdirSync(to);
  execFileSync('tar', ['-xf', archive, '-C', to]);
  const blob = (digest: string): string => join(to, 'blobs', ...digest.split(':'));
  const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));
  const index = read(join(to, 'index.json')) as { manifests: [{ digest: string }] };
  const manifest = read(blob(index.manifests[0].digest)) as { layers: { digest: string }[] };
  return manifest.layers.map(({ digest }) =>
    execFileSync('tar', ['--numeric-owner', '-tvf', blob(digest)], { encoding: 'utf8' }),
  );
}

test('the image is made of what a bundle has, and fetches nothing', () => {
  const dockerfile = read('Dockerfile');
  expect(dockerfile).toMatch(/^ARG BASE_IMAGE\nFROM \$\{BASE_IMAGE\}$/m);
  expect(dockerfile).not.toMatch(/^RUN /m);
  const [, entry = ''] = /^ENTRYPOINT \["node", "\/opt\/sluice\/(.*)"\]$/m.exec(dockerfile) ?? [];
  const shipped = shippedFiles(clone);
  for (const path of [entry, 'deploy/Dockerfile', 'deploy/helm/sluice-plugin-server/templates/_helpers.tpl'])
    expect(shipped.has(path), path).toBe(true);
  expect(dockerfile).toMatch(/^USER [1-9]\d*:/m);
  // As `DIR/sluice serve` sets them.
  expect(dockerfile).toMatch(
    /^ENV MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072 NODE_OPTIONS=--max-semi-space-size=4$/m,
  );
});

test('the chart is of this version', () => {
  expect(parse(read('helm/sluice-plugin-server/Chart.yaml'))).toMatchObject({ version, appVersion: version });
});

const { program: helm, isThere: hasHelm } = realTool('helm');

describe.skipIf(!hasHelm)('the chart, by the real helm', () => {
  const template = (...set: string[]): Resource[] =>
    parseAllDocuments(execFileSync(helm, ['template', 'plugin-server', chart, ...set], { encoding: 'utf8' }))
      .map((document) => document.toJS() as Resource | null)
      .filter((resource) => resource !== null);
  const refused = (...set: string[]): string =>
    spawnSync(helm, ['template', 'plugin-server', chart, ...set], { encoding: 'utf8' }).stderr;
  const gateways = '--set-json=gateways={"edge":{"servers":[{"name":"a","url":"http://a.tools.svc:81/mcp"}]}}';

  test.each([
    ['as it is', [], ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service']],
    [
      'with all of it',
      [
        gateways,
        '--set=replicas=1,persistence.enabled=true,persistence.storageClassName=fast,tokens.existingSecret=t,gatewayTokens.existingSecret=g,tls.existingSecret=c',
        '--set-json=egress=[{"to":[{"namespaceSelector":{}}]}]',
        '--set-json=imagePullSecrets=[{"name":"registry"}]',
        '--set-json=nodeSelector={"a":"b"}',
        '--set-json=tolerations=[{"operator":"Exists"}]',
      ],
      ['ConfigMap', 'Deployment', 'NetworkPolicy', 'PersistentVolumeClaim', 'PodDisruptionBudget', 'Service'],
    ],
    ['with gateways alone', [gateways], ['ConfigMap', 'Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service']],
  ])('%s, is what Kubernetes knows', (_, set, kinds) => {
    const resources = template(...set);
    expect(resources.map(({ kind }) => kind).sort()).toEqual(kinds);
    expect(errorsIn(resources)).toEqual([]);
    checkPod(podOf(resources));
    const map = resources.find(({ kind }) => kind === 'ConfigMap') as unknown as
      { data: Record<string, string> } | undefined;
    if (map !== undefined) expect(parse(map.data['edge'] ?? '')).toMatchObject({ servers: [{ name: 'a' }] });
  });

  test('says what does not go together', () => {
    expect(refused('--set=persistence.enabled=true')).toContain('set replicas to 1');
    expect(refused('--set=persistence.enabled=true,replicas=1')).toContain('nobody may publish');
    expect(refused('--set=gatewayTokens.existingSecret=g')).toContain('there are no gateways');
  });
});
