import { readFileSync } from 'node:fs';
import { ownFile } from '../../common/home.ts';

/** What the demo servers are made of. */
const packages = ['@modelcontextprotocol/sdk', '@modelcontextprotocol/server-everything'] as const;

/** The packages of the demo servers that are not there, each as `name@version`. */
export function missingDemoPackages(): string[] {
  const { devDependencies = {} } = JSON.parse(readFileSync(ownFile('package.json'), 'utf8')) as {
    devDependencies?: Record<string, string>;
  };
  return packages.filter((name) => !isInstalled(name)).map((name) => `${name}@${devDependencies[name] ?? 'latest'}`);
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(`${name}/package.json`);
    return true;
  } catch (error) {
    // A package that hides its package.json is there.
    return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
  }
}
