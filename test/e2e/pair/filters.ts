// The two filters of a pair in a bootstrap under test, and what can be done to them.
import type { Bootstrap } from '../../../envoy/render/bootstrap.ts';
import { type Adjustment, connectionManager } from '../adjust.ts';

export interface WasmFilter {
  name: string;
  typed_config: { config: { name: string; root_id: string; vm_config: { vm_id: string; code: object } } };
}

/** All HTTP filters of the listener, to be changed in place: the decider, the holder, the router. */
export function httpFilters(bootstrap: Bootstrap): WasmFilter[] {
  return connectionManager(bootstrap).http_filters as unknown as WasmFilter[];
}

/** Gives the holder a VM of its own, as Envoy Gateway gives every filter one, and Istio for a moment of an upgrade. */
export const apart: Adjustment = (bootstrap) => {
  const [, holder] = httpFilters(bootstrap);
  if (holder === undefined) throw new Error('there is no pair');
  holder.typed_config.config.vm_config = { ...holder.typed_config.config.vm_config, vm_id: 'another' };
};

/** Copies of the filters, in another order, or more or fewer of them. */
export function arranged(arrange: (decider: WasmFilter, holder: WasmFilter) => readonly WasmFilter[]): Adjustment {
  return (bootstrap) => {
    const filters = httpFilters(bootstrap);
    const [decider, holder] = filters.splice(0, 2);
    if (decider === undefined || holder === undefined) throw new Error('there is no pair');
    filters.unshift(
      ...arrange(decider, holder).map((filter, index) => ({ ...filter, name: `${filter.name}-${index}` })),
    );
  };
}
