// `sluice doctor` at an address where nobody listens.
import { expect, it } from 'vitest';
import { doctor } from '../../cli/doctor/command.ts';

it('says what is wrong once, and counts what cannot be judged by its reason', async () => {
  let text = '';
  const take = (piece: string): void => void (text += piece);
  const code = await doctor.run(['http://127.0.0.1:1/mcp'], { out: take, err: take, interactive: false, env: {} });
  expect(code).toBe(1);
  expect(text).toMatch(/^problem {4}unreachable: /m);
  const unjudged = text.split('\n').filter((line) => line.startsWith('not judged'));
  expect(unjudged.map((line) => line.replace(/\d+/, 'N'))).toEqual([
    'not judged N symptoms: no endpoint answers /-/health',
    'not judged N symptoms: name the admin address of Envoy with --admin',
    'not judged N symptoms: the gateway was not reached so far',
  ]);
  const counted = unjudged.reduce((sum, line) => sum + Number(/\d+/.exec(line)), 0);
  expect(text).toContain(`1 problem, 0 warnings, 0 ok, ${counted} not judged\n`);
});
