import type { Message } from './message.ts';
import type { WasmCode, WasmPlugin } from './model.ts';
import { type JsonValue, encodeStruct } from './struct.ts';

const nothing = new Uint8Array(0);

/** envoy.extensions.filters.http.wasm.v3.Wasm. @param environment of the process: what host_env_keys name */
export function readWasm(message: Message, environment: NodeJS.ProcessEnv): WasmPlugin {
  return message.message('config', (config) => readPlugin(config, environment));
}

function readPlugin(config: Message, environment: NodeJS.ProcessEnv): WasmPlugin {
  const failOpen = config.flag('fail_open');
  return {
    name: config.text('name'),
    rootId: config.text('root_id'),
    failurePolicy: config.choice(
      'failure_policy',
      ['FAIL_CLOSED', 'FAIL_OPEN', 'FAIL_RELOAD'],
      failOpen ? 'FAIL_OPEN' : 'FAIL_CLOSED',
    ),
    reloadBackoff: config.message('reload_config', (reload) =>
      reload.message('backoff', (backoff) => backoff.duration('base_interval', 1000)),
    ),
    allowOnHeadersStopIteration: config.flag('allow_on_headers_stop_iteration'),
    configuration: readConfiguration(config, 'configuration'),
    vm: config.message('vm_config', (vm) => readVm(vm, environment)),
    capabilities: config.optional('capability_restriction_config', (restriction) =>
      Object.keys(
        restriction.map('allowed_capabilities', (sanitization) => {
          sanitization.ignore('name');
        }),
      ),
    ),
  };
}

function readVm(vm: Message, environment: NodeJS.ProcessEnv): WasmPlugin['vm'] {
  vm.choice('runtime', ['envoy.wasm.runtime.v8'], 'envoy.wasm.runtime.v8');
  vm.ignore('allow_precompiled');
  return {
    id: vm.text('vm_id'),
    configuration: readConfiguration(vm, 'configuration'),
    code: vm.message('code', readCode),
    environment: vm.message('environment_variables', (variables) => readEnvironment(variables, environment)),
    nackOnCodeCacheMiss: vm.flag('nack_on_code_cache_miss'),
  };
}

function readEnvironment(variables: Message, environment: NodeJS.ProcessEnv): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of variables.texts('host_env_keys')) {
    const value = environment[name];
    if (value !== undefined) values[name] = value;
  }
  const given = variables.raw('key_values') ?? {};
  return { ...values, ...(given as Record<string, string>) };
}

function readCode(code: Message): WasmCode {
  const remote = code.optional('remote', readRemote);
  const local = code.optional('local', (source) => readLocal(source));
  const found = remote ?? local;
  if (found === undefined) code.problem('local', 'expected a file, inline bytes or remote code');
  return found ?? { kind: 'inline', bytes: nothing };
}

function readLocal(source: Message): WasmCode {
  if (source.has('filename')) return { kind: 'file', path: source.text('filename') };
  if (source.has('inline_bytes')) return { kind: 'inline', bytes: Buffer.from(source.text('inline_bytes'), 'base64') };
  return { kind: 'inline', bytes: Buffer.from(source.text('inline_string')) };
}

function readRemote(remote: Message): WasmCode {
  const uri = remote.message('http_uri', (http) => ({
    uri: http.text('uri'),
    cluster: http.text('cluster'),
    timeout: http.duration('timeout', 5000),
  }));
  if (!URL.canParse(uri.uri)) remote.problem('http_uri.uri', `expected a URL, found ${JSON.stringify(uri.uri)}`);
  const sha256 = remote.text('sha256');
  if (!/^[0-9a-f]{64}$/.test(sha256)) remote.problem('sha256', 'expected 64 lower-case hexadecimal digits');
  const retry = remote.message('retry_policy', (policy) => ({
    retries: policy.count('num_retries', 1),
    backoff: policy.message('retry_back_off', (backoff) => ({
      base: backoff.duration('base_interval', 1000),
      max: backoff.duration('max_interval', 10_000),
    })),
  }));
  return { kind: 'remote', ...uri, sha256, ...retry };
}

/** StringValue and BytesValue are unwrapped, any other message reaches the module serialized: of those we can, Struct. */
function readConfiguration(message: Message, name: string): Uint8Array {
  if (!message.has(name)) return nothing;
  return (
    message.any(name, {
      'google.protobuf.StringValue': (text) => Buffer.from(text.text('value')),
      'google.protobuf.BytesValue': (bytes) => Buffer.from(bytes.text('value'), 'base64'),
      'google.protobuf.Struct': (struct) => encodeStruct((struct.raw('value') ?? {}) as Record<string, JsonValue>),
    }) ?? nothing
  );
}
