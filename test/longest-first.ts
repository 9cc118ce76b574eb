import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take more than 15 seconds and are short, so that Vitest, which begins with large files, would begin them last: the
 * others would have ended long before them.
 */
const longest = [
  'launcher/start.test.ts',
  'nacos/sync.test.ts',
  'filter/cases.test.ts',
  'nacos/end-to-end.test.ts',
  'launcher/examples.test.ts',
  'launcher/package.test.ts',
  'launcher/build.test.ts',
  'launcher/recipes.test.ts',
  'embedded/probe/probe.test.ts',
  'filter/budget.test.ts',
  'plugin-server/volumes.test.ts',
  'soak/soak.test.ts',
];

/** Within each project, in whose order they run, begins with what takes longest. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project.name))];
    return projects.flatMap((name) => {
      const own = sorted.filter(({ project }) => project.name === name);
      return [...own.filter(isLong).sort((a, b) => rank(a) - rank(b)), ...own.filter((file) => !isLong(file))];
    });
  }
}

function isLong(file: TestSpecification): boolean {
  return rank(file) >= 0;
}

function rank({ moduleId }: TestSpecification): number {
  return longest.findIndex((name) => moduleId.endsWith(`/test/${name}`));
}
