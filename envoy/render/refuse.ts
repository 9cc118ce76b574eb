import { EngineError } from '../../common/engine-error.ts';

/** Ends the making of a configuration, and tells all that is wrong at once. @throws EngineError where there is anything */
export function refuse(errors: readonly string[]): void {
  if (errors.length === 0) return;
  const count = errors.length === 1 ? 'an error' : `${errors.length} errors`;
  throw new EngineError(`the configuration has ${count}`, 'configuration', errors);
}
