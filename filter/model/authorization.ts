import { Arena, make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { Span } from '../bytes/span';
import { Noun } from '../mcp/nouns';
import { ArgumentTree } from './argument-tree';
import { Hint } from '../mcp/tool-hints';
import { NameSet } from './name-set';
import { Fact } from './tool-facts';
import { VirtualServer } from './virtual-server';

/** What a rule does with what it is about. */
export const enum Effect {
  Allow,
  Deny,
  /** It is listed, and may be called with a token that has the rule's scopes. */
  StepUp,
}

/** Who may use what: one of them. */
@unmanaged
export class AuthorizationRule {
  name: Span;
  effect: Effect;
  /** Questions that the token must all answer with yes, by their number in the tree. */
  claims: List;
  /** The same of scopes; of a rule that steps up, those that a call needs. */
  scopes: List;
  /** The scopes as a text, a space between. */
  scopeText: Span;
  /** In which virtual servers it holds; null: anywhere. */
  virtualServers: NameSet | null;
  /** A byte for each server, 1 where the rule is about it; 0: it is about all. */
  servers: usize;
  /** The tools and other nouns that it is about; null: all of its servers. */
  targets: VirtualServer | null;
  /** What it asks of the arguments of a call, all of it (ArgumentTest); null: nothing. Such a rule is about tools alone. */
  arguments: List | null;

  /** The hints of tools that it asks for, and what they must be: bits of Hint. Such a rule is about tools alone. */
  hints: u32;
  hintValues: u32;

  /**
   * Whether the hints of a tool are those that it asks for. What is not known fits a rule that takes away, and never one
   * that gives; and what a server says of itself gives nothing where nobody has vouched for it.
   * @param facts of the tool, bits of Hint and Fact. @param gives it lets somebody use the tool
   */
  fits(facts: u32, gives: bool): bool {
    if (this.hints === 0) return true;
    if ((facts & Hint.Known) === 0) return !gives;
    if (gives && (facts & Fact.Trusted) === 0) return false;
    return (facts & this.hints) === this.hintValues;
  }

  /** @param server its index */
  private isAbout(noun: Noun, server: i32): bool {
    if (this.hints !== 0 && noun !== Noun.Tools) return false;
    return this.servers === 0 || load<u8>(this.servers + (server as usize)) !== 0;
  }

  /** @param server its index. @param name in the form of `VirtualServer.shares` */
  covers(noun: Noun, server: i32, name: Span): bool {
    if (!this.isAbout(noun, server)) return false;
    const targets = this.targets;
    return targets === null || targets.has(noun, server, name);
  }

  /** Whether it covers one of the names that a pattern matches. */
  coversSome(noun: Noun, server: i32, pattern: Span): bool {
    if (!this.isAbout(noun, server)) return false;
    const targets = this.targets;
    return targets === null || targets.mayHave(noun, server, pattern);
  }

  /** Whether it covers each of them; may say no wrongly, never yes. */
  coversEach(noun: Noun, server: i32, pattern: Span): bool {
    if (!this.isAbout(noun, server)) return false;
    const targets = this.targets;
    return targets === null || targets.hasAll(noun, server, pattern);
  }

  /** Whether it may cover anything of that noun. */
  mayCover(noun: Noun, server: i32): bool {
    if (!this.isAbout(noun, server)) return false;
    const targets = this.targets;
    return targets === null || targets.reaches(noun, server);
  }

  /** Whether it covers whatever the server has. */
  coversAll(server: i32): bool {
    return this.isAbout(Noun.Tools, server) && this.targets === null && this.hints === 0;
  }
}

@unmanaged
export class Authorization {
  /** No other one of this VM has it, or ever had it. */
  number: u64;
  /** Where no rule says anything. */
  allowsByDefault: bool;
  /** Elements are AuthorizationRule, in the order of the configuration. */
  rules: List;
  arguments: ArgumentTree;

  ruleAt(index: i32): AuthorizationRule {
    return changetype<AuthorizationRule>(this.rules.at(index) as usize);
  }
}

let last: u64 = 0;

export function newAuthorization(args: ArgumentTree, arena: Arena): Authorization {
  const created = make<Authorization>(arena);
  created.number = ++last;
  created.rules = newList(arena);
  created.arguments = args;
  return created;
}
