import { millisecondsOf } from './duration.ts';
import type { Report } from './finding.ts';
import type { Plugin } from './gateway.ts';
import type { Node } from '../yaml/node.ts';

/** docs/configuration.md: `limits.callTimeout` */
const byDefault = '600s';

/** A call may be silent for as long as `callTimeout`: no limit of Envoy's for a silent stream may be lower. */
export function checkSilence(timeout: Node, plugin: Plugin | undefined, report: Report, absent?: string): void {
  const given = timeout.isThere ? timeout.text : absent;
  const limit = millisecondsOf(given);
  const longest = longestCall(plugin);
  // 0 is none at all, which is a rule of its own.
  if (limit === undefined || limit === 0 || limit >= longest.milliseconds) return;
  const found = timeout.isThere ? `is ${timeout.shown}` : `is ${String(absent)} by default`;
  report('call-timeout', timeout, `${found}, and callTimeout ${longest.text}`);
}

function longestCall(plugin: Plugin | undefined): { text: string; milliseconds: number } {
  const common = plugin?.root.get('limits', 'callTimeout').text ?? byDefault;
  const servers = plugin?.root
    .get('servers')
    .items.flatMap((server) => [
      server.get('callTimeout').text ?? common,
      ...server.get('tools', 'timeouts').entries.map(([, timeout]) => timeout.text ?? common),
    ]) ?? [common];
  const known = servers.map((text) => ({ text, milliseconds: millisecondsOf(text) ?? 0 }));
  return known.reduce((longest, each) => (each.milliseconds > longest.milliseconds ? each : longest), {
    text: '0s',
    milliseconds: 0,
  });
}
