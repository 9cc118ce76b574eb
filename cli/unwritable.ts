import { dirname } from 'node:path';

/**
 * Why a file cannot be written, and what to do about it.
 * @param error what the system said
 */
export function whyUnwritable(file: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EEXIST':
      return `there is a ${file} already: name another file, or remove this one`;
    case 'EISDIR':
      return `${file} is a folder: name a file in it`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `${file} cannot be written: there is no folder ${dirname(file)}; make it, or name another file`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${file} cannot be written (${code}): name a file in a folder that this user may write to`;
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return `${file} does not fit (${code}): make room there, or name a place on another disk`;
    default:
      return `${file} cannot be written: ${message}`;
  }
}
