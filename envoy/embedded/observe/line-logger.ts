import { closeSync, openSync, writeSync } from 'node:fs';
import { type LogLevel, type Logger, levels } from '../log.ts';

/** How much of it is kept to be looked at, in bytes. */
const most = 16 << 20;

/** The log of a gateway, in Envoy's format: kept in memory, and in a file where one is named. */
export class LineLogger implements Logger {
  readonly level: LogLevel;
  #file: number | undefined;
  #kept: string[] = [];
  #size = 0;
  /** Lines of the access log that are not in the file yet. */
  #unwritten = '';

  constructor(level: LogLevel, file: string | undefined) {
    this.level = level;
    this.#file = file === undefined ? undefined : openSync(file, 'w', 0o600);
  }

  log(level: LogLevel, component: string, text: string): void {
    if (levels.indexOf(level) < levels.indexOf(this.level)) return;
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    this.#write(`[${time}][${process.pid}][${level}][${component}] [source/embedded] ${text}\n`);
  }

  /** A line of the access log; in the file at the end of this turn of the event loop. */
  access(line: string): void {
    this.#keep(line);
    if (this.#file === undefined) return;
    if (this.#unwritten === '') {
      setImmediate(() => {
        this.#flush();
      });
    }
    this.#unwritten += line;
  }

  #write(line: string): void {
    this.#keep(line);
    this.#flush(); // lines stand in the order in which they came
    if (this.#file !== undefined) writeSync(this.#file, line);
  }

  #flush(): void {
    if (this.#file !== undefined && this.#unwritten !== '') writeSync(this.#file, this.#unwritten);
    this.#unwritten = '';
  }

  #keep(line: string): void {
    this.#kept.push(line);
    this.#size += line.length;
    while (this.#size > most) this.#size -= this.#kept.shift()?.length ?? 0;
  }

  text(): string {
    this.#kept = [this.#kept.join('')];
    return this.#kept[0] ?? '';
  }

  close(): void {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
