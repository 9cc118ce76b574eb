import { basename } from 'node:path';
import { readDocument } from '../../envoy/yaml/document.ts';
import type { GatewayServer } from '../../envoy/render/bootstrap.ts';
import { CommandError, exitCode } from '../io.ts';
import { readSource } from '../configuration-file.ts';
import type { AskedServer } from './asked-server.ts';

/** What is used of a file with tools of a REST service, as Higress has it. */
interface Definitions {
  readonly server?: { readonly name?: unknown } & Readonly<Record<string, unknown>>;
  readonly tools?: unknown;
  readonly allowTools?: unknown;
}

/** How long a service may take to answer, in ms. */
const patience = 3_000;

/**
 * The server of `--rest FILE`: its name is that of `server` in the file, else of the file; its URL is that of its tools.
 * @throws CommandError (wrong use) where the file cannot be read, or does not say where the service is
 */
export function restServer(file: string): GatewayServer {
  const { bytes } = readSource(file, '--rest');
  const { document, flaws } = readDocument(file, bytes);
  const [flaw] = flaws;
  if (flaw !== undefined) refuse(`${file}:${flaw.line}:${flaw.column}: ${flaw.message}`);
  if (document?.root.isObject !== true)
    refuse(`${file}: expected an object with tools, and with server where it has a name`);
  const { server = {}, tools, allowTools } = document.root.value as Definitions;
  const said = typeof server.name === 'string' ? server.name : basename(file).replace(/\.[^.]*$/, '');
  const name = said
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const origins = new Set(Array.isArray(tools) ? tools.flatMap((tool) => originOf(tool)) : []);
  const [url, second] = origins;
  if (url === undefined)
    refuse(`${file}: no tool has a url with http:// or https:// and a host; use --config, and url there`);
  if (second !== undefined) {
    refuse(
      `${file}: its tools are at ${[...origins].join(' and ')}; give each service a server of its own with --config`,
    );
  }
  return { name, url, rest: { ...server, tools, ...(allowTools !== undefined && { allowTools }) } };
}

function originOf(tool: unknown): string[] {
  const { url } = ((tool as { requestTemplate?: unknown }).requestTemplate ?? {}) as { url?: unknown };
  const [, origin] = typeof url === 'string' ? (/^(https?:\/\/[^/?#{}]+)(?:[/?#]|$)/i.exec(url) ?? []) : [];
  return origin === undefined ? [] : [origin];
}

function refuse(message: string): never {
  throw new CommandError(message, exitCode.usage);
}

/**
 * The names of the tools that are defined for a service, which answers anything.
 * @throws Error where it does not answer
 */
export async function askRestService({ url, rest }: AskedServer): Promise<string[]> {
  try {
    await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(patience) });
  } catch (error) {
    throw (error as Error).cause ?? error;
  }
  const { tools } = rest as { tools?: unknown };
  return Array.isArray(tools) ? tools.map((tool) => String((tool as { name?: unknown }).name)) : [];
}
