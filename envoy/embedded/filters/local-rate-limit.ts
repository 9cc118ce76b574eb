import type { Message } from '../config/message.ts';
import { type FilterFactory, HeadersStatus } from '../filter.ts';

/** envoy.filters.http.local_ratelimit: one bucket of tokens for all workers. */
export function readLocalRateLimit(message: Message): FilterFactory {
  message.ignore('stat_prefix');
  for (const name of ['filter_enabled', 'filter_enforced']) {
    message.message(name, (fraction) => {
      const { numerator } = fraction.message('default_value', (value) => ({ numerator: value.count('numerator') }));
      if (numerator !== 100) fraction.problem('default_value', 'the embedded engine limits all requests (100) or none');
    });
  }
  const bucket = message.message('token_bucket', (limits) => ({
    most: limits.count('max_tokens', 1),
    perFill: limits.count('tokens_per_fill', 1),
    interval: limits.duration('fill_interval', 1000),
  }));
  let tokens = bucket.most;
  let filledAt = performance.now();
  const take = (): boolean => {
    const fills = Math.floor((performance.now() - filledAt) / bucket.interval);
    filledAt += fills * bucket.interval;
    tokens = Math.min(bucket.most, tokens + fills * bucket.perFill);
    if (tokens === 0) return false;
    tokens--;
    return true;
  };
  return (callbacks) => ({
    decodeHeaders: () => {
      if (take()) return HeadersStatus.Continue;
      callbacks.sendLocalReply({ status: 429, body: 'local_rate_limited', details: 'local_rate_limited' });
      return HeadersStatus.StopIteration;
    },
  });
}
