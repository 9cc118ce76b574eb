// What clients that use a token, or a virtual server, see of each symptom: a command of curl, and the answer of the gateway,
// which test/e2e/hold/troubleshooting.test.ts runs against each other.
import type { SymptomId } from '../../cli/doctor/symptoms.ts';

export interface Example {
  readonly symptom: SymptomId;
  /** What is shown. */
  readonly title: string;
  readonly curl: string;
  /** Status, the headers that matter, and the body. */
  readonly answer: string;
}

/** Where the gateway of the examples is. */
export const exampleOrigin = 'http://127.0.0.1:10000';

/** The plugin configuration of the gateway that the examples are of, but for its servers and the keys of its issuer. */
export const examplePlugin = {
  publicUrl: exampleOrigin,
  root: 'team-a/all',
  virtualServers: [
    { name: 'team-a/all', tools: ['*'] },
    { name: 'team-a/none', tools: ['nothing_*'] },
  ],
} as const;

const types = `  -H 'content-type: application/json' -H 'accept: application/json, text/event-stream' \\\n`;
const initialize =
  `  -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",` +
  `"capabilities":{},"clientInfo":{"name":"curl","version":"1"}}}'`;

function post(path: string, header: string, body: string): string {
  return `curl -si ${exampleOrigin}${path} \\\n${types}  -H "${header}" \\\n${body}`;
}

const message = (method: string, params: string): string =>
  `  -d '{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}'`;

const notGood = (fault: string): string =>
  `{"jsonrpc":"2.0","id":1,"error":{"code":-31001,"message":"This gateway needs to know who asks, and the token of this request is not good: ${fault}. Get a new token for this gateway and send it as Authorization: Bearer; if that does not help, who runs the gateway compares auth.issuers with the token.","data":{"reason":"unauthenticated"}}}`;
const unauthenticated =
  '{"jsonrpc":"2.0","id":1,"error":{"code":-31001,"message":"This gateway needs to know who asks, and the request says nothing that it can use. Send a valid token; if you did, check identity in the configuration, and the filter before this one that provides it.","data":{"reason":"unauthenticated"}}}';
const metadata = `resource_metadata="${exampleOrigin}/.well-known/oauth-protected-resource/mcp"`;
const unknown = (name: string): string =>
  `{"jsonrpc":"2.0","id":1,"error":{"code":-31004,"message":"Unknown virtual server: ${name}. Name one that is configured, as <namespace>/<name>, in the path behind the endpoint; where the endpoint itself is open, once in x-mcp-virtualserver does as well.","data":{"reason":"unknown_virtual_server"}}}`;

/** `$TOKEN` is a good token, `$OLD_TOKEN` one that expired; `$SESSION` the id of a session at that path. */
export const examples: readonly Example[] = [
  {
    symptom: 'challenge',
    title: 'Without a token: a challenge that says where the metadata are',
    curl: `curl -si ${exampleOrigin}/mcp \\\n${types}${initialize}`,
    answer: `401\nwww-authenticate: Bearer ${metadata}\n\n${unauthenticated}`,
  },
  {
    symptom: 'metadata',
    title: 'The metadata, without a token',
    curl: `curl -si ${exampleOrigin}/.well-known/oauth-protected-resource/mcp`,
    answer: `200\n\n{"resource":"${exampleOrigin}/mcp","authorization_servers":["https://id.example.com"],"bearer_methods_supported":["header"]}`,
  },
  {
    symptom: 'token',
    title: 'A token that has expired: `invalid_token`',
    curl: post('/mcp', 'authorization: Bearer $OLD_TOKEN', initialize),
    answer: `401\nwww-authenticate: Bearer error="invalid_token", error_description="it has expired", ${metadata}\n\n${notGood('it has expired')}`,
  },
  {
    symptom: 'token-lost',
    title: 'A good token where none is looked for: the answer is the one without a token',
    curl: post('/mcp', 'authorization: Token $TOKEN', initialize),
    answer: `401\nwww-authenticate: Bearer ${metadata}\n\n${unauthenticated}`,
  },
  {
    symptom: 'virtual-server',
    title: 'A virtual server that does not exist, in the path',
    curl: post('/mcp/team-a/nobody', 'authorization: Bearer $TOKEN', initialize),
    answer: `200\n\n${unknown('team-a/nobody')}`,
  },
  {
    symptom: 'virtual-server',
    title: 'The same in the header',
    curl: post('/mcp', 'authorization: Bearer $TOKEN" -H "x-mcp-virtualserver: team-a', initialize),
    answer: `200\n\n${unknown('team-a')}`,
  },
  {
    symptom: 'empty-list',
    title: 'A virtual server whose patterns match nothing',
    curl: post(
      '/mcp/team-a/none',
      'authorization: Bearer $TOKEN" -H "mcp-session-id: $SESSION',
      message('tools/list', '{}'),
    ),
    answer: '200\n\n{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}',
  },
  {
    symptom: 'unknown-tool',
    title: 'A tool that this virtual server does not have',
    curl: post(
      '/mcp/team-a/none',
      'authorization: Bearer $TOKEN" -H "mcp-session-id: $SESSION',
      message('tools/call', '{"name":"weather_get"}'),
    ),
    answer:
      '200\n\n{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool: weather_get. Call tools/list for the names that exist here.","data":{"reason":"unknown_tool"}}}',
  },
];
