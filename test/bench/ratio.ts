/** The ratio of figures that were measured in turns: the mean of their logarithms, and where it is with 95 % (Student's t). */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** @param below and `above` in pairs, all positive */
export function ratioOf(above: readonly number[], below: readonly number[]): Ratio {
  const logs = above.map((one, index) => Math.log(one / (below[index] ?? Number.NaN)));
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length;
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1);
  const margin = studentT(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), low: Math.exp(mean - margin), high: Math.exp(mean + margin) };
}

/** The two-sided 95 % quantile; within 0.01 from five degrees of freedom on (Abramowitz and Stegun, 26.7.5). */
function studentT(freedom: number): number {
  const z = 1.959964;
  const [first, second] = [(z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96];
  return z + first / freedom + second / freedom ** 2;
}
