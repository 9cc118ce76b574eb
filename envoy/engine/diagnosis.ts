import { EngineError } from '../../common/engine-error.ts';
import { noV8 } from './suitable.ts';

interface Symptom {
  readonly seen: RegExp;
  readonly kind: EngineError['kind'];
  readonly says: (match: RegExpExecArray) => string;
}

/** What Envoy says, and what it means; the first row that matches is the cause. Texts of 1.36 to 1.40. */
const symptoms: readonly Symptom[] = [
  {
    seen: /cannot bind '([^']+)': ([^`\n]+)/,
    kind: 'environment',
    says: ([, address = '', why = '']) => `Envoy cannot listen on ${address}: ${why.toLowerCase()}`,
  },
  { seen: noV8, kind: 'environment', says: () => 'this Envoy was built without V8 and cannot run WebAssembly' },
  {
    seen: /Failed to load Wasm module due to a missing import: (\S+)/,
    kind: 'environment',
    says: ([, name = '']) => `this Envoy does not offer ${name}, which the module imports`,
  },
  {
    seen: /Didn't find a registered implementation for '?([^'\s]+)'?|could not find @type '([^']+)'/,
    kind: 'environment',
    says: ([, name, type]) => `this Envoy was built without ${name ?? type ?? ''}`,
  },
  {
    seen: /Retry limit exceeded for fetching data from remote data source/,
    kind: 'environment',
    says: () =>
      'Envoy could not fetch the module: the plugin server did not answer, or with other bytes than sha256 says',
  },
  {
    seen: /Unable to create Wasm plugin|Plugin configured to fail closed failed to load|Plugin \S* ?failed to (?:load|configure)/i,
    kind: 'configuration',
    says: () => 'the plugin configuration was refused',
  },
  {
    seen: /error initializing configuration '[^']*': (.+)|error `([^`]+)` initializing config/,
    kind: 'configuration',
    says: ([, validating, running]) => {
      const why = (validating ?? running ?? '').replace(/\s+/g, ' '); // protobuf varies its spaces from run to run
      return `Envoy refuses its configuration: ${why.slice(0, 1_000)}`;
    },
  },
];

/** A line that the module logged at warning or above, without Envoy's own decoration. */
const moduleLine = /\[(warning|error|critical)\]\[wasm\] \[[^\]]*\] wasm log(?: [^:]*)?: (.*)/;

/**
 * Where two filters have the same remote code, Envoy says at once that the second one failed to load, while the first one's
 * fetch is under way; it then fetches it for that one as well, and all is well (1.36.2 to 1.40.0).
 */
const falseAlarm = new RegExp(
  String.raw`.*\[wasm\].* createWasm: failed to load \((?:in progress|cached)\) from .*\n` +
    String.raw`.*\[critical\]\[wasm\].* Plugin .* failed to load\n` +
    String.raw`.*\[critical\]\[wasm\].* Plugin configured to fail closed failed to load\n`,
  'g',
);

/** A log of Envoy without what it takes back. */
export function withoutFalseAlarms(log: string): string {
  return log.replace(falseAlarm, '');
}

/**
 * Turns Envoy's log into one line that says what is wrong; the module's own lines are its details. `undefined` where no
 * row of the table matches.
 */
export function diagnose(log: string): EngineError | undefined {
  const told = withoutFalseAlarms(log);
  for (const { seen, kind, says } of symptoms) {
    const match = seen.exec(told);
    if (match !== null) return new EngineError(says(match), kind, moduleLines(log));
  }
  return undefined;
}

/** What the module said, each line once: it is configured in W+2 VMs, and says it in each. */
export function moduleLines(log: string): string[] {
  const lines = log.split('\n').map((line) => moduleLine.exec(line)?.[2]);
  return [...new Set(lines.filter((line) => line !== undefined))];
}

/** The last `count` lines of a log that nothing else explains. */
export function lastLines(log: string, count = 5): string[] {
  return log
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => line.slice(0, 500));
}
