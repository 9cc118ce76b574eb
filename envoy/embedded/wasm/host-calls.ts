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
import type { HostCall } from './host-call.ts';
import type { HostFunctions, WasmVm } from './vm.ts';

/** All host calls, for one VM. */
export function hostCalls(instance: WasmInstance): Partial<HostFunctions> {
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
  const calls = families.flatMap((family) => Object.entries(family(instance)));
  // Each belongs to one VM already: the one that calls is no news to it. All parameters are named, since a list of them
  // would be made for each call.
  const behindVm = ([name, call]: [string, HostCall]) => {
    const run = call as (...parameters: unknown[]) => number;
    return [
      name,
      (_vm: WasmVm, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, ...more: unknown[]) =>
        more.length === 0 ? run(a, b, c, d, e) : run(a, b, c, d, e, ...more),
    ] as const;
  };
  return Object.fromEntries(calls.map(behindVm));
}
