// The commands of docs/troubleshooting.md, and the answers beside them.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exampleOrigin, examplePlugin, examples } from '../../doctor/examples.ts';
import { initializeMessage, post } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { jwt, publicKeys } from '../token-filter.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';

const run = promisify(execFile);
const issuer = 'https://id.example.com';

describeGateway('the examples of docs/troubleshooting.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-examples-'));
  const file = join(folder, 'jwks.json');
  writeFileSync(file, publicKeys());
  let upstream: Scripted;
  beforeAll(async () => {
    upstream = await startScripted({ tools: ['get'] });
  });
  afterAll(async () => {
    await upstream.stop();
    rmSync(folder, { recursive: true });
  });
  const gateway = useGateway(() => ({
    servers: [{ name: 'weather', url: upstream.url }],
    plugin: {
      ...examplePlugin,
      auth: { authorizationServers: [issuer], issuers: [{ issuer, jwks: { file } }] },
    },
  }));
  const token = jwt({ iss: issuer, sub: 'ada' });
  const oldToken = jwt({ iss: issuer, sub: 'ada', exp: 1_000_000_000 });

  it.each(examples)('$symptom: $title', async ({ curl, answer }) => {
    const [, path = ''] = new RegExp(`${exampleOrigin}(/mcp\\S*)`).exec(curl) ?? [];
    const opened = await post(gateway.current.origin + path, initializeMessage(), {
      headers: { authorization: `Bearer ${token}` },
    });
    const variables = {
      TOKEN: token,
      OLD_TOKEN: oldToken,
      SESSION: String(opened.headers['mcp-session-id']),
    };
    const command = curl.replaceAll(exampleOrigin, gateway.current.origin);
    const { stdout } = await run('sh', ['-c', command], { env: { ...process.env, ...variables } });
    expect(told(stdout)).toBe(answer);
  });
});

/** Status, challenge and body of what `curl -i` prints. */
function told(output: string): string {
  const [head = '', ...body] = output.split('\r\n\r\n');
  const [status = '', ...headers] = head.split('\r\n');
  const challenge = headers.filter((line) => line.startsWith('www-authenticate:'));
  return [status.split(' ')[1], ...challenge, '', body.join('\r\n\r\n')].join('\n');
}
