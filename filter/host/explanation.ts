import { CLOSING_BRACE } from '../bytes/ascii';
import { Arena } from '../bytes/arena';
import { Span, literal, NONE } from '../bytes/span';
import { parseGateway } from '../config/parse';
import { explain } from '../flow/explain';
import { isJson, member, strip } from '../json/reader';
import { textOf } from '../json/text';
import { environment } from './environment';
import { Level, line, log } from './log';

const EXPLAINED = literal('explained: ');
/** Tells that all has been said. */
const COUNT = literal('{"count":');
const CONFIGURATION = literal('configuration');

/**
 * Answers `sluice check --as`, in lines of the log: what a caller may see and use under a configuration without errors,
 * which never serves anything here.
 * @param order JSON: a question for `explain`, with the configuration as a text beside it
 */
export function logExplanation(order: Span, arena: Arena): void {
  if (!isJson(order, arena)) return;
  const question = strip(order);
  const configuration = member(question, CONFIGURATION, arena);
  const text: Span = configuration === NONE ? NONE : textOf(configuration, arena);
  if (text === NONE) return;
  const parsed = parseGateway(text, environment(arena), arena);
  if (parsed.problems.lines.count > 0) return;
  const lines = explain(parsed.gateway, question, arena);
  for (let i = 0; i < lines.count; i++) log(Level.Info, line().bytes(EXPLAINED).bytes(lines.at(i)).written);
  const end = line().bytes(EXPLAINED).bytes(COUNT);
  log(Level.Info, end.decimal(lines.count as u64).byte(CLOSING_BRACE).written);
}
