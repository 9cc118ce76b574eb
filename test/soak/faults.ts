// What happens to a gateway within a day, in a table: each fault is done, seen through to its end, and undone.
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../e2e/until.ts';
import { type Folders, type LiveServer, otherModule, startLive, write } from '../live/support.ts';
import { loadArtifact } from '../../plugin-server/index.ts';
import type { History } from './history.ts';
import type { ToolServer } from './tool-server.ts';

/** What faults are done to. */
export interface World {
  readonly folders: Folders;
  readonly history: History;
  /** Dies, and comes back with no session left. */
  readonly mortal: ToolServer;
  /** Loses its sessions. */
  readonly forgetful: ToolServer;
  readonly steady: ToolServer;
  /** Is configured at times only. */
  readonly passing: ToolServer;
  /** How long sessions live, s. */
  readonly sessionTtl: number;
  pluginServer: LiveServer;
}

/** The keys of sessions as an operator rotates them, and at last takes them away before their sessions have expired. */
const keyPhases = [[1], [2, 1], [2], [1, 2]] as const;

export const keyNames = { 1: 'SLUICE_KEY_1', 2: 'SLUICE_KEY_2' } as const;

export const cluster = 'edge';

/** Until an edit is in force on a machine that a soak keeps busy, ms. */
const patience = 60_000;

/** Edits the configuration of a gateway, and knows what is in it. */
export class Configuration {
  readonly #world: World;
  #phase = 0;
  #hasPassing = false;
  #edits = 0;
  #versions = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Writes it. */
  write(): void {
    const { folders, sessionTtl, mortal, forgetful, steady, passing } = this.#world;
    const servers = [mortal, forgetful, steady, ...(this.#hasPassing ? [passing] : [])];
    write(folders, cluster, {
      identity: { trustedHeader: 'x-user' },
      sessions: { ttl: `${sessionTtl}s`, keys: this.keys.map((id) => ({ id, env: keyNames[id] })) },
      // No two in a row are the same. Servers and clients are one process here, which may be busy with the others.
      limits: { callTimeout: `${60 + (++this.#edits % 60)}s`, handshakeTimeout: '30s', listTimeout: '30s' },
      servers: servers.map(({ name, url }) => ({
        name,
        url,
        prefix: `${name}_`,
        ...(name === forgetful.name ? { listCache: { ttl: '2s', scope: 'shared' } } : {}),
      })),
    });
  }

  get keys(): readonly (1 | 2)[] {
    return keyPhases[this.#phase % keyPhases.length] ?? [1];
  }

  /** Puts a new key first, or takes the old one away. */
  async rotateKeys(): Promise<void> {
    this.#phase++;
    await this.#edited('keys');
  }

  /** Adds the passing server, or removes it. */
  async togglePassing(): Promise<void> {
    this.#hasPassing = !this.#hasPassing;
    await this.#edited('configuration');
  }

  /** Publishes a module of another digest, which every node then runs. */
  async upgrade(): Promise<void> {
    const before = this.#generation();
    const version = `0.1.${++this.#versions}`;
    await this.#world.pluginServer.store.publish(loadArtifact('sluice', version, otherModule(version)));
    await this.#everywhere(before);
  }

  /** Refused whole: nothing changes. */
  async nonsense(): Promise<void> {
    const gateway = () => this.#world.pluginServer.live.directory.get(cluster);
    write(this.#world.folders, cluster, 'servers: [');
    await until('nonsense is refused', () => gateway()?.refusal !== undefined, patience);
    this.write();
    await until('sense is taken', () => gateway()?.refusal === undefined, patience);
    await this.#everywhere(-1);
  }

  /** With a new one on the same port, which keeps what its state folder has. */
  async restartPluginServer(): Promise<void> {
    const world = this.#world;
    const { port, store } = world.pluginServer;
    await world.pluginServer.close();
    await sleep(500);
    world.pluginServer = await startLive(world.folders, { port, store }, () => undefined);
    await this.#everywhere(-1);
  }

  async settled(): Promise<void> {
    await this.#everywhere(-1);
  }

  async #edited(what: string): Promise<void> {
    const before = this.#generation();
    const end = this.#world.history.begin(what);
    this.write();
    await this.#everywhere(before);
    end();
  }

  #generation(): number {
    return this.#world.pluginServer.live.directory.get(cluster)?.active?.kept.generation ?? -1;
  }

  async #everywhere(differsFrom: number): Promise<void> {
    const isEverywhere = (): boolean => {
      const { live } = this.#world.pluginServer;
      const gateway = live.directory.get(cluster);
      const generation = this.#generation();
      if (gateway === undefined || generation < 0 || generation === differsFrom) return false;
      const { nodes } = live.statusOf(gateway);
      return nodes.length > 0 && nodes.every(({ state }) => state === 'current');
    };
    await until('the configuration is everywhere', isEverywhere, patience);
  }
}

type Fault = (world: World, configuration: Configuration) => Promise<void>;

export const faults: Readonly<Record<string, Fault>> = {
  'a server dies and comes back': async ({ history, mortal }) => {
    const end = history.begin(mortal.name);
    await mortal.die();
    await sleep(500 + Math.random() * 1500);
    await mortal.comeBack();
    end();
  },
  'a server loses its sessions': async ({ history, forgetful }) => {
    const end = history.begin(forgetful.name);
    forgetful.loseSessions();
    await sleep(100);
    end();
  },
  'keys rotate': (_, configuration) => configuration.rotateKeys(),
  'a server comes or goes': (_, configuration) => configuration.togglePassing(),
  'the configuration is nonsense for a while': (_, configuration) => configuration.nonsense(),
  'the plugin server restarts': (_, configuration) => configuration.restartPluginServer(),
  'the module is upgraded': (_, configuration) => configuration.upgrade(),
};
