import { describe, expect, test } from 'vitest';
import { HeaderMap } from '../../envoy/embedded/header-map.ts';
import { accessLogFormatter } from '../../envoy/embedded/observe/access-log.ts';
import { prometheusText } from '../../envoy/embedded/observe/prometheus.ts';
import { StatsStore } from '../../envoy/embedded/observe/stats-store.ts';
import type { StreamInfo } from '../../envoy/embedded/stream-info.ts';

const info: StreamInfo = {
  connectionId: 1,
  protocol: 'HTTP/2',
  startTime: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  endTime: Date.UTC(2026, 0, 2, 3, 4, 5, 48),
  downstreamRemote: { address: '::1', port: 7 },
  downstreamDirectRemote: { address: '::1', port: 7 },
  downstreamLocal: { address: '127.0.0.1', port: 8 },
  requestHeaders: new HeaderMap([
    [':method', 'POST'],
    [':path', '/mcp?a=1'],
    ['x-quote', 'say "hi"'],
  ]),
  requestTrailers: undefined,
  responseHeaders: new HeaderMap([['content-type', 'text/plain']]),
  responseTrailers: undefined,
  bytesReceived: 3,
  bytesSent: 4,
  responseCode: 200,
  responseCodeDetails: 'via_upstream',
  responseFlags: new Set(['UF', 'URX']),
  routeName: undefined,
  virtualHost: undefined,
  upstreamCluster: undefined,
  upstreamHost: undefined,
  filterState: new Map([['wasm.mcp_tool', Buffer.from('wetter_ä')]]),
  dynamicMetadata: {},
};

describe('the access log', () => {
  test.each([
    ['%START_TIME%', '2026-01-02T03:04:05.006Z'],
    ['%DOWNSTREAM_REMOTE_ADDRESS%', '[::1]:7'],
    ['%REQ(:METHOD)% %PATH(NQ)% %PROTOCOL%', 'POST /mcp HTTP/2'],
    ['%REQ(X-NONE?X-QUOTE)%', 'say "hi"'],
    ['%RESP(Content-Type)%', 'text/plain'],
    ['%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%', '200 UF,URX via_upstream'],
    ['%DURATION% %BYTES_RECEIVED% %BYTES_SENT%', '42 3 4'],
    ['%UPSTREAM_CLUSTER% %FILTER_STATE(wasm.mcp_tool:PLAIN)%', '- wetter_ä'],
    ['100 % of it', '100 % of it'],
  ])('%s is %s', (format, text) => {
    expect(accessLogFormatter({ file: undefined, format })(info)).toBe(text);
  });

  test('in JSON keeps numbers numbers, and what is not there null', () => {
    const format = {
      ms: '%DURATION%',
      cluster: '%UPSTREAM_CLUSTER%',
      both: '%PROTOCOL% %BYTES_SENT%',
      quote: '%REQ(x-quote)%',
    };
    const line = accessLogFormatter({ file: undefined, format })(info);
    expect(line).toBe('{"ms":42,"cluster":null,"both":"HTTP/2 4","quote":"say \\"hi\\""}\n');
  });

  test('names the operator that it does not have', () => {
    expect(() => accessLogFormatter({ file: undefined, format: '%TRACE_ID%' })).toThrow('%TRACE_ID% is not supported');
  });
});

test('statistics are what Prometheus expects, labels cut out of names', () => {
  const stats = new StatsStore();
  stats.counter('wasmcustom.sluice_requests_total.server=a.b.end').add(2n);
  stats.counter('http.mcp.downstream_rq_2xx').add(1n);
  stats.gauge('wasmcustom.sluice_config.server="x\\y.end').set(3n);
  stats.counter('wasmcustom.1st').add(1n);
  stats.histogram('wasmcustom.sluice_ms').record(7n);
  const text = prometheusText(stats, [{ name: 'server', regex: /^wasmcustom\.sluice_.*?(\.server=(.*?)\.end)/ }]);
  expect(text.split('\n').filter((line) => !/le="(?!5"|10"|\+Inf)/.test(line))).toEqual([
    '# TYPE envoy_http_mcp_downstream_rq_2xx counter',
    'envoy_http_mcp_downstream_rq_2xx{} 1',
    '# TYPE sluice_requests_total counter',
    'sluice_requests_total{server="a.b"} 2',
    '# TYPE sluice_config gauge',
    'sluice_config{server="\\"x\\\\y"} 3',
    '# TYPE sluice_ms histogram',
    'sluice_ms_bucket{le="5"} 0',
    'sluice_ms_bucket{le="10"} 1',
    'sluice_ms_bucket{le="+Inf"} 1',
    'sluice_ms_sum{} 7',
    'sluice_ms_count{} 1',
    '',
  ]);
  expect(stats.text()).toContain('http.mcp.downstream_rq_2xx: 1\n');
});
