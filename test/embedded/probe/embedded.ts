import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEmbedded, startEmbedded } from '../../../envoy/embedded/index.ts';
import { EngineError } from '../../../common/engine-error.ts';
import type { ProbeEngine } from './engine.ts';

/** The host of this project: what it does is to be what Envoy does. */
export const embeddedEngine: ProbeEngine = {
  name: 'embedded',
  start: (config) => startEmbedded({ config, concurrency: 1 }),
  validate: async (config) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
    // A configuration that is refused leaves no engine that could be asked for its log.
    const logFile = join(folder, 'log');
    const refusal = await checkEmbedded({ config, logFile }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const log = readFileSync(logFile, 'utf8');
    rmSync(folder, { recursive: true });
    if (refusal === undefined) return { accepted: true, said: log };
    // What is wrong with a configuration itself is no log's business.
    return { accepted: false, said: [log, ...(refusal instanceof EngineError ? refusal.details : [])].join('\n') };
  },
};
