import type { Problem } from '../../envoy/check/plugin.ts';
import type { Log } from '../log.ts';
import { gatewayFileName } from './gateway-file.ts';
import type { DeliveredGateway, GatewayEvent } from './gateway.ts';

/** Problems of catalogs in one line of the log. */
const mostTold = 20;

/** Tells the operator what happened to a gateway. */
export function toldTo(log: Log, { name: gateway, active }: DeliveredGateway, event: GatewayEvent): void {
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
    case 'catalog': {
      const { problems } = event;
      const errors = problems.filter(({ severity }) => severity === 'error');
      if (problems.length === 0) log.info({ gateway }, `gateway ${gateway}: its catalogs are whole again`);
      else if (errors.length === 0)
        log.warn({ gateway, problems }, `gateway ${gateway}: ${problems.map(placed).join('; ')}`);
      else {
        const said = errors.slice(0, mostTold).map(placed).join('; ');
        log.error({ gateway, problems }, `gateway ${gateway}: its catalogs are taken but for what is wrong: ${said}`);
      }
      break;
    }
    case 'endpoints': {
      const { generation, version } = event.version;
      log.info({ gateway, generation, version }, `gateway ${gateway}: version ${generation} has other endpoints`);
      break;
    }
    case 'rolled back': {
      const { generation, version } = event.version;
      const said = `gateway ${gateway}: rolled back to version ${generation}, until its file is edited`;
      log.warn({ gateway, generation, version }, said);
      for (const warning of event.warnings) log.warn({ gateway }, `gateway ${gateway}: ${placed(warning)}`);
      break;
    }
  }
}

/** `sluice.yaml:3:5: servers[0].url: …` */
function placed({ path, message, line, column }: Problem): string {
  const place = line === undefined ? [] : [`${gatewayFileName}:${line}:${column ?? 1}`];
  return [...place, path, message].filter((part) => part !== '').join(': ');
}
