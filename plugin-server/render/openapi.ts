import { optionNames, renderOptions } from '../../envoy/render/targets/options.ts';
import { targetNames } from '../../envoy/render/targets/index.ts';
import { read } from '../openapi.ts';

const query = (name: string, description: string): object => ({
  name,
  in: 'query',
  description,
  schema: { type: 'string' },
});

export const renderPaths = {
  '/render/{target}': {
    parameters: [{ name: 'target', in: 'path', required: true, schema: { enum: targetNames } }],
    get: {
      ...read('A gateway as YAML for Envoy, Istio, Envoy Gateway, Kubernetes', { 'application/yaml': {} }, [
        'bad_request',
        'token_required',
        'unknown_target',
        'unknown_gateway',
        'no_gateways',
        'not_rendered',
        'gateway_unready',
      ]),
      security: [{ token: [] }],
      parameters: [
        query('gateway', 'the gateway, where there are several'),
        query('server', 'this server, as gateways reach it; by default as the request did'),
        ...optionNames.map((name) => query(name, renderOptions[name].says)),
      ],
    },
  },
};
