// The pages of the project, and what can be read out of one: links, headings, tables, picture.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const clone = fileURLToPath(new URL('../..', import.meta.url));

/** Folders with files that are not ours, or are made by what runs here. */
const foreign = new Set(['node_modules', 'build', 'dist', 'try']);

/** Every page of the project: paths from the clone. */
export function pages(): string[] {
  return filesIn(clone, '.md').sort();
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return foreign.has(entry.name) || entry.name.startsWith('.') ? [] : filesIn(path, ending);
    return entry.name.endsWith(ending) ? [relative(clone, path)] : [];
  });
}

/** @param path from the clone */
export function read(path: string): string {
  return readFileSync(join(clone, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(clone, path));
}

/** Folders in a folder of the clone, by name. */
export function foldersIn(path: string): string[] {
  return readdirSync(join(clone, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

export interface Link {
  /** From the clone. */
  readonly path: string;
  /** Of a heading, or empty. */
  readonly anchor: string;
}

/** The links of a page to other files and headings of the project. */
export function linksOf(page: string): Link[] {
  const text = prose(read(page));
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor = ''] = target.split('#');
      return { path: path === '' ? page : join(dirname(page), path), anchor };
    });
}

/** What GitHub makes of the headings of a page. */
export function anchorsOf(page: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(read(page)).matchAll(/^#+ +(.*)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** The rows of the table whose first header this is, without the header; code marks are taken off whole cells. */
export function table(page: string, firstHeader: string): string[][] {
  const lines = read(page).split('\n');
  const start = lines.findIndex((line) => cells(line)[0] === firstHeader);
  if (start < 0) throw new Error(`${page} has no table that begins with ${firstHeader}`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  return lines.slice(start + 2, end < 0 ? undefined : end).map((line) => cells(line));
}

function cells(line: string): string[] {
  if (!line.startsWith('|')) return [];
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'));
}

/** What a text has between code marks, outside of code blocks. */
export function codeIn(text: string): string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

/** Without code blocks. */
function prose(text: string): string {
  return text.replace(/^(```+)[^\n]*\n.*?^\1$/gms, '');
}

/** What is wrong with a picture that a page shows: it has words for who cannot see it, and colours for both kinds of screens. */
export function faultsOfPicture(svg: string): string[] {
  const faults: string[] = [];
  if (!/<title id="title">[^<]{20,}<\/title>/.test(svg)) faults.push('has no title');
  if (!svg.includes('prefers-color-scheme: dark')) faults.push('has no dark colours');
  const open: string[] = [];
  for (const [tag, closing, name = '', empty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
    if (closing === '' && empty === '') open.push(name);
    else if (closing !== '' && open.pop() !== name) faults.push(`${tag} closes nothing`);
  }
  return [...faults, ...open.map((name) => `<${name}> is not closed`)];
}

/** Source files below a folder: paths from the clone. */
export function sourcesIn(folder: string): string[] {
  return filesIn(join(clone, folder), '.ts');
}
