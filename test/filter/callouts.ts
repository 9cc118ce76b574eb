import { BAD_ARGUMENT, type Inside, INTERNAL_FAILURE, OK } from './imports.ts';
import { decodePairs, type Headers, valueOf } from './pairs.ts';
import type { Imports } from './wasm.ts';

/** A request that the module sent on its own, not yet answered. */
export interface Callout {
  /** Context of the configuration that it was sent under. */
  readonly root: number;
  readonly token: number;
  readonly cluster: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** Milliseconds. */
  readonly timeout: number;
}

/** What an upstream answers to a callout; `undefined` is a reset after its headers. */
export type CalloutAnswer = { readonly headers: Headers; readonly body: Buffer } | undefined;

const EMPTY = Buffer.alloc(0);

/** The callouts of one VM. */
export class Callouts {
  readonly pending: Callout[] = [];
  #nextToken = 4;
  #answer: CalloutAnswer;
  /** The root context that an answer is being given to. */
  #answered: number | undefined;

  /** Takes it off the list while `call` gives the answer. */
  answer(callout: Callout, answer: CalloutAnswer, call: (headers: number, size: number) => void): void {
    const index = this.pending.indexOf(callout);
    if (index < 0) throw new Error('this callout is answered already');
    this.pending.splice(index, 1);
    this.#answer = answer;
    this.#answered = callout.root;
    call(answer?.headers.length ?? 0, answer?.body.length ?? 0);
    this.#answer = undefined;
    this.#answered = undefined;
  }

  /** Those of a configuration that is gone are never answered. */
  forget(root: number): void {
    this.pending.splice(0, this.pending.length, ...this.pending.filter((callout) => callout.root !== root));
  }

  headers(context: number): Headers {
    this.#check(context);
    return this.#answer?.headers ?? [];
  }

  body(context: number): Buffer {
    this.#check(context);
    return this.#answer?.body ?? EMPTY;
  }

  #check(context: number): void {
    if (context !== this.#answered) throw new Error('the answer to a callout is readable in the root context only');
  }

  /** @param emptyClusters those without an endpoint; such as begin with `no-` do not exist, all others do */
  imports(inside: Inside, emptyClusters: readonly string[]): Imports {
    return {
      proxy_http_call: (
        cluster = 0,
        clusterSize = 0,
        pairs = 0,
        pairsSize = 0,
        body = 0,
        bodySize = 0,
        trailers = 0,
        trailersSize = 0,
        timeout = 0,
        outToken = 0,
      ) => {
        const name = inside.memory.text(cluster, clusterSize);
        const headers = decodePairs(inside.memory.read(pairs, pairsSize));
        inside.note(() => `http_call ${name} ${valueOf(headers, ':method') ?? ''} ${timeout}`);
        for (const needed of [':method', ':path', ':authority']) {
          if (valueOf(headers, needed) === undefined) throw new Error(`a callout without ${needed}`);
        }
        if (trailers !== 0 || trailersSize !== 0) throw new Error('a callout with trailers');
        if (timeout <= 0) throw new Error('a callout that may take for ever');
        if (name.startsWith('no-')) return BAD_ARGUMENT;
        if (emptyClusters.includes(name)) return INTERNAL_FAILURE;
        const token = this.#nextToken;
        this.#nextToken += 4;
        inside.memory.writeU32(outToken, token);
        const root = inside.root('http_call');
        this.pending.push({ root, token, cluster: name, headers, body: inside.memory.read(body, bodySize), timeout });
        return OK;
      },
    };
  }
}
