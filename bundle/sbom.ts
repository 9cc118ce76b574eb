/** A package that the compiled server holds code of. */
interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as its package.json says it. */
  readonly license: string;
  /** Subresource integrity of what the registry has: `sha512-…`. */
  readonly integrity: string;
  /** Those of the packages here that it needs, each as `name@version`. */
  readonly needs: readonly string[];
}

interface BundledFile {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

export interface BillOfMaterials {
  readonly version: string;
  readonly license: string;
  readonly packages: readonly BundledPackage[];
  /** What Sluice itself needs, each as `name@version`. */
  readonly needs: readonly string[];
  readonly module: BundledFile;
  readonly envoys: readonly BundledFile[];
}

/**
 * A software bill of materials, CycloneDX 1.6 as JSON (cyclonedx.org/docs/1.6/json). It has neither time nor serial number,
 * so that the same bundle has the same bytes.
 */
export function sbomText({ version, license, packages, needs, module, envoys }: BillOfMaterials): string {
  const sluice = `pkg:npm/sluice@${version}`;
  const sorted = packages.toSorted((a, b) => (refOf(a) < refOf(b) ? -1 : 1));
  const files = [
    { ...component('library', module), 'bom-ref': 'module', licenses: licensesOf(license) },
    ...envoys.map((envoy) => ({
      ...component('application', envoy),
      'bom-ref': `envoy-${envoy.version}`,
      licenses: licensesOf('Apache-2.0'),
    })),
  ];
  const refs = new Map(sorted.map((each) => [`${each.name}@${each.version}`, refOf(each)]));
  const known = (names: readonly string[]): string[] => names.flatMap((name) => refs.get(name) ?? []).sort();
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': sluice,
        name: 'sluice',
        version,
        licenses: licensesOf(license),
        purl: sluice,
      },
    },
    components: [
      ...files,
      ...sorted.map((each) => ({
        type: 'library',
        'bom-ref': refOf(each),
        name: each.name,
        version: each.version,
        licenses: licensesOf(each.license),
        purl: refOf(each),
        hashes: hashesOf(each.integrity),
      })),
    ],
    dependencies: [
      { ref: sluice, dependsOn: [...files.map((file) => file['bom-ref']), ...known(needs)] },
      ...sorted.map((each) => ({ ref: refOf(each), dependsOn: known(each.needs) })),
    ],
  };
  return `${JSON.stringify(bom, undefined, 2)}\n`;
}

function component(type: string, { name, version, sha256 }: BundledFile): object {
  return { type, name, version, hashes: [{ alg: 'SHA-256', content: sha256 }] };
}

/** The package URL (purl-spec, npm): the `@` of a scope is encoded. */
function refOf({ name, version }: BundledPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function licensesOf(expression: string): object[] {
  return [{ expression }];
}

function hashesOf(integrity: string): object[] {
  const [, algorithm, base64 = ''] = /^sha(256|384|512)-(.+)$/.exec(integrity) ?? [];
  if (algorithm === undefined) return [];
  return [{ alg: `SHA-${algorithm}`, content: Buffer.from(base64, 'base64').toString('hex') }];
}
