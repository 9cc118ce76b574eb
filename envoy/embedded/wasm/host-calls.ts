// Every import of module `env` but the two that do not concern the host, one file for each family.
import { bufferCalls } from './calls/buffers.ts';
import { calloutCalls } from './calls/callouts.ts';
import { foreignCalls } from './calls/foreign.ts';
import { headerCalls } from './calls/headers.ts';
import { metricCalls } from './calls/metrics.ts';
import { propertyCalls } from './calls/properties.ts';
import { sharedCalls } from './calls/shared.ts';
import { streamCalls } from './calls/streams.ts';
import { timeCalls } from './calls/time.ts';
import type { WasmInstance } from './instance.ts';
import type { HostFunction } from './vm.ts';

/** Names to functions, for one VM. They return a Result. */
export function hostCalls(instance: WasmInstance): Record<string, HostFunction> {
  const families = [
    bufferCalls,
    calloutCalls,
    foreignCalls,
    headerCalls,
    metricCalls,
    propertyCalls,
    sharedCalls,
    streamCalls,
    timeCalls,
  ];
  return Object.assign({}, ...families.map((family) => family(instance))) as Record<string, HostFunction>;
}
