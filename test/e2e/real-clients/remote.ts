import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import type { RealClient } from './client.ts';
import { converse } from './sdk1.ts';

const bridge = fileURLToPath(import.meta.resolve('mcp-remote/dist/proxy.js'));

/** `mcp-remote`, which is how a client that can only run programs reaches a server; behind it version 1 of the SDK. */
export async function connectRemote(url: string): Promise<RealClient> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-remote-')); // what it keeps of OAuth
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bridge, url, '--transport', 'http-only', '--silent'],
    env: { MCP_REMOTE_CONFIG_DIR: folder },
  });
  const connected = await converse(transport, () => Promise.resolve());
  return {
    ...connected,
    close: async () => {
      await connected.close();
      rmSync(folder, { recursive: true });
    },
  };
}
