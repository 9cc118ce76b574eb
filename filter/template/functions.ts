import { Span, equals, literal } from '../bytes/span';
import { names, namesIn } from '../bytes/name-list';
import { Arena } from '../bytes/arena';
import { List, newList } from '../bytes/list';

/** What templates can call: Go's own functions, and those of Sprig that do not need what a template does not have here. */
export const enum Function {
  // Those that look at their arguments as they are, and take nothing from a pipe.
  Gjson,
  Len,
  Index,
  Print,
  Println,
  Not,
  Eq,
  Ne,
  Lt,
  Le,
  Gt,
  Ge,
  Html,
  Js,
  Urlquery,
  /** Not to be called: they may not need all of their arguments, so that they are instructions. */
  And,
  Or,
  // Sprig's.
  Upper,
  Lower,
  Trim,
  TrimAll,
  TrimPrefix,
  TrimSuffix,
  Nospace,
  Title,
  Untitle,
  Trunc,
  Substr,
  Repeat,
  Replace,
  Contains,
  HasPrefix,
  HasSuffix,
  Quote,
  Squote,
  Cat,
  Indent,
  Nindent,
  B64enc,
  B64dec,
  Sha256sum,
  Default,
  Ternary,
  Coalesce,
  Empty,
  ToJson,
  ToRawJson,
  ToString,
  Join,
  Plural,
  KindOf,
  Add,
  Add1,
  Sub,
  Mul,
  Div,
  Mod,
  Max,
  Min,
  Int,
  Atoi,
  Uuidv4,
  Now,
  Date,
  DateInZone,
  Fail,
  Hello,
  Seq,
}

export const LAST_FUNCTION: i32 = Function.Seq;
/** Those up to here take nothing from a pipe. */
const LAST_DIRECT: i32 = Function.Or;

/** One function. */
@unmanaged
export class FunctionRow {
  name: Span;
  /** How many arguments it takes at least, and at most. */
  least: u8;
  most: u8;
  /** A letter for each parameter, the last for all further ones: `s` text, `i` a whole number, `b` true or false, `*` any. */
  takes: Span;
}

const MANY: u8 = 16;
const ROWS: usize = heap.alloc(((LAST_FUNCTION + 1) as usize) * offsetof<FunctionRow>());

export function functionRow(id: Function): FunctionRow {
  return changetype<FunctionRow>(ROWS + (id as usize) * offsetof<FunctionRow>());
}

export function isDirect(id: Function): bool {
  return id <= LAST_DIRECT;
}

function row(id: Function, name: string, least: u8, most: u8, takes: string): void {
  const at = functionRow(id);
  at.name = literal(name);
  at.least = least;
  at.most = most;
  at.takes = literal(takes);
}

// prettier-ignore
{
  row(Function.Gjson, 'gjson', 1, 1, '*');
  row(Function.Len, 'len', 1, 1, '*');
  row(Function.Index, 'index', 2, MANY, '*');
  row(Function.Print, 'print', 0, MANY, '*');
  row(Function.Println, 'println', 0, MANY, '*');
  row(Function.Not, 'not', 1, 1, '*');
  row(Function.Eq, 'eq', 2, MANY, '*');
  row(Function.Ne, 'ne', 2, 2, '*');
  row(Function.Lt, 'lt', 2, 2, '*');
  row(Function.Le, 'le', 2, 2, '*');
  row(Function.Gt, 'gt', 2, 2, '*');
  row(Function.Ge, 'ge', 2, 2, '*');
  row(Function.Html, 'html', 1, 1, '*');
  row(Function.Js, 'js', 1, 1, '*');
  row(Function.Urlquery, 'urlquery', 1, 1, '*');
  row(Function.And, 'and', 1, MANY, '*');
  row(Function.Or, 'or', 1, MANY, '*');
  row(Function.Upper, 'upper', 1, 1, 's');
  row(Function.Lower, 'lower', 1, 1, 's');
  row(Function.Trim, 'trim', 1, 1, 's');
  row(Function.TrimAll, 'trimAll', 2, 2, 's');
  row(Function.TrimPrefix, 'trimPrefix', 2, 2, 's');
  row(Function.TrimSuffix, 'trimSuffix', 2, 2, 's');
  row(Function.Nospace, 'nospace', 1, 1, 's');
  row(Function.Title, 'title', 1, 1, 's');
  row(Function.Untitle, 'untitle', 1, 1, 's');
  row(Function.Trunc, 'trunc', 2, 2, 'is');
  row(Function.Substr, 'substr', 3, 3, 'iis');
  row(Function.Repeat, 'repeat', 2, 2, 'is');
  row(Function.Replace, 'replace', 3, 3, 's');
  row(Function.Contains, 'contains', 2, 2, 's');
  row(Function.HasPrefix, 'hasPrefix', 2, 2, 's');
  row(Function.HasSuffix, 'hasSuffix', 2, 2, 's');
  row(Function.Quote, 'quote', 0, MANY, '*');
  row(Function.Squote, 'squote', 0, MANY, '*');
  row(Function.Cat, 'cat', 0, MANY, '*');
  row(Function.Indent, 'indent', 2, 2, 'is');
  row(Function.Nindent, 'nindent', 2, 2, 'is');
  row(Function.B64enc, 'b64enc', 1, 1, 's');
  row(Function.B64dec, 'b64dec', 1, 1, 's');
  row(Function.Sha256sum, 'sha256sum', 1, 1, 's');
  row(Function.Default, 'default', 1, MANY, '*');
  row(Function.Ternary, 'ternary', 3, 3, '**b');
  row(Function.Coalesce, 'coalesce', 0, MANY, '*');
  row(Function.Empty, 'empty', 1, 1, '*');
  row(Function.ToJson, 'toJson', 1, 1, '*');
  row(Function.ToRawJson, 'toRawJson', 1, 1, '*');
  row(Function.ToString, 'toString', 1, 1, '*');
  row(Function.Join, 'join', 2, 2, 's*');
  row(Function.Plural, 'plural', 3, 3, 'ssi');
  row(Function.KindOf, 'kindOf', 1, 1, '*');
  row(Function.Add, 'add', 0, MANY, '*');
  row(Function.Add1, 'add1', 1, 1, '*');
  row(Function.Sub, 'sub', 2, 2, '*');
  row(Function.Mul, 'mul', 1, MANY, '*');
  row(Function.Div, 'div', 2, 2, '*');
  row(Function.Mod, 'mod', 2, 2, '*');
  row(Function.Max, 'max', 1, MANY, '*');
  row(Function.Min, 'min', 1, MANY, '*');
  row(Function.Int, 'int', 1, 1, '*');
  row(Function.Atoi, 'atoi', 1, 1, 's');
  row(Function.Uuidv4, 'uuidv4', 0, 0, '*');
  row(Function.Now, 'now', 0, 0, '*');
  row(Function.Date, 'date', 2, 2, 's*');
  row(Function.DateInZone, 'dateInZone', 3, 3, 's*s');
  row(Function.Fail, 'fail', 1, 1, 's');
  row(Function.Hello, 'hello', 0, 0, '*');
  row(Function.Seq, 'seq', 0, 3, 'i');
}

/** Second names, each with the first one behind it. */
const ALIASES = names('trimall trimAll int64 int biggest max');

/** The function of that name, or -1. */
export function functionOf(name: Span, arena: Arena): i32 {
  for (let id = 0; id <= LAST_FUNCTION; id++) if (equals(functionRow(id).name, name)) return id;
  const aliases = namesIn(ALIASES, arena);
  for (let i = 0; i < aliases.count; i += 2)
    if (equals(aliases.at(i), name)) return functionOf(aliases.at(i + 1), arena);
  return -1;
}

/** All names, for what is near to one that is none of them. */
export function functionNames(arena: Arena): List {
  const all = newList(arena);
  for (let id = 0; id <= LAST_FUNCTION; id++) all.push(functionRow(id).name);
  return all;
}
