import { describe, expect, test } from 'vitest';
import { diagnose, lastLines, moduleLines } from '../../envoy/engine/diagnosis.ts';

/** Lines as Envoys 1.36 to 1.40 wrote them, shortened at their ends only. */
const recorded: readonly [what: string, log: string, kind: string, message: string][] = [
  [
    'a taken port',
    "[2026-11-21 10:39:26.545][23862][critical][main] [source/server/server.cc:449] error `cannot bind '127.0.0.1:42519': Address already in use` initializing config 'goo.gle/debugproto   /tmp/envoy.json'",
    'environment',
    'Envoy cannot listen on 127.0.0.1:42519: address already in use',
  ],
  [
    'no V8 (the packaged 1.38.3)',
    `[2026-11-21 10:02:49.897][6458][error][wasm] [source/extensions/common/wasm/wasm.cc:103] Wasm VM failed Failed to load Wasm code
[2026-11-21 10:02:49.898][6458][critical][wasm] [source/extensions/common/wasm/wasm.cc:616] Plugin sluice failed to load
[2026-11-21 10:02:49.900][6458][critical][main] [source/server/config_validation/server.cc:76] error initializing configuration '': Unable to create Wasm plugin sluice`,
    'environment',
    'this Envoy was built without V8 and cannot run WebAssembly',
  ],
  [
    'a missing import',
    '[2026-11-21 10:02:49.897][6458][error][wasm] [source/extensions/common/wasm/wasm.cc:103] Wasm VM failed Failed to load Wasm module due to a missing import: env.proxy_get_status',
    'environment',
    'this Envoy does not offer env.proxy_get_status, which the module imports',
  ],
  [
    'a refused plugin configuration',
    `[2026-11-21 10:39:26.670][23869][critical][wasm] [source/extensions/common/wasm/context.cc:1159] wasm log sluice sluice-00: configuration refused: limts: is not a member
[2026-11-21 10:39:26.671][23869][critical][wasm] [source/extensions/common/wasm/wasm.cc:467] Plugin configured to fail closed failed to load`,
    'configuration',
    'the plugin configuration was refused',
  ],
  [
    'an extension that was compiled out',
    "[2026-11-21 10:39:38.809][23881][critical][main] [source/server/server.cc:449] error `Unable to parse JSON as proto (INVALID_ARGUMENT: could not find @type 'type.googleapis.com/x.v3.Nope'): {\"admin\":{}}` initializing config 'x'",
    'environment',
    'this Envoy was built without type.googleapis.com/x.v3.Nope',
  ],
  [
    'a bootstrap with an unknown field',
    "[2026-11-21 10:39:51.837][23949][critical][main] [source/server/server.cc:453] error `Protobuf message (… @   static_resources.listeners[0]: no such  field:   'bogus') has unknown fields` initializing config '  /tmp/x.json'",
    'configuration',
    "Envoy refuses its configuration: Protobuf message (… @ static_resources.listeners[0]: no such field: 'bogus') has unknown fields",
  ],
  [
    'a module that could not be fetched',
    '[2026-11-21 10:39:26.671][23869][debug][config] [source/common/config/remote_data_fetcher.cc:1] Retry limit exceeded for fetching data from remote data source.',
    'environment',
    'Envoy could not fetch the module: the plugin server did not answer, or with other bytes than sha256 says',
  ],
];

describe('diagnose', () => {
  test.each(recorded)('%s', (_, log, kind, message) => {
    expect(diagnose(`[info] before\n${log}\n[info] after\n`)).toMatchObject({ kind, message });
  });

  test('says nothing of a log that has none of it', () => {
    expect(
      diagnose('[2026-11-21 10:39:26.693][1][info][main] [source/server/server.cc:1098] all is well\n'),
    ).toBeUndefined();
  });
});

describe('moduleLines', () => {
  test("are the module's own words, each once, and nobody else's", () => {
    const line = (text: string): string => `[2026-11-21 10:39:26.670][1][warning][wasm] [source/x.cc:1154] ${text}`;
    const log = [
      line('wasm log sluice sluice-00: no session key: one was made'),
      line('wasm log sluice sluice sluice-00: weather: upstream_timeout: 3s'),
      line('wasm log sluice sluice-00: no session key: one was made'),
      line('Wasm remote code fetch is unstable and may cause a crash'),
      line('wasm log sluice: quiet').replace('warning', 'info'),
    ];
    expect(moduleLines(log.join('\n'))).toEqual(['no session key: one was made', 'weather: upstream_timeout: 3s']);
  });
});

test('lastLines are the end of a log, none of them longer than a screen', () => {
  expect(lastLines('1\n2\n3\n', 2)).toEqual(['2', '3']);
  expect(lastLines('x'.repeat(10_000))[0]).toHaveLength(500);
});
