import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isSource } from '../../common/home.ts';

/** The demo servers, with the ports that envoy.yaml expects them on. */
export const demoServers = { everything: 3001, notes: 3002 } as const;

export type DemoName = keyof typeof demoServers;

export interface RunningDemo {
  readonly name: DemoName;
  readonly pid: number;
  /** `http://127.0.0.1:3001/mcp` */
  readonly url: string;
  /** Resolves when the process is gone: with `SIGKILL`, or `exit code 1: ` and the last line that it said. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
  kill(): void;
}

/**
 * Starts a demo server as a process of its own, which ends with this one at the latest.
 * @param port where it listens on loopback; 0 for any free port
 * @throws Error with what it said, where it does not listen within 20 s
 */
export async function startDemo(name: DemoName, port: number): Promise<RunningDemo> {
  const program = fileURLToPath(new URL(isSource ? 'main.ts' : 'main.js', import.meta.url));
  const child = fork(program, [name, String(port)], {
    execArgv: isSource ? ['--import', import.meta.resolve('tsx')] : [],
    // Nothing else: server-everything has a tool that returns its whole environment.
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: true, // a Ctrl-C reaches this process alone, which then stops the others in order
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2_000)));
  const exited = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(signal ?? `exit code ${String(code)}: ${said.trimEnd().split('\n').pop() ?? ''}`);
    });
  });
  const kill = (): boolean => child.kill('SIGKILL');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const deadline = setTimeout(kill, 3_000);
    await exited;
    clearTimeout(deadline);
  };
  const listening = new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => {
      resolve(message.port);
    });
    child.once('error', reject);
    void exited.then((last) => {
      reject(new Error(`the demo server ${name} ended at once (${last})`));
    });
    setTimeout(() => {
      reject(new Error(`the demo server ${name} did not listen within 20 s`));
    }, 20_000).unref();
  });
  try {
    const url = `http://127.0.0.1:${await listening}/mcp`;
    return { name, pid: child.pid ?? 0, url, exited, stop, kill };
  } catch (error) {
    await stop();
    throw error;
  }
}
