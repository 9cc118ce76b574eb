// Writes docs/troubleshooting.md anew: `npx tsx test/doctor/update-page.ts`.
import { writeFileSync } from 'node:fs';
import { formattedPage, pageFile } from './formatted-page.ts';

writeFileSync(pageFile, await formattedPage());
