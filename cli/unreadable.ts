/**
 * Why a file that was named cannot be read, and what to do about it.
 * @param error what the system said
 */
export function whyUnreadable(file: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `there is no ${file} (${code}): compare the name with what is there`;
    case 'EISDIR':
      return `${file} is a folder: name a file`;
    case 'EACCES':
    case 'EPERM':
      return `${file} cannot be read (${code}): let this user read it`;
    default:
      return `${file} cannot be read: ${message}`;
  }
}
