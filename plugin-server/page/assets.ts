import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ownFile } from '../../common/home.ts';
import type { Content } from '../http/send.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the page, by name: no other file can be asked for. */
export function readAssets(folder = ownFile('plugin-server/page/assets')): ReadonlyMap<string, Content> {
  return new Map(
    readdirSync(folder).flatMap((name) => {
      const type = types[extname(name)];
      return type === undefined ? [] : [[name, contentOf(readFileSync(join(folder, name)), type)]];
    }),
  );
}

function contentOf(bytes: Buffer, type: string): Content {
  const digest = createHash('sha256').update(bytes);
  const etag = `"${digest.copy().digest('hex')}"`;
  return { bytes, etag, reprDigest: `sha-256=:${digest.digest('base64')}:`, type };
}
