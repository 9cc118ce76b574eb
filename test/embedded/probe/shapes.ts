/** The ways in which a request can come. */
export const shapes = {
  'h1-none': { http: 1, body: 'none' },
  'h2-none': { http: 2, body: 'none' },
  'h1-length': { http: 1, body: 'length' },
  'h1-pieces': { http: 1, body: 'pieces' },
  'h1-chunk': { http: 1, body: 'one' },
  'h1-chunks': { http: 1, body: 'many' },
  'h1-trailers': { http: 1, body: 'trailers' },
  'h2-frame': { http: 2, body: 'one' },
  'h2-frames': { http: 2, body: 'many' },
  'h2-empty-end': { http: 2, body: 'empty end' },
  'h2-trailers': { http: 2, body: 'trailers' },
} as const satisfies Record<string, Shape>;

export interface Shape {
  readonly http: 1 | 2;
  /** `length`, `pieces`: content-length, written at once or in pieces; `one`, `many`: chunks or frames, the last of HTTP/2 with END_STREAM. */
  readonly body: 'none' | 'length' | 'pieces' | 'one' | 'many' | 'empty end' | 'trailers';
}

export type ShapeName = keyof typeof shapes;

const names = Object.keys(shapes) as ShapeName[];

const groups: Readonly<Record<string, (name: ShapeName) => boolean>> = {
  all: () => true,
  body: (name) => shapes[name].body !== 'none',
  none: (name) => shapes[name].body === 'none',
  h1: (name) => shapes[name].http === 1 && shapes[name].body !== 'none',
  h2: (name) => shapes[name].http === 2 && shapes[name].body !== 'none',
};

/** Reads `h1-length h2`: names of shapes and of groups. @throws Error that names what is neither */
export function readShapes(text: string): ShapeName[] {
  const chosen = text.split(/\s+/).filter((word) => word !== '');
  return chosen.flatMap((word) => {
    const found = names.filter((name) => name === word || groups[word]?.(name) === true);
    if (found.length === 0) throw new Error(`${word} is no shape of a request: ${names.join(', ')}`);
    return found;
  });
}
