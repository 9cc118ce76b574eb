// What is left of an operating system: standard output is the log, and there are no files. Errors are those that Envoy
// 1.40.0 gives, which are not always the standard's. (cpp-host: exports.cc)
import { randomFillSync } from 'node:crypto';
import type { Arguments } from '../../../proxy-wasm/abi.ts';
import type { wasiFunctions } from '../../../proxy-wasm/signatures.ts';
import type { LogLevel } from '../log.ts';
import type { GuestMemory } from './memory.ts';

const Errno = { success: 0, badf: 8, exist: 20, fault: 21, inval: 28, noent: 44, nosys: 52, notsup: 58 } as const;
type Errno = (typeof Errno)[keyof typeof Errno];

const Clock = { realtime: 0, monotonic: 1 } as const;
/** The most for one call. */
const MOST_RANDOM = 65_536;
/** The most for one call; Envoy takes all that its own memory takes. */
const MOST_WRITTEN = 16 * 1024 * 1024;
const IOVEC = 8;
const NEWLINE = 0x0a;
/** fs_rights_base: fd_write, and nothing else. */
const fdstat = new Uint8Array(new BigUint64Array([0n, 64n, 0n]).buffer);

/** What is needed of the VM that calls. */
interface Caller {
  readonly options: {
    readonly environment: Readonly<Record<string, string>>;
    readonly now: () => number;
    readonly random?: (bytes: Uint8Array) => void;
    readonly report: (level: LogLevel, text: string) => void;
  };
  readonly memory: GuestMemory;
  log(level: LogLevel, text: string): void;
  bytes(pointer: number, length: number): Uint8Array | undefined;
  writeU32(pointer: number, value: number): boolean;
  writeU64(pointer: number, value: bigint): boolean;
}

type WasiFunctions = {
  readonly [Name in keyof typeof wasiFunctions]: (
    vm: Caller,
    ...args: Arguments<(typeof wasiFunctions)[Name]>
  ) => Errno;
};

const succeed = (): Errno => Errno.success;
const unsupported = (): Errno => Errno.notsup;
const unimplemented = (): Errno => Errno.nosys;
const badFile = (): Errno => Errno.badf;
/** Done for standard output and error, where it means nothing. */
const onOutput = (_vm: Caller, fd: number): Errno => (isOutput(fd) ? Errno.success : Errno.badf);
const traced =
  (name: string) =>
  (vm: Caller): Errno => {
    vm.options.report('trace', `wasi_unstable ${name}`);
    return Errno.success;
  };

export const wasi: WasiFunctions = {
  args_get: succeed,
  args_sizes_get: (vm, count, size) => written(vm.writeU32(count, 0) && vm.writeU32(size, 0)),
  environ_get: environGet,
  environ_sizes_get: (vm, count, size) => {
    const variables = environment(vm);
    const total = variables.reduce((sum, { length }) => sum + length, 0);
    return written(vm.writeU32(count, variables.length) && vm.writeU32(size, total));
  },

  clock_res_get: (vm, clock, out) => (isClock(clock) ? written(vm.writeU64(out, 1n)) : Errno.notsup),
  clock_time_get: (vm, clock, _precision, out) => {
    if (!isClock(clock)) return Errno.notsup;
    const wallClock = (): bigint => BigInt(Math.round(vm.options.now() * 1000)) * 1000n;
    return written(vm.writeU64(out, clock === Clock.realtime ? wallClock() : process.hrtime.bigint()));
  },
  random_get: (vm, out, length) => {
    if (length > MOST_RANDOM) return Errno.inval;
    const bytes = new Uint8Array(length);
    (vm.options.random ?? randomFillSync)(bytes);
    return written(vm.memory.write(out, bytes));
  },

  fd_write: write,
  fd_pwrite: (vm, fd, vectors, count, _offset, out) => write(vm, fd, vectors, count, out),
  fd_fdstat_get: (vm, fd, out) => {
    if (!isOutput(fd)) return Errno.badf;
    vm.memory.write(out, fdstat); // Envoy does not look whether it was in bounds.
    return Errno.success;
  },
  fd_tell: (vm, fd, out) => (isOutput(fd) ? written(vm.writeU64(out, 0n)) : Errno.badf),
  fd_readdir: (vm, _fd, _buffer, _length, _cookie, out) => (vm.writeU32(out, 0) ? Errno.exist : Errno.fault),
  fd_renumber: (_vm, from, to) => (isOutput(from) && isOutput(to) ? Errno.notsup : Errno.badf),
  poll_oneoff: (vm, _subscriptions, _events, _count, out) => written(vm.writeU32(out, 0)),

  fd_close: traced('fd_close'),
  fd_seek: traced('fd_seek'),
  /** Does not end anything: what stands behind it runs, mostly `unreachable`. */
  proc_exit: traced('proc_exit'),
  sched_yield: succeed,
  fd_advise: succeed,
  fd_allocate: onOutput,
  fd_datasync: onOutput,
  fd_fdstat_set_rights: onOutput,
  fd_filestat_set_size: onOutput,
  fd_filestat_set_times: onOutput,
  fd_sync: onOutput,
  fd_filestat_get: badFile,
  /** Ends the search for preopened directories. */
  fd_prestat_get: badFile,
  fd_fdstat_set_flags: unimplemented,
  fd_pread: unimplemented,
  fd_prestat_dir_name: unimplemented,
  fd_read: unimplemented,
  path_open: () => Errno.noent,
  path_create_directory: unsupported,
  path_filestat_get: unsupported,
  path_filestat_set_times: unsupported,
  path_link: unsupported,
  path_readlink: unsupported,
  path_remove_directory: unsupported,
  path_rename: unsupported,
  path_symlink: unsupported,
  path_unlink_file: unsupported,
  sock_accept: unsupported,
  sock_recv: unsupported,
  sock_send: unsupported,
  sock_shutdown: unsupported,
};

function environment(vm: Caller): Buffer[] {
  return Object.entries(vm.options.environment).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
}

function environGet(vm: Caller, pointers: number, texts: number): Errno {
  for (const [index, variable] of environment(vm).entries()) {
    if (!vm.writeU32(pointers + 4 * index, texts) || !vm.memory.write(texts, variable)) return Errno.fault;
    texts += variable.length;
  }
  return Errno.success;
}

/** One line of the log per call, without the newline at its end. */
function write(vm: Caller, fd: number, vectors: number, count: number, out: number): Errno {
  if (!isOutput(fd)) return Errno.badf;
  const bytes = gather(vm, vectors, count);
  if (!bytes) return Errno.fault;
  const end = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  if (bytes.length > 0) vm.log(fd === 1 ? 'info' : 'error', bytes.toString('utf8', 0, end));
  return written(vm.writeU32(out, bytes.length));
}

/** @returns undefined: out of bounds, or more than anybody logs */
function gather(vm: Caller, vectors: number, count: number): Buffer | undefined {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let index = 0; index < count; index++) {
    const pointer = vm.memory.readU32(vectors + IOVEC * index);
    const length = vm.memory.readU32(vectors + IOVEC * index + 4);
    if (pointer === undefined || length === undefined) return undefined;
    if (length === 0) continue;
    total += length;
    const part = total > MOST_WRITTEN ? undefined : vm.bytes(pointer, length);
    if (!part) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function isOutput(fd: number): boolean {
  return fd === 1 || fd === 2;
}

function isClock(clock: number): boolean {
  return clock === Clock.realtime || clock === Clock.monotonic;
}

function written(inBounds: boolean): Errno {
  return inBounds ? Errno.success : Errno.fault;
}
