import { Span, after, length, literal, pointer, span, NONE } from '../bytes/span';
import { Arena, make } from '../bytes/arena';
import { part } from '../json/reader';
import { newScanner, Scanner, SCANNER_SIZE } from '../json/scanner';
import { Fault, Token } from '../json/token';
import { Member, memberOf } from './members';
import { Reason } from './errors';
import { Method, MethodKind, methodOf, methodRow } from './methods';
import { Noun } from './nouns';
import { Shape } from './shape';
import { CLIENT_CAPABILITIES_KEY, PROTOCOL_VERSION_KEY } from './request-meta';
import { STATELESS } from './revisions';
import { BAGGAGE, TRACEPARENT, TRACESTATE } from './trace-context';

/** Where a value stands in the document: start offset in the high half, finish in the low; 0 = absent. */
export type Range = u64;

const JSONRPC_2_0 = literal('2.0');

const AT_END = literal('it ends in the middle of the document');
const NOT_JSON = literal('it is not JSON');
const NOT_UTF8 = literal('it is not UTF-8');
const TOO_DEEP = literal('it nests deeper than 512 levels');
const TWICE = literal('it names a routing member twice');
const TWO_CLAIMS = literal('it claims a protocol version twice');
const DISGUISED = literal('it has a member that some servers would read as a routing member');
const BATCH = literal('it is a batch, which only sessions of 2025-03-26 have');
const NOT_AN_OBJECT = literal('the message is not an object');
const NO_VERSION = literal('"jsonrpc" is not "2.0"');
const BAD_METHOD = literal('"method" is not a string');
const BAD_ID = literal('"id" is neither a string nor an integer');
const LONG_ID = literal('"id" has more than 4096 bytes');
const BAD_PARAMS = literal('"params" is not an object');
const NEITHER = literal('it has neither "method" nor "result" nor "error"');
const BOTH = literal('it has a method and a result');
/** Bytes of an id, quotes included: it is repeated in answers, so it is kept, in however many parts it came. */
const MOST_OF_ID: u32 = 4096;
/** U+FEFF in UTF-8, first byte lowest. */
const BYTE_ORDER_MARK: u32 = 0xbfbbef;
const METHOD_SEEN: u32 = 1 << (Member.Method as u32);
const REQUEST_SEEN: u32 = METHOD_SEEN | (1 << (Member.Params as u32));
/** A member of `params._meta` that is noted. */
const enum Meta {
  Other,
  Claim,
  Traceparent,
  Tracestate,
  Baggage,
}
const RESPONSE_SEEN: u32 = (1 << (Member.Result as u32)) | (1 << (Member.Error as u32));

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
  /** As it was written, or NONE: it has not come, or is no id. */
  private id: Span;
  private idRange: Range;
  /** Where the parts of an id are kept that came in several chunks, or 0, and how many bytes that are. */
  private idParts: usize;
  private idLength: u32;
  method: Method;
  private methodRange: Range;
  params: Range;
  /** `params.name`, `params.uri`, `params.ref.name` and `params.ref.uri`, where they are strings. */
  private name: Range;
  private uri: Range;
  private refName: Range;
  private refUri: Range;
  /** `params.cursor` */
  cursor: Range;
  /** `params.requestState`, where it is a string; whether it is there, and is none. */
  requestState: Range;
  hasOtherState: bool;
  /** `params.taskId`, where it is a string. */
  private taskId: Range;
  /** `params._meta["io.modelcontextprotocol/protocolVersion"]`: the claim of the stateless revisions */
  claim: Range;
  /** It claims the one revision that is decided on by headers; like `isJsonRpc`, it may have been streamed past. */
  claimIsStateless: bool;
  /** `params._meta`, where it is an object; and whether it says what the client is capable of. */
  meta: Range;
  declaresCapabilities: bool;
  /** The trace context in `params._meta`, where these are strings; of two of one name the last. */
  traceparent: Range;
  tracestate: Range;
  baggage: Range;
  private hasResult: bool;
  private methodIsString: bool;
  private hasId: bool;
  private idIsValid: bool;
  private paramsIsObject: bool;
  private member: Member;
  private parameter: Member;
  /** In `params.ref`. */
  private referred: Member;
  /** In `params._meta`. */
  private metaMember: Meta;
  private seen: u32;
  private seenInParams: u32;
  private seenInRef: u32;
  /** It is an array: no message, but several, which are refused where nobody asks for this. */
  isBatch: bool;
  /** What follows cannot be read as a message any more. */
  private isUnreadable: bool;
  /** A byte of the document has come; before it, so many of a byte order mark. */
  private hasBegun: bool;
  markBytes: u32;
  private opened: u32;
  private openedInParams: u32;
  private openedBelow: u32;

  /** The next part of the body. After a problem it is read on for the sake of the id, as far as it is JSON. */
  read(chunk: Span): void {
    if (this.isUnreadable || length(chunk) === 0) return;
    this.scanner.feed(this.hasBegun ? chunk : this.withoutMark(chunk));
    if (this.isUnreadable) return;
    for (;;) {
      const token = this.scanner.next();
      if (token === Token.More) {
        if (this.member === Member.Id && this.scanner.depth === 1) this.keepOfId(this.scanner.unfinished);
        return;
      }
      if (token === Token.Invalid) {
        const fault = this.scanner.fault;
        this.giveUp(Reason.ParseError, fault === Fault.Utf8 ? NOT_UTF8 : fault === Fault.Depth ? TOO_DEEP : NOT_JSON);
      } else this.take(token);
      if (this.isUnreadable) return;
    }
  }

  /** RFC 8259 §8.1: a byte order mark may be ignored. */
  private withoutMark(chunk: Span): Span {
    let at: u32 = 0;
    while (this.markBytes < 3 && at < (length(chunk) as u32)) {
      if (load<u8>(pointer(chunk) + (at as usize)) !== ((BYTE_ORDER_MARK >> (this.markBytes * 8)) & 0xff)) break;
      this.markBytes++;
      at++;
    }
    this.hasBegun = at < (length(chunk) as u32);
    this.scanner.skip(at);
    // A part of one is no part of JSON.
    if (this.hasBegun && this.markBytes % 3 !== 0) this.giveUp(Reason.ParseError, NOT_JSON);
    return after(chunk, at);
  }

  /** The body has ended; afterwards `shape` or `problem` is set. */
  end(): void {
    if (this.problem !== Reason.None) return;
    if (!this.scanner.complete()) return this.refuse(Reason.ParseError, AT_END);
    if (!this.isJsonRpc) {
      return this.refuse(Reason.InvalidRequest, this.scanner.isNumber ? NOT_AN_OBJECT : NO_VERSION);
    }
    if (this.hasId && !this.idIsValid) {
      return this.refuse(Reason.InvalidRequest, this.idLength > MOST_OF_ID ? LONG_ID : BAD_ID);
    }
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

  /**
   * The id of a request, as it was written. NONE where it has not come, or where what has come does not say that this is
   * a request: an answer that has the id of a response would be taken for the answer to another request.
   */
  get requestId(): Span {
    if (!this.idIsValid || this.isResponse) return NONE;
    return (this.seen & REQUEST_SEEN) !== 0 || this.isClosed ? this.id : NONE;
  }

  /** Where it stands. */
  get requestIdRange(): Range {
    return this.requestId === NONE ? 0 : this.idRange;
  }

  /** The id of a response, as it was written; NONE where it has not come, there is none, or it is `null`. */
  get responseId(): Span {
    return this.idIsValid && this.isResponse ? this.id : NONE;
  }

  /** Where it stands. */
  get responseIdRange(): Range {
    return this.responseId === NONE ? 0 : this.idRange;
  }

  /**
   * Whether the first bytes say that this is a response, and to what, so that whatever follows can only confirm or
   * contradict it.
   */
  isAnswerableWithin(bytes: u32): bool {
    return this.problem === Reason.None && this.responseId !== NONE && (this.idRange as u32) <= bytes;
  }

  /** Whether reading on can still tell the id of a request. */
  get awaitsId(): bool {
    return !this.isUnreadable && !this.isClosed && !this.isResponse && this.requestId === NONE;
  }

  /** What has come says that it is one, and no request. */
  get isResponse(): bool {
    return (this.seen & RESPONSE_SEEN) !== 0 && (this.seen & METHOD_SEEN) === 0;
  }

  /** Whether the document has been closed: nothing but white space may follow. */
  get isClosed(): bool {
    return this.scanner.complete();
  }

  /** Where in the chunk that was read last the document was closed. @param chunk that chunk */
  closingOffset(chunk: Span): u32 {
    return (pointer(this.scanner.raw) - pointer(chunk)) as u32;
  }

  /** Whether the last part has ended within `params.requestState`, or what there is in its place. */
  get isInState(): bool {
    if (this.parameter !== Member.RequestState || this.scanner.depth !== 2 || !this.inParams()) return false;
    return this.scanner.unfinished !== NONE;
  }

  /** Where that begins. */
  get stateFrom(): u32 {
    return this.scanner.start;
  }

  /** Whether the first bytes say what is called, and whatever follows can only confirm or contradict it. */
  isRoutableWithin(bytes: u32): bool {
    const key = this.key;
    if (this.problem !== Reason.None || this.method === Method.Unknown || key === 0) return false;
    return (key as u32) <= bytes && (this.methodRange as u32) <= bytes;
  }

  text(document: Span, range: Range): Span {
    return range === 0 ? NONE : part(document, (range >> 32) as u32, range as u32);
  }

  /** The method as a token, for a message about it. */
  methodIn(document: Span): Span {
    return this.text(document, this.methodRange);
  }

  /**
   * Where the string stands that says what is asked for, by the kind of the method; 0: it has not come, or it is not
   * clear. A `ref` with a name and a URI is taken for a prompt by one server and for a resource by another.
   */
  get key(): Range {
    switch (methodRow(this.method).kind) {
      case MethodKind.Uri:
        return this.uri;
      case MethodKind.Ref:
        return this.refName !== 0 && this.refUri !== 0 ? 0 : this.refName | this.refUri;
      case MethodKind.Task:
        return this.taskId;
      default:
        return this.name;
    }
  }

  /** The same as a token, or NONE. */
  keyIn(document: Span): Span {
    return this.text(document, this.key);
  }

  /** What the method is about. */
  get noun(): Noun {
    const row = methodRow(this.method);
    if (row.kind !== MethodKind.Ref) return row.noun;
    return this.refUri !== 0 ? Noun.Templates : Noun.Prompts;
  }

  /** The first problem is the one that is told. */
  private refuse(reason: Reason, detail: Span): void {
    if (this.problem !== Reason.None) return;
    this.problem = reason;
    this.detail = detail;
  }

  private giveUp(reason: Reason, detail: Span): void {
    this.refuse(reason, detail);
    this.isUnreadable = true;
  }

  private take(token: Token): void {
    const scanner = this.scanner;
    switch (token) {
      case Token.Key: {
        if (scanner.depth === 1) this.member = this.admit(1);
        else if (scanner.depth === 2) {
          if (this.member === Member.Params && this.paramsIsObject) this.parameter = this.admit(2);
        } else if (this.parameter === Member.Ref) this.referred = this.admit(3);
        else this.readMetaKey();
        return;
      }
      case Token.ObjectStart:
      case Token.ArrayStart: {
        const level = scanner.depth - 1;
        if (level === 0) {
          if (token !== Token.ArrayStart) return;
          this.isBatch = true;
          this.giveUp(Reason.InvalidRequest, BATCH);
        } else if (level === 1) {
          this.opened = scanner.start;
          if (this.member === Member.Params) this.paramsIsObject = token === Token.ObjectStart;
        } else if (level === 2) {
          this.openedInParams = scanner.start;
          // Only these are worth a look inside: arguments may be large.
          const isOpened = this.parameter === Member.Meta || this.parameter === Member.Ref;
          if (this.inParams() && isOpened && token === Token.ObjectStart) scanner.watch = 3;
        } else this.openedBelow = scanner.start;
        return;
      }
      case Token.ObjectEnd:
      case Token.ArrayEnd: {
        if (scanner.depth === 1) this.value(range(this.opened, scanner.finish), false, false);
        else if (scanner.depth === 2) {
          scanner.watch = 2;
          if (this.inParams()) this.parameterValue(range(this.openedInParams, scanner.finish), false);
        } else if (scanner.depth === 3) this.valueBelow(range(this.openedBelow, scanner.finish), false);
        return;
      }
      default: {
        // Some libraries write what is absent so.
        if (token === Token.Word && scanner.isNull && this.mayBeNull(scanner.depth)) return;
        const at = range(scanner.start, scanner.finish);
        if (scanner.depth === 0) this.giveUp(Reason.InvalidRequest, NOT_AN_OBJECT);
        else if (scanner.depth === 1) this.value(at, token === Token.String, token === Token.Number);
        else if (scanner.depth === 2) {
          if (this.inParams()) this.parameterValue(at, token === Token.String);
        } else this.valueBelow(at, token === Token.String);
      }
    }
  }

  private readMetaKey(): void {
    const scanner = this.scanner;
    this.metaMember = Meta.Other;
    if (scanner.reads(PROTOCOL_VERSION_KEY)) {
      this.metaMember = Meta.Claim;
      if (this.claim !== 0) this.refuse(Reason.ParseError, TWO_CLAIMS);
    } else if (scanner.reads(CLIENT_CAPABILITIES_KEY)) this.declaresCapabilities = true;
    else if (scanner.reads(TRACEPARENT)) this.metaMember = Meta.Traceparent;
    else if (scanner.reads(TRACESTATE)) this.metaMember = Meta.Tracestate;
    else if (scanner.reads(BAGGAGE)) this.metaMember = Meta.Baggage;
  }

  /** A value at level 3, in `_meta` or in `ref`. */
  private valueBelow(at: Range, isString: bool): void {
    if (this.parameter === Member.Ref) {
      if (!isString) return;
      if (this.referred === Member.Name) this.refName = at;
      else if (this.referred === Member.Uri) this.refUri = at;
      return;
    }
    const text: Range = isString ? at : 0;
    switch (this.metaMember) {
      case Meta.Claim:
        this.claim = at;
        this.claimIsStateless = this.scanner.reads(STATELESS);
        break;
      case Meta.Traceparent:
        this.traceparent = text;
        break;
      case Meta.Tracestate:
        this.tracestate = text;
        break;
      case Meta.Baggage:
        this.baggage = text;
        break;
      default:
        break;
    }
    this.metaMember = Meta.Other;
  }

  /** Whether `null` in the place of this member says that it is absent. */
  private mayBeNull(depth: i32): bool {
    if (depth === 1) return this.member === Member.Params;
    if (depth !== 2 || !this.inParams()) return false;
    return this.parameter === Member.Cursor || this.parameter === Member.RequestState;
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
    const seen = level === 1 ? this.seen : level === 2 ? this.seenInParams : this.seenInRef;
    if ((seen & bit) !== 0) {
      this.refuse(Reason.ParseError, TWICE);
      return Member.Other;
    }
    if (level === 1) this.seen |= bit;
    else if (level === 2) this.seenInParams |= bit;
    else this.seenInRef |= bit;
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
        if (!isString && !(isNumber && this.scanner.integral)) return;
        this.idIsValid = this.takeId();
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

  /** The id has come to its end. False: it is too long. */
  private takeId(): bool {
    const raw = this.scanner.raw;
    if (raw !== NONE && length(raw) <= (MOST_OF_ID as i32)) this.id = this.arena.copy(raw);
    else {
      this.keepOfId(this.scanner.rawHere);
      if (this.idLength > MOST_OF_ID) return false;
      this.id = span(this.idParts, this.idLength);
    }
    return true;
  }

  /** A part of an id that does not stand in one chunk. */
  private keepOfId(part: Span): void {
    if (part === NONE) return;
    const before = this.idLength;
    this.idLength = min(before + (length(part) as u32), MOST_OF_ID + 1);
    if (this.idLength > MOST_OF_ID) return;
    if (this.idParts === 0) this.idParts = this.arena.allocate(MOST_OF_ID as usize);
    memory.copy(this.idParts + (before as usize), pointer(part), length(part) as usize);
  }

  private parameterValue(at: Range, isString: bool): void {
    if (this.parameter === Member.Cursor) this.cursor = at;
    else if (this.parameter === Member.RequestState && !isString) this.hasOtherState = true;
    else if (this.parameter === Member.Meta && this.scanner.depth === 2 && !isString) this.meta = at;
    else if (!isString) return;
    else if (this.parameter === Member.Name) this.name = at;
    else if (this.parameter === Member.Uri) this.uri = at;
    else if (this.parameter === Member.RequestState) this.requestState = at;
    else if (this.parameter === Member.TaskId) this.taskId = at;
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
