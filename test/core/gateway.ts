import type { Core } from './core.ts';

const HOST_MODES = ['hold', 'pair', 'headers'];
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];
const REVISIONS = ['auto', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const EMITTED = ['x-mcp-method', 'x-mcp-toolname'];
const CACHE_SCOPES = ['session', 'shared', 'credential'];
const CREDENTIALS = ['none', 'header', 'passthrough'];

/** What a configuration was read as: its problems, a line each, or if there are none the gateway, a line each thing. */
export function configured(core: Core, text: Uint8Array | string, environment: string[] = []): string[] {
  const variables = environment.map((variable) => `${variable}\0`).join('');
  core.call('configParse', ...core.span(text), ...core.span(variables));
  const problems = times(core.call('configProblems'), (i) => core.text('configProblem', i) ?? '');
  const lines = problems.length > 0 ? problems : described(core);
  core.clear();
  return lines;
}

function described(core: Core): string[] {
  const number = (name: string): string => String(core.call(`config${name}`));
  return [
    `endpoint: ${core.text('configEndpoint') ?? ''}`,
    `name: ${core.text('configName') ?? ''}, via ${core.text('configVia') ?? ''}`,
    headers(core),
    `list cache: ${times(core.call('configServers'), (i) => cacheScope(core, i)).join(', ')}`,
    `hostMode: ${HOST_MODES[core.call('configHostMode')] ?? ''}`,
    `log: ${LOG_LEVELS[core.call('configLogLevel')] ?? ''}`,
    `sessions: ${number('SessionTtl')} s${times(core.call('configKeys'), (i) => key(core, i)).join('')}`,
    `limits: heldBody ${number('HeldBody')}, drainBytes ${number('DrainBytes')}, listBytes ${number('ListBytes')}`,
    `limits: listPages ${number('ListPages')}, fanOut ${number('FanOut')}`,
    `limits: handshakeTimeout ${number('HandshakeTimeout')} ms, listTimeout ${number('ListTimeout')} ms`,
    ...times(core.call('configServers'), (i) => server(core, i)),
  ];
}

/** Those of responses that always pass come first, the last of them for all that Envoy adds. */
function headers(core: Core): string {
  const emitted = EMITTED.filter((_, bit) => (core.call('configEmitted') & (1 << bit)) !== 0);
  const passing = times(core.call('configResponseHeaders'), (i) => core.text('configResponseHeader', i) ?? '');
  const named = passing.slice(passing.indexOf('x-envoy-*') + 1);
  return `headers: emits ${['x-mcp-servername', ...emitted].join(' ')}, lets pass ${named.join(' ')}`;
}

function cacheScope(core: Core, index: number): string {
  return `${core.text('configServerName', index) ?? ''} ${CACHE_SCOPES[core.call('configCacheScope', index)] ?? ''}`;
}

function key(core: Core, index: number): string {
  const bytes = Buffer.from(core.bytes('configKeyBytes', index) ?? []);
  return `, key ${core.call('configKeyId', index)} ${bytes.toString('base64url')}`;
}

function server(core: Core, index: number): string {
  const text = (name: string): string => core.text(`configServer${name}`, index) ?? 'none';
  const revision = REVISIONS[core.call('configServerRevision', index)] ?? '';
  const target = `${text('Cluster')} ${text('Authority')} ${text('Path')}`;
  const timeout = core.call('configServerCallTimeout', index);
  return `server ${text('Name')}: ${target}, prefix "${text('Prefix')}", ${revision}, ${timeout} ms, ${credentials(core, index)}`;
}

function credentials(core: Core, index: number): string {
  const kind = CREDENTIALS[core.call('configCredentialKind', index)] ?? '';
  const passed = times(core.call('configPassedHeaders', index), (i) => core.text('configPassedHeader', index, i));
  const header = core.text('configCredentialHeader', index);
  const fixed = header === undefined ? [] : [`${header}=${core.text('configCredentialValue', index) ?? ''}`];
  return ['credentials', kind, ...fixed, ...passed].join(' ');
}

export function times<T>(count: number, each: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => each(i));
}
