import type { Core } from './core.ts';

/** A row of the error table of the module. */
export interface ErrorRow {
  readonly index: number;
  readonly reason: string;
  /** The HTTP status of an answer that has the id of its request. */
  readonly status: number;
  readonly statusWithoutId: number;
  readonly withholdsId: boolean;
  readonly code: number;
  readonly message: string;
}

/** All of them but the one for "no error". */
export function errorRows(core: Core): ErrorRow[] {
  return Array.from({ length: core.call('errorsLast') }, (_, i) => i + 1).map((index) => ({
    index,
    reason: core.text('errorsName', index) ?? '',
    status: core.call('errorsStatus', index),
    statusWithoutId: core.call('errorsStatusWithoutId', index),
    withholdsId: core.call('errorsWithholdsId', index) !== 0,
    code: core.call('errorsCode', index),
    message: core.text('errorsMessage', index) ?? '',
  }));
}
