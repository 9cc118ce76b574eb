export const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical'] as const;
export type LogLevel = (typeof levels)[number];

/** Lines as Envoy writes them: `[2026-11-24 13:00:00.000][1][info][wasm] text`. */
export interface Logger {
  readonly level: LogLevel;
  /** @param component Envoy's logger: `wasm`, `main`, `http`, `upstream`, `admin`, `filter`, `config` */
  log(level: LogLevel, component: string, text: string): void;
  /** A line of the access log, as it is. */
  access(line: string): void;
}
