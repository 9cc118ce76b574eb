// A Chromium of this machine, for the tests of the page.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { describe } from 'vitest';

/** The program; undefined where this machine has none. `CHROMIUM_PATH` names one that is elsewhere. */
const chromiumPath = process.env['CHROMIUM_PATH'] ?? found(['chromium', 'chromium-browser', 'google-chrome']);

if (chromiumPath === undefined) {
  process.stderr.write('SKIPPED: the page is not tested, as there is no Chromium; CHROMIUM_PATH names one\n');
}

export const describeWithBrowser = describe.skipIf(chromiumPath === undefined);

export function startBrowser(): Promise<Browser> {
  // Without a sandbox, as root may have none: it sees the pages of these tests alone.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: chromiumPath ?? '', args });
}

function found(names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
