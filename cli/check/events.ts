import type { ChosenCredential, Decision, Refusal } from '../../envoy/check/explain.ts';
import type { Finding } from '../../envoy/check/finding.ts';
import type { Io } from '../io.ts';

export type CheckEvent =
  | ({ readonly event: 'problem' } & Finding)
  | { readonly event: 'checked'; readonly files: number; readonly errors: number; readonly warnings: number }
  /** Before what a caller may do there. `refused`: nothing, whatever it asks for. */
  | {
      readonly event: 'caller';
      readonly file: string;
      readonly endpoint: string;
      readonly names: number;
      readonly refused?: Refusal['refused'];
    }
  | ({ readonly event: 'decision'; readonly file: string; readonly endpoint: string } & Decision)
  | ({ readonly event: 'credential'; readonly file: string; readonly endpoint: string } & ChosenCredential);

/** For people, and for editors that read `file:line:column: severity: message`. What to do is said once for each rule. */
export function printed(io: Io): (event: CheckEvent) => void {
  const mended = new Set<string>();
  return (event) => {
    switch (event.event) {
      case 'problem': {
        const { file, line, column, severity, path, message, rule, mend } = event;
        const where = path === '' ? '' : `${shortened(path)}: `;
        io.out(`${file}:${line}:${column}: ${severity}: ${printable(where + message)} (${rule})\n`);
        if (!mended.has(rule)) io.out(`    ${mend}\n`);
        mended.add(rule);
        break;
      }
      case 'checked':
        io.out(`${summary(event)}\n`);
        break;
      case 'caller':
        io.out(`${event.file}: ${event.endpoint}: ${callerText(event)}\n`);
        break;
      case 'decision':
        io.out(`    ${printable(decisionText(event))}\n`);
        break;
      case 'credential':
        io.out(`    ${printable(credentialText(event))}\n`);
        break;
    }
  };
}

const longestPath = 60;

/** The end of a long path says more than its beginning; line and column say the rest. */
function shortened(path: string): string {
  if (path.length <= longestPath) return path;
  const tail = path.slice(-longestPath);
  return `…${tail.slice(Math.max(tail.search(/[.[]/), 0))}`;
}

/** Names in a file may hold anything; a terminal is to show it, not to obey it. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (sign) => JSON.stringify(sign).slice(1, -1));
}

function summary({ files, errors, warnings }: CheckEvent & { event: 'checked' }): string {
  const checked = `${count(files, 'file')} checked`;
  if (errors + warnings === 0) return `${checked}: nothing to object to`;
  const parts = [errors > 0 && count(errors, 'error'), warnings > 0 && count(warnings, 'warning')];
  return `${checked}: ${parts.filter((part) => part !== false).join(', ')}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

const refusals = {
  unauthenticated: 'this caller is unauthenticated: the claims have no subject and issuer that are texts',
  unknown_virtual_server: 'nothing is served here: there is no such virtual server, or the endpoint is closed',
  other_subject:
    'the list of --authorized is for another subject than that of the claims: allowedCapabilities.subject names its claim',
} as const;

function callerText({ names, refused }: CheckEvent & { event: 'caller' }): string {
  if (refused !== undefined) return refusals[refused];
  return names > 0 ? 'this caller' : 'nothing is named here; --names FILE says what to ask about';
}

const decisions = {
  allowed: 'may use',
  stepUp: 'sees, and may not use',
  hidden: 'does not see',
  depends: 'may or may not use',
} as const;

/** `may use               tool weather_get: rule "developers" (allow)` */
function decisionText(event: Decision): string {
  const { noun, name, decision } = event;
  return `${decisions[decision].padEnd(21)} ${noun.slice(0, -1)} ${name}: ${reasonText(event)}`;
}

/** `has the credential    server weather: WEATHER_BLUE` */
function credentialText({ server, credential, dependsOn }: ChosenCredential): string {
  const text = (does: string, what: string): string => `${does.padEnd(21)} server ${server}: ${what}`;
  if (credential !== undefined) return text('has the credential', credential);
  return dependsOn === undefined
    ? text('has no credential', 'no option of credentials is for this caller, and otherwise refuses it')
    : text('has a credential', `the header ${dependsOn} chooses it`);
}

function reasonText({ by, rule, effect, scopes, arguments: args }: Decision): string {
  const more = args === true ? '; the arguments of a call decide as well' : '';
  switch (by) {
    case 'rule': {
      const needs = scopes === undefined ? '' : `, scopes ${scopes}`;
      return `rule "${rule ?? ''}" (${effect ?? ''}${needs})${more}`;
    }
    case 'default':
      return `no rule, so authorization.default${more}`;
    case 'nothing':
      return 'there are no rules of authorization';
    case 'pins':
      return 'its definition is not pinned, and pins.unpinned hides it';
    case 'definition':
      return 'the definition that its server has of it decides';
    case 'virtual server':
      return 'the virtual server does not have it';
    case 'server rules':
      return 'allow and deny of its server';
    case 'allowed capabilities':
      return 'the header x-mcp-authorized does not list it (allowedCapabilities)';
    case 'transport':
      return 'its server speaks HTTP+SSE (2024-11-05), and Streamable HTTP is asked for';
    case 'owner':
      return 'its URI belongs to another server';
    case 'server':
      return 'it is of no server: no prefix, mark or owned URI fits';
    case 'override':
      return 'an override gives its tool another name';
    case 'tool search':
      return 'toolSearch.exclude leaves it out';
    case 'name':
      return 'it is too long to be a name, or empty';
  }
}
