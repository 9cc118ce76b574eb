// Writes the table of docs/scaling.md anew: `npx tsx test/scaling/update-page.ts`.
import { writeFileSync } from 'node:fs';
import { pageFile, pageOfToday } from './page.ts';

writeFileSync(pageFile, await pageOfToday());
