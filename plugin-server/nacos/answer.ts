import { parseJson } from '../http/client.ts';

/** What Nacos answered instead of what was asked for. */
export class NacosError extends Error {
  /** HTTP. */
  readonly status: number;
  /** Nacos' own code, where the answer had one. */
  readonly code: number | undefined;

  constructor(message: string, status: number, code?: number) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Nacos' own code for a document that is not there; it comes with HTTP 200. */
export const notFoundCode = 20004;

/** Characters of an answer that are repeated: it may be anything. */
const mostShown = 200;

/**
 * Reads an answer of Nacos' API: its own JSON (`{code, message, data}`), and what it answers with instead, which is
 * Spring's JSON (`{timestamp, status, error, message, path}`), plain text, or the page of something that is no Nacos.
 * @returns the member `data`
 * @throws NacosError
 */
export function readAnswer(status: number, text: string): unknown {
  const value = parseJson(text);
  if (isObject(value) && typeof value['code'] === 'number' && 'message' in value) {
    if (status < 300 && value['code'] === 0) return value['data'];
    const detail = typeof value['data'] === 'string' ? `: ${value['data']}` : '';
    throw new NacosError(shown(`${said(value['message'])}${detail} (code ${value['code']})`), status, value['code']);
  }
  throw otherAnswer(status, text, value);
}

/** An answer that is not Nacos' own JSON. */
export function otherAnswer(status: number, text: string, value = parseJson(text)): NacosError {
  if (isObject(value) && typeof value['error'] === 'string' && 'path' in value) {
    const message = said(value['message']);
    return new NacosError(shown(`${value['error']}${message === '' ? '' : `: ${message}`}`), status);
  }
  if (/^\s*<(?:!doctype|html)/i.test(text)) return new NacosError('it answered with a web page, not as Nacos', status);
  const [first = ''] = text.trim().split('\n', 1);
  if (status < 300) return new NacosError(`it answered ${status} with what is no answer of Nacos`, status);
  return new NacosError(first === '' ? `it answered ${status}` : shown(first), status);
}

function said(message: unknown): string {
  return typeof message === 'string' ? message : '';
}

/** One line, without control characters. */
function shown(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, mostShown);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
