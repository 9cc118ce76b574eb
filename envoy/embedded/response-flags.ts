/** The response flags of Envoy in the order of their bits, by their short names. (envoy: stream_info.h) */
const order = [
  ...[
    'LH',
    'UH',
    'UT',
    'LR',
    'UR',
    'UF',
    'UC',
    'UO',
    'NR',
    'DI',
    'FI',
    'RL',
    'UAEX',
    'RLSE',
    'DC',
    'URX',
    'SI',
    'IH',
    'DPE',
  ],
  ...['UMSDR', 'RFCF', 'NFCF', 'DT', 'UPE', 'NC', 'OM', 'DF', 'DO'],
];

/** As get_property has them: a bit each. */
export function flagBits(flags: ReadonlySet<string>): bigint {
  let bits = 0n;
  for (const flag of flags) bits |= 1n << BigInt(order.indexOf(flag));
  return bits;
}
