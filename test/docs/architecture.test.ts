// docs/architecture.md says how the code is made; this holds it to the code, and the code to its floors.
import { join, normalize, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codeIn, exists, faultsOfPicture, foldersIn, read, sourcesIn, table } from './pages.ts';

const page = 'docs/architecture.md';
const picture = 'docs/architecture.svg';
const module = 'filter';

const floors = new Map(table(page, 'floor').map(([floor, room = '']) => [room.replace('/', ''), Number(floor)]));

describe('the rooms of the project', () => {
  test('are all there: each folder with code has a row', () => {
    const rows = table(page, 'room').map(([room]) => room);
    const rooms = new Set(sourcesIn('.').flatMap((path) => /^[^/]+\//.exec(path) ?? []));
    expect([...rooms].filter((room) => !rows.includes(room))).toEqual([]);
  });

  test('and the paths that the page names exist', () => {
    const roots = new Set(table(page, 'room').map(([room]) => room));
    const paths = codeIn(read(page)).filter((code) => roots.has(code.replace(/\/.*/, '/')));
    expect(paths.length).toBeGreaterThan(20);
    expect(paths.filter((path) => !exists(path))).toEqual([]);
  });
});

describe('the floors of the module', () => {
  test('have every room of filter/, on the page and in its picture', () => {
    expect([...floors.keys()].sort()).toEqual(foldersIn(module).sort());
    const drawn = [...read(picture).matchAll(/<text[^>]*>([^<]+)<\/text>/g)].map(([, text]) => text);
    expect([...floors.keys()].filter((room) => !drawn.includes(room))).toEqual([]);
  });

  const imports = sourcesIn(module).flatMap((file) =>
    [...read(file).matchAll(/^(?:import|export)\b[^;]*?'(\.[^']*)';$/gm)].map(([, path = '']) => ({
      file,
      room: roomOf(file),
      target: roomOf(normalize(join(dirname(file), path))),
    })),
  );

  test('are imported from above only', () => {
    expect(imports.length).toBeGreaterThan(500);
    const upward = imports.filter(({ room, target }) => room !== target && floorOf(target) >= floorOf(room));
    expect(upward).toEqual([]);
  });

  test('do not know that there is a host, but for host/', () => {
    const calling = imports.filter(({ target }) => ['env', 'wasi_snapshot_preview1'].includes(target));
    expect(calling.length).toBeGreaterThan(5);
    expect(calling.filter(({ room }) => room !== 'host')).toEqual([]);
  });
});

/** The folder in filter/ that a file is in, or the file itself without its ending. */
function roomOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? '';
}

/** Files of filter/ itself: index.ts is above all floors, the others are below those that import them. */
function floorOf(room: string): number {
  if (room === 'index') return Infinity;
  return floors.get(room) ?? (room === 'ports' || room === 'version' ? 1.5 : 0);
}

describe('the request that is walked through', () => {
  const steps = table(page, 'callback of Envoy').map(([callback = '', file = '', name = '']) => ({
    callback,
    file: join(module, file),
    name,
  }));

  test('goes through files and functions that there are', () => {
    expect(steps.length).toBeGreaterThan(20);
    const missing = steps.filter(({ file, name }) => name !== '' && !hasFunction(file, name));
    expect(missing).toEqual([]);
    const named = codeIn(read(page)).filter((code) => floors.has(code.split('/')[0] ?? '') && code.includes('.ts'));
    expect(named.filter((path) => !exists(join(module, path)))).toEqual([]);
  });

  test('comes in callbacks that the module exports', () => {
    const callbacks = steps.map(({ callback }) => callback).filter((callback) => callback !== '');
    expect(callbacks).toHaveLength(new Set(callbacks).size);
    expect(callbacks.filter((callback) => !hasFunction(join(module, 'index.ts'), callback))).toEqual([]);
  });
});

function hasFunction(file: string, name: string): boolean {
  return exists(file) && new RegExp(`^(?:export function |  )${name}\\(`, 'm').test(read(file));
}

test('every dependency has a row, and every row is a dependency', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string> | undefined>;
  const wanted = Object.keys({ ...manifest['dependencies'], ...manifest['devDependencies'] });
  const listed = table(page, 'package').flatMap(([names = '']) => names.replaceAll('`', '').split(', '));
  expect(listed.sort()).toEqual(wanted.sort());
});

test('the packages that are said to be missing are missing', () => {
  const manifest = JSON.parse(read('package.json')) as { dependencies: object; devDependencies: object };
  const missing = [...read(page).matchAll(/^- \*\*`([^`]+)`\*\*/gm)].map(([, name = '']) => name);
  expect(missing).toHaveLength(4);
  for (const name of missing) {
    expect({ ...manifest.dependencies, ...manifest.devDependencies }).not.toHaveProperty([name]);
  }
});

test('the picture is well-formed', () => {
  expect(read(page)).toMatch(/!\[[^\]]{20,}\]\(architecture\.svg\)/);
  expect(faultsOfPicture(read(picture))).toEqual([]);
});
