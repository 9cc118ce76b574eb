/** Ends the process, with what to do, where this Node is too old to even load what follows. */
export function requireNode(): void;
