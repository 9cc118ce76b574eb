import { randomInt } from 'node:crypto';
import { PluginServerError } from '../errors.ts';
import { type Compiled, typeUrls } from './compile.ts';
import { type Decision, type Given, decideClusters, decideFilters, isSettled, refuses, whyNoFilter } from './decide.ts';
import type { Active, DeliveredGateway } from './gateway.ts';
import { type Node, Nodes, type Subscription, noteOffer } from './nodes.ts';
import type { Poll, PollKind } from './poll.ts';

/** `undefined`: nothing new, which is 304. */
export interface Answer {
  readonly body: Buffer | undefined;
  /** The connection leads to the wrong plugin server: the next poll may find the right one. */
  readonly close: boolean;
}

export interface PollOptions {
  /** Where it came from. */
  readonly address: string;
  /** How long it may be kept waiting for something new, in ms. */
  readonly patience: number;
  /** Calls back when the poll's connection is gone. */
  readonly onGone: (gone: () => void) => void;
}

/** A node that has applied a version, or has refused one: told once. */
export interface NodeEvent {
  readonly gateway: string;
  readonly node: string;
  readonly kind: 'refused';
  readonly type: PollKind;
  readonly version: string;
  readonly error: string | undefined;
}

/** Polls that are kept waiting at a time; more are answered at once. */
const heldLimit = 10_000;
/** Bodies that are kept for the next node; a gateway in transition has a few. */
const keptBodies = 16;
/** Polls in vain after which a connection is given up. */
const vainPolls = 3;

const nothing: Answer = { body: undefined, close: false };

/** Answers the polls of all gateways, at once or when there is something new. */
export class Delivery {
  readonly #nodes = new Map<string, Nodes>();
  readonly #held = new Map<string, Set<() => void>>();
  readonly #bodies = new WeakMap<Active, Map<string, Buffer>>();
  readonly #tell: (event: NodeEvent) => void;
  readonly #drainTime: number;
  readonly #mark = randomInt(2 ** 31);
  #heldCount = 0;
  #closed = false;

  /** @param drainTime see `Given` */
  constructor(tell: (event: NodeEvent) => void, drainTime: number) {
    this.#tell = tell;
    this.#drainTime = drainTime;
  }

  /**
   * @returns undefined where the poll's connection is gone
   * @throws PluginServerError `gateway_unready`, `unknown_extension`
   */
  async poll(gateway: DeliveredGateway, kind: PollKind, poll: Poll, options: PollOptions): Promise<Answer | undefined> {
    const { node, subscription } = this.nodesOf(gateway.name).heard(kind, poll, options.address, Date.now());
    const decide = (): { decision: Decision; active: Active } => {
      const { active } = gateway;
      if (active === undefined) throw new PluginServerError('gateway_unready', gateway.name);
      const given: Given = {
        compiled: active.compiled,
        clusterSet: (version: string) => gateway.clusterSet(version),
        mark: this.#mark,
        now: Date.now(),
        drainTime: this.#drainTime,
      };
      const foreign = poll.names.find((name) => !active.compiled.filters.has(name));
      if (kind === 'filters' && foreign !== undefined) {
        throw new PluginServerError('unknown_extension', gateway.name, foreign, whyNoFilter(foreign, active.compiled));
      }
      const decision =
        kind === 'clusters'
          ? decideClusters(given, node, subscription)
          : decideFilters(given, node, subscription, poll.names);
      return { decision, active };
    };

    let { decision, active } = decide();
    if (decision.kind === 'give' && decision.again)
      this.#tellRefusal(gateway, kind, node, subscription, decision.version);
    const quietFor = this.#quietFor(active.compiled, node, decision);
    if (quietFor > 0) {
      const patience = Math.min(options.patience, quietFor);
      if (await this.#hold(gateway.name, { ...options, patience })) return undefined;
      ({ decision, active } = decide());
    }
    if (decision.kind !== 'give') return this.#nothing(decision, subscription);
    const { version, resources } = decision;
    const attempt = noteOffer(subscription, version);
    subscription.waits = 0;
    return { body: this.#body(active, kind, poll.names, version, attempt, resources), close: false };
  }

  /** Something about a gateway is new: those of its polls that wait are looked at again. */
  wake(gateway: string): void {
    for (const wake of this.#held.get(gateway) ?? []) wake();
  }

  /** Lets go of all polls, and keeps none from now on. */
  close(): void {
    this.#closed = true;
    for (const gateway of this.#held.keys()) this.wake(gateway);
  }

  nodesOf(gateway: string): Nodes {
    let nodes = this.#nodes.get(gateway);
    if (nodes === undefined) this.#nodes.set(gateway, (nodes = new Nodes()));
    return nodes;
  }

  /** A gateway is gone. */
  forget(gateway: string): void {
    this.#nodes.delete(gateway);
    this.wake(gateway);
  }

  /** Polls that are kept waiting now. */
  get waiting(): number {
    return this.#heldCount;
  }

  #nothing(decision: Decision, subscription: Subscription): Answer {
    if (decision.kind !== 'wait') {
      subscription.waits = 0;
      return nothing;
    }
    subscription.waits += 1;
    return { body: undefined, close: decision.elsewhere && subscription.waits % vainPolls === 0 };
  }

  /** Milliseconds for which there is nothing to say to a node, unless there is an edit. */
  #quietFor(compiled: Compiled, node: Node, decision: Decision): number {
    if (decision.kind === 'give') return decision.again ? Infinity : 0;
    if (this.#refusesAny(compiled, node)) return Infinity;
    if (!isSettled(compiled, node)) return 0;
    const isDraining = node.clusters?.reported !== compiled.clusterSet.version;
    return isDraining ? node.filtersSince + this.#drainTime - Date.now() : Infinity;
  }

  #refusesAny(compiled: Compiled, node: Node): boolean {
    const all = [...node.filters.values(), ...(node.clusters === undefined ? [] : [node.clusters])];
    return all.some((subscription) => refuses(compiled, subscription));
  }

  #tellRefusal(
    gateway: DeliveredGateway,
    type: PollKind,
    node: Node,
    subscription: Subscription,
    version: string,
  ): void {
    if (subscription.refused === version) return;
    subscription.refused = version;
    this.#tell({ gateway: gateway.name, node: node.id, kind: 'refused', type, version, error: subscription.error });
  }

  /** Waits for something new, for as long as it may. @returns whether the poll's connection is gone */
  async #hold(gateway: string, { patience, onGone }: PollOptions): Promise<boolean> {
    if (this.#closed || patience <= 0 || this.#heldCount >= heldLimit) return false;
    const held = this.#held.get(gateway) ?? new Set();
    this.#held.set(gateway, held);
    this.#heldCount += 1;
    let isGone = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        wake();
      }, patience);
      const wake = (): void => {
        clearTimeout(timer);
        held.delete(wake);
        resolve();
      };
      held.add(wake);
      onGone(() => {
        isGone = true;
        wake();
      });
    });
    this.#heldCount -= 1;
    return isGone;
  }

  /** An answer is the same for every node: it is made once. */
  #body(
    active: Active,
    kind: PollKind,
    names: readonly string[],
    version: string,
    attempt: number,
    resources: readonly { readonly json: string }[],
  ): Buffer {
    let bodies = this.#bodies.get(active);
    if (bodies === undefined) this.#bodies.set(active, (bodies = new Map<string, Buffer>()));
    const key = `${kind} ${names.join(' ')} ${version} ${attempt % 2}`;
    let body = bodies.get(key);
    if (body === undefined) {
      const head = `{"version_info":${JSON.stringify(version)},"type_url":"${typeUrls[kind]}","resources":[`;
      body = Buffer.from(`${head}${resources.map(({ json }) => json).join(',')}]}`);
      if (bodies.size >= keptBodies) bodies.clear();
      bodies.set(key, body);
    }
    return body;
  }
}
