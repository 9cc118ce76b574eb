import type { ResponseSink } from '../codec.ts';
import type { ConnectionManager } from '../config/model.ts';
import type { HeaderMap } from '../header-map.ts';
import { removeHopByHop } from '../http1-headers.ts';
import type { Logger } from '../log.ts';
import { FilterManager } from '../manager/filter-manager.ts';
import type { NamedFactory } from '../manager/options.ts';
import { findRoute } from '../routing/match.ts';
import type { Address, StreamInfo } from '../stream-info.ts';
import { httpDate } from './http-date.ts';
import { prepareRequest } from './request-headers.ts';
import type { RequestStats } from './request-stats.ts';
import { StreamTimers } from './stream-timers.ts';

export interface ManagerSurroundings {
  readonly manager: ConnectionManager;
  readonly bufferLimit: number;
  readonly logger: Logger;
  readonly requests: RequestStats;
  /** The chain of a worker as it is now, the router last. */
  readonly filters: (worker: number) => readonly NamedFactory[];
  readonly writeAccessLog: (info: StreamInfo) => void;
}

/** A connection as its requests see it. */
export interface Connection {
  readonly id: number;
  readonly worker: number;
  readonly remote: Address;
  readonly local: Address;
}

/** Makes the stream of one request: its headers checked and completed, its filters, its timeouts. (envoy: conn_manager_impl.cc) */
export function beginStream(
  surroundings: ManagerSurroundings,
  connection: Connection,
  protocol: StreamInfo['protocol'],
  headers: HeaderMap,
  response: ResponseSink,
): { readonly stream: FilterManager; start(endStream: boolean): void } {
  const { manager, bufferLimit, logger, requests } = surroundings;
  requests.begin();
  const info = newStreamInfo(connection, protocol, headers);
  const timers = new StreamTimers(manager, (reply) => {
    stream.sendLocalReply(reply);
  });
  const stream = new FilterManager({
    info,
    response,
    filters: surroundings.filters(connection.worker),
    findRoute: (current) => findRoute(manager.routes, current),
    // HTTP/2 holds as much as its window lets come.
    bufferLimit: protocol === 'HTTP/2' ? manager.http2.stream : bufferLimit,
    logger,
    onRoute: (route) => {
      timers.onRoute(route);
    },
    onActivity: () => {
      timers.onActivity(stream.isRequestComplete);
    },
    onRequestDone: () => {
      timers.onRequestDone();
    },
    finishResponse: (answer) => {
      if (!answer.has('date')) answer.set('date', httpDate());
      answer.set('server', 'envoy');
      removeHopByHop(answer);
    },
    onComplete: () => {
      timers.stop();
      requests.end(info.responseCode);
      surroundings.writeAccessLog(info);
    },
  });
  const start = (endStream: boolean): void => {
    const from = prepareRequest(headers, manager, { remote: connection.remote, scheme: 'http', protocol });
    if ('details' in from) {
      if (!manager.streamErrorOnInvalidHttp || from.closes === true) response.closeAfterResponse();
      stream.refuse(from, endStream);
      return;
    }
    info.downstreamRemote = from;
    timers.start();
    stream.decodeHeaders(headers, endStream);
  };
  return { stream, start };
}

function newStreamInfo(connection: Connection, protocol: StreamInfo['protocol'], headers: HeaderMap): StreamInfo {
  return {
    connectionId: connection.id,
    protocol,
    startTime: performance.timeOrigin + performance.now(),
    downstreamRemote: connection.remote,
    downstreamDirectRemote: connection.remote,
    downstreamLocal: connection.local,
    requestHeaders: headers,
    requestTrailers: undefined,
    responseHeaders: undefined,
    responseTrailers: undefined,
    bytesReceived: 0,
    bytesSent: 0,
    responseCode: undefined,
    responseCodeDetails: undefined,
    responseFlags: new Set(),
    routeName: undefined,
    virtualHost: undefined,
    upstreamCluster: undefined,
    upstreamHost: undefined,
    filterState: new Map(),
    dynamicMetadata: {},
    endTime: undefined,
  };
}
