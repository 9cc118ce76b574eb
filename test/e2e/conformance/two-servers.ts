import { afterAll, beforeAll } from 'vitest';
import { useGateway } from '../gateway.ts';
import { type BareNames, startBareNames } from './bare-names.ts';

interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Two servers behind a gateway, which gives their names prefixes.
 * @param named the one whose names the suite knows
 * @returns the URLs at which the suite finds that one alone, and through the gateway, without the prefix
 */
export function useTwoServers(start: (name: string) => Promise<Server>, named: 'one' | 'two') {
  let servers: Record<'one' | 'two', Server>;
  let bare: BareNames;
  beforeAll(async () => {
    const [one, two] = await Promise.all([start('one'), start('two')]);
    servers = { one, two };
  });
  afterAll(() => Promise.all([servers.one.stop(), servers.two.stop()]));
  const gateway = useGateway(() => ({
    servers: Object.entries(servers).map(([name, { url }]) => ({ name, url })),
  }));
  beforeAll(async () => {
    bare = await startBareNames(gateway.current.url, named);
  });
  afterAll(() => bare.stop());
  return { alone: (): string => servers[named].url, through: (): string => bare.url };
}
