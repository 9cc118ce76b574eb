import type { ErrorRows } from '../error-rows.ts';

export const endpointErrors = {
  foreign_page: {
    status: 403,
    message: 'the request comes from a page of another origin; open the page of this server itself',
  },
  no_endpoints: {
    status: 404,
    message:
      'where the gateway %s is reached is not known here; put the URL of its /mcp into the file endpoints beside its sluice.yaml',
  },
  unknown_endpoint: {
    status: 404,
    message: '%s is no endpoint of the gateway %s; GET /gateways/%s/endpoints lists them',
  },
  try_unanswered: {
    status: 502,
    message: '%s gave no answer: %s; see whether the gateway runs, and whether its file endpoints is right',
  },
  endpoints_invalid: { status: 503, message: 'the file endpoints of the gateway %s cannot be used: %s' },
  tries_under_way: { status: 503, message: '%s test calls are under way already; try again when one has ended' },
} as const satisfies ErrorRows;
