import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Symptom, symptoms } from '../../cli/doctor/symptoms.ts';
import { examples } from './examples.ts';
import { formattedPage, pageFile } from './formatted-page.ts';

test('the page has the rows of the table of symptoms: npx tsx test/doctor/update-page.ts', async () => {
  expect(readFileSync(pageFile, 'utf8')).toBe(await formattedPage());
});

test.each(Object.entries<Symptom>(symptoms))('%s says what is seen, why, and what to do', (id, symptom) => {
  expect(id).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
  for (const text of [symptom.title, symptom.cause, symptom.nextStep]) expect(text).toMatch(/^[^|\n]+\.$/);
  expect(symptom.probe).toMatch(/^[^|\n]+[^.]$/);
});

test('every symptom of tokens and of virtual servers has an example', () => {
  const shown = new Set(examples.map(({ symptom }) => symptom as string));
  for (const [id, { area }] of Object.entries<Symptom>(symptoms))
    if (area === 'access' || area === 'virtualServers') expect([...shown]).toContain(id);
});
