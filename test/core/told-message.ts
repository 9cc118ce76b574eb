import { Window } from './chunks.ts';
import type { Core } from './core.ts';

const SHAPES = ['none', 'request', 'notification', 'response'];
const PARTS = { method: 'Method', params: 'Params', name: 'Name', cursor: 'Cursor', claim: 'Claim' };

/** What the module reads in messages. */
export class MessageReader {
  readonly #core: Core;
  readonly #chunk: Window;
  readonly #whole: Window;

  /** @param most bytes of a message */
  constructor(core: Core, most = 1 << 20) {
    this.#core = core;
    this.#chunk = new Window(core, most);
    this.#whole = new Window(core, most);
  }

  /** All that is read in a message, in the form of cases/envelope.md. */
  told(body: Uint8Array, chunks: Iterable<Uint8Array>): string {
    const core = this.#core;
    core.call('envelopeOpen');
    for (const chunk of chunks) core.call('envelopeRead', ...this.#chunk.show(chunk));
    core.call('envelopeEnd', ...this.#whole.show(body));
    const line = (name: string, value: string | undefined): string[] =>
      value === undefined ? [] : [`${name}: ${value}`];
    const id = line('id', core.text('envelopeId'));
    const problem = core.call('envelopeProblem');
    if (problem !== 0) {
      const reason = core.text('errorsName', problem) ?? '';
      return [`${reason}: ${core.text('envelopeDetail') ?? ''}`, ...id].join('\n');
    }
    const parts = Object.entries(PARTS).flatMap(([name, part]) => line(name, core.text(`envelope${part}`)));
    return [SHAPES[core.call('envelopeShape')], ...id, ...parts].join('\n');
  }
}
