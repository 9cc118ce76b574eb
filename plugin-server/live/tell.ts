import type { Problem } from '../../envoy/check/plugin.ts';
import type { Log } from '../log.ts';
import { gatewayFileName } from './gateway-file.ts';
import type { Gateway, GatewayEvent } from './gateway.ts';

/** Tells the operator what happened to a gateway. */
export function toldTo(log: Log, { name: gateway, active }: Gateway, event: GatewayEvent): void {
  switch (event.kind) {
    case 'accepted': {
      const { generation, version, module, cause } = event.version;
      const said = `gateway ${gateway}: version ${generation} is given out, with ${module.name} ${module.version}`;
      log.info({ gateway, generation, version, cause }, said);
      for (const warning of event.warnings) log.warn({ gateway }, `gateway ${gateway}: ${placed(warning)}`);
      break;
    }
    case 'refused': {
      const stays = active === undefined ? 'nothing is given out' : `version ${active.kept.generation} stays`;
      const errors = event.problems.filter(({ severity }) => severity === 'error');
      const said = errors.map(placed).join('; ');
      log.error({ gateway, problems: event.problems }, `gateway ${gateway}: the edit is refused, ${stays}: ${said}`);
      break;
    }
    case 'rolled back': {
      const { generation, version } = event.version;
      const said = `gateway ${gateway}: rolled back to version ${generation}, until its file is edited`;
      log.warn({ gateway, generation, version }, said);
      break;
    }
  }
}

/** `sluice.yaml:3:5: servers[0].url: …` */
function placed({ path, message, line, column }: Problem): string {
  const place = line === undefined ? [] : [`${gatewayFileName}:${line}:${column ?? 1}`];
  return [...place, path, message].filter((part) => part !== '').join(': ');
}
