import { scratch } from '../bytes/arena';
import { List } from '../bytes/list';
import { Span, literal } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { member } from '../json/reader';
import { Reason } from '../mcp/errors';
import { ArgumentTest } from '../model/argument-test';
import { AuthorizationRule } from '../model/authorization';
import { factsOf } from '../policy/arguments';
import { CallAccess, decidingRule } from '../policy/permissions';
import { refuseScopes } from './challenge';
import { Exchange } from './exchange';
import { refuseWhole } from './limits';

/** Rules of authorization on the arguments of a call, which has come whole. */
const ARGUMENTS = literal('arguments');
const CONFUSED = literal(
  'the arguments have a member twice, or one that looks like another, where a rule looks for one',
);
const OF = literal(' of ');
const COMMA = literal(', ');

/** Whether they let it go on; if not, `plan.reply` says why. The exchange's target is known. */
export function allowsArguments(exchange: Exchange): bool {
  const message = exchange.message;
  // In how few parts a body comes must not decide what is held.
  if (message.size > exchange.gateway.limits.heldBody) {
    refuseWhole(exchange, message.size);
    return false;
  }
  const target = exchange.target;
  const params = message.envelope.text(message.body, message.envelope.params);
  const args = factsOf(exchange.gateway.authorization!.arguments, member(params, ARGUMENTS, scratch), scratch);
  const access = exchange.caller.scope.permissions!.accessWith(target.server.index, target.name, args, target.facts);
  exchange.rule = decidingRule;
  switch (access) {
    case CallAccess.Allowed:
      return true;
    case CallAccess.Ambiguous:
      exchange.refuse(Reason.ParseError, CONFUSED);
      return false;
    case CallAccess.StepUp:
      refuseScopes(exchange, target.server, decidingRule!);
      return false;
    default:
      exchange.refuse(Reason.ForbiddenArguments, whatIsAskedFor(exchange, decidingRule), target.server.name);
      return false;
  }
}

/** Where the rule looks, and in what tool. What it allows there is not for everybody to know. */
function whatIsAskedFor(exchange: Exchange, rule: AuthorizationRule | null): Span {
  const text = newWriter(scratch, 128);
  const tests: List | null = rule === null ? null : rule.arguments;
  if (tests !== null) {
    for (let i = 0; i < tests.count; i++) {
      if (i > 0) text.bytes(COMMA);
      text.bytes(changetype<ArgumentTest>(tests.at(i) as usize).pointer);
    }
  }
  return text.bytes(OF).bytes(exchange.name).written;
}
