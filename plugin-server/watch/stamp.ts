import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { reasonOf } from '../store/files.ts';

const absent = 'absent';

/** Differs after every change: of the content, and of the file that a link leads to. */
export async function stampOf(path: string): Promise<string> {
  const describe = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
    [dev, ino, size, mtimeNs, ctimeNs].join(':');
  return stat(path, { bigint: true }).then(describe, (error: unknown) =>
    (error as NodeJS.ErrnoException).code === 'ENOENT' ? absent : reasonOf(error),
  );
}
