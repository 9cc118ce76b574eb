import { execFile } from 'node:child_process';
import { mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEnvoy } from '../../../envoy/engine/process.ts';

/** What a proxy that runs the probe has to be able to do: a real Envoy, or the embedded host. */
export interface ProbeEngine {
  readonly name: 'envoy' | 'embedded';
  start(bootstrap: object): Promise<RunningProbe>;
  /** Whether a bootstrap is accepted, and what is said about it where it is not. */
  validate(bootstrap: object): Promise<Outcome>;
}

interface RunningProbe {
  readonly adminUrl: string;
  /** Addresses by the names of listeners. */
  readonly listeners: ReadonlyMap<string, string>;
  /** Everything that was logged so far. */
  log(): string;
  stop(): Promise<void>;
}

interface Outcome {
  readonly accepted: boolean;
  readonly said: string;
}

export function envoyEngine(binary: string): ProbeEngine {
  return {
    name: 'envoy',
    start: async (config) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
      const logFile = join(folder, 'log');
      try {
        const envoy = await startEnvoy({ binary, config, concurrency: 1, logLevel: 'info', logFile });
        const stop = async (): Promise<void> => {
          await envoy.stop();
          rmSync(folder, { recursive: true });
        };
        return { adminUrl: envoy.adminUrl, listeners: envoy.listeners, log: growing(logFile), stop };
      } catch (error) {
        rmSync(folder, { recursive: true });
        throw error;
      }
    },
    validate: async (config) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
      const file = join(folder, 'envoy.json');
      writeFileSync(file, JSON.stringify(config));
      const args = ['--mode', 'validate', '-c', file, '--disable-hot-restart', '--log-level', 'info'];
      return new Promise((resolve) => {
        execFile(binary, args, (error, stdout, stderr) => {
          rmSync(folder, { recursive: true });
          resolve({ accepted: error === null, said: `${stdout}\n${stderr}` });
        });
      });
    },
  };
}

/** The text of a file that is only ever appended to: the trace is asked for every few milliseconds. */
function growing(file: string): () => string {
  const descriptor = openSync(file, 'r');
  const decoder = new TextDecoder();
  const bytes = Buffer.alloc(1 << 20);
  let text = '';
  let at = 0;
  return () => {
    for (;;) {
      const count = readSync(descriptor, bytes, 0, bytes.length, at);
      if (count === 0) return text;
      at += count;
      text += decoder.decode(bytes.subarray(0, count), { stream: true });
    }
  };
}
