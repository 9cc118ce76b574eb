import { type Path, pathText } from '../../envoy/yaml/place.ts';
import { secretsIn } from '../../plugin-server/catalog/secrets.ts';
import type { Variables } from './names.ts';

/** `rest` of a server without what is secret in it. */
export interface Kept {
  readonly rest: Readonly<Record<string, unknown>>;
  /** Where each secret stood, and the variable that holds it now. */
  readonly variables: readonly { readonly path: Path; readonly variable: string }[];
}

type Members = Record<string | number, unknown>;

/**
 * Puts `{ env: NAME }` in the place of each credential, and of each value of `config`: what stands in a configuration is no
 * secret. A header that is one becomes a template which has the variable.
 * @param name of the server, which variables begin with
 * @param given the variables of all servers that are read
 */
export function withVariables(name: string, from: Readonly<Record<string, unknown>>, given: Variables): Kept {
  const rest = structuredClone(from) as Members;
  const config = { ...(isMembers(rest['config']) ? rest['config'] : {}) };
  const variables: { path: Path; variable: string }[] = [];
  for (const path of secretsIn(from)) {
    const last = path.at(-1) ?? '';
    const holder = parentOf(rest, path);
    const variable = given.of(JSON.stringify(holder[last]), name, ...labelOf(rest, path));
    if (path[0] === 'config') config[last] = { env: variable };
    else if (last === 'value') {
      const key = variable.toLowerCase();
      config[key] = { env: variable };
      holder[last] = `{{.config.${key}}}`;
    } else holder[last] = { env: variable };
    variables.push({ path, variable });
  }
  if (Object.keys(config).length > 0) rest['config'] = config;
  return { rest, variables };
}

function parentOf(root: Members, path: Path): Members {
  let at = root;
  for (const step of path.slice(0, -1)) at = at[step] as Members;
  return at;
}

/** What tells a credential from the others of its server: the scheme's id, the tool, the header. */
function labelOf(root: Members, path: Path): string[] {
  if (path[0] === 'config') return [String(path[1])];
  const holder = parentOf(root, path);
  const [list, index] = path;
  const item = list === 'securitySchemes' || list === 'tools' ? ((root[list] as Members)[index ?? 0] as Members) : {};
  const named = [item['id'] ?? item['name'], holder['key']].filter((each) => typeof each === 'string');
  return named.length > 0 ? named : [pathText(path)];
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
