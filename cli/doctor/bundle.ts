// The support archive: what was found and what it was found in, without secrets.
import { open, rm } from 'node:fs/promises';
import { arch, platform, release } from 'node:os';
import { pack } from 'tar-stream';
import { version } from '../../common/home.ts';
import { CommandError } from '../io.ts';
import { whyUnwritable } from '../unwritable.ts';
import type { AdminPages } from './envoy.ts';
import type { Finding } from './finding.ts';
import { redact, redactText } from './redact.ts';
import type { Status } from './status.ts';

export interface Support {
  readonly url: string;
  readonly findings: readonly Finding[];
  readonly status: Status | undefined;
  readonly admin: AdminPages | undefined;
  /** Secrets that were sent, which are removed wherever they stand. */
  readonly known: readonly string[];
}

/** The bytes of the tar. Its files are JSON, and texts as Envoy's admin address writes them. */
export async function supportArchive({ url, findings, status, admin, known }: Support): Promise<Buffer> {
  const versions = { sluice: version, gateway: status?.version, envoy: versionIn(admin), ...machine() };
  const files: Record<string, string | undefined> = {
    'versions.json': json({ url, ...versions }),
    'findings.json': json(findings),
    'status.json': status && json(status),
    'envoy/server_info.json': admin && json(admin.serverInfo),
    'envoy/config_dump.json': admin && json(admin.configuration),
    'envoy/clusters.txt': admin && redactText(admin.clusters, known),
    'envoy/stats.txt': admin && redactText(admin.stats, known),
  };
  function json(value: unknown): string {
    return `${JSON.stringify(redact(value, known).value, undefined, 2)}\n`;
  }
  const archive = pack();
  const chunks: Buffer[] = [];
  const read = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer);
  })();
  for (const [name, text] of Object.entries(files)) {
    if (text !== undefined) archive.entry({ name: `sluice-support/${name}`, mode: 0o600, mtime: new Date() }, text);
  }
  archive.finalize();
  await read;
  return Buffer.concat(chunks);
}

function versionIn(admin: AdminPages | undefined): unknown {
  return (admin?.serverInfo as { version?: unknown } | undefined)?.version;
}

function machine(): object {
  return { node: process.version, system: `${platform()} ${release()} ${arch()}`, at: new Date().toISOString() };
}

/**
 * Makes the file of the archive, for its owner alone, before anything is looked at: what cannot be written is told at once.
 * @throws CommandError where there is one of this name, or it cannot be made
 */
export async function openArchive(file: string): Promise<{ write(bytes: Buffer): Promise<void> }> {
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw new CommandError(`--bundle: ${whyUnwritable(file, error)}`);
  });
  return {
    write: async (bytes) => {
      try {
        await handle.writeFile(bytes);
      } catch (error) {
        await rm(file, { force: true }); // half an archive helps nobody
        throw new CommandError(`--bundle: ${whyUnwritable(file, error)}`);
      } finally {
        await handle.close();
      }
    },
  };
}
