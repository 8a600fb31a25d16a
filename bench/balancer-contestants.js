// Who is measured by balancers.js. Each is given the number of instances and returns the one operation that is repeated: a
// pick, or a join and a leave. Calls carry one of 8 192 keys of 11 characters in turn: more than `hashring` remembers.
import zlib from 'node:zlib';

const KEYS = Array.from({ length: 8_192 }, (_, index) => `user-${100_000 + index * 7}`);
/** Calls in flight while connections are counted. */
const OUTSTANDING = 64;

/** An endpoint as the pool keeps it: numbers that change, and whether it may serve. */
class Endpoint {
  inFlight = 0;
  latencyMs = 10;
  successRatio = 1;
  lastStartedAt = 0;
  availableAt = 0;

  constructor(name, weight) {
    this.instance = { id: name, service: 'bench', address: name, port: 80, protocol: 'http', weight };
    this.weight = weight;
  }
}

class Candidates {
  constructor(members, version) {
    this.members = members;
    this.eligible = members;
    this.version = version;
  }

  allows(endpoint) {
    return endpoint.availableAt === 0;
  }
}

const fleet = (size, weights = 1) =>
  Array.from({ length: size }, (_, index) => new Endpoint(`instance-${index}`, 1 + (index % weights)));

const call = { now: 0, hashKey: undefined, request: undefined, tried: [] };

const balancer = async (name, options) => {
  const fairlead = await import('../dist/index.js');
  return fairlead[name](options)(fairlead.systemRuntime);
};

const picking = (name, { weights = 1, options } = {}) => {
  const make = async size => {
    const subject = await balancer(name, options);
    const from = new Candidates(fleet(size, weights), 1);
    let turn = 0;
    return () => {
      call.hashKey = KEYS[(turn = (turn + 1) % KEYS.length)];
      return subject.pick(from, call);
    };
  };
  return make;
};

/** One call ends and the next one starts, with 64 outstanding. */
const counting = (pick, settled = () => undefined, started = () => undefined) => {
  const flying = [];
  let turn = 0;
  const start = () => {
    const endpoint = pick();
    endpoint.inFlight += 1;
    started(endpoint);
    return endpoint;
  };
  for (let count = 0; count < OUTSTANDING; count += 1) flying.push(start());
  return () => {
    turn = (turn + 1) & (OUTSTANDING - 1);
    const ended = flying[turn];
    ended.inFlight -= 1;
    settled(ended);
    flying[turn] = start();
  };
};

const leastConnections = async size => {
  const subject = await balancer('leastConnections');
  const from = new Candidates(fleet(size), 1);
  return counting(
    () => subject.pick(from, call),
    endpoint => subject.settled(endpoint, 'success', 1),
    endpoint => subject.started(endpoint),
  );
};

/** As in Go articles: adds the weight to each, picks the greatest. */
const naiveSmooth = size => {
  const peers = fleet(size, 8).map(({ weight }) => ({ weight, current: 0 }));
  const total = peers.reduce((sum, { weight }) => sum + weight, 0);
  return () => {
    let best;
    for (const peer of peers) {
      peer.current += peer.weight;
      if (best === undefined || peer.current > best.current) best = peer;
    }
    best.current -= total;
    return best;
  };
};

const naiveLeast = size => {
  const endpoints = fleet(size);
  return counting(() => {
    let least = endpoints[0];
    for (const endpoint of endpoints) if (endpoint.inFlight < least.inFlight) least = endpoint;
    return least;
  });
};

/** The documents' ring: crc32, 100 replicas, a sorted list and a map. */
class NaiveRing {
  #points = [];
  #owners = new Map();

  constructor(endpoints) {
    for (const endpoint of endpoints)
      for (let replica = 0; replica < 100; replica += 1) {
        const point = zlib.crc32(`${endpoint.instance.id}#${replica}`);
        this.#points.push(point);
        this.#owners.set(point, endpoint);
      }
    this.#points.sort((a, b) => a - b);
  }

  get(key) {
    const hash = zlib.crc32(key);
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#points[middle] < hash) low = middle + 1;
      else high = middle;
    }
    return this.#owners.get(this.#points[low === this.#points.length ? 0 : low]);
  }
}

const byKey = get => {
  let turn = 0;
  return () => get(KEYS[(turn = (turn + 1) % KEYS.length)]);
};

/** Two changes of members: somebody joins, and leaves again. */
const joinAndLeave = async size => {
  const subject = await balancer('consistentHash');
  const members = fleet(size);
  call.hashKey = KEYS[0];
  let version = 0;
  return () => {
    const joined = [...members, new Endpoint(`newcomer-${version}`, 1)];
    subject.pick(new Candidates(joined, (version += 1)), call);
    return subject.pick(new Candidates([...members], (version += 1)), call);
  };
};

const rebuildTwice = size => {
  const members = fleet(size);
  return () => {
    const joined = new NaiveRing([...members, new Endpoint('newcomer', 1)]).get(KEYS[0]);
    return [joined, new NaiveRing(members).get(KEYS[0])];
  };
};

const hashring = async size => {
  const { default: HashRing } = await import('hashring');
  const ring = new HashRing(fleet(size).map(({ instance }) => instance.id));
  return byKey(key => ring.get(key));
};

const consistentHashNpm = async size => {
  const { default: ConsistentHash } = await import('consistent-hash');
  const ring = new ConsistentHash();
  for (const { instance } of fleet(size)) ring.add(instance.id);
  return byKey(key => ring.get(key));
};

const loadBalancersP2c = async size => {
  const { P2cBalancer } = await import('load-balancers');
  const subject = new P2cBalancer(size);
  return () => subject.pick();
};

const ALL = [3, 64, 1_000, 10_000];

/** `sizes`: numbers of instances it is measured with. */
export const contestants = {
  'roundRobin()': { make: picking('roundRobin'), sizes: ALL },
  'random()': { make: picking('random'), sizes: ALL },
  'smoothWeighted(), 1 weight': { make: picking('smoothWeighted'), sizes: [64, 10_000] },
  'smoothWeighted(), 8 weights': { make: picking('smoothWeighted', { weights: 8 }), sizes: [64, 10_000] },
  'smoothWeighted(), 64 weights': { make: picking('smoothWeighted', { weights: 64 }), sizes: [64, 10_000] },
  'naive smooth weighted': { make: naiveSmooth, sizes: [64, 10_000] },
  'leastConnections()': { make: leastConnections, sizes: ALL },
  'naive least connections': { make: naiveLeast, sizes: [3, 1_000] },
  'p2c()': { make: picking('p2c'), sizes: ALL },
  'npm load-balancers, P2c': { make: loadBalancersP2c, sizes: [3, 10_000] },
  'consistentHash(), ring': { make: picking('consistentHash'), sizes: ALL },
  'consistentHash(), maglev': { make: picking('consistentHash', { options: { algorithm: 'maglev' } }), sizes: ALL },
  "the documents' ring": { make: size => byKey(key => ring(size).get(key)), sizes: [3, 1_000] },
  'npm consistent-hash': { make: consistentHashNpm, sizes: [3, 1_000] },
  'npm hashring': { make: hashring, sizes: [3, 1_000] },
  'consistentHash(): join and leave': { make: joinAndLeave, sizes: [1_000] },
  "the documents' ring: built twice": { make: rebuildTwice, sizes: [1_000] },
};

let built;
const ring = size => (built ??= new NaiveRing(fleet(size)));
