import type { Path } from '../../envoy/yaml/place.ts';

/** Members of a definition that hold a credential. */
const credentialMembers = ['defaultCredential', 'credential'];
/** Headers that are one, if they are the same for every caller. */
const credentialHeaders = /^(?:authorization|proxy-authorization|cookie|x-api-key|api-key|x-auth-token)$/i;
/** Levels of a definition that are looked at: credentials stand on the third. */
const mostLevels = 8;

/** Parts of `rest` that have credentials in them. */
const parts = ['securitySchemes', 'defaultUpstreamSecurity', 'defaultDownstreamSecurity', 'tools'];
/** Parts of a tool, whose other members are text for people and schemas. */
const toolParts = ['requestTemplate', 'security'];

/**
 * The secrets in `rest` of a server: a catalog is read by whoever may ask for it, and kept on disk, so one that stands there
 * would be none. `{ env: NAME }` is not one.
 * @returns where they stand
 */
export function secretsIn(rest: unknown): Path[] {
  if (!isObject(rest)) return [];
  const found: Path[] = [];
  for (const [name, value] of Object.entries(isObject(rest['config']) ? rest['config'] : {})) {
    if (!isVariable(value)) found.push(['config', name]);
  }
  for (const part of parts) visit(rest[part], [part], found);
  return found;
}

function visit(value: unknown, path: Path, found: Path[]): void {
  if (path.length > mostLevels) return;
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => {
      visit(item, [...path, index], found);
    });
    return;
  }
  if (!isObject(value)) return;
  const isTool = path.length === 2 && path[0] === 'tools';
  for (const [member, inner] of Object.entries(value)) {
    const at = [...path, member];
    if (isTool && !toolParts.includes(member)) continue;
    if (credentialMembers.includes(member)) {
      if (inner !== null && inner !== '' && !isVariable(inner)) found.push(at);
    } else if (member === 'headers' && Array.isArray(inner)) {
      inner.forEach((header: unknown, index) => {
        if (isSecretHeader(header)) found.push([...at, index, 'value']);
      });
    } else visit(inner, at, found);
  }
}

function isSecretHeader(header: unknown): boolean {
  if (!isObject(header)) return false;
  const { key, value } = header;
  if (typeof key !== 'string' || typeof value !== 'string') return false;
  return credentialHeaders.test(key) && value !== '' && !value.includes('{{');
}

function isVariable(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 1 && typeof value['env'] === 'string' && value['env'] !== '';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
