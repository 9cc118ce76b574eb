import type { Problem } from '../../envoy/check/problem.ts';
import type { Log } from '../log.ts';
import type { CatalogEvent, CatalogNamespace } from './namespace.ts';

/** Problems that one line of the log has. */
const mostTold = 20;

/** Tells the operator what happened to a catalog. */
export function tellCatalog(log: Log, { name: catalog }: CatalogNamespace, event: CatalogEvent): void {
  switch (event.kind) {
    case 'accepted':
    case 'endpoints':
    case 'rolled back': {
      const { generation, version, cause, by } = event.version;
      const what =
        event.kind === 'endpoints'
          ? 'has other endpoints'
          : event.kind === 'accepted'
            ? 'is given out'
            : 'is given out again, until its source has another one';
      log.info(
        { catalog, generation, version, cause, ...(by && { by }) },
        `catalog ${catalog}: version ${generation} ${what}`,
      );
      break;
    }
    case 'refused': {
      const { problems } = event;
      const errors = problems.filter(({ severity }) => severity === 'error');
      const told = (errors.length > 0 ? errors : problems).slice(0, mostTold);
      const said = `catalog ${catalog}: ${told.map(placed).join('; ')}`;
      if (errors.length > 0) log.error({ catalog, problems: problems.slice(0, mostTold) }, said);
      else log.warn({ catalog, problems: problems.slice(0, mostTold) }, said);
      break;
    }
  }
}

/** `servers[weather].url: …` */
export function placed({ path, message }: Problem): string {
  return path === '' ? message : `${path}: ${message}`;
}
