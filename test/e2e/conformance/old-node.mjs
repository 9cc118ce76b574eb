// The suite imports `globSync` of node:fs, which Node 20 does not have, for a command that is not run here. Where it is
// missing, the suite gets a node:fs that has it: `node --import this-file`.
import * as fs from 'node:fs';
import { register } from 'node:module';

if (fs.globSync === undefined) {
  const complete = `export * from 'node:fs';
    export function globSync() { throw new Error('globSync is missing in Node ${process.versions.node}'); }`;
  const hooks = `export function resolve(specifier, context, next) {
      return specifier === 'fs' && context.parentURL.includes('/conformance/')
        ? { url: ${JSON.stringify(module(complete))}, shortCircuit: true }
        : next(specifier, context);
    }`;
  register(module(hooks));
}

/** A module of this text, as an address. */
function module(text) {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}
