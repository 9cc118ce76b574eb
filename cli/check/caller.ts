import * as z from 'zod';
import type { JsonObject } from '../../envoy/embedded/config/struct.ts';
import { isShallow } from '../../envoy/yaml/depth.ts';
import { kinds, type Names } from '../../envoy/check/explain.ts';
import { readLimited } from '../../envoy/check/read-file.ts';
import { CommandError, exitCode } from '../io.ts';

/** A name that no server can have is no question (filter/mcp/nouns.ts). */
const longestName = 4096;

/**
 * Reads the claims of a token, as `jwt_authn` verifies them: a JSON object.
 * @throws CommandError (wrong use)
 */
export function readClaims(path: string, flag = '--as'): JsonObject {
  const value = read(flag, path, (text) => JSON.parse(text) as unknown);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !isShallow(value)) {
    throw wrong(
      flag,
      `${path} is not the claims of a token, a JSON object such as { "sub": "ada", "iss": "https://…" }`,
    );
  }
  return value as JsonObject;
}

const listed = z.union([z.string(), z.object({ name: z.string() }), z.object({ uri: z.string() })]);
const lists = z.object({
  tools: z.array(listed).optional(),
  prompts: z.array(listed).optional(),
  resources: z.array(listed).optional(),
  events: z.array(listed).optional(),
});

/**
 * Reads names to ask about: a result of `tools/list` or of another list, or the whole response, as JSON; or names of
 * tools, one a line.
 * @throws CommandError (wrong use)
 */
export function readNames(path: string): Names {
  return read('--names', path, (text) => {
    const names = namesIn(text);
    for (const name of kinds.flatMap((kind) => names[kind] ?? [])) {
      if (Buffer.byteLength(name) > longestName) throw new Error(`has a name of more than ${longestName} bytes`);
    }
    return names;
  });
}

function namesIn(text: string): Names {
  if (!/^\s*[{[]/.test(text))
    return {
      tools: text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    };
  const value: unknown = JSON.parse(text);
  const result = typeof value === 'object' && value !== null && 'result' in value ? value.result : value;
  const found = lists.safeParse(Array.isArray(result) ? { tools: result } : result);
  if (!found.success) throw new Error('is neither the result of a list nor names, one a line');
  return Object.fromEntries(kinds.map((kind) => [kind, found.data[kind]?.map(nameOf)]));
}

function nameOf(item: z.infer<typeof listed>): string {
  if (typeof item === 'string') return item;
  return 'uri' in item ? item.uri : item.name;
}

function read<T>(flag: string, path: string, parse: (text: string) => T): T {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readLimited(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw wrong(flag, code === 'ENOENT' ? `there is no ${path}` : message);
  }
  try {
    return parse(text);
  } catch (error) {
    throw wrong(flag, `${path} cannot be read: ${(error as Error).message}`);
  }
}

function wrong(flag: string, message: string): CommandError {
  return new CommandError(`${flag}: ${message}`, exitCode.usage);
}
