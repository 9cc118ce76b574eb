import type { Report } from './finding.ts';
import type { RouteTable } from './gateway.ts';
import { type Route, isDecided, isForUndecided, lowerCase } from './route.ts';

/** A path that a client may ask for. */
interface Candidate {
  readonly path: string;
  /** Stands for the same path in another case too, behind the endpoint: a route that ignores the case is written for it. */
  readonly inAnyCase: boolean;
}

/** The most paths times routes; a virtual host with a thousand routes of its own below the endpoint is within it. */
const mostComparisons = 2 ** 23;

/** Requests for the endpoint and for what is below it that no module has decided on end at a route that reaches no server. */
export function checkClosedRoute({ node, routes }: RouteTable, endpoint: string, report: Report): void {
  const undecided = routes.filter((route) => !isDecided(route));
  const candidates = candidatesOf(endpoint, undecided);
  if (candidates.length * undecided.length > mostComparisons) {
    report('closed-route', node, `has more routes below ${endpoint} than can be checked`);
    return;
  }
  let missing: string | undefined;
  for (const candidate of candidates) {
    const route = undecided.find((possible) => ends(possible, candidate, endpoint));
    if (route === undefined) missing ??= candidate.path;
    else if (!isClosed(route)) {
      report('closed-route', route.node, `takes ${candidate.path} without a routing header before a closed route does`);
      return;
    }
  }
  if (missing === undefined) return;
  report('closed-route', node, `no route closes ${missing} to requests without a routing header`);
}

/** Where it is not known which path the endpoint is: any route that closes one. */
export function checkAnyClosedRoute({ node, routes }: RouteTable, report: Report): void {
  if (routes.some((route) => isClosed(route) && !isDecided(route))) return;
  report('closed-route', node, 'no route closes the endpoint to requests without a routing header');
}

/** Whether what takes it reaches no server from here. */
export function isClosed({ action }: Route): boolean {
  return action === 'direct' || action === 'redirect';
}

/** Whether a request that no module has decided on may end here, at a route that takes such requests. */
function ends(route: Route, { path, inAnyCase }: Candidate, endpoint: string): boolean {
  const takes = route.takes(path);
  if (takes === 'no') return false;
  if (!isClosed(route)) return true;
  const isCertain = takes === 'yes' && isForUndecided(route);
  return isCertain && (!inAnyCase || route.ignoresCase || route.literal.length <= `${endpoint}/`.length);
}

/**
 * Paths that stand for all of the endpoint. Two paths are taken alike by every route if the longest text that a route is
 * written for, with and without a slash behind it, is the same at their beginning. So that text itself is tried, and the
 * text with a character behind it with which none goes on.
 */
function candidatesOf(endpoint: string, routes: readonly Route[]): Candidate[] {
  const below = `${endpoint}/`;
  const written = new Map<string, boolean>([[endpoint, false]]);
  for (const { literal, ignoresCase } of routes) {
    const isBelow = ignoresCase ? lowerCase(literal).startsWith(lowerCase(below)) : literal.startsWith(below);
    if (!isBelow) continue;
    const text = endpoint + literal.slice(endpoint.length);
    written.set(text, ignoresCase || (written.get(text) ?? false));
  }
  for (const [text, ignoresCase] of [...written]) {
    const slashed = `${text}/`;
    written.set(slashed, ignoresCase || (written.get(slashed) ?? false));
  }
  const next = followers([...written.keys()]);
  const candidates: Candidate[] = [
    { path: endpoint, inAnyCase: false },
    { path: `${endpoint}/namespace/name`, inAnyCase: false }, // of a virtual server: the first to be named in a finding
  ];
  for (const [text, inAnyCase] of written) {
    candidates.push({ path: text, inAnyCase });
    const other = text === endpoint ? undefined : letters.find((letter) => next.get(text)?.has(letter) !== true);
    if (other !== undefined) candidates.push({ path: text + other, inAnyCase });
  }
  return candidates;
}

/** Characters of a path. A digit or a letter is the easiest to read in a finding. (RFC 3986 §3.3: pchar) */
const letters = Array.from("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~!$&'()*+,;=:@");

/** For each text the characters with which another one goes on. */
function followers(texts: readonly string[]): Map<string, Set<string>> {
  const known = new Set(texts);
  const lengths = [...new Set(texts.map(({ length }) => length))];
  const next = new Map<string, Set<string>>();
  for (const text of texts) {
    for (const length of lengths) {
      const beginning = text.slice(0, length);
      if (length >= text.length || !known.has(beginning)) continue;
      const own = next.get(beginning) ?? new Set();
      next.set(beginning, own.add(text.charAt(length)));
    }
  }
  return next;
}
