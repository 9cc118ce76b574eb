import fc from 'fast-check';

/** A field of an event stream, or a comment, whose name is empty. */
export interface Field {
  name: string;
  value: string;
}

/** Event streams with everything that WHATWG HTML §9.2.6 allows, and what is nearly that. */
const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
const line = fc.oneof(
  fc.constantFrom('', '', '', 'data', 'data:', 'data: ', ': comment', ':', 'event: message', 'id: 1', 'id', 'retry: 5'),
  fc.constantFrom(
    'data:x',
    'data: x',
    'data:  x',
    'data: é😀',
    'data :x',
    'Data: x',
    'datax: x',
    'datadatadata: x',
    ' data: x',
    'da',
    'events: x',
    '\ufeffdata: x',
    '\0data: x',
    'data: a:b',
  ),
  fc.json().map((document) => `data: ${document}`),
);

export const eventStream = fc
  .tuple(
    fc.constantFrom('', '', '\ufeff'),
    fc.array(fc.tuple(line, lineEnd), { maxLength: 30 }),
    fc.option(line, { nil: '' }),
  )
  .map(([mark, lines, last]) => mark + lines.flat().join('') + last);

/** The lines of a stream, without their ends; the last one has none. */
export function linesOf(stream: string): string[] {
  return stream.replace(/^\ufeff/, '').split(/\r\n|\r|\n/);
}

/** What a line that is not blank says. */
export function fieldIn(line: string): Field {
  const [, name = line, value = ''] = /^([^:]*): ?([^]*)$/.exec(line) ?? [];
  return { name, value };
}

/** The data of each event that a client takes, lines first, then fields: an event that no blank line ends is none. */
export function dataOfEvents(stream: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  for (const line of linesOf(stream).slice(0, -1)) {
    const { name, value } = fieldIn(line);
    if (name === 'data') data.push(value);
    if (line !== '') continue;
    if (data.join('\n') !== '') events.push(data.join('\n'));
    data = [];
  }
  return events;
}
