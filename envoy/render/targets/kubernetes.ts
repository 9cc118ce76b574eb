// An Envoy of its own in Kubernetes, where there is neither Istio nor Envoy Gateway.
import { createHash } from 'node:crypto';
import { envoyYaml } from '../../yaml/write.ts';
import { endpointOf, environmentNames } from '../bootstrap.ts';
import { refuse } from '../refuse.ts';
import { moduleConfiguration } from '../servers.ts';
import { capabilityIssuersOf, issuersOf } from '../token-filter.ts';
import { parseUpstream } from '../upstream.ts';
import { clusterHost } from './cluster-host.ts';
import { debianAuthorities, renderedBootstrap } from './envoy.ts';
import { isolatedSessions, noPolledCatalog } from './notes.ts';
import type { RenderOptions } from './options.ts';
import type { RenderedGateway, Rendering, Target } from './target.ts';

const name = 'sluice-gateway';
/** Where the pods listen: above 1023, for a user that is not root. */
const port = 10_000;
/** Envoy's own images run as this user. */
const user = 101;
const labels = { 'app.kubernetes.io/name': name };

export const kubernetesTarget: Target = {
  summary: 'Kubernetes: an Envoy of its own, behind a Service',
  hostModes: ['hold', 'pair', 'headers'],
  otherModes: 'it is one of hold, pair, headers',
  foreignClusters: false,
  catalog: noPolledCatalog,
  options: {
    namespace: 'sluice',
    'cluster-domain': 'cluster.local',
    image: 'envoyproxy/envoy:v1.40.0',
    replicas: '2',
    authorities: debianAuthorities,
  },
  render: renderKubernetes,
};

function renderKubernetes(gateway: RenderedGateway, options: RenderOptions): Rendering {
  checkReachable(gateway, options['cluster-domain']);
  const configuration = envoyYaml(
    renderedBootstrap(gateway, { ...options, listen: `0.0.0.0:${port}`, admin: '127.0.0.1:9901' }),
  );
  const variables = environmentNames(moduleConfiguration(gateway));
  const { namespace } = options;
  const metadata = { name, namespace, labels };
  return {
    documents: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'envoy.yaml': configuration } },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: {
          replicas: Number(options.replicas),
          selector: { matchLabels: labels },
          template: {
            // Pods are replaced where the configuration is another: Envoy reads it at its start alone.
            metadata: { labels, annotations: { 'sluice/configuration': digestOf(configuration) } },
            spec: podOf({ image: options.image, variables, endpoint: endpointOf(gateway.plugin) }),
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'mcp', appProtocol: 'http' }] },
      },
      {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata,
        spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
      },
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata,
        spec: {
          podSelector: { matchLabels: labels },
          // What leaves is not listed: a policy sees the ports of pods, and a URL has that of a Service.
          policyTypes: ['Ingress'],
          ingress: [{ ports: [{ port: 'mcp', protocol: 'TCP' }] }],
        },
      },
    ],
    notes: [
      ...(variables.length > 0 ? [`The Secret sluice in ${namespace} has to have: ${variables.join(', ')}`] : []),
      ...isolatedSessions(gateway.plugin),
    ],
  };
}

/** @throws EngineError for what no pod could reach */
function checkReachable({ servers, plugin }: RenderedGateway, domain: string): void {
  const urls = [
    ...servers.map(({ entry }, index) => [`servers[${index}].url`, String(entry['url'])]),
    ...(
      [
        ['auth', issuersOf(plugin)],
        ['allowedCapabilities', capabilityIssuersOf(plugin)],
      ] as const
    ).flatMap(([section, issuers]) =>
      issuers.flatMap(({ jwks }, index) =>
        'url' in jwks ? [[`${section}.issuers[${index}].jwks.url`, jwks.url]] : [],
      ),
    ),
  ] as [string, string][];
  refuse(
    urls.flatMap(([place, url]) => {
      try {
        clusterHost(parseUpstream(url), domain);
        return [];
      } catch (error) {
        return [`${place}: ${(error as Error).message}`];
      }
    }),
  );
}

interface Pod {
  readonly image: string;
  readonly variables: readonly string[];
  readonly endpoint: string;
}

function podOf({ image, variables, endpoint }: Pod): object {
  const answers = { httpGet: { path: `${endpoint}/-/health`, port: 'mcp' } };
  return {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 60,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'envoy',
        image,
        command: ['envoy', '-c', '/etc/sluice/envoy.yaml', '--disable-hot-restart'],
        ports: [{ name: 'mcp', containerPort: port, protocol: 'TCP' }],
        ...(variables.length > 0 && {
          env: variables.map((each) => ({
            name: each,
            valueFrom: { secretKeyRef: { name: 'sluice', key: each } },
          })),
        }),
        // The listener opens when the module is there. Where it could not be had for minutes, a new start tries again.
        startupProbe: { ...answers, periodSeconds: 2, failureThreshold: 150 },
        readinessProbe: { ...answers, periodSeconds: 5 },
        livenessProbe: { tcpSocket: { port: 'mcp' }, periodSeconds: 10 },
        // Envoy ends at once: until Services have noticed, requests still come.
        lifecycle: { preStop: { sleep: { seconds: 10 } } },
        resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '1Gi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'configuration', mountPath: '/etc/sluice', readOnly: true }],
      },
    ],
    volumes: [{ name: 'configuration', configMap: { name } }],
  };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
