import { levels } from '../../log.ts';
import type { WasmInstance } from '../instance.ts';
import { Result } from '../result.ts';
import type { HostFunction } from '../vm.ts';
import { nowNanoseconds } from '../wasi.ts';

const highestLevel = 5;

/** Clock, timer, log, and how the last callout fared. */
export function timeCalls(instance: WasmInstance): Record<string, HostFunction> {
  const { logger } = instance.surroundings;
  return {
    proxy_get_current_time_nanoseconds: (out: number) =>
      instance.vm.writeU64(out, nowNanoseconds()) ? Result.Ok : Result.InvalidMemoryAccess,

    proxy_set_tick_period_milliseconds: (period: number) => {
      instance.effective?.root.setTick(period >>> 0);
      return Result.Ok;
    },

    proxy_log: (level: number, message: number, length: number) => {
      if (level >>> 0 > highestLevel) return Result.BadArgument;
      const text = instance.vm.readText(message, length, 'utf8');
      if (text === undefined) return Result.InvalidMemoryAccess;
      instance.log(level, text);
      return Result.Ok;
    },

    proxy_get_log_level: (out: number) =>
      instance.vm.writeU32(out, levels.indexOf(logger.level)) ? Result.Ok : Result.InvalidMemoryAccess,

    proxy_get_status: (outCode: number, outData: number, outLength: number) => {
      const { code, message } = instance.effective?.root.status ?? { code: 0, message: '' };
      if (!instance.vm.writeU32(outCode, code)) return Result.InvalidMemoryAccess;
      return instance.vm.give(Buffer.from(message), outData, outLength);
    },
  };
}
