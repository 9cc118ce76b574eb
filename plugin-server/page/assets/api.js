// Asks the server that this page came from, and no other one.

/** The token of an operator. It lives as long as the page does, and is kept nowhere. */
let token = '';

/** @param {string} text */
export function useToken(text) {
  token = text;
}

/** An answer that is an error of the server's table. */
export class Refusal extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @param {string} path
 * @param {{ body?: unknown, as?: 'json' | 'text' }} [options] a body is sent as JSON, with POST
 * @returns {Promise<any>}
 */
export async function ask(path, { body, as = 'json' } = {}) {
  const headers = { accept: '*/*', ...(token !== '' && { authorization: `Bearer ${token}` }) };
  const more =
    body === undefined
      ? { headers }
      : { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
  let response;
  let text;
  try {
    response = await fetch(path, { ...more, credentials: 'omit', cache: 'no-cache', redirect: 'error' });
    text = await response.text();
  } catch {
    throw new Refusal(0, 'unreachable', 'The plugin server does not answer.');
  }
  // 503 of /readyz is an answer like any other.
  if (response.ok || path === '/readyz') return as === 'text' ? text : JSON.parse(text);
  let code = 'unknown';
  let message = `HTTP ${response.status}`;
  try {
    ({ code, message } = JSON.parse(text).error);
  } catch {
    // Not an answer of this server: a proxy's, for example.
  }
  throw new Refusal(response.status, code, message);
}

/** A path of encoded parts. @param {string[]} parts */
export function path(...parts) {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}
