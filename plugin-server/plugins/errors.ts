import type { ErrorRows } from '../error-rows.ts';

/** What can be wrong with plugins that are asked for, or served. */
export const pluginsErrors = {
  invalid_name: {
    status: 400,
    message: '%s is not a plugin name: use lower-case letters, digits, ".", "_" and "-"',
  },
  invalid_version: {
    status: 400,
    message: '%s is not a version: versions are exact, like 1.2.3; to read, a range like ^1.2 or latest will do too',
  },
  unknown_plugin: { status: 404, message: 'there is no plugin %s; did you mean %s? GET /plugins lists all' },
  no_plugin: { status: 404, message: 'there is no plugin %s, nor any other one yet; publish one with sluice publish' },
  unknown_version: { status: 404, message: 'there is no version %s of %s; did you mean %s? GET /plugins/%s lists all' },
  no_match: { status: 404, message: 'no version of %s is in the range %s; GET /plugins/%s lists all' },
  unsigned: { status: 404, message: '%s has no signature; one is published with PUT on this path' },
  precondition_failed: { status: 412, message: 'what is there is not what if-match asks for; its etag is %s' },
  range_not_satisfiable: { status: 416, message: 'the range lies outside the module, which has %s bytes' },
  not_wasm: { status: 422, message: '%s is no WebAssembly module that can be served: %s' },
  withheld: {
    status: 503,
    message:
      '%s is not given out: %s, and one by %s is needed here; put its signature beside it, as plugin.wasm.sig, or publish both with sluice publish --signature FILE',
  },
  damaged: {
    status: 503,
    message: '%s is damaged on disk (%s) and not served; publish the same bytes again, or restore the file',
  },
  duplicate_artifact: { status: null, message: '%s is there twice; a version is immutable, publish a new one' },
  data_unreadable: { status: null, message: 'cannot read %s (%s); name an existing directory that this user may read' },
  data_invalid: { status: null, message: '%s cannot be served as it is; correct or remove:\n%s' },
  data_empty: {
    status: null,
    message: 'no plugin in %s; put one at <name>/<version>/plugin.wasm, or allow publishing with --token-file',
  },
} as const satisfies ErrorRows;
