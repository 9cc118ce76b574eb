import { combined, literal } from '../bytes/span';
import { Noun } from '../mcp/nouns';
import { Lists } from '../model/dialects';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { Section } from './section';
import { elementPlace } from './problems';

/** Which servers' tools are decided on by their definitions; once pins and rules are there. */
const SERVERS = literal('servers');
const UNHEARD = literal(
  'speaks HTTP+SSE, where the gateway cannot ask for lists: its tools are hidden, since pins or rules on annotations hold for them',
);

export function settleFacts(root: Section, gateway: Gateway): void {
  const pins = gateway.pins;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    server.isPinned = pins !== null;
    server.asksForFacts = (pins !== null && pins.decides) || hasRuleOnHints(gateway, server);
    server.factsFingerprint = combined(pins === null ? 0 : pins.fingerprint, server.isTrusted ? 1 : 0);
    if (!server.asksForFacts || server.dialect.lists !== Lists.Unheard) continue;
    const place = elementPlace(root.placeOf(SERVERS), i, root.arena);
    root.problems.warn(root.problems.at(place).bytes(UNHEARD));
  }
}

function hasRuleOnHints(gateway: Gateway, server: Server): bool {
  const authorization = gateway.authorization;
  if (authorization === null) return false;
  for (let i = 0; i < authorization.rules.count; i++) {
    const rule = authorization.ruleAt(i);
    if (rule.hints !== 0 && rule.mayCover(Noun.Tools, server.index)) return true;
  }
  return false;
}
