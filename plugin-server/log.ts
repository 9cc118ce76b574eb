import type { FastifyBaseLogger } from 'fastify';

/** Where the server tells its operator what happens beside requests: pino's form, fields first. */
export type Log = Pick<FastifyBaseLogger, 'info' | 'warn' | 'error'>;
