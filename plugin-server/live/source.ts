import { createHash } from 'node:crypto';
import { editionOf } from '../catalog/catalog.ts';
import type { CatalogUse } from './catalog-use.ts';

/**
 * What a version is made of, as a text to compare: the digest of the file's text, and where it names catalogs, the digest of
 * what they add and the names of those that there are. The same while only endpoints come and go.
 */
export function sourceOf(text: string, use: CatalogUse | undefined): string {
  if (use === undefined) return digestOf(text);
  const added = JSON.stringify([editionOf(use.wanted), [...use.refused], use.missing]);
  return [digestOf(text), digestOf(added), ...use.present].join(' ');
}

/**
 * A source, or the one that a rollback turned away from where that had more catalogs and the file is the same: the plugin
 * server has lost its catalogs, and nobody has edited anything.
 */
export function unlessLost(source: string, instead: string | undefined): string {
  if (instead === undefined) return source;
  const [text, , ...present] = source.split(' ');
  const [textBefore, , ...presentBefore] = instead.split(' ');
  const isLost = text === textBefore && presentBefore.some((name) => !present.includes(name));
  return isLost ? instead : source;
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
