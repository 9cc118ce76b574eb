// The filter that verifies tokens, as docs/authorization.md shows it to who writes it by hand.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readByEnvoy, tokenFilter } from '../../envoy/render/token-filter.ts';

const page = readFileSync(new URL('../../docs/authorization.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^```yaml\n([^]+?)^```/gm)].map(
  ([, text = '']) => parse(text) as Record<string, unknown>,
);

test('the page has the filter that is made of its example', () => {
  const plugin = examples.find((example) => 'auth' in example);
  const filter = examples.find(({ name }) => name === 'envoy.filters.http.jwt_authn');
  expect(tokenFilter(plugin, '/mcp', readByEnvoy)?.filter).toEqual(filter);
});
