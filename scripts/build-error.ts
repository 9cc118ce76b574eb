/** Why a build failed, in one line; `details` are what the compiler said. */
export class BuildError extends Error {
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'BuildError';
    this.details = details;
  }
}
