import { isDeepStrictEqual } from 'node:util';
import type { Check, Findings } from './suite.ts';

/** What a server should not have. */
export function complaints(findings: Findings): string[] {
  const bad = ({ status }: Check): boolean => status !== 'SUCCESS' && status !== 'INFO';
  return [...findings].flatMap(([scenario, checks]) =>
    checks.filter(bad).map(({ id, status, errorMessage = '' }) => `${scenario}, ${id}: ${status} ${errorMessage}`),
  );
}

/** What the two ways to a server may differ in. */
export interface Allowed {
  /** Scenarios whose checks have details that must differ: addresses, ids, lists with the names of two servers. */
  readonly ownDetails: readonly string[];
  /** Checks that find `INFO` through the gateway. */
  readonly asInfo?: readonly string[];
  /** Checks that the suite skips, as the gateway does not offer what they are about. */
  readonly unoffered?: readonly string[];
}

/** Whether each check that passes at the server alone passes through the gateway, and saw the same. */
export function isSame(scenario: string, alone: Findings, through: Findings, allowed: Allowed): boolean {
  const { ownDetails, asInfo = [], unoffered = [] } = allowed;
  const statusOf = (id: string): string =>
    asInfo.includes(id) ? 'INFO' : unoffered.includes(id) ? 'SKIPPED' : 'SUCCESS';
  // A scenario can make one check of several requests.
  const ofId = (findings: Findings, id: string): Check[] =>
    (findings.get(scenario) ?? []).filter((check) => check.id === id);
  const ids = new Set((alone.get(scenario) ?? []).map(({ id }) => id));
  return [...ids].every((id) => {
    const found = ofId(through, id);
    return ofId(alone, id).every(({ status, details }, index) => {
      const check = found[index];
      if (status !== 'SUCCESS') return true;
      return (
        check?.status === statusOf(id) && (ownDetails.includes(scenario) || isDeepStrictEqual(check.details, details))
      );
    });
  });
}
