// Clients of other languages: minutes to install, and a gigabyte, so they are for the long form of the proofs only.
import { fileURLToPath } from 'node:url';
import { type Program, goProgram, pythonProgram, rustClient } from '../../languages/programs.ts';

export interface ClientProgram {
  readonly client: string;
  /** The newest era that it speaks. */
  readonly era: 'sessions' | 'stateless';
  readonly program: Program;
}

const source = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const python = (sdk: string, requirement: string, script: string): Program =>
  pythonProgram(sdk, requirement, source(script));

export const programs: readonly ClientProgram[] = [
  { era: 'sessions', program: python('Python mcp 1.30.0', 'mcp==1.30.0', 'python1.py') },
  { era: 'stateless', program: python('Python mcp 2.3.0', 'mcp==2.3.0', 'python2.py') },
  { era: 'stateless', program: python('FastMCP 4.2.3', 'fastmcp==4.2.3', 'fast.py') },
  { era: 'stateless', program: goProgram(source('client.go')) },
  { era: 'stateless', program: rustClient(source('client.rs')) },
].map(({ era, program }) => ({ client: program.sdk, era: era as ClientProgram['era'], program }));

/** It does nothing but wait for changed lists. */
export const goListener = goProgram(source('listener.go'));
