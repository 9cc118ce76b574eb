import type { ConnectionManager } from '../config/model.ts';
import type { Route } from '../config/route.ts';
import type { LocalReply } from '../filter.ts';

/** The timeouts of a stream that are its connection manager's: silence, the arrival of the request, the whole. */
export class StreamTimers {
  readonly #manager: ConnectionManager;
  readonly #reply: (reply: LocalReply) => void;
  #idleTimeout: number;
  #requestComplete = false;
  #idle: NodeJS.Timeout | undefined;
  #request: NodeJS.Timeout | undefined;
  #duration: NodeJS.Timeout | undefined;
  readonly #startedAt = performance.now();
  #stopped = false;

  constructor(manager: ConnectionManager, reply: (reply: LocalReply) => void) {
    this.#manager = manager;
    this.#reply = reply;
    this.#idleTimeout = manager.streamIdleTimeout;
  }

  start(): void {
    const { requestTimeout, maxStreamDuration } = this.#manager;
    this.#armIdle();
    if (requestTimeout > 0) {
      this.#request = setTimeout(() => {
        this.#end('request timeout', 'request_overall_timeout');
      }, requestTimeout);
    }
    this.#armDuration(maxStreamDuration);
  }

  onRoute(route: Route | undefined): void {
    const action = route?.action.kind === 'route' ? route.action : undefined;
    const idleTimeout = action?.idleTimeout ?? this.#manager.streamIdleTimeout;
    if (idleTimeout === this.#idleTimeout && this.#idle !== undefined && !this.#stopped) {
      this.#idle.refresh();
    } else {
      this.#idleTimeout = idleTimeout;
      this.#armIdle();
    }
    if (action !== undefined && action.maxStreamDuration > 0) this.#armDuration(action.maxStreamDuration);
  }

  onActivity(requestComplete: boolean): void {
    this.#requestComplete = requestComplete;
    if (this.#idle !== undefined) this.#idle.refresh();
  }

  onRequestDone(): void {
    clearTimeout(this.#request);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of [this.#idle, this.#request, this.#duration]) clearTimeout(timer);
  }

  #armIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (this.#idleTimeout <= 0 || this.#stopped) return;
    this.#idle = setTimeout(() => {
      this.#end('stream timeout', 'stream_idle_timeout', 'SI');
    }, this.#idleTimeout);
  }

  #armDuration(limit: number): void {
    clearTimeout(this.#duration);
    if (limit <= 0 || this.#stopped) return;
    const left = Math.max(0, limit - (performance.now() - this.#startedAt));
    this.#duration = setTimeout(() => {
      this.#end('downstream duration timeout', 'max_duration_timeout', 'DT');
    }, left);
  }

  #end(body: string, details: string, flag?: string): void {
    const reply = { status: this.#requestComplete ? 504 : 408, body, details };
    this.#reply(flag === undefined ? reply : { ...reply, flag });
  }
}
