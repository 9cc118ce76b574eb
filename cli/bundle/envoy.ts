import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundledEnvoy } from '../../bundle/manifest.ts';
import { enginesFolder } from '../../bundle/names.ts';
import { judgeEnvoy } from '../../envoy/engine/suitable.ts';
import { CommandError } from '../io.ts';

/** An Envoy that goes into a bundle. */
export interface CarriedEnvoy extends BundledEnvoy {
  readonly content: Buffer;
}

/** What the first bytes of a program say of the machine that it is for; Node's names. */
const platforms: readonly {
  magic: string;
  machineAt: number;
  os: string;
  machines: Readonly<Record<number, string>>;
}[] = [
  // ELF, 64 bits, little endian; e_machine (System V ABI, ELF header).
  { magic: '7f454c460201', machineAt: 18, os: 'linux', machines: { 62: 'x64', 183: 'arm64' } },
  // Mach-O, 64 bits; cputype, whose upper half says 64 bits.
  { magic: 'cffaedfe', machineAt: 4, os: 'darwin', machines: { 7: 'x64', 12: 'arm64' } },
];

/** @throws CommandError for what is no Envoy that can run the module on this machine */
export async function readEnvoy(path: string): Promise<CarriedEnvoy> {
  const suitability = await judgeEnvoy(path, 'hold');
  if ('defect' in suitability) throw new CommandError(`--envoy ${path}: ${suitability.defect}`);
  const content = await readFile(path);
  const { version } = suitability;
  return { version, ...platformOf(content, path), path: join(enginesFolder, version, 'bin/envoy'), content };
}

function platformOf(content: Buffer, path: string): { os: string; arch: string } {
  for (const { magic, machineAt, os, machines } of platforms) {
    if (!content.toString('hex', 0, magic.length / 2).startsWith(magic)) continue;
    const arch = machines[content.readUInt16LE(machineAt)];
    if (arch !== undefined) return { os, arch };
  }
  throw new CommandError(
    `--envoy ${path}: it runs an Envoy, and is no program for Linux or macOS itself; name the program`,
  );
}
