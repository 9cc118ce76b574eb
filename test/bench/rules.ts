// `npm run bench:rules`: what 100 rules of authorization over 20 claims add to a list of 1,000 tools, on a real Envoy. The
// listeners are alike but for the rules, `jwt_authn` included; what is compared is CPU of Envoy for a list, in turns.
import { generateKeyPairSync, sign } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startRuled } from './gateway.ts';
import { measure, median } from './measure.ts';
import { start, startUpstream } from './processes.ts';
import { ratioOf } from './ratio.ts';
import { LIST, post, sessionAt } from './requests.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, seconds: { type: 'string', default: '1' } },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];

const issuer = 'https://id.example.com';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const claims = Array.from({ length: 20 }, (_, index) => `claim-${index}`);

/**
 * 100 rules, of which the last one lets the caller use every tool.
 * @param all the others hold for the caller as well, each with patterns that no tool fits, so each tool is held against all
 */
function rulesOf(all: boolean): object[] {
  return Array.from({ length: 100 }, (_, index) => {
    const isLast = index === 99;
    return {
      name: `rule-${index}`,
      claims: [{ path: `claim-${index % 20}`, contains: isLast || all ? 'member-3' : `nobody-${index}` }],
      tools: [isLast ? '*' : `*_get_*_of_${index}`],
    };
  });
}

function token(): string {
  const members = Array.from({ length: 5 }, (_, index) => `member-${index}`);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const payload = { iss: issuer, sub: 'ada', ...Object.fromEntries(claims.map((claim) => [claim, members])) };
  const signed = `${part({ alg: 'ES256' })}.${part(payload)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const upstream = await startUpstream();
const generator = start('load.ts');
const gateway = await startRuled(upstream.port, {
  issuer,
  keys: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), alg: 'ES256' }] }),
  rules: { 'one holds': rulesOf(false), 'all hold': rulesOf(true) },
});
const ways = ['no rules', 'one holds', 'all hold'] as const;
try {
  const headers = { authorization: `Bearer ${token()}` };
  for (const source of ['asked', 'cached'] as const) {
    const rows = await Promise.all(
      ways.map(async (way) => {
        const port = gateway.portOf(`${source}, ${way}`);
        return {
          way,
          port,
          request: post(LIST, { ...headers, ...(await sessionAt(port, headers)) }),
          cpu: [] as number[],
        };
      }),
    );
    for (let round = -1; round < rounds; round++) {
      for (const row of round % 2 === 0 ? rows : rows.toReversed()) {
        const one = await measure(gateway.envoy.pid, generator, row.port, row.request, seconds, 2);
        if (round >= 0) row.cpu.push(one.cpu); // the first round warms everything up
      }
    }
    process.stdout.write(`\ntools/list of 1,000 tools, ${source}: CPU of Envoy, ms\n`);
    for (const { way, cpu } of rows) {
      const { ratio, low, high } = ratioOf(cpu, rows[0]?.cpu ?? []);
      const over = way === 'no rules' ? '' : `   ${ratio.toFixed(2)} (${low.toFixed(2)} … ${high.toFixed(2)})`;
      process.stdout.write(`${way.padEnd(12)}${(median(cpu) / 1000).toFixed(2).padStart(8)}${over}\n`);
    }
  }
} finally {
  await gateway.stop();
  generator.disconnect();
  upstream.child.disconnect();
}
