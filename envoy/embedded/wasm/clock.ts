/** Wall clock time since 1970, in milliseconds; fractions count. */
export function nowMilliseconds(): number {
  return performance.timeOrigin + performance.now();
}

export function nowNanoseconds(): bigint {
  return BigInt(Math.round(nowMilliseconds() * 1000)) * 1000n;
}
