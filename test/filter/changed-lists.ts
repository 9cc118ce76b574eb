/** The events of a stream that tells of changed lists: the methods of its notifications, and its last id. */
export function parseEvents(text: string): { methods: string[]; id: string | undefined; retry: string | undefined } {
  const lines = text.split('\n');
  const valuesOf = (field: string): string[] =>
    lines.filter((line) => line.startsWith(`${field}: `)).map((line) => line.slice(field.length + 2));
  return {
    methods: valuesOf('data')
      .filter((data) => data !== '')
      .map((data) => (JSON.parse(data) as { method: string }).method),
    id: valuesOf('id').at(-1),
    retry: valuesOf('retry').at(-1),
  };
}
