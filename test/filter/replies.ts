import { BAD_ARGUMENT, type Inside, OK } from './imports.ts';
import { decodePairs } from './pairs.ts';
import type { LocalReply } from './encoding.ts';
import type { Imports } from './wasm.ts';

/** What decides on a stream. @param enter makes calls for another context. Its root id, or undefined: no such stream */
export function replyImports(inside: Inside, enter: (context: number) => string | undefined): Imports {
  const text = (pointer: number, length: number): string => inside.memory.text(pointer, length);
  return {
    proxy_send_local_response: (
      status = 0,
      details = 0,
      detailsSize = 0,
      body = 0,
      bodySize = 0,
      pairs = 0,
      pairsSize = 0,
      grpcStatus = 0,
    ) => {
      inside.note(() => `send_local_response ${status} ${text(details, detailsSize)}`);
      if (grpcStatus !== -1) throw new Error('a gRPC status in a reply to no gRPC');
      const reply: LocalReply = {
        status,
        details: text(details, detailsSize),
        headers: decodePairs(inside.memory.read(pairs, pairsSize)),
        body: inside.memory.read(body, bodySize),
      };
      const { stream } = inside.place('send_local_response');
      stream.prepareReply(reply);
      inside.after(() => {
        stream.sendPrepared();
      });
      return OK;
    },
    proxy_continue_stream: (stream = 0) => {
      inside.note(() => (stream === 0 ? 'continue_stream' : 'continue_stream response'));
      const place = inside.place('continue_stream');
      if (stream === 1) {
        place.stream.prepareContinueResponse(place);
        inside.after(() => {
          place.stream.continueResponse();
        });
        return OK;
      }
      place.stream.prepareContinue(place);
      inside.after(() => {
        place.stream.continue(place);
      });
      return OK;
    },
    proxy_set_effective_context: (context = 0) => {
      const root = enter(context);
      inside.note(() => `set_effective_context${root === undefined ? ': nobody' : ofRoot(root)}`);
      return root === undefined ? BAD_ARGUMENT : OK;
    },
  };
}

/** Which filter it is, in a trace: nothing where it is the one that decides. */
export function ofRoot(rootId: string): string {
  return rootId === DECIDER ? '' : ` of ${rootId}`;
}

export const DECIDER = 'sluice';
