import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, span, NONE } from '../bytes/span';
import { Noun } from '../mcp/nouns';
import { Authorization, AuthorizationRule, Effect } from '../model/authorization';
import { NameSet } from '../model/name-set';
import { VirtualServer } from '../model/virtual-server';
import { ArgumentFacts, Fit } from './arguments';
import { ClaimAnswers } from './claims';
import { numberOfRules } from './rule-sets';
import { rememberedDecision } from './remembered-decisions';

/** What the authorization rules say of one thing. */
export const enum Access {
  /** It does not exist for this caller. */
  Hidden = 1,
  /** It is listed, and a call needs more scopes. */
  StepUp,
  Allowed,
}

/** What they say of a call, once its arguments are there. */
export const enum CallAccess {
  Allowed,
  /** It needs more scopes. */
  StepUp,
  /** With other arguments it may be allowed. */
  Refused,
  /** Two readers may find two values where a rule looks. */
  Ambiguous,
}

/** Where fewer rules hold, to hold a name against them takes no longer than to find what they said of it before. */
const FEWEST_REMEMBERED: i32 = 4;

/**
 * The rules that hold for one request. Of those that cover a thing, one that denies wins, then one that steps up, then
 * one that allows; where there is none, the default.
 */
@unmanaged
export class Permissions {
  private allowsByDefault: bool;
  /** Elements are AuthorizationRule. */
  private denying: List;
  private allowing: List;
  /** Whose scopes the token has, so that they allow; and whose it has not. */
  private steppedUp: List;
  private steppingUp: List;
  /** Those that go by arguments as well: a call alone can tell whether they hold. They never change what is listed. */
  private denyingArguments: List;
  private steppingUpForArguments: List;
  private allowingArguments: List;
  /** The number of these rules as a set; 0: they are so few that nothing is remembered of what they said. */
  private remembered: u64;

  /**
   * @param server its index. @param name in the form of `VirtualServer.shares`. @param other its other name, or NONE
   * @param facts of a tool, bits of Hint and Fact
   */
  accessTo(noun: Noun, server: i32, name: Span, other: Span, facts: u32): Access {
    if (this.remembered === 0 || other !== NONE) return this.decide(noun, server, name, other, facts);
    const decision = rememberedDecision(this.remembered, noun, server, name, facts);
    if (decision === null) return this.decide(noun, server, name, NONE, facts);
    if (decision.answer === 0) decision.answer = this.decide(noun, server, name, NONE, facts);
    return decision.answer as Access;
  }

  private decide(noun: Noun, server: i32, name: Span, other: Span, facts: u32): Access {
    if (taking(this.denying, noun, server, name, other, facts) !== null) return Access.Hidden;
    const stepping = taking(this.steppingUp, noun, server, name, other, facts);
    if (stepping === null) return this.isShown(noun, server, name, other, facts) ? Access.Allowed : Access.Hidden;
    // It takes the call away, and shows the tool only where its hints may be believed.
    const isShown = stepping.fits(facts, true) || this.isShown(noun, server, name, other, facts);
    return isShown || giving(this.steppingUp, noun, server, name, other, facts) !== null
      ? Access.StepUp
      : Access.Hidden;
  }

  private isShown(noun: Noun, server: i32, name: Span, other: Span, facts: u32): bool {
    return this.allowsByDefault || this.showing(noun, server, name, other, facts) !== null;
  }

  /** The rule that shows it where the default does not, or null. */
  private showing(noun: Noun, server: i32, name: Span, other: Span, facts: u32): AuthorizationRule | null {
    let found = giving(this.steppedUp, noun, server, name, other, facts);
    if (found === null) found = giving(this.allowing, noun, server, name, other, facts);
    if (found === null) found = giving(this.allowingArguments, noun, server, name, other, facts);
    return found !== null ? found : giving(this.steppingUpForArguments, noun, server, name, other, facts);
  }

  /** The rule that decides what `accessTo` says; null: the default does. */
  ruleOn(noun: Noun, server: i32, name: Span, other: Span, facts: u32): AuthorizationRule | null {
    let found = taking(this.denying, noun, server, name, other, facts);
    if (found === null) found = taking(this.steppingUp, noun, server, name, other, facts);
    return found !== null ? found : this.showing(noun, server, name, other, facts);
  }

  /** Whether a call of a tool may have to be read whole before it can be decided on, whatever its hints are. */
  asksForArguments(server: i32, name: Span): bool {
    return (
      coversTool(this.denyingArguments, server, name) ||
      coversTool(this.steppingUpForArguments, server, name) ||
      coversTool(this.allowingArguments, server, name)
    );
  }

  /** For a tool that `accessTo` allows. The rule that decided is then in `decidingRule`. */
  accessWith(server: i32, name: Span, args: ArgumentFacts, facts: u32): CallAccess {
    decidingRule = null;
    const denying = this.fitting(this.denyingArguments, server, name, args, facts, false);
    const stepping = this.fitting(this.steppingUpForArguments, server, name, args, facts, false);
    const allowing = this.fitting(this.allowingArguments, server, name, args, facts, true);
    if (isAmbiguous(denying) || isAmbiguous(stepping) || isAmbiguous(allowing)) return CallAccess.Ambiguous;
    if (denying !== null) return decide(denying, CallAccess.Refused);
    if (stepping !== null) return decide(stepping, CallAccess.StepUp);
    let found = giving(this.steppedUp, Noun.Tools, server, name, NONE, facts);
    if (found === null) found = giving(this.allowing, Noun.Tools, server, name, NONE, facts);
    if (found === null) found = allowing;
    if (found !== null || this.allowsByDefault) return decide(found, CallAccess.Allowed);
    found = giving(this.allowingArguments, Noun.Tools, server, name, NONE, facts);
    if (found === null) found = giving(this.steppingUpForArguments, Noun.Tools, server, name, NONE, facts);
    return decide(found, CallAccess.Refused);
  }

  /**
   * The first of the rules that covers a tool and that the arguments fit; `AMBIGUOUS` where those of one that covers it
   * cannot be told for certain.
   * @param gives see `AuthorizationRule.fits`; what a rule that takes away cannot read fits it, too
   */
  private fitting(
    rules: List,
    server: i32,
    name: Span,
    args: ArgumentFacts,
    facts: u32,
    gives: bool,
  ): AuthorizationRule | null {
    let found: AuthorizationRule | null = null;
    for (let i = 0; i < rules.count; i++) {
      const rule = ruleAt(rules, i);
      if (!rule.fits(facts, gives) || !rule.covers(Noun.Tools, server, name)) continue;
      const fit = args.fitAll(rule.arguments!);
      if (fit === Fit.Ambiguous) return AMBIGUOUS;
      if (found === null && (fit === Fit.Yes || (!gives && fit === Fit.Unreadable))) found = rule;
    }
    return found;
  }

  /** The rule that makes it `Access.StepUp`. */
  stepUpOf(noun: Noun, server: i32, name: Span, other: Span, facts: u32): AuthorizationRule | null {
    return taking(this.steppingUp, noun, server, name, other, facts);
  }

  /** Whether one of the names that a pattern matches may be other than hidden. Never false where one is. */
  mayShowSome(noun: Noun, server: i32, pattern: Span): bool {
    if (this.deniesEach(noun, server, pattern)) return false;
    return (
      this.allowsByDefault ||
      coverSome(this.steppingUp, noun, server, pattern) ||
      coverSome(this.steppedUp, noun, server, pattern) ||
      coverSome(this.allowing, noun, server, pattern)
    );
  }

  /** Whether a rule hides each of the names that a pattern matches. */
  deniesEach(noun: Noun, server: i32, pattern: Span): bool {
    return coveringEach(this.denying, noun, server, pattern) !== null;
  }

  /** The rule that makes each of them `Access.StepUp`. */
  stepUpOfEach(noun: Noun, server: i32, pattern: Span): AuthorizationRule | null {
    return coveringEach(this.steppingUp, noun, server, pattern);
  }

  /** Whether anything of this noun may be other than hidden. Never false where something is. */
  mayShow(noun: Noun, server: i32): bool {
    for (let i = 0; i < this.denying.count; i++) if (ruleAt(this.denying, i).coversAll(server)) return false;
    return (
      this.allowsByDefault ||
      reaches(this.steppingUp, noun, server) ||
      reaches(this.steppedUp, noun, server) ||
      reaches(this.allowing, noun, server) ||
      reaches(this.allowingArguments, noun, server) ||
      reaches(this.steppingUpForArguments, noun, server)
    );
  }

  settle(
    authorization: Authorization,
    answers: ClaimAnswers,
    path: VirtualServer | null,
    header: VirtualServer | null,
    arena: Arena,
  ): Permissions {
    this.allowsByDefault = authorization.allowsByDefault;
    this.denying = newList(arena);
    this.allowing = newList(arena);
    this.steppedUp = newList(arena);
    this.steppingUp = newList(arena);
    this.denyingArguments = newList(arena);
    this.steppingUpForArguments = newList(arena);
    this.allowingArguments = newList(arena);
    // The number of the configuration, and a byte for each rule: 0 where it does not hold.
    const size = sizeof<u64>() + (authorization.rules.count as usize);
    const description = arena.zeroed(size);
    store<u64>(description, authorization.number);
    let holding = 0;
    for (let i = 0; i < authorization.rules.count; i++) {
      const rule = authorization.ruleAt(i);
      if (!holdsIn(rule.virtualServers, path, header) || !allYes(rule.claims, answers)) continue;
      const hasScopes = allYes(rule.scopes, answers);
      const listed =
        rule.arguments === null ? this.listFor(rule.effect, hasScopes) : this.listForArguments(rule.effect, hasScopes);
      if (listed === null) continue;
      listed.push(changetype<usize>(rule) as u64);
      store<u8>(description + (i as usize), hasScopes ? 2 : 1, sizeof<u64>());
      holding++;
    }
    if (holding >= FEWEST_REMEMBERED) this.remembered = numberOfRules(span(description, size as u32));
    return this;
  }

  /** Null: a rule that denies or allows does so only where the token has its scopes. */
  private listFor(effect: Effect, hasScopes: bool): List | null {
    if (effect === Effect.StepUp) return hasScopes ? this.steppedUp : this.steppingUp;
    if (!hasScopes) return null;
    return effect === Effect.Deny ? this.denying : this.allowing;
  }

  private listForArguments(effect: Effect, hasScopes: bool): List | null {
    if (effect === Effect.StepUp) return hasScopes ? this.allowingArguments : this.steppingUpForArguments;
    if (!hasScopes) return null;
    return effect === Effect.Deny ? this.denyingArguments : this.allowingArguments;
  }
}

/** What `accessWith` was decided by; null: the default. */
export let decidingRule: AuthorizationRule | null = null;

/** No rule of a configuration. */
const AMBIGUOUS: AuthorizationRule = changetype<AuthorizationRule>(memory.data(offsetof<AuthorizationRule>(), 8));

function isAmbiguous(rule: AuthorizationRule | null): bool {
  return rule === AMBIGUOUS;
}

function decide(rule: AuthorizationRule | null, access: CallAccess): CallAccess {
  decidingRule = rule;
  return access;
}

/** @param path the virtual server that the path names, or null. @param header the same */
export function permissionsOf(
  authorization: Authorization,
  answers: ClaimAnswers,
  path: VirtualServer | null,
  header: VirtualServer | null,
  arena: Arena,
): Permissions {
  return make<Permissions>(arena).settle(authorization, answers, path, header, arena);
}

function ruleAt(rules: List, index: i32): AuthorizationRule {
  return changetype<AuthorizationRule>(rules.at(index) as usize);
}

/** The first of the rules that covers it, of those that take something away. */
function taking(rules: List, noun: Noun, server: i32, name: Span, other: Span, facts: u32): AuthorizationRule | null {
  return covering(rules, noun, server, name, other, facts, false);
}

/** The same of those that let somebody use it. */
function giving(rules: List, noun: Noun, server: i32, name: Span, other: Span, facts: u32): AuthorizationRule | null {
  return covering(rules, noun, server, name, other, facts, true);
}

function covering(
  rules: List,
  noun: Noun,
  server: i32,
  name: Span,
  other: Span,
  facts: u32,
  gives: bool,
): AuthorizationRule | null {
  for (let i = 0; i < rules.count; i++) {
    const rule = ruleAt(rules, i);
    if (!rule.fits(facts, gives)) continue;
    if (rule.covers(noun, server, name) || (other !== NONE && rule.covers(noun, server, other))) return rule;
  }
  return null;
}

function coversTool(rules: List, server: i32, name: Span): bool {
  for (let i = 0; i < rules.count; i++) if (ruleAt(rules, i).covers(Noun.Tools, server, name)) return true;
  return false;
}

function coveringEach(rules: List, noun: Noun, server: i32, pattern: Span): AuthorizationRule | null {
  for (let i = 0; i < rules.count; i++) {
    if (ruleAt(rules, i).coversEach(noun, server, pattern)) return ruleAt(rules, i);
  }
  return null;
}

function coverSome(rules: List, noun: Noun, server: i32, pattern: Span): bool {
  for (let i = 0; i < rules.count; i++) if (ruleAt(rules, i).coversSome(noun, server, pattern)) return true;
  return false;
}

function reaches(rules: List, noun: Noun, server: i32): bool {
  for (let i = 0; i < rules.count; i++) if (ruleAt(rules, i).mayCover(noun, server)) return true;
  return false;
}

/** Every question is answered with yes. @param questions numbers in the tree */
function allYes(questions: List, answers: ClaimAnswers): bool {
  for (let i = 0; i < questions.count; i++) if (!answers.has(questions.at(i) as u32)) return false;
  return true;
}

/** What a request may see is both: a rule for one of them holds for it. */
export function holdsIn(names: NameSet | null, path: VirtualServer | null, header: VirtualServer | null): bool {
  if (names === null) return true;
  return (path !== null && names.has(path.name)) || (header !== null && names.has(header.name));
}
