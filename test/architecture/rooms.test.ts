// Sources import downward only, and in no circle.
import { describe, expect, test } from 'vitest';
import { circlesIn, importsIn, roomOf, wrongImports } from './imports.ts';
import { type Building, outsideTheModule } from './rooms.ts';

const buildings: readonly (readonly [title: string, building: Building])[] = [['outside the module', outsideTheModule]];

describe.each(buildings)('%s', (_, building) => {
  const imports = importsIn(building.folders);

  test('every file is in a room, and every room has files', () => {
    const files = [...imports.keys()];
    expect(files.filter((file) => roomOf(file, building) === undefined)).toEqual([]);
    const used = new Set(files.map((file) => roomOf(file, building)));
    expect(building.floors.flat().filter((room) => !used.has(room))).toEqual([]);
  });

  test('no file imports from a higher floor, from another room on its own, or from elsewhere', () => {
    expect(wrongImports(imports, building)).toEqual([]);
  });

  test('no files import each other in a circle', () => {
    expect(circlesIn(imports)).toEqual([]);
  });
});

describe('what the tests above look for is found', () => {
  const building: Building = { folders: [], floors: [['low', 'beside'], ['low/inner']] };

  test('a circle, of one file or of more', () => {
    const imports = new Map([
      ['a', ['b', 'd']],
      ['b', ['c']],
      ['c', ['a']],
      ['d', ['d']],
      ['e', ['a']],
    ]);
    expect(circlesIn(imports)).toEqual([['a', 'b', 'c'], ['d']]);
  });

  test('an import that leads up, sideways or out', () => {
    const imports = new Map([
      ['low/a.ts', ['low/b.ts', 'low/inner/c.ts', 'beside/d.ts', 'elsewhere/e.ts']],
      ['low/inner/c.ts', ['low/a.ts', 'low/inner/f.ts']],
    ]);
    expect(wrongImports(imports, building)).toEqual([
      'low/a.ts → low/inner/c.ts',
      'low/a.ts → beside/d.ts',
      'low/a.ts → elsewhere/e.ts',
    ]);
  });

  test('imports of types, dynamic imports and exports', () => {
    const imports = importsIn(['cli']);
    expect(imports.get('cli/main.ts')).toEqual(
      expect.arrayContaining(['cli/command.ts', 'common/home.ts', 'cli/start/command.ts']),
    );
    expect(importsIn(['plugin-server']).get('plugin-server/index.ts')).toContain('plugin-server/artifact.ts');
  });
});
