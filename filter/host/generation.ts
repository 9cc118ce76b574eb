import { Arena, make } from '../bytes/arena';
import { Span } from '../bytes/span';
import { Environment } from '../config/environment';
import { Gateway } from '../model/gateway';

/**
 * What a root serves, as it was configured or as a catalog made it. A request keeps the one that it began with; one that
 * was replaced goes with its last request, and all of its memory with it.
 */
@unmanaged
export class Generation {
  gateway: Gateway;
  /** Holds the gateway, and this. */
  arena: Arena;
  /** What it was made of. */
  text: Span;
  environment: Environment;
  /** Requests that have it. */
  private users: u32;
  private isRetired: bool;

  use(): Generation {
    this.users++;
    return this;
  }

  /** Once for each `use`. */
  release(): void {
    this.users--;
    this.disposeUnused();
  }

  /** It serves no further request. */
  retire(): void {
    this.isRetired = true;
    this.disposeUnused();
  }

  private disposeUnused(): void {
    if (this.isRetired && this.users === 0) this.arena.dispose();
  }
}

/** In the arena that holds the gateway and what it was made of. */
export function newGeneration(gateway: Gateway, text: Span, environment: Environment, arena: Arena): Generation {
  const generation = make<Generation>(arena);
  generation.gateway = gateway;
  generation.arena = arena;
  generation.text = text;
  generation.environment = environment;
  return generation;
}
