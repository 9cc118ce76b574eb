/** The messages that are written into a configuration, by the type URL that Envoy knows each by. */
const urlOf = (message: string): string => `type.googleapis.com/${message}`;
const httpFilter = (message: string): string => urlOf(`envoy.extensions.filters.http.${message}`);

export const typeUrl = {
  cluster: urlOf('envoy.config.cluster.v3.Cluster'),
  extension: urlOf('envoy.config.core.v3.TypedExtensionConfig'),
  upstreamTls: urlOf('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext'),
  connectionManager: urlOf('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
  jwtAuthn: httpFilter('jwt_authn.v3.JwtAuthentication'),
  router: httpFilter('router.v3.Router'),
  wasm: httpFilter('wasm.v3.Wasm'),
  expressionFilter: urlOf('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter'),
  string: urlOf('google.protobuf.StringValue'),
} as const;
