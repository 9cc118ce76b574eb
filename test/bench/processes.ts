import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Job, Load } from './load.ts';

/** CPU time of a process so far in µs: of all its threads, to the nanosecond (field 1 of schedstat). */
export function cpuOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).reduce((sum, thread) => {
    const [ran = '0'] = readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(ran) / 1000;
  }, 0);
}

/** Resident memory in MiB. */
export function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** Starts a program of this folder; it ends with the channel to it. */
export function start(program: string): ChildProcess {
  return fork(fileURLToPath(new URL(program, import.meta.url)), { execArgv: ['--import', 'tsx'] });
}

export async function startUpstream(): Promise<{ port: number; child: ChildProcess }> {
  const child = start('upstream.ts');
  const [port] = (await once(child, 'message')) as [number];
  return { port, child };
}

/** Lets the load generator do a job. @throws where an answer was not the one that is measured */
export async function put(generator: ChildProcess, job: Job): Promise<Load> {
  generator.send(job);
  const [answer] = (await once(generator, 'message')) as [{ load: Load } | { error: string }];
  if ('error' in answer) throw new Error(answer.error);
  return answer.load;
}
