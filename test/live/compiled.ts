import { type Compiled, compile } from '../../plugin-server/live/compile.ts';
import { parseGatewayFile } from '../../plugin-server/live/gateway-file.ts';

const made = new Map<string, Compiled>();

/** A gateway with these servers, compiled with a module that no engine would take. */
export function compiledOf(servers: readonly string[], hostMode: 'hold' | 'pair' = 'hold'): Compiled {
  const key = `${servers.join(' ')} ${hostMode}`;
  const compiled = made.get(key) ?? compileGateway(servers, hostMode);
  made.set(key, compiled);
  return compiled;
}

function compileGateway(servers: readonly string[], hostMode: string): Compiled {
  const text = JSON.stringify({
    hostMode,
    servers: servers.map((name) => ({ name, url: `http://${name}.example:8080/mcp`, prefix: `${name}_` })),
  });
  const { findings, configuration } = parseGatewayFile(text);
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (configuration?.file === undefined || errors.length > 0) throw new Error(JSON.stringify(errors));
  return compile(configuration.file, { sha256: 'ab'.repeat(32), bytes: Buffer.from('module') });
}
