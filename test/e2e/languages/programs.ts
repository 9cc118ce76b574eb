// Small programs made with the MCP SDKs of other languages, each from one source file, with what it needs from the language's
// own registry: installed, or built, in the folder for temporary files, which is kept for the next time.
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { inContinuousIntegration, pythonPackages } from '../installed.ts';

export interface Program {
  /** The SDK, with its version. */
  readonly sdk: string;
  /** What has to be on the machine. */
  readonly tool: 'python3' | 'go' | 'cargo';
  /** @returns the command that runs it */
  install(): Promise<readonly string[]>;
}

const run = promisify(execFile);

/** @param requirement `name==version` @param script its path */
export function pythonProgram(sdk: string, requirement: string, script: string): Program {
  // -B: nothing is written beside the scripts
  return { sdk, tool: 'python3', install: async () => [await pythonPackages([requirement]), '-B', script] };
}

/** A program of the MCP Go SDK. @param source path of its only file */
export function goProgram(source: string): Program {
  const sdk = 'go-sdk 1.8.0';
  const name = nameOf(source);
  const install = async (): Promise<readonly string[]> => {
    const folder = folderOf(sdk, name);
    copyFileSync(source, join(folder, 'main.go'));
    const module = 'github.com/modelcontextprotocol/go-sdk v1.8.0';
    writeFileSync(join(folder, 'go.mod'), `module example.test/${name}\n\ngo 1.25\n\nrequire ${module}\n`);
    await run('go', ['mod', 'tidy'], { cwd: folder });
    await run('go', ['build', '-o', name, '.'], { cwd: folder });
    return [join(folder, name)];
  };
  return { sdk, tool: 'go', install };
}

/** A client of rmcp, the MCP Rust SDK. @param source path of its only file */
export function rustClient(source: string): Program {
  const sdk = 'rmcp 3.11.0';
  const name = nameOf(source);
  const install = async (): Promise<readonly string[]> => {
    const folder = folderOf(sdk, name);
    const manifest = `[package]
name = "${name}"
version = "0.0.0"
edition = "2021"

[dependencies]
rmcp = { version = "=3.11.0", default-features = false, features = ["client", "transport-streamable-http-client-reqwest", "macros", "elicitation"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
serde = "1"
serde_json = "1"
`;
    mkdirSync(join(folder, 'src'), { recursive: true });
    writeFileSync(join(folder, 'Cargo.toml'), manifest);
    copyFileSync(source, join(folder, 'src/main.rs'));
    await run('cargo', ['build', '--quiet'], { cwd: folder, maxBuffer: 16 << 20 });
    return [join(folder, 'target/debug', name)];
  };
  return { sdk, tool: 'cargo', install };
}

/**
 * Whether its language is on this machine; says so where not.
 * @param what `the client of`, `the servers of`
 * @throws Error in CI, where a run without it proves too little
 */
export function isRunnable({ sdk, tool }: Program, what: string): boolean {
  const probe = { python3: ['-m', 'pip', '--version'], go: ['version'], cargo: ['--version'] }[tool];
  if (spawnSync(tool, probe).status === 0) return true;
  const missing = `There is no ${tool === 'python3' ? 'python3 with pip' : tool} here`;
  if (inContinuousIntegration()) throw new Error(`${missing}: the tests of ${what} ${sdk} need it`);
  process.stderr.write(`\n*** ${missing}: the tests of ${what} ${sdk} are SKIPPED. ***\n\n`);
  return false;
}

function nameOf(source: string): string {
  return basename(source, extname(source));
}

function folderOf(...name: readonly string[]): string {
  const folder = join(tmpdir(), 'sluice-built', name.join(' ').replaceAll(' ', '-'));
  mkdirSync(folder, { recursive: true });
  return folder;
}
