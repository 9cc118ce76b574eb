// Writes the tables of clients in docs/errors.md anew: `npx tsx test/core/update-clients.ts`, then prettier.
import { readFileSync, writeFileSync } from 'node:fs';
import { clientCells, rowCells, tableOf } from './clients.ts';
import { instance } from './core.ts';
import { errorRows } from './error-rows.ts';

const page = new URL('../../docs/errors.md', import.meta.url);
const tables = [clientCells(), rowCells(errorRows(instance()))].map(tableOf);
const [, heading = ''] = /^(## What clients do with them\n)/m.exec(readFileSync(page, 'utf8')) ?? [];
const [before = '', section = ''] = readFileSync(page, 'utf8').split(heading);
const written = section.replace(/(?:^\|.*\n)+/gm, () => `${tables.shift() ?? ''}\n`);
writeFileSync(page, before + heading + written);
