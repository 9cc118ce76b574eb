import type { ResponseSink } from '../codec.ts';
import type { Route } from '../config/route.ts';
import type { FilterFactory } from '../filter.ts';
import type { HeaderMap } from '../header-map.ts';
import type { Logger } from '../log.ts';
import type { StreamInfo } from '../stream-info.ts';

export interface NamedFactory {
  readonly name: string;
  readonly create: FilterFactory;
}

/** What a stream has around it, and whom it tells. */
export interface StreamOptions {
  readonly info: StreamInfo;
  readonly response: ResponseSink;
  /** In the order of the configuration, the router last. */
  readonly filters: readonly NamedFactory[];
  readonly findRoute: (headers: HeaderMap) => { readonly route: Route; readonly virtualHost: string } | undefined;
  /** The most of a body that filters hold, in bytes. */
  readonly bufferLimit: number;
  readonly logger: Logger;
  /** A route was found for the headers as they are, or none. */
  readonly onRoute: (route: Route | undefined) => void;
  /** Something happened on the stream: it is not idle. */
  readonly onActivity: () => void;
  /** The filters have seen the end of the request, or it is answered. */
  readonly onRequestDone: () => void;
  /** Before response headers leave: what a connection manager adds to every response. */
  readonly finishResponse: (headers: HeaderMap) => void;
  /** Once: after all filters have seen the end, before they are destroyed. */
  readonly onComplete: () => void;
}
