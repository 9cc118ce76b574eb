/**
 * What a filter does in each callback. A line is a callback, a colon and operations with semicolons between:
 *
 *     b.headers: return 3          only the filter with root_id b
 *     body@2: return 1             the second call
 *     body@end: write body 0 all x end_of_stream is set
 *     body: return 0               all others
 */
export class Script {
  private sections: Map<string, string[]> = new Map();

  constructor(text: string) {
    const lines = text.replaceAll('\t', '\n').split('\n');
    for (let i = 0; i < lines.length; i++) {
      const colon = lines[i].indexOf(': ');
      if (colon < 0) continue;
      const operations = lines[i].slice(colon + 2).split(';');
      for (let j = 0; j < operations.length; j++) operations[j] = operations[j].trim();
      this.sections.set(lines[i].slice(0, colon).trim(), operations);
    }
  }

  /** The most particular section. @param count how many calls of this callback there have been, this one included */
  section(root: string, callback: string, count: i32, end: bool): string[] {
    const names = [`${callback}@${count}`, end ? `${callback}@end` : callback, callback];
    for (let i = 0; i < names.length; i++) {
      const own = `${root}.${names[i]}`;
      if (this.sections.has(own)) return this.sections.get(own);
      if (this.sections.has(names[i])) return this.sections.get(names[i]);
    }
    return [];
  }
}
