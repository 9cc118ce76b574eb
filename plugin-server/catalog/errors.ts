import type { ErrorRows } from '../error-rows.ts';

/** What catalogs can complain about. */
export const catalogErrors = {
  catalog_invalid: { status: 422, message: 'the catalog %s is refused, what is given out stays: %s' },
  catalog_unready: { status: 503, message: 'the catalog %s has nothing yet: %s' },
  unknown_catalog: { status: 404, message: 'there is no catalog %s; did you mean %s?' },
  no_catalogs: { status: 404, message: 'there is no catalog %s, and no other; docs/catalog.md says how to make one' },
  catalogs_off: {
    status: 404,
    message: 'this server has no catalogs: start it with --catalogs DIR, --nacos URL or --gateways DIR',
  },
  unknown_catalog_version: { status: 404, message: 'there is no version %s of the catalog %s; there are: %s' },
  catalog_elsewhere: { status: 409, message: 'the catalog %s comes from %s: edit it there' },
  catalogs_unreadable: {
    status: null,
    message: 'cannot read the catalogs in %s (%s); name an existing directory that this user may read',
  },
} as const satisfies ErrorRows;
