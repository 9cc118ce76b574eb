import { Span, NONE } from '../bytes/span';
import { CredentialChoice, CredentialOption } from '../model/credential-choice';
import { ClaimAnswers } from './claims';
import { holdsIn } from './permissions';
import { Scope } from './scope';

/**
 * The credential that a server is sent for a request: the first option that fits, else `otherwise`.
 * @param answers of the token; null: it has not been read, and answers nothing
 * @param value of the trusted header that chooses, or NONE
 */
export function chosenOption(
  choice: CredentialChoice,
  answers: ClaimAnswers | null,
  scope: Scope,
  value: Span,
): CredentialOption {
  for (let i = 0; i < choice.options.count; i++) {
    const option = choice.optionAt(i);
    if (holdsIn(option.virtualServers, scope.path, scope.header) && isFor(option, answers, value)) return option;
  }
  return choice.otherwise;
}

function isFor(option: CredentialOption, answers: ClaimAnswers | null, value: Span): bool {
  if (option.values !== null) return value !== NONE && option.hasValue(value);
  const tests = option.tests;
  if (tests === null) return true;
  for (let i = 0; answers !== null && i < tests.count; i++) if (answers.has(tests.at(i) as u32)) return true;
  return false;
}
