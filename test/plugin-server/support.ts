import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type Log,
  type PluginServerOptions,
  type RunningPluginServer,
  Tokens,
  startPluginServer,
} from '../../plugin-server/index.ts';

export const token = 'a-token-for-tests-only';

export const publishing = { tokens: () => Tokens.parse(`ci ${token}`, 'test') };

/** A log that keeps what it is told, `<level>: <text>` each. */
export function collectedLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const keep = (level: string) => (_fields: unknown, text?: unknown) => {
    lines.push(`${level}: ${String(text)}`);
  };
  return { log: { info: keep('info'), warn: keep('warn'), error: keep('error') }, lines };
}

/** A server on a free port that is closed when the test is over. */
export async function startServer(options: PluginServerOptions & { port?: number }): Promise<RunningPluginServer> {
  const server = await startPluginServer({ host: '127.0.0.1', port: 0, ...options });
  onTestFinished(server.close);
  return server;
}

/** Writes a file and the folders that it needs. */
export async function writeTo(file: string, content: Uint8Array | string): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}
