import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { clone } from '../launcher/support.ts';
import type { Building } from './rooms.ts';

/** File → the files that it imports, types and dynamic imports among them; paths from the clone. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Reads what the files of folders import from each other and from other files of the clone. */
export function importsIn(folders: readonly string[]): Imports {
  const files = folders.flatMap((folder) =>
    readdirSync(join(clone, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|mjs)$/.test(name))
      .map((name) => join(folder, name)),
  );
  return new Map(files.map((file) => [file, importsOf(file)]));
}

function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(clone, file), 'utf8'), true, true);
  const relative = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'));
  return [...new Set(relative.map((name) => resolved(normalize(join(dirname(file), name)))))];
}

/** AssemblyScript leaves the extension out, and takes a folder for the index in it. */
function resolved(path: string): string {
  const found = [path, `${path}.ts`, join(path, 'index.ts')].find(
    (name) => /\.\w+$/.test(name) && existsSync(join(clone, name)),
  );
  if (found === undefined) throw new Error(`there is no file for the import ${path}`);
  return found;
}

/** Groups of files each of which leads back to itself through its imports. */
export function circlesIn(imports: Imports): string[][] {
  const reached = new Map([...imports.keys()].map((file) => [file, reachable(file, imports)]));
  const circles = new Set<string>();
  for (const [file, files] of reached) {
    if (!files.has(file)) continue;
    circles.add([...files].filter((other) => reached.get(other)?.has(file)).sort().join(' ')); // prettier-ignore
  }
  return [...circles].map((circle) => circle.split(' '));
}

function reachable(from: string, imports: Imports): Set<string> {
  const found = new Set<string>();
  const open = [...(imports.get(from) ?? [])];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    open.push(...(imports.get(file) ?? []));
  }
  return found;
}

/** The room of a file: the innermost of the building that it is in. */
export function roomOf(file: string, { floors }: Building): string | undefined {
  return floors
    .flat()
    .filter((room) => file.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** `a.ts → b.ts`, for every import that leads out of the building, up, or into another room on the same floor. */
export function wrongImports(imports: Imports, building: Building): string[] {
  const floorOf = (room: string | undefined): number =>
    building.floors.findIndex((rooms) => rooms.includes(room ?? ''));
  return [...imports].flatMap(([file, imported]) => {
    const room = roomOf(file, building);
    return imported
      .filter((other) => {
        const otherRoom = roomOf(other, building);
        return otherRoom === undefined || (otherRoom !== room && floorOf(otherRoom) >= floorOf(room));
      })
      .map((other) => `${file} → ${other}`);
  });
}
