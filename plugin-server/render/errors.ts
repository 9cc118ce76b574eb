import type { ErrorRows } from '../error-rows.ts';

export const renderErrors = {
  unknown_target: { status: 404, message: 'nothing is rendered for %s; there are: %s' },
  not_rendered: { status: 422, message: 'the gateway %s cannot be rendered for %s: %s' },
} as const satisfies ErrorRows;
