// WASI as far as Envoy has it: a clock, randomness, the environment, and lines for the log. There are no files.
import { randomFillSync } from 'node:crypto';
import type { HostFunction, WasmVm } from './vm.ts';

/** __wasi_errno_t */
const SUCCESS = 0;
const EBADF = 8;
const EFAULT = 21;
const EINVAL = 28;
const ENOENT = 44;
const ENOSYS = 52;
const ENOTSUP = 58;

const mostRandom = 65_536;
const stdout = 1;
const stderr = 2;

export interface WasiSurroundings {
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (level: number, text: string) => void;
}

/** What is there only so that modules of other languages can be loaded; nothing calls it to any effect. */
const inert: Readonly<Record<string, number>> = {
  args_get: SUCCESS,
  clock_res_get: ENOTSUP,
  fd_advise: ENOSYS,
  fd_allocate: ENOSYS,
  fd_close: SUCCESS,
  fd_datasync: ENOSYS,
  fd_fdstat_set_flags: ENOSYS,
  fd_fdstat_set_rights: ENOSYS,
  fd_filestat_get: ENOTSUP,
  fd_filestat_set_size: ENOSYS,
  fd_filestat_set_times: ENOSYS,
  fd_pread: ENOSYS,
  fd_prestat_dir_name: ENOSYS,
  fd_prestat_get: EBADF,
  fd_pwrite: ENOSYS,
  fd_read: ENOSYS,
  fd_readdir: ENOSYS,
  fd_renumber: ENOSYS,
  fd_seek: SUCCESS,
  fd_sync: ENOSYS,
  fd_tell: ENOSYS,
  path_create_directory: ENOSYS,
  path_filestat_get: ENOTSUP,
  path_filestat_set_times: ENOSYS,
  path_link: ENOSYS,
  path_open: ENOENT,
  path_readlink: ENOSYS,
  path_remove_directory: ENOSYS,
  path_rename: ENOSYS,
  path_symlink: ENOSYS,
  path_unlink_file: ENOSYS,
  poll_oneoff: SUCCESS,
  proc_exit: SUCCESS, // returns: what a module does after it is its own business
  sched_yield: SUCCESS,
  sock_accept: ENOSYS,
  sock_recv: ENOSYS,
  sock_send: ENOSYS,
  sock_shutdown: ENOSYS,
};

export function wasiFunctions(vm: WasmVm, { environment, log }: WasiSurroundings): Record<string, HostFunction> {
  const variables = Object.entries(environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
  const done = (written: boolean): number => (written ? SUCCESS : EFAULT);
  return {
    ...Object.fromEntries(Object.entries(inert).map(([name, result]) => [name, () => result])),

    args_sizes_get: (count: number, size: number) => done(vm.writeU32(count, 0) && vm.writeU32(size, 0)),

    environ_sizes_get: (count: number, size: number) => {
      const bytes = variables.reduce((sum, variable) => sum + variable.length, 0);
      return done(vm.writeU32(count, variables.length) && vm.writeU32(size, bytes));
    },

    environ_get: (pointers: number, data: number) => {
      let at = data;
      for (const [index, variable] of variables.entries()) {
        if (!vm.writeU32(pointers + 4 * index, at) || !vm.write(at, variable)) return EFAULT;
        at += variable.length;
      }
      return SUCCESS;
    },

    clock_time_get: (clock: number, _precision: bigint, out: number) => {
      if (clock === 0) return done(vm.writeU64(out, nowNanoseconds()));
      if (clock === 1) return done(vm.writeU64(out, process.hrtime.bigint()));
      return ENOTSUP;
    },

    random_get: (pointer: number, length: number) => {
      if (length >>> 0 > mostRandom) return EINVAL;
      return done(vm.write(pointer, randomFillSync(new Uint8Array(length >>> 0))));
    },

    fd_fdstat_get: (file: number, out: number) => {
      if (file !== stdout && file !== stderr) return EBADF;
      const stat = new Uint8Array(24);
      stat[8] = 64; // __WASI_RIGHTS_FD_WRITE
      return done(vm.write(out, stat));
    },

    fd_write: (file: number, vectors: number, count: number, outWritten: number) => {
      if (file !== stdout && file !== stderr) return EBADF;
      let text = '';
      let written = 0;
      for (let index = 0; index < count; index++) {
        const pointer = vm.readU32(vectors + 8 * index);
        const length = vm.readU32(vectors + 8 * index + 4);
        const part = pointer === undefined || length === undefined ? undefined : vm.readText(pointer, length, 'utf8');
        if (part === undefined) return EFAULT;
        text += part;
        written += length ?? 0;
      }
      if (written > 0) log(file === stdout ? 2 : 4, text.replace(/\n$/, ''));
      return done(vm.writeU32(outWritten, written));
    },
  };
}

/** Wall clock time since 1970. */
export function nowNanoseconds(): bigint {
  return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
}
