import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span, NONE } from '../bytes/span';
import { Noun } from '../mcp/nouns';
import { Authorization, AuthorizationRule, Effect } from '../model/authorization';
import { NameSet } from '../model/name-set';
import { VirtualServer } from '../model/virtual-server';
import { ClaimAnswers } from './claims';

/** What the authorization rules say of one thing. */
export const enum Access {
  /** It does not exist for this caller. */
  Hidden,
  /** It is listed, and a call needs more scopes. */
  StepUp,
  Allowed,
}

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

  /** @param server its index. @param name in the form of `VirtualServer.shares`. @param other its other name, or NONE */
  accessTo(noun: Noun, server: i32, name: Span, other: Span): Access {
    if (covering(this.denying, noun, server, name, other) !== null) return Access.Hidden;
    if (covering(this.steppingUp, noun, server, name, other) !== null) return Access.StepUp;
    if (this.allowsByDefault) return Access.Allowed;
    const allows =
      covering(this.steppedUp, noun, server, name, other) !== null ||
      covering(this.allowing, noun, server, name, other) !== null;
    return allows ? Access.Allowed : Access.Hidden;
  }

  /** The rule that makes it `Access.StepUp`. */
  stepUpOf(noun: Noun, server: i32, name: Span, other: Span): AuthorizationRule | null {
    return covering(this.steppingUp, noun, server, name, other);
  }

  /** Whether one of the names that a pattern matches may be other than hidden. Never false where one is. */
  mayShowSome(noun: Noun, server: i32, pattern: Span): bool {
    if (coveringEach(this.denying, noun, server, pattern) !== null) return false;
    return (
      this.allowsByDefault ||
      coverSome(this.steppingUp, noun, server, pattern) ||
      coverSome(this.steppedUp, noun, server, pattern) ||
      coverSome(this.allowing, noun, server, pattern)
    );
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
      reaches(this.allowing, noun, server)
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
    for (let i = 0; i < authorization.rules.count; i++) {
      const rule = authorization.ruleAt(i);
      if (!holdsIn(rule.virtualServers, path, header) || !allYes(rule.claims, answers)) continue;
      const listed = this.listFor(rule.effect, allYes(rule.scopes, answers));
      if (listed !== null) listed.push(changetype<usize>(rule) as u64);
    }
    return this;
  }

  /** Null: a rule that denies or allows does so only where the token has its scopes. */
  private listFor(effect: Effect, hasScopes: bool): List | null {
    if (effect === Effect.StepUp) return hasScopes ? this.steppedUp : this.steppingUp;
    if (!hasScopes) return null;
    return effect === Effect.Deny ? this.denying : this.allowing;
  }
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

function covering(rules: List, noun: Noun, server: i32, name: Span, other: Span): AuthorizationRule | null {
  for (let i = 0; i < rules.count; i++) {
    const rule = ruleAt(rules, i);
    if (rule.covers(noun, server, name) || (other !== NONE && rule.covers(noun, server, other))) return rule;
  }
  return null;
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
function holdsIn(names: NameSet | null, path: VirtualServer | null, header: VirtualServer | null): bool {
  if (names === null) return true;
  return (path !== null && names.has(path.name)) || (header !== null && names.has(header.name));
}
