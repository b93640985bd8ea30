/**
 * Which addresses this program may connect to for its users, who choose a server's address but not what the machine it
 * runs on can reach. Decided by the address that a connection is really made to, so that a name which changes its
 * address between the check and the request gets nowhere.
 */
import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import { ConnectorError } from '../protocol/errors.ts';

/** What a socket asks for addresses; the type that `net.connect` takes. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
) => void;

/** Never asked, whatever is allowed: nothing that speaks for a SonarQube Server lives there, and clouds hand out keys there. */
const NEVER = blockList([
  '0.0.0.0/8', // this host, whatever it listens on
  '169.254.0.0/16', // link-local, the metadata services of most clouds among it
  '168.63.129.16/32', // Azure's wire server
  '100.100.100.200/32', // Alibaba's metadata service
  '192.0.0.192/32', // Oracle's
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  'fd00:ec2::/32', // Amazon's
  'fd20:ce::254/128', // Google's
]);
const NEVER_NAMES = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** Usable by those who run it beside their server, refused with `public`. */
const PRIVATE = blockList([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1/128',
  'fc00::/7',
  '64:ff9b:1::/48',
]);

export class Egress {
  readonly #publicToo: boolean;
  readonly #networks: BlockList;
  readonly #names: readonly string[];
  readonly #all: boolean;

  private constructor(all: boolean, publicToo: boolean, networks: readonly string[], names: readonly string[]) {
    this.#all = all;
    this.#publicToo = publicToo;
    this.#networks = blockList(networks);
    this.#names = names;
  }

  /** Everything but what is never asked. */
  static readonly any = new Egress(true, true, [], []);

  /** `public`, and/or host names (`*.example.com` too), addresses and networks, separated by commas; empty: any. */
  static parse(text: string): Egress {
    const words = text.split(/[\s,]+/).filter((word) => word !== '');
    if (words.length === 0 || words.includes('any')) return Egress.any;
    const others = words.filter((word) => word !== 'public').map((word) => word.toLowerCase());
    const networks = others.filter((word) => isNetwork(word));
    const names = others.filter((word) => !isNetwork(word));
    const wrong = names.find((name) => !/^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/.test(name) || /^[\d.]+$/.test(name));
    if (wrong !== undefined) {
      throw new ConnectorError(
        'invalid_arguments',
        `SOUNDINGS_EGRESS holds "${wrong}", which is no host, address or network; write for example "public" or "sonar.example.com, *.corp.example, 10.1.0.0/16".`,
      );
    }
    return new Egress(false, words.includes('public'), networks, names);
  }

  /** Why this address may not be asked, in words that go behind its name; null when it may. */
  problem(hostname: string, address: string): string | null {
    const forms = formsOf(address);
    if (forms.some((form) => contains(NEVER, form))) {
      return 'leads to a link-local, metadata or other special address, which is never asked';
    }
    if (this.#all || this.#allowsName(hostname) || forms.some((form) => contains(this.#networks, form))) return null;
    const isPrivate = forms.some((form) => contains(PRIVATE, form));
    if (!isPrivate && this.#publicToo) return null;
    return `${isPrivate ? 'leads to a private address' : 'is not on the list of servers'}, which SOUNDINGS_EGRESS does not allow here`;
  }

  /** The same before there is an address: for numbers, and names that are known for what they are. */
  problemOfHost(host: string): string | null {
    const name = bare(host);
    if (isIP(name) !== 0) return this.problem(name, name);
    if (NEVER_NAMES.has(name)) return 'is a metadata service, which is never asked';
    return null;
  }

  /** Throws `invalid_arguments` when the host of this URL may not be asked. */
  check(url: string): void {
    const { hostname } = new URL(url);
    const problem = this.problemOfHost(hostname);
    if (problem !== null) throw refused(bare(hostname), problem);
  }

  /** Addresses for a socket, which then connects to just these. */
  readonly lookup: Lookup = (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      for (const { address } of addresses) {
        const problem = this.problemOfHost(hostname) ?? this.problem(hostname, address);
        if (problem !== null) {
          callback(refused(hostname, problem), []);
          return;
        }
      }
      const [first] = addresses;
      if (options.all === true || !first) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  /** For a server behind a proxy, which finds its address itself: as far as it can be told from here. */
  async checkBehindProxy(url: string): Promise<void> {
    const { hostname } = new URL(url);
    this.check(url);
    if (isIP(bare(hostname)) !== 0 || this.#allowsName(hostname)) return;
    const addresses = await new Promise<LookupAddress[]>((resolve) => {
      // a name that only the proxy knows is the proxy's to judge
      systemLookup(hostname, { all: true }, (error, found) => resolve(error ? [] : found));
    });
    for (const { address } of addresses) {
      const problem = this.problem(hostname, address);
      if (problem !== null) throw refused(hostname, problem);
    }
  }

  #allowsName(hostname: string): boolean {
    const name = bare(hostname);
    return this.#names.some((allowed) =>
      allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : name === allowed.replace(/\.$/, ''),
    );
  }
}

function refused(hostname: string, problem: string): ConnectorError {
  return new ConnectorError('invalid_arguments', `The address cannot be used: ${hostname} ${problem}.`, {
    details: { address: problem },
  });
}

/** Without the brackets of an IPv6 address and the dot at the end of a name. */
const bare = (hostname: string): string =>
  hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

function isNetwork(word: string): boolean {
  const [address = '', bits, ...rest] = word.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** An address and the IPv4 address that an IPv6 one may carry: mapped, NAT64, 6to4. */
function formsOf(address: string): readonly string[] {
  const plain = address.replace(/%.*$/, '');
  if (isIP(plain) !== 6) return [plain];
  const groups = groupsOf(plain);
  const [a, b] = groups;
  const last = [groups[6] ?? 0, groups[7] ?? 0] as const;
  const zeros = groups.slice(0, 5).every((group) => group === 0);
  if (zeros && (groups[5] === 0xffff || (groups[5] === 0 && last[0] !== 0))) return [plain, dotted(...last)];
  if (a === 0x64 && b === 0xff9b) return [plain, dotted(...last)];
  if (a === 0x2002) return [plain, dotted(b ?? 0, groups[2] ?? 0)];
  return [plain];
}

const dotted = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

/** The eight groups of an IPv6 address, however it is written. */
function groupsOf(address: string): number[] {
  // the URL parser writes every form as hexadecimal groups
  const text = bare(new URL(`http://[${address}]`).hostname);
  const [head = '', tail] = text.split('::');
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(head), read(tail ?? '')];
  return tail === undefined
    ? before
    : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
