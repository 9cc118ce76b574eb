// Clients of other languages, each a small program made with the SDK of its language, installed from the language's own
// registry: minutes, and a gigabyte, so for the long form of the proofs only. A language that is not on the machine is
// left out, aloud.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Program {
  readonly client: string;
  /** The newest era that it speaks. */
  readonly era: 'sessions' | 'stateless';
  /** What has to be on the machine. */
  readonly tool: string;
  /** @param folder of its own @returns the command that runs it */
  install(folder: string): Promise<readonly string[]>;
}

const run = promisify(execFile);
const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function python(client: string, era: Program['era'], requirement: string, script: string): Program {
  return {
    client,
    era,
    tool: 'python3',
    install: async (folder) => {
      const interpreter = join(folder, 'bin/python');
      await run('python3', ['-m', 'venv', folder]);
      await run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement]);
      return [interpreter, '-B', source(script)]; // -B: nothing is written beside the scripts
    },
  };
}

/** @param file of the program, beside this one */
function go(client: string, file: string): Program {
  return {
    client,
    era: 'stateless',
    tool: 'go',
    install: async (folder) => {
      copyFileSync(source(file), join(folder, 'main.go'));
      const sdk = 'github.com/modelcontextprotocol/go-sdk v1.8.0';
      writeFileSync(join(folder, 'go.mod'), `module example.test/client\n\ngo 1.25\n\nrequire ${sdk}\n`);
      await run('go', ['mod', 'tidy'], { cwd: folder });
      await run('go', ['build', '-o', 'client', '.'], { cwd: folder });
      return [join(folder, 'client')];
    },
  };
}

/** It does nothing but wait for changed lists. */
export const goListener = go('go-sdk 1.8.0, listening', 'listener.go');

const cargoManifest = `[package]
name = "client"
version = "0.0.0"
edition = "2021"

[dependencies]
rmcp = { version = "=3.11.0", default-features = false, features = ["client", "transport-streamable-http-client-reqwest", "macros", "elicitation"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
serde = "1"
serde_json = "1"
`;

const rust: Program = {
  client: 'rmcp 3.11.0',
  era: 'stateless',
  tool: 'cargo',
  install: async (folder) => {
    mkdirSync(join(folder, 'src'), { recursive: true });
    writeFileSync(join(folder, 'Cargo.toml'), cargoManifest);
    copyFileSync(source('client.rs'), join(folder, 'src/main.rs'));
    await run('cargo', ['build', '--quiet'], { cwd: folder, maxBuffer: 16 << 20 });
    return [join(folder, 'target/debug/client')];
  },
};

export const programs: readonly Program[] = [
  python('Python mcp 1.30.0', 'sessions', 'mcp==1.30.0', 'python1.py'),
  python('Python mcp 2.3.0', 'stateless', 'mcp==2.3.0', 'python2.py'),
  python('FastMCP 4.2.3', 'stateless', 'fastmcp==4.2.3', 'fast.py'),
  go('go-sdk 1.8.0', 'client.go'),
  rust,
];

/** Whether its language is on this machine; says so where not. */
export function isRunnable({ client, tool }: Program): boolean {
  const argument = tool === 'go' ? 'version' : '--version';
  if (spawnSync(tool, [argument]).status === 0) return true;
  process.stderr.write(`\n*** There is no ${tool} here: the tests of ${client} are SKIPPED. ***\n\n`);
  return false;
}

/** Installs it, or what is new of it: the folder is kept for the next time. @returns the command that runs it */
export async function installProgram(program: Program): Promise<readonly string[]> {
  const folder = join(tmpdir(), 'sluice-clients', program.client.replaceAll(' ', '-'));
  mkdirSync(folder, { recursive: true });
  return program.install(folder);
}
