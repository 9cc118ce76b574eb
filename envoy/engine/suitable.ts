import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { typeUrl } from '../render/type-urls.ts';

export const hostModes = ['hold', 'pair', 'headers'] as const;
export type HostMode = (typeof hostModes)[number];

/** The oldest Envoy that each host mode works on, with what is missing before. */
const oldest: Record<HostMode, { minor: number; because: string }> = {
  hold: { minor: 35, because: 'allow_on_headers_stop_iteration came with 1.35' },
  pair: { minor: 36, because: 'it is the oldest one that host mode pair was tried on' },
  headers: { minor: 36, because: 'it is the oldest one that host mode headers was tried on' },
};

/** Either the version of an Envoy that can run the module, or why it cannot. */
export type Suitability = { readonly version: string } | { readonly defect: string };

/**
 * Asks the binary itself: which version it is, and whether it can run WebAssembly. Takes about 0.2 s.
 * @param path an executable file that may be Envoy
 */
export async function judgeEnvoy(path: string, mode: HostMode): Promise<Suitability> {
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    return { defect: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : 'not executable' };
  }
  const asked = await run(path, ['--version']);
  const [, version, minor] = /version: [^/\s]*\/(1\.(\d+)\.\d+[^/\s]*)\//.exec(asked.output) ?? [];
  if (version === undefined) return { defect: `not Envoy: --version says ${firstLine(asked.output)}` };
  if (Number(minor) < oldest[mode].minor) {
    return { defect: `Envoy ${version} is older than 1.${oldest[mode].minor} (${oldest[mode].because})` };
  }
  const probed = await run(path, [
    '--mode',
    'validate',
    '--disable-hot-restart',
    '--log-level',
    'error',
    '--config-yaml',
    v8Probe,
  ]);
  if (probed.failed) {
    const why = noV8.test(probed.output)
      ? 'was built without V8 and cannot run WebAssembly'
      : `fails: ${firstLine(probed.output)}`;
    return { defect: `Envoy ${version} ${why}` };
  }
  return { version };
}

/** What an Envoy without V8 says to any module (seen with the packaged 1.38.3). */
export const noV8 = /Wasm VM failed Failed to load Wasm code|Failed to create Wasm VM using envoy\.wasm\.runtime\.v8/;

/**
 * The smallest module that the host accepts: memory, `proxy_abi_version_0_2_1`, an allocator. `--version` does not say
 * whether V8 was compiled in, and the start log would cost a start.
 */
const smallestModule =
  'AGFzbQEAAAABCQJgAABgAX8BfwMDAgABBQMBAAEHPwMXcHJveHlfYWJpX3ZlcnNpb25fMF8yXzEAAAZtZW1vcnkCABhwcm94eV9vbl9tZW1vcnlfYWxsb2NhdGUAAQoJAgIACwQAQQAL';

const v8Probe = JSON.stringify({
  static_resources: {
    listeners: [
      {
        name: 'probe',
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } }, // validated, never bound
        filter_chains: [
          {
            filters: [
              {
                name: 'envoy.filters.network.http_connection_manager',
                typed_config: {
                  '@type': typeUrl.connectionManager,
                  stat_prefix: 'probe',
                  route_config: {},
                  http_filters: [
                    {
                      name: 'probe',
                      typed_config: {
                        '@type': typeUrl.wasm,
                        config: {
                          vm_config: {
                            runtime: 'envoy.wasm.runtime.v8',
                            code: { local: { inline_bytes: smallestModule } },
                          },
                        },
                      },
                    },
                    { name: 'router', typed_config: { '@type': typeUrl.router } },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  },
});

/** Runs to the end, at most 10 s; never throws: a program that cannot be started is one that failed. */
export function run(
  file: string,
  args: readonly string[],
  env = process.env,
): Promise<{ failed: boolean; output: string }> {
  return new Promise((resolve) => {
    execFile(
      file,
      args,
      { env, timeout: 10_000, killSignal: 'SIGKILL', maxBuffer: 16 << 20 },
      (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`.trim();
        resolve({ failed: error !== null, output: output === '' && error !== null ? error.message : output });
      },
    );
  });
}

function firstLine(text: string): string {
  return JSON.stringify(text.split('\n', 1)[0]?.slice(0, 200) ?? '');
}
