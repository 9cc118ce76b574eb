import type { EventStore } from '@modelcontextprotocol/server';

type Message = Parameters<EventStore['storeEvent']>[1];

/** The events of one session, so that a client can come back to a stream that ended. */
export class EventMemory implements EventStore {
  readonly #events: { readonly streamId: string; readonly message: Message }[] = [];

  storeEvent(streamId: string, message: Message): Promise<string> {
    return Promise.resolve(String(this.#events.push({ streamId, message })));
  }

  /** @param lastEventId events are numbered from 1 */
  async replayEventsAfter(
    lastEventId: string,
    { send }: Parameters<EventStore['replayEventsAfter']>[1],
  ): Promise<string> {
    const last = Number(lastEventId);
    const streamId = this.#events[last - 1]?.streamId ?? '';
    for (const [index, event] of this.#events.entries()) {
      if (index >= last && event.streamId === streamId) await send(String(index + 1), event.message);
    }
    return streamId;
  }
}
