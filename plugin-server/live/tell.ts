import type { Log } from '../log.ts';
import type { Gateway, GatewayEvent } from './gateway.ts';

/** Tells the operator what happened to a gateway. */
export function toldTo(log: Log, { name: gateway, active }: Gateway, event: GatewayEvent): void {
  switch (event.kind) {
    case 'accepted': {
      const { generation, version, module, cause } = event.version;
      const said = `gateway ${gateway}: version ${generation} is given out, with ${module.name} ${module.version}`;
      log.info({ gateway, generation, version, cause }, said);
      for (const { path, message } of event.warnings)
        log.warn({ gateway }, `gateway ${gateway}: ${placed(path, message)}`);
      break;
    }
    case 'refused': {
      const stays = active === undefined ? 'nothing is given out' : `version ${active.kept.generation} stays`;
      const errors = event.problems.filter(({ severity }) => severity === 'error');
      const said = errors.map(({ path, message }) => placed(path, message)).join('; ');
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

function placed(path: string, message: string): string {
  return path === '' ? message : `${path}: ${message}`;
}
