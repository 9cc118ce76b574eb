import { BlockList, isIP } from 'node:net';
import { matchesGlob } from './glob.ts';

/** Networks that no service is reached at, but those of this machine and of the cloud it runs in. */
const specialNetworks: readonly (readonly [network: string, prefix: number, meaning: string])[] = [
  ['0.0.0.0', 8, 'this host'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local, where clouds have their metadata'],
  ['100.100.100.200', 32, 'the metadata of a cloud'],
  ['168.63.129.16', 32, 'the metadata of a cloud'],
  ['192.0.0.0', 24, 'the metadata of a cloud'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  ['::', 128, 'this host'],
  ['::1', 128, 'loopback'],
  ['fe80::', 10, 'link-local'],
  ['fd00:ec2::254', 128, 'the metadata of a cloud'],
  ['fd20:ce::254', 128, 'the metadata of a cloud'],
  ['ff00::', 8, 'multicast'],
  ['64:ff9b::', 96, 'IPv4 by another way'],
  ['64:ff9b:1::', 48, 'IPv4 by another way'],
  ['2002::', 16, 'IPv4 by another way'],
];

const specialNames = [
  'localhost',
  '*.localhost',
  'localhost.*',
  'ip6-localhost',
  'ip6-loopback',
  'metadata',
  'metadata.*',
  'instance-data',
  'instance-data.*',
];

/** Where the servers of a catalog may be. */
export class AddressPolicy {
  readonly #everywhere: boolean;
  readonly #networks = new BlockList();
  /** Those that were named for their own sake: 0.0.0.0/0 names no loopback. */
  readonly #special = new BlockList();
  readonly #names: readonly string[];

  /** @param allowed networks, addresses and globs of names; absent: everything but what is special */
  constructor(allowed: readonly string[] | undefined) {
    this.#everywhere = allowed === undefined;
    const names: string[] = [];
    for (const text of allowed ?? []) {
      const network = parseNetwork(text);
      if (network === undefined) names.push(text.toLowerCase());
      else {
        const { address, prefix, family } = network;
        this.#networks.addSubnet(address, prefix, family);
        if (meaningOf(address) !== undefined && prefix >= 8) this.#special.addSubnet(address, prefix, family);
      }
    }
    this.#names = names;
  }

  /** Why a catalog may not lead there; undefined where it may. @param host an address or a name, without brackets */
  refusal(host: string): string | undefined {
    const canonical = canonicalHost(host);
    if (canonical === undefined) return `${JSON.stringify(host.slice(0, 60))} is no address and no name`;
    const advice = 'name it in catalog.addresses of the gateway if it is meant';
    if (isIP(canonical) === 0) {
      const isNamed = this.#names.some((glob) => matchesGlob(glob, canonical));
      if (isNamed) return undefined;
      if (specialNames.some((glob) => matchesGlob(glob, canonical)))
        return `${canonical} is this machine or its cloud; ${advice}`;
      return this.#everywhere ? undefined : `${canonical} is not one of catalog.addresses of the gateway`;
    }
    const family = familyOf(canonical);
    const meaning = meaningOf(canonical);
    if (meaning !== undefined) {
      return this.#special.check(canonical, family) ? undefined : `${canonical} is special (${meaning}); ${advice}`;
    }
    if (this.#everywhere || this.#networks.check(canonical, family)) return undefined;
    return `${canonical} is in none of the networks in catalog.addresses of the gateway`;
  }
}

/** What an address means, where it is special. An IPv4 address within one of IPv6 is judged as itself. */
function meaningOf(address: string): string | undefined {
  const family = familyOf(address);
  for (const [network, prefix, meaning] of specialNetworks) {
    const list = new BlockList();
    list.addSubnet(network, prefix, familyOf(network));
    if (list.check(address, family)) return meaning;
  }
  return undefined;
}

/**
 * A host as resolvers read it: `127.1`, `0x7f000001` and `2130706433` are addresses to them (WHATWG URL, host parser),
 * and so is an IPv4 address that is written as one of IPv6.
 */
function canonicalHost(host: string): string | undefined {
  const text = isIP(host) === 6 ? `[${host.replace(/%.*$/, '')}]` : host.replace(/\.$/, '');
  if (!URL.canParse(`http://${text}/`)) return undefined;
  const { hostname } = new URL(`http://${text}/`);
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

function parseNetwork(text: string): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', digits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = digits === undefined ? longest : Number(digits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > longest) return undefined;
  return { address, prefix, family: familyOf(address) };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
