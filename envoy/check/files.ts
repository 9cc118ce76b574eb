import { checkBootstrap, checkDiscovered } from './bootstrap.ts';
import { checkConfiguration } from './configuration.ts';
import { type Document, furtherDocument, readDocuments } from '../yaml/document.ts';
import { type Finding, type Report, byPlace, findingOf, reportInto } from './finding.ts';
import { type Question, checkIstio, checkMesh, questionOf, resourcesOf } from './istio.ts';
import { ModuleThread } from './isolation.ts';
import { type Kind, kindOf } from './kind.ts';
import { type ModuleFile, askModule, checkDigest, codeOf } from './module.ts';
import { Node } from '../yaml/node.ts';
import { type WithInstances, withUrl } from '../render/instances.ts';
import { rules } from './rules.ts';
import { checkWasmFilter, messageOf, pluginConfigOf, sluiceFilter } from './wasm-filter.ts';

export interface SourceFile {
  /** As findings are to call it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface Options {
  readonly module: ModuleFile;
  /** Lets an Envoy judge a bootstrap: undefined where it accepts, or its words. */
  readonly askEnvoy?: (bootstrap: object) => Promise<string | undefined>;
}

/**
 * Checks files, each for what it is, and resources of Istio together. Never throws for what is in them.
 * @returns everything that was found, in the order of files and places
 */
export async function checkFiles(files: readonly SourceFile[], options: Options): Promise<Finding[]> {
  const { findings, questions, bootstraps } = examine(files, options.module);
  const report = reportInto(findings);
  const thread = new ModuleThread();
  try {
    for (const question of questions) await ask(thread, question, options.module, report);
  } finally {
    await thread.close();
  }
  for (const document of bootstraps) await askEnvoy(document, options, report);
  const order = new Map(files.map(({ name }, index) => [name, index]));
  return distinct(findings).sort((a, b) => (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) || byPlace(a, b));
}

/** What can be said without running a module, and what is left to be asked. */
export interface Examination {
  readonly findings: Finding[];
  readonly questions: readonly Question[];
  readonly bootstraps: readonly Document[];
}

export function examine(files: readonly SourceFile[], module: ModuleFile): Examination {
  const findings: Finding[] = [];
  const report = reportInto(findings);
  const resources: Node[] = [];
  const questions: Question[] = [];
  const bootstraps: Document[] = [];
  for (const { name, bytes } of files) {
    const { documents, flaws } = readDocuments(name, bytes);
    findings.push(...flaws.map((flaw) => findingOf(name, flaw)));
    if (documents.length === 0 && flaws.length === 0) findings.push(emptyFile(name));
    for (const [index, document] of documents.entries()) {
      const kind = kindOf(document.root);
      if (typeof kind === 'object') report('kind', document.root, kind.defect);
      else if (kind === 'kubernetes') resources.push(...resourcesOf(document.root));
      else {
        if (index > 0) report('yaml', document.root, furtherDocument);
        if (kind === 'bootstrap') bootstraps.push(document);
        questions.push(...checkDocument(kind, document, report));
      }
    }
  }
  questions.push(...checkIstio(resources, report));
  for (const { sha256, url } of questions) checkDigest(sha256, url, module, report);
  return { findings, questions, bootstraps };
}

/** What two aliases of one text say twice is said once. */
function distinct(findings: readonly Finding[]): Finding[] {
  const keyOf = ({ file, line, column, path, rule, message }: Finding): string =>
    JSON.stringify([file, line, column, path.split('.').pop(), rule, message]);
  return [...new Map(findings.map((finding) => [keyOf(finding), finding])).values()];
}

function emptyFile(file: string): Finding {
  const { severity, mend } = rules.kind;
  return { file, line: 1, column: 1, path: '', rule: 'kind', severity, message: 'is empty', mend };
}

function checkDocument(kind: Exclude<Kind, 'kubernetes'>, document: Document, report: Report): Question[] {
  const { root } = document;
  switch (kind) {
    case 'bootstrap':
      return checkBootstrap(document, report)
        .map(questionOf)
        .filter((question) => question !== undefined);
    case 'discovery':
      return root.get('resources').items.flatMap((resource) => checkResource(resource, report));
    case 'mesh':
      checkMesh(root, report);
      return [];
    case 'catalog':
      if (root.get('servers').isThere) return [checkAsPlugin(withUrls(root), report)];
      report('plugin', root, 'has no servers, which is right for a part of a catalog alone', { severity: 'warning' });
      return [];
    case 'plugin':
      return [checkAsPlugin(root, report)];
  }
}

function checkAsPlugin(root: Node, report: Report): Question {
  const nothing = new Node(undefined, [], root.document);
  const { plugin, judged } = checkConfiguration(root, report, 'any');
  return { plugin, rootId: 'sluice', judged, sha256: nothing, url: undefined, filter: undefined };
}

/** A catalog as the plugin configuration that it would be alone. */
function withUrls(root: Node): Node {
  const servers = root.get('servers').items.map((server) => instancesOf(server));
  return new Node({ ...(root.value as object), servers }, root.path, root.document);
}

/** What is no list of instances is left for the module to refuse. */
function instancesOf({ value, isObject }: Node): unknown {
  if (!isObject) return value;
  const { endpoints } = value as { endpoints?: unknown };
  const isRead = Array.isArray(endpoints) && endpoints.every(isEndpoint);
  return isRead ? withUrl(value as WithInstances) : value;
}

function isEndpoint(value: unknown): boolean {
  const { address, port } = (value ?? {}) as { address?: unknown; port?: unknown };
  return typeof address === 'string' && typeof port === 'number';
}

/** A filter of a discovery response (ECDS). */
function checkResource(resource: Node, report: Report): Question[] {
  const typed = resource.get('typed_config');
  const config = pluginConfigOf(typed.isThere ? typed : messageOf(resource).message);
  const filter = config && sluiceFilter(resource, config);
  if (filter === undefined) return [];
  checkDiscovered(filter.config, report);
  checkWasmFilter(filter, report);
  const question = questionOf(filter);
  return question === undefined ? [] : [question];
}

async function ask(thread: ModuleThread, question: Question, module: ModuleFile, report: Report): Promise<void> {
  const code = question.filter === undefined ? module.bytes : codeOf(question.filter, module);
  await askModule(thread, code, question, report);
}

async function askEnvoy({ root }: Document, options: Options, report: Report): Promise<void> {
  const words = await options.askEnvoy?.(root.value as object);
  if (words !== undefined) report('envoy', root, words);
}
