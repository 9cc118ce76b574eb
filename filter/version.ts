import { literal } from './bytes/span';

/** Equal to the version in package.json; a test holds them together. */
const VERSION = '0.1.0';

/** The value of `x-mcp-gateway`. */
export const PRODUCT = literal('sluice/' + VERSION);
/** An Implementation of MCP: what we say we are, to clients and to servers whose client did not say. */
export const OUR_INFO = literal('{"name":"sluice","version":"' + VERSION + '"}');
