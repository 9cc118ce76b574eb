import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import { dataOfEvents, eventStream } from './event-streams.ts';

const core = instance();

function eventsIn(stream: string): string[] {
  const events: string[] = [];
  core.call('eventsOpen', ...core.span(stream));
  while (core.call('eventsNext') === 1) events.push(core.text('eventsData') ?? '');
  core.clear();
  return events;
}

test('the events of a stream are those that another reader finds', () => {
  let events = 0;
  fc.assert(
    fc.property(eventStream, (stream) => {
      // The last event counts without its blank line.
      const wanted = dataOfEvents(`${stream}\n\n`);
      events += wanted.length;
      expect(eventsIn(stream)).toEqual(wanted);
    }),
    { numRuns: 2000 },
  );
  expect(events).toBeGreaterThan(1000);
});

test.each([
  ['an event', 'data: a\n\n', ['a']],
  ['fields and comments around the data', ': hi\nevent: message\nid: 7\ndata: a\nretry: 1\n\n', ['a']],
  ['line ends of all kinds', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c']],
  ['several lines of data', 'data: {\ndata: "a":\ndata:  1}\n\n', ['{\n"a":\n 1}']],
  ['an empty line of data between others', 'data: a\ndata\ndata: b\n\n', ['a\n\nb']],
  ['a priming event', 'id: 0\ndata:\n\nid: 1\ndata: a\n\n', ['a']],
  ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
  ['one space is no part of the value', 'data:  a\n\n', [' a']],
  ['no blank line at the end', 'data: a', ['a']],
  ['half a line end at the end', 'data: a\r', ['a']],
  ['nothing', '', []],
  ['blank lines alone', '\n\r\n\r', []],
])('%s', (_, stream, events) => {
  expect(eventsIn(stream)).toEqual(events);
});
