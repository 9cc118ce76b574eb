// What a fleet of gateways costs, as formulas: docs/scaling.md has its table from here, and test/scaling/ holds the formulas
// to the compiled module and to a fleet of stand-ins that poll a real plugin server.

/** How large a fleet is, and what its clients do. */
export interface Fleet {
  /** Envoys. */
  readonly gateways: number;
  /** Clients of each of them, a session each. */
  readonly sessions: number;
  /** Servers behind a session. */
  readonly servers: number;
  /** Calls of a client a second. */
  readonly calls: number;
  /** Clients of each gateway that have an event stream open. */
  readonly streams: number;
  /** `servers[].listCache.ttl`, s; scope shared. */
  readonly listTtl: number;
}

/** What was measured: docs/performance.md and docs/scaling.md say how. */
export const measured = {
  /** Bytes of the module: of `npm run build`. */
  moduleBytes: 540_000,
  /** Bytes of one poll of Envoy 1.40, nearly all of it the list of what was built into it. */
  pollBytes: 77_000,
  /** s that a poll waits for something new (plugin-server/live/routes.ts). */
  pollHold: 15,
  /** s of CPU of the plugin server for a poll that finds nothing new. */
  pollCpu: 0.0006,
  /** s of CPU of Envoy for a call of 1 KB, itself included. */
  callCpu: 0.000111,
  /** MiB of Envoy for an event stream, with its connections to the client and to the server. */
  streamMemory: 0.11,
  /** s of CPU of Nacos for one look at a namespace of 100 servers, and s between two looks of a plugin server. */
  lookCpu: 0.015,
  lookPause: 1,
  /** Sessions opened later than the client's own that the workers of an Envoy share (filter/session/overlay.ts). */
  sharedSessions: 8192,
} as const;

/** Requests of a handshake: initialize, notifications/initialized, and the call itself again. */
const handshake = 3;

/** Characters of a session id for so many servers whose own ids are UUIDs (filter/session/token.ts). */
export function tokenBytes(servers: number): number {
  const fixed = 2 + 12 + 16 + 30; // head, nonce, tag; times, ids, capabilities
  const entry = 8 + 1 + 4 + 3 + 16; // fingerprint, revision, offers, form and length, UUID
  return Math.ceil(((fixed + servers * entry) * 4) / 3);
}

/**
 * Polls a second of a fleet that is given nothing new. Those of one Envoy go over one connection, one after the other: what
 * it subscribes to does not make them more.
 */
export function idlePolls({ gateways }: Pick<Fleet, 'gateways'>): number {
  return gateways / measured.pollHold;
}

/** Bytes of the answer that brings a filter: the module in base64, and its configuration. */
export function filterBytes(module: number, configuration: number): number {
  return Math.ceil(module / 3) * 4 + configuration;
}

/**
 * Answers with something new in the minute after an edit that replaces a server: its cluster beside the others, and the filter
 * that uses it. Another one without the cluster before comes later.
 */
export function answersOfEdit(nodes: number): number {
  return nodes * 2;
}

/**
 * The share of shared sessions that are overwritten where so many are put into a table of that size by their hashes: of n
 * slots (1 - e^(-k/n)) · n hold one.
 */
export function overwritten(count: number, slots: number): number {
  const load = count / slots;
  return load === 0 ? 0 : 1 - (1 - Math.exp(-load)) / load;
}

function callsOfServer({ gateways, sessions, calls, servers }: Fleet): number {
  return (gateways * sessions * calls) / servers;
}

/** One line of the table. */
export interface Row {
  readonly what: string;
  readonly formula: string;
  /** For a fleet, in `unit`. */
  readonly of: (fleet: Fleet) => number;
  readonly unit: string;
  /** What one can have of it, and of what; undefined where there is no bound. */
  readonly bound?: { readonly at: number; readonly what: string };
  readonly turn: string;
}

export const rows: readonly Row[] = [
  {
    what: 'sessions that one server holds',
    formula: 'gateways × sessions',
    of: ({ gateways, sessions }) => gateways * sessions,
    unit: '',
    bound: { at: 1e6, what: 'a server of 10 KB a session, 10 GB' },
    turn: '`sessions.open: lazy`, so that a client has sessions with what it uses; `virtualServers`; servers without sessions, or of 2026-07-28.',
  },
  {
    what: 'calls a second at one server',
    formula: 'gateways × sessions × calls / servers',
    of: callsOfServer,
    unit: '/s',
    bound: { at: 100_000, what: 'ten instances of 10,000 a second' },
    turn: 'More instances of the server.',
  },
  {
    what: 'requests a second at one server that has lost its sessions',
    formula: 'its calls × 3',
    of: (fleet) => callsOfServer(fleet) * handshake,
    unit: '/s',
    bound: { at: 100_000, what: 'ten instances of 10,000 a second' },
    turn: 'Instances that restart one after the other; `circuit_breakers` of the cluster.',
  },
  {
    what: 'bytes of a module upgrade, sent by the plugin server',
    formula: 'gateways × 4/3 × 540 KB',
    of: ({ gateways }) => (gateways * filterBytes(measured.moduleBytes, 1000)) / 1e9,
    unit: 'GB',
    bound: { at: 3.75, what: 'half a minute of 1 Gbit/s' },
    turn: 'Several plugin servers with the same directory, each for a part of the fleet; versions moved gateway by gateway.',
  },
  {
    what: 'memory of one Envoy for event streams',
    formula: 'streams × 0.11 MiB',
    of: ({ streams }) => streams * measured.streamMemory,
    unit: 'MiB',
    bound: { at: 2048, what: '2 GiB for Envoy' },
    turn: 'More gateways; HTTP/2 from the clients; a lower `stream_idle_timeout`.',
  },
  {
    what: 'cores of one Envoy for calls',
    formula: 'sessions × calls × 111 µs',
    of: ({ sessions, calls }) => sessions * calls * measured.callCpu,
    unit: '',
    bound: { at: 2, what: 'two workers' },
    turn: 'More workers (`--concurrency`), more gateways.',
  },
  {
    what: 'sessions opened later that an Envoy forgets',
    formula: '1 − (1 − e^(−k/8192)) / (k/8192), k = sessions',
    of: ({ sessions }) => 100 * overwritten(sessions, measured.sharedSessions),
    unit: '%',
    turn: 'Nothing breaks: each costs its server a handshake more. More gateways with fewer sessions each.',
  },
  {
    what: 'polls a second at the plugin server, nothing new',
    formula: 'gateways / 15 s',
    of: idlePolls,
    unit: '/s',
    bound: { at: 1 / measured.pollCpu, what: 'one core' },
    turn: 'Several plugin servers with the same directory.',
  },
  {
    what: 'bytes a second of these polls',
    formula: 'polls × 77 KB',
    of: (fleet) => (idlePolls(fleet) * measured.pollBytes) / 1e6,
    unit: 'MB/s',
    bound: { at: 125, what: '1 Gbit/s' },
    turn: 'A plugin server in each site.',
  },
  {
    what: 'lists a second from one server',
    formula: 'gateways / listTtl',
    of: ({ gateways, listTtl }) => gateways / listTtl,
    unit: '/s',
    bound: { at: 1000, what: 'a server' },
    turn: 'A longer `listCache.ttl`. With scope `session` it is × sessions: use `shared` where lists do not differ.',
  },
  {
    what: 'bytes of a session id, in each request',
    formula: '4/3 × (60 + 32 × servers)',
    of: ({ servers }) => tokenBytes(servers),
    unit: 'B',
    bound: { at: 4096, what: 'a header of 4 KiB' },
    turn: 'Past it servers join at their first call. `virtualServers` with fewer servers each.',
  },
  {
    what: 'bytes a second of session ids at one Envoy',
    formula: 'sessions × calls × session id',
    of: ({ sessions, calls, servers }) => (sessions * calls * tokenBytes(servers)) / 1e6,
    unit: 'MB/s',
    bound: { at: 125, what: '1 Gbit/s' },
    turn: 'HTTP/2 sends a header that repeats as an index.',
  },
  {
    what: 'cores of Nacos for one plugin server',
    formula: '15 ms a look of 100 servers / 1 s',
    of: () => measured.lookCpu / measured.lookPause,
    unit: '',
    bound: { at: 1, what: 'one core' },
    turn: 'It does not depend on gateways, only on plugin servers: three of them cost three times as much.',
  },
];

/** How many times a fleet may grow until a row is at its bound; below 1 it is past it. */
export function room(row: Row, fleet: Fleet): number {
  return row.bound === undefined ? Infinity : row.bound.at / row.of(fleet);
}
