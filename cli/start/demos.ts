import { missingDemoPackages } from '../../envoy/demo/packages.ts';
import { type DemoName, type RunningDemo, demoServers, startDemo } from '../../envoy/demo/run.ts';
import { onPreferredPort } from '../../envoy/engine/ports.ts';
import { CommandError } from '../io.ts';
import type { Running } from './running.ts';

const loopback = '127.0.0.1';

/** A demo server that ends again and again is left alone. */
const mostRestarts = 5;

export interface DemoOptions {
  readonly running: Running;
  /** Aborted when the end was asked for. */
  readonly stop: AbortSignal;
  /** Told when one ended, and what is done about it. */
  readonly tell: (name: DemoName, state: 'restarting' | 'down', problem: string) => void;
}

/**
 * They are for trying things out, and no part of what is installed.
 * @throws CommandError that says how to go on without them, or to get them
 */
export function requireDemos(): void {
  const missing = missingDemoPackages();
  if (missing.length === 0) return;
  throw new CommandError(
    'the two demo MCP servers are not installed with this package: name a server of yours with --server NAME=URL, ' +
      `or a configuration with --config FILE; to try the demo servers, run "npm install --no-save ${missing.join(' ')}"`,
  );
}

/** Starts all demo servers, each on its usual port if that is free; one that ends is started again at its port. */
export async function startDemos(options: DemoOptions): Promise<{ name: DemoName; url: string }[]> {
  const names = Object.keys(demoServers) as DemoName[];
  const starting = names.map((name) => startKept(name, options));
  // All of them, before a failure of one is told: the others are running then, and are to be stopped.
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

async function startKept(
  name: DemoName,
  { running, stop, tell }: DemoOptions,
): Promise<{ name: DemoName; url: string }> {
  const preferred = { host: loopback, port: demoServers[name] };
  let demo: RunningDemo = await onPreferredPort(preferred, ({ port }) => startDemo(name, port));
  const { url } = demo;
  let stopped = false;
  let restarting: Promise<unknown> = Promise.resolve();
  running.add({
    stop: async () => {
      stopped = true;
      await restarting;
      await demo.stop();
    },
    kill: () => {
      stopped = true;
      demo.kill();
    },
  });
  const keep = async (): Promise<void> => {
    for (let restart = 1; ; restart++) {
      const said = await demo.exited;
      if (stopped || stop.aborted) return;
      if (restart > mostRestarts) {
        tell(name, 'down', `it ended (${said}) after ${mostRestarts} restarts, and is left alone`);
        return;
      }
      tell(name, 'restarting', `it ended (${said})`);
      const starting = startDemo(name, Number(new URL(url).port));
      restarting = starting.catch(() => undefined);
      try {
        demo = await starting;
      } catch (error) {
        tell(name, 'down', `${(error as Error).message}; it is left alone`);
        return;
      }
    }
  };
  void keep();
  return { name, url };
}
