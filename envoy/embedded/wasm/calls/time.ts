import { levels } from '../../log.ts';
import type { WasmInstance } from '../instance.ts';
import { WasmResult } from '../../../../proxy-wasm/result.ts';
import type { HostCall } from '../host-call.ts';
import { nowNanoseconds } from '../clock.ts';

/** Clock, timer, log, and how the last callout fared. */
export function timeCalls(instance: WasmInstance): Record<string, HostCall> {
  const { logger } = instance.surroundings;
  return {
    proxy_get_current_time_nanoseconds: (out: number) =>
      instance.vm.writeU64(out, nowNanoseconds()) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess,

    proxy_set_tick_period_milliseconds: (period: number) => {
      instance.effective?.root.setTick(period >>> 0);
      return WasmResult.Ok;
    },

    proxy_log: (level: number, message: number, length: number) => {
      const named = levels[level];
      if (named === undefined) return WasmResult.BadArgument;
      const text = instance.vm.text(message, length, 'utf8');
      if (text === undefined) return WasmResult.InvalidMemoryAccess;
      instance.log(named, text);
      return WasmResult.Ok;
    },

    proxy_get_log_level: (out: number) =>
      instance.vm.writeU32(out, levels.indexOf(logger.level)) ? WasmResult.Ok : WasmResult.InvalidMemoryAccess,

    proxy_get_status: (outCode: number, outData: number, outLength: number) => {
      const { code, message } = instance.effective?.root.status ?? { code: 0, message: '' };
      if (!instance.vm.writeU32(outCode, code)) return WasmResult.InvalidMemoryAccess;
      return instance.vm.give(Buffer.from(message), outData, outLength);
    },
  };
}
