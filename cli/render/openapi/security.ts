import { Variables } from '../names.ts';
import { type Description, type Part, isPart, listIn, textIn } from './document.ts';

/** One of `securitySchemes` of a definition. */
export type Scheme = Readonly<Record<string, unknown>> & { readonly id: string };

/** How the gateway tells the service who asks: the schemes that a definition can say, by their name. */
export function schemesOf(name: string, description: Description): Map<string, Scheme> {
  const { root, follow, leaveOut } = description;
  const components = isPart(root['components']) ? root['components'] : {};
  const schemes = isPart(components['securitySchemes']) ? components['securitySchemes'] : {};
  const found = new Map<string, Scheme>();
  const variables = new Variables();
  for (const [id, entry] of Object.entries(schemes)) {
    const place = `components.securitySchemes.${id}`;
    const said = partOf(follow(entry, place) ?? {}, place, leaveOut);
    if (said !== undefined) found.set(id, { id, ...said, defaultCredential: { env: variables.of(id, name, id) } });
  }
  return found;
}

function partOf(scheme: Part, place: string, leaveOut: Description['leaveOut']): Part | undefined {
  const type = textIn(scheme, 'type');
  const kind = textIn(scheme, 'scheme')?.toLowerCase();
  if (type === 'http' && (kind === 'basic' || kind === 'bearer')) return { type, scheme: kind };
  const where = textIn(scheme, 'in');
  const name = textIn(scheme, 'name');
  if (type === 'apiKey' && name !== undefined && (where === 'header' || where === 'query'))
    return { type, in: where, name };
  if (type === 'oauth2' || type === 'openIdConnect') {
    leaveOut(place, `nobody gets a token by ${type} here: one that you have is sent as a bearer token`);
    return { type: 'http', scheme: 'bearer' };
  }
  leaveOut(place, `${type ?? 'a scheme without a type'}${where === undefined ? '' : ` in ${where}`} cannot be sent`);
  return undefined;
}

/** What an operation asks for: the first alternative that can be sent; `{}` where it asks for nothing. */
export function securityOf(
  operation: Part,
  place: string,
  schemes: ReadonlyMap<string, Scheme>,
  { root, leaveOut }: Description,
): Readonly<Record<string, unknown>> {
  const asked = operation['security'] === undefined ? listIn(root, 'security') : listIn(operation, 'security');
  const alternatives = asked.filter((each) => isPart(each)).map((each) => Object.keys(each));
  if (alternatives.length === 0 || alternatives.some((names) => names.length === 0)) return {};
  const single = alternatives.find((names) => names.length === 1 && schemes.has(names[0] ?? ''));
  if (single !== undefined) return { security: { id: single[0] } };
  const [first = []] = alternatives;
  const known = first.find((id) => schemes.has(id));
  leaveOut(
    `${place}.security`,
    `${first.join(' and ')} cannot all be sent${known === undefined ? '' : `: ${known} alone is`}`,
  );
  return known === undefined ? {} : { security: { id: known } };
}
