import { Span, literal, pointer, NONE } from '../bytes/span';
import { Arena, make } from '../bytes/arena';
import { part } from '../json/reader';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Fault, Token } from '../json/token';
import { Member, memberOf } from './members';
import { Reason } from './errors';
import { Method, methodOf } from './methods';
import { STATELESS } from './revisions';

/** Where a value stands in the document: start offset in the high half, finish in the low; 0 = absent. */
export type Range = u64;

export const enum Shape {
  /** Not yet known, or refused: `problem` says why. */
  None,
  Request,
  Notification,
  Response,
}

const JSONRPC_2_0 = literal('2.0');
const PROTOCOL_VERSION_KEY = literal('io.modelcontextprotocol/protocolVersion');

const AT_END = literal('it ends in the middle of the document');
const NOT_JSON = literal('it is not JSON');
const NOT_UTF8 = literal('it is not UTF-8');
const TOO_DEEP = literal('it nests deeper than 512 levels');
const TWICE = literal('it names a routing member twice');
const DISGUISED = literal('it has a member that some servers would read as a routing member');
const BATCH = literal('batches are not accepted');
const NOT_AN_OBJECT = literal('the message is not an object');
const NO_VERSION = literal('"jsonrpc" is not "2.0"');
const BAD_METHOD = literal('"method" is not a string');
const BAD_ID = literal('"id" is neither a string nor an integer');
const BAD_PARAMS = literal('"params" is not an object');
const NEITHER = literal('it has neither "method" nor "result" nor "error"');
const BOTH = literal('it has a method and a result');

/**
 * Reads one JSON-RPC message chunk by chunk and notes where the members stand that routing depends on. The document
 * itself is not kept here: ranges are offsets into it.
 */
@unmanaged
export class Envelope {
  scanner: Scanner;
  /** `Reason.None`, or why this message is refused. */
  problem: Reason;
  detail: Span;
  shape: Shape;
  arena: Arena;
  /** What the member was, not where: it may have been streamed past. */
  private isJsonRpc: bool;
  /** As it was written, or NONE: absent, not an id, or lost between two chunks of a message that was released. */
  id: Span;
  private idRange: Range;
  method: Method;
  private methodRange: Range;
  params: Range;
  /** `params.name` */
  name: Range;
  /** `params.cursor` */
  cursor: Range;
  /** `params._meta["io.modelcontextprotocol/protocolVersion"]`: the claim of the stateless revisions */
  claim: Range;
  /** It claims the one revision that is decided on by headers; like `isJsonRpc`, it may have been streamed past. */
  claimIsStateless: bool;
  private hasResult: bool;
  private nameIsString: bool;
  private methodIsString: bool;
  private hasId: bool;
  private idIsValid: bool;
  private paramsIsObject: bool;
  private member: Member;
  private parameter: Member;
  private inClaim: bool;
  private seen: u32;
  private seenInParams: u32;
  private opened: u32;
  private openedInParams: u32;
  private openedInMeta: u32;

  /** The next part of the body. Nothing is read once there is a problem. */
  read(chunk: Span): void {
    if (this.problem !== Reason.None) return;
    this.scanner.feed(chunk);
    for (;;) {
      const token = this.scanner.next();
      if (token === Token.More) return;
      if (token === Token.Invalid) {
        const fault = this.scanner.fault;
        this.refuse(Reason.ParseError, fault === Fault.Utf8 ? NOT_UTF8 : fault === Fault.Depth ? TOO_DEEP : NOT_JSON);
      } else this.take(token);
      if (this.problem !== Reason.None) return;
    }
  }

  /**
   * The body has ended; afterwards `shape` or `problem` is set.
   * @param document all that was read, or NONE where it was not kept
   */
  end(document: Span): void {
    if (document !== NONE && this.splitId !== 0) this.takeId(this.text(document, this.splitId));
    if (this.problem !== Reason.None) return;
    if (!this.scanner.complete()) return this.refuse(Reason.ParseError, AT_END);
    if (!this.isJsonRpc) return this.refuse(Reason.InvalidRequest, NO_VERSION);
    if (this.hasId && !this.idIsValid) return this.refuse(Reason.InvalidRequest, BAD_ID);
    if (this.methodRange === 0) {
      if (!this.hasResult) return this.refuse(Reason.InvalidRequest, NEITHER);
      this.shape = Shape.Response;
      return;
    }
    if (this.hasResult) return this.refuse(Reason.InvalidRequest, BOTH);
    if (!this.methodIsString) return this.refuse(Reason.InvalidRequest, BAD_METHOD);
    if (this.params !== 0 && !this.paramsIsObject) return this.refuse(Reason.InvalidRequest, BAD_PARAMS);
    this.shape = this.hasId ? Shape.Request : Shape.Notification;
  }

  /** Where the id stands that began in one chunk and ended in another, so that only the whole document has it. */
  get splitId(): Range {
    return this.id === NONE && this.idIsValid ? this.idRange : 0;
  }

  takeId(token: Span): void {
    this.id = this.arena.copy(token);
  }

  /** Whether the document has been closed: nothing but white space may follow. */
  get isClosed(): bool {
    return this.scanner.complete();
  }

  /** Where in the chunk that was read last the document was closed. @param chunk that chunk */
  closingOffset(chunk: Span): u32 {
    return (pointer(this.scanner.raw) - pointer(chunk)) as u32;
  }

  /** Whether the first bytes say what is called, and whatever follows can only confirm or contradict it. */
  isRoutableWithin(bytes: u32): bool {
    if (this.problem !== Reason.None || this.method === Method.Unknown || !this.nameIsString) return false;
    return (this.name as u32) <= bytes && (this.methodRange as u32) <= bytes;
  }

  text(document: Span, range: Range): Span {
    return range === 0 ? NONE : part(document, (range >> 32) as u32, range as u32);
  }

  /** The method as a token, for a message about it. */
  methodIn(document: Span): Span {
    return this.text(document, this.methodRange);
  }

  /** `params.name` where it is a string, as a token. */
  nameIn(document: Span): Span {
    return this.nameIsString ? this.text(document, this.name) : NONE;
  }

  private refuse(reason: Reason, detail: Span): void {
    this.problem = reason;
    this.detail = detail;
  }

  private take(token: Token): void {
    const scanner = this.scanner;
    switch (token) {
      case Token.Key: {
        if (scanner.depth === 1) this.member = this.admit(1);
        else if (scanner.depth === 2) {
          if (this.member === Member.Params && this.paramsIsObject) this.parameter = this.admit(2);
        } else this.inClaim = scanner.reads(PROTOCOL_VERSION_KEY);
        return;
      }
      case Token.ObjectStart:
      case Token.ArrayStart: {
        const level = scanner.depth - 1;
        if (level === 0) {
          if (token === Token.ArrayStart) this.refuse(Reason.InvalidRequest, BATCH);
        } else if (level === 1) {
          this.opened = scanner.start;
          if (this.member === Member.Params) this.paramsIsObject = token === Token.ObjectStart;
        } else if (level === 2) {
          this.openedInParams = scanner.start;
          // Only `_meta` is worth a look inside: arguments may be large.
          if (this.inParams() && this.parameter === Member.Meta && token === Token.ObjectStart) scanner.watch = 3;
        } else this.openedInMeta = scanner.start;
        return;
      }
      case Token.ObjectEnd:
      case Token.ArrayEnd: {
        if (scanner.depth === 1) this.value(range(this.opened, scanner.finish), false, false);
        else if (scanner.depth === 2) {
          scanner.watch = 2;
          if (this.inParams()) this.parameterValue(range(this.openedInParams, scanner.finish), false);
        } else if (scanner.depth === 3) this.claimed(range(this.openedInMeta, scanner.finish));
        return;
      }
      default: {
        const at = range(scanner.start, scanner.finish);
        if (scanner.depth === 0) this.refuse(Reason.InvalidRequest, NOT_AN_OBJECT);
        else if (scanner.depth === 1) this.value(at, token === Token.String, token === Token.Number);
        else if (scanner.depth === 2) {
          if (this.inParams()) this.parameterValue(at, token === Token.String);
        } else this.claimed(at);
      }
    }
  }

  /** A value at level 3: of the version claim, or of another member of `_meta`. */
  private claimed(at: Range): void {
    if (this.inClaim) {
      this.claim = at;
      this.claimIsStateless = this.scanner.reads(STATELESS);
    }
    this.inClaim = false;
  }

  private inParams(): bool {
    return this.member === Member.Params && this.paramsIsObject;
  }

  /** Names the key just read, and refuses what two JSON readers could take for different messages. */
  private admit(level: i32): Member {
    const member = memberOf(this.scanner.text);
    if (member === Member.Other) return member;
    if (member === Member.Disguised) {
      this.refuse(Reason.ParseError, DISGUISED);
      return member;
    }
    const bit: u32 = 1 << (member as u32);
    // Some readers take the first of two members, some the last.
    if (((level === 1 ? this.seen : this.seenInParams) & bit) !== 0) this.refuse(Reason.ParseError, TWICE);
    if (level === 1) this.seen |= bit;
    else this.seenInParams |= bit;
    return member;
  }

  private value(at: Range, isString: bool, isNumber: bool): void {
    switch (this.member) {
      case Member.JsonRpc:
        this.isJsonRpc = isString && this.scanner.reads(JSONRPC_2_0);
        return;
      case Member.Method:
        this.methodRange = at;
        this.methodIsString = isString;
        if (isString) this.method = methodOf(this.scanner.text);
        return;
      case Member.Id: {
        this.hasId = true;
        this.idRange = at;
        // MCP, JSON-RPC: a string or an integer; `1.0`, `1e3` and null are refused by the SDKs as well.
        this.idIsValid = isString || (isNumber && this.scanner.integral);
        const raw = this.idIsValid ? this.scanner.raw : NONE;
        if (raw !== NONE) this.takeId(raw);
        return;
      }
      case Member.Params:
        this.params = at;
        return;
      case Member.Result:
      case Member.Error:
        this.hasResult = true;
        return;
      default:
        return;
    }
  }

  private parameterValue(at: Range, isString: bool): void {
    if (this.parameter === Member.Name) {
      this.name = at;
      this.nameIsString = isString;
    } else if (this.parameter === Member.Cursor) this.cursor = at;
  }
}

function range(start: u32, finish: u32): Range {
  return ((start as u64) << 32) | (finish as u64);
}

export function newEnvelope(arena: Arena): Envelope {
  const envelope = make<Envelope>(arena);
  envelope.arena = arena;
  envelope.scanner = newScanner(arena.zeroed(SCANNER_SIZE), 2);
  return envelope;
}
