import type { AccessLog } from '../config/model.ts';
import type { Address, StreamInfo } from '../stream-info.ts';

/** What a command operator stands for; undefined: nothing, which is `-` in text and null in JSON. */
type Operator = (info: StreamInfo) => string | number | undefined;
type Formatter = (info: StreamInfo) => string;

const operators: Readonly<Record<string, (argument: string) => Operator>> = {
  START_TIME: () => (info) => new Date(info.startTime).toISOString(),
  DOWNSTREAM_REMOTE_ADDRESS: () => (info) => addressText(info.downstreamRemote),
  DOWNSTREAM_LOCAL_ADDRESS: () => (info) => addressText(info.downstreamLocal),
  REQ: (argument) => {
    const [name = '', other = ''] = argument.toLowerCase().split('?');
    return (info) => info.requestHeaders.get(name) ?? (other === '' ? undefined : info.requestHeaders.get(other));
  },
  RESP: (argument) => (info) => info.responseHeaders?.get(argument.toLowerCase()),
  PATH: (argument) => (info) => {
    const path = info.requestHeaders.get(':path');
    return argument === 'NQ' ? path?.split('?')[0] : path;
  },
  PROTOCOL: () => (info) => info.protocol,
  RESPONSE_CODE: () => (info) => info.responseCode ?? 0,
  RESPONSE_FLAGS: () => (info) => (info.responseFlags.size === 0 ? undefined : [...info.responseFlags].join(',')),
  RESPONSE_CODE_DETAILS: () => (info) => info.responseCodeDetails,
  DURATION: () => (info) => (info.endTime === undefined ? undefined : Math.round(info.endTime - info.startTime)),
  BYTES_RECEIVED: () => (info) => info.bytesReceived,
  BYTES_SENT: () => (info) => info.bytesSent,
  UPSTREAM_CLUSTER: () => (info) => info.upstreamCluster,
  UPSTREAM_HOST: () => (info) => info.upstreamHost && addressText(info.upstreamHost),
  ROUTE_NAME: () => (info) => info.routeName,
  FILTER_STATE: (argument) => {
    const key = argument.replace(/:PLAIN$/, '');
    return (info) => {
      const value = info.filterState.get(key);
      return value === undefined ? undefined : Buffer.from(value).toString('utf8');
    };
  },
};

function addressText({ address, port }: Address): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `%NAME(ARGUMENT)%` */
const pattern = /%([A-Z_]+)(?:\(([^)]*)\))?%/g;

/**
 * Makes what writes one line for each request.
 * @throws Error that names the command operator that there is none of
 */
export function accessLogFormatter({ format }: AccessLog): Formatter {
  if (typeof format === 'string') return textFormatter(format);
  const members = Object.entries(format).map(([name, value], index) => ({
    before: `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
    write: memberFormatter(String(value)),
  }));
  return (info) => {
    const parts: string[] = [];
    for (const { before, write } of members) parts.push(before, JSON.stringify(write(info)));
    return `{${parts.join('')}}\n`;
  };
}

function operatorOf(name: string, argument = ''): Operator {
  const make = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (make === undefined) throw new Error(`%${name}% is not supported by the embedded engine`);
  return make(argument);
}

function textFormatter(format: string): Formatter {
  const parts: Formatter[] = [];
  let at = 0;
  for (const match of format.matchAll(pattern)) {
    const literal = format.slice(at, match.index);
    const operator = operatorOf(match[1] ?? '', match[2]);
    parts.push(
      () => literal,
      (info) => String(operator(info) ?? '-'),
    );
    at = match.index + match[0].length;
  }
  const rest = format.slice(at);
  return (info) => parts.map((part) => part(info)).join('') + rest;
}

/** One operator alone keeps its type. */
function memberFormatter(format: string): (info: StreamInfo) => string | number | null {
  const [whole, name, argument] = new RegExp(`^${pattern.source}$`).exec(format) ?? [];
  if (whole === undefined || name === undefined) return textFormatter(format);
  const operator = operatorOf(name, argument);
  return (info) => operator(info) ?? null;
}
