import * as z from 'zod';
import { TooLarge, bodyOf, failureText, parseJson } from '../http/client.ts';
import type { Credentials } from './credentials.ts';
import { NacosError, otherAnswer, readAnswer } from './answer.ts';

export interface NacosClientOptions {
  /** Addresses of one Nacos cluster, `http://nacos-0:8848`, with the context path where it is not `/nacos`. */
  readonly addresses: readonly string[];
  /** Asked for at each login: they may change. Without, none is sent. */
  readonly credentials?: (() => Credentials) | undefined;
  /** Milliseconds of one request; by default 5 s. */
  readonly timeout?: number;
}

/** Bytes of an answer: a page of a listing, or a document with a thousand tools. */
const answerLimit = 16 * 1024 * 1024;
/** The share of a token's life after which another one is asked for. */
const renewalShare = 0.8;
/** Milliseconds: a refusal with a younger token is one of the user, not of the token. */
const freshness = 5_000;
/** Milliseconds between two logins that fail: at first, and at most. */
const loginPause = { first: 500, longest: 15_000 };

const loginSchema = z.object({ accessToken: z.string().min(1), tokenTtl: z.number().positive() });

interface Token {
  readonly value: string;
  readonly since: number;
  readonly renewAt: number;
  readonly expires: number;
}

/**
 * Nacos 3 over its HTTP API. Requests go to one address for as long as it answers, then to the next. A login is made
 * before it is needed, renewed before it expires, and made anew where a token is refused.
 */
export class NacosClient {
  readonly #addresses: readonly string[];
  readonly #credentials: (() => Credentials) | undefined;
  readonly #timeout: number;
  #current = 0;
  #token: Token | undefined;
  #loginFailures = 0;
  #loginAt = 0;
  #loginError: Error | undefined;
  #underWay: Promise<void> | undefined;

  constructor({ addresses, credentials, timeout = 5_000 }: NacosClientOptions) {
    this.#addresses = addresses.map((address) => {
      const url = new URL(address);
      const path = url.pathname.replace(/\/+$/, '');
      return url.origin + (path === '' ? '/nacos' : path);
    });
    this.#credentials = credentials;
    this.#timeout = timeout;
  }

  /** The address that answered last, or is tried next. */
  get address(): string {
    return this.#addresses[this.#current] ?? '';
  }

  /**
   * The member `data` of an answer.
   * @param path below the context path, like `/v3/client/cs/config`
   * @throws NacosError for an answer that is not the one, TooLarge, Error where no address answers
   */
  async get(path: string, query: Readonly<Record<string, string>>, stop: AbortSignal): Promise<unknown> {
    return this.#failingOver(stop, async (address) => {
      await this.#logInIfDue(address, stop);
      const target = `${path}?${new URLSearchParams(query).toString()}`;
      const used = this.#token;
      try {
        return await this.#request(address, target, stop);
      } catch (error) {
        if (!(error instanceof NacosError) || error.status !== 403) throw error;
        if (used === undefined) throw withoutLogin(error);
        // Every refusal is 403, that of an expired token among them: a new login tells which one it is.
        if (Date.now() - used.since < freshness) throw error;
        if (this.#token === used) this.#token = undefined;
        await this.#logInIfDue(address, stop);
        return this.#request(address, target, stop);
      }
    });
  }

  /**
   * Posts a form to where changes are listened for (v1), at the address that answered last. Nobody depends on it: it is not
   * tried elsewhere.
   * @param hold milliseconds for which an answer may not come
   * @returns the answer, empty where nothing changed
   * @throws NacosError, Error
   */
  async listen(
    form: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    hold: number,
    stop: AbortSignal,
  ): Promise<string> {
    const { address } = this;
    await this.#logInIfDue(address, stop);
    const token = this.#token?.value;
    const { status, text } = await this.#fetch(
      `${address}/v1/cs/configs/listener`,
      stop,
      {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      },
      hold + this.#timeout,
    );
    // What names documents is one of them; a page of something else is no change.
    if (status === 200 && (text === '' || text.includes('%02'))) return text;
    throw otherAnswer(status, text);
  }

  /** Tries each address once, the one that answered last first. */
  async #failingOver<T>(stop: AbortSignal, ask: (address: string) => Promise<T>): Promise<T> {
    const failures: string[] = [];
    const first = this.#current;
    for (let tried = 0; tried < this.#addresses.length; tried++) {
      const index = (first + tried) % this.#addresses.length;
      const address = this.#addresses[index] ?? '';
      try {
        const answer = await ask(address);
        this.#current = index;
        return answer;
      } catch (error) {
        // What an address answers is an answer, unless it says that it cannot.
        if (stop.aborted || error instanceof TooLarge) throw error;
        if (error instanceof NacosError && !isOutOfOrder(error)) throw error;
        failures.push(`${address}: ${failureText(error)}`);
      }
    }
    this.#current = (first + 1) % this.#addresses.length;
    throw new Error(failures.join('; '));
  }

  async #request(address: string, target: string, stop: AbortSignal): Promise<unknown> {
    const token = this.#token?.value;
    const { status, text } = await this.#fetch(address + target, stop, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    return readAnswer(status, text);
  }

  async #fetch(
    url: string,
    stop: AbortSignal,
    init: RequestInit,
    timeout = this.#timeout,
  ): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)]);
    // A token may not follow to where an answer leads.
    const response = await fetch(url, { ...init, signal, redirect: 'error' });
    return { status: response.status, text: (await bodyOf(response, answerLimit)).toString() };
  }

  async #logInIfDue(address: string, stop: AbortSignal): Promise<void> {
    if (this.#credentials === undefined) return;
    const now = Date.now();
    if (this.#token !== undefined && now < this.#token.renewAt) return;
    const isUsable = this.#token !== undefined && now < this.#token.expires;
    if (now < this.#loginAt) {
      if (isUsable || this.#loginError === undefined) return;
      throw this.#loginError;
    }
    this.#underWay ??= this.#logIn(address, this.#credentials(), stop).finally(() => {
      this.#underWay = undefined;
    });
    try {
      await this.#underWay;
    } catch (error) {
      if (!isUsable) throw error;
    }
  }

  /**
   * Right after a start, and up to 15 s after a user was made, Nacos answers 403 to a right password too; a wrong one is
   * 500. So neither is final: the next login is only put off.
   */
  async #logIn(address: string, { username, password }: Credentials, stop: AbortSignal): Promise<void> {
    try {
      const { status, text } = await this.#fetch(`${address}/v3/auth/user/login`, stop, {
        method: 'POST',
        body: new URLSearchParams({ username, password }),
      });
      const login = loginSchema.safeParse(parseJson(text));
      if (status !== 200 || !login.success) throw loginFailure(status, text);
      const { accessToken, tokenTtl } = login.data;
      const life = tokenTtl * 1000;
      const now = Date.now();
      this.#token = { value: accessToken, since: now, renewAt: now + life * renewalShare, expires: now + life };
      this.#loginFailures = 0;
      this.#loginError = undefined;
    } catch (error) {
      if (!(error instanceof NacosError)) throw error; // the address is down: the next one is tried at once
      const pause = Math.min(loginPause.first * 2 ** Math.min(this.#loginFailures, 10), loginPause.longest);
      this.#loginFailures += 1;
      this.#loginAt = Date.now() + pause;
      this.#loginError = error;
      throw error;
    }
  }
}

/** An address that says so itself, or a proxy before it: another one may be in order. */
function isOutOfOrder({ status, code }: NacosError): boolean {
  return code === undefined && (status < 300 || status >= 502);
}

function loginFailure(status: number, text: string): NacosError {
  if (status >= 502 || status < 300) return otherAnswer(status, text);
  const reason =
    status === 403
      ? 'the user is unknown, or Nacos has just started and does not know its users yet'
      : 'the password may be wrong: that is how Nacos answers to one';
  return new NacosError(`the login was answered with ${status}: ${reason}`, 403);
}

function withoutLogin(error: NacosError): NacosError {
  const advice = 'Nacos wants a login: give the user name and the password of one that may list configurations';
  return new NacosError(`${error.message}; ${advice}`, error.status, error.code);
}
