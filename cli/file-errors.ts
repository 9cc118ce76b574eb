/** What to do about an error of the file system, by its code. */
const advice: Readonly<Record<string, string>> = {
  EACCES: 'run it as the user that this belongs to, or name another place',
  EPERM: 'run it as the user that this belongs to, or name another place',
  EROFS: 'that file system can only be read: name another place',
  ENOSPC: 'make room on that disk, or name another place',
  EDQUOT: 'this user has no more room on that disk: make some, or name another place',
  EMFILE: 'this process may open no more files: raise `ulimit -n`',
};

/** The message of an error, with the next step where it is one of the file system that nobody has said more of. */
export function withAdvice(error: Error): string {
  const { code = '', syscall, path, message } = error as NodeJS.ErrnoException;
  const next = syscall !== undefined && path !== undefined ? advice[code] : undefined;
  return next === undefined ? message : `${message}; ${next}`;
}
