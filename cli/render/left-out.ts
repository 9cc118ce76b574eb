import type { Node } from '../../envoy/yaml/node.ts';
import { pathText } from '../../envoy/yaml/place.ts';

/** Something of another product's configuration that cannot be said here, or not in the same way. */
export interface LeftOut {
  /** Where it stands: `paths./items.get.parameters[0]`, `higress.yaml:7:3: spec.registries[0]` */
  readonly place: string;
  readonly why: string;
}

/** What is left out of a conversion. */
export class LeftOuts {
  readonly #found = new Map<string, LeftOut>();

  /** Once for a place and reason. */
  add(place: string, why: string): void {
    this.#found.set(JSON.stringify([place, why]), { place, why });
  }

  at(node: Node, why: string): void {
    this.add(placeOf(node), why);
  }

  get all(): readonly LeftOut[] {
    return [...this.#found.values()];
  }
}

/** A value's file, line, column and path. */
export function placeOf({ document, path }: Node): string {
  const { line, column } = document.locate(path);
  const at = pathText(path);
  return `${document.file}:${line}:${column}${at === '' ? '' : `: ${at}`}`;
}
