/** One registration of ours, one caller, and a witness that is neither: what every fault is tried on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ClientEvent, Registration } from '../../../src/index.js';
import { DiscoveryClient } from '../../../src/discovery/discovery-client.js';
import { eventually, type Cluster, type ServerNode } from '../../servers/index.js';
import type { AnyRegistry, KindName } from './open-registry.js';
import { countAsked, openWire, type Wire } from './wire.js';

/** Somebody who looks at a registry, and writes to it, without fairlead. */
export interface Witness {
  /** Whether the entry is there and serves, as this server says. */
  has(service: string, id: string): Promise<boolean>;
  /** Writes a lasting entry at 127.0.0.1; resolves when the registry has it. */
  put(service: string, id: string, port: number): Promise<void>;
}

/** What differs between the registries. */
export interface Kind {
  readonly name: KindName;
  /** Writes go on while a leader stands still: Consul's wait for it, as long as their connection to it, half a minute. */
  readonly outlivesStillLeader: boolean;
  start(nodes: 1 | 3): Promise<Cluster>;
  witness(node: ServerNode): Witness;
  /** A server that asks for credentials. */
  locked(): Promise<Locked>;
}

export interface Locked {
  readonly cluster: Cluster;
  /** Uses credentials that are good only between `grant()` and `revoke()`. */
  open(address: string): AnyRegistry;
  readonly witness: Witness;
  /** Must be said by nobody. */
  readonly secret: string;
  /** Called with the service that it is about. */
  grant(service: string): Promise<void>;
  revoke(service: string): Promise<void>;
}

export const TTL_MS = 3_000;
/** Longer than a registration or a session lives. */
export const BEYOND_TTL_MS = TTL_MS + 1_500;
/** How soon after a registry is back the registration is, and … */
export const BACK_WITHIN_MS = TTL_MS + 2_000;
/** … the set: a caller knows no TTL but the default one. */
export const SEEN_WITHIN_MS = 15_000 + 2_000;
/** For each server, with two registries. A busy loop makes thousands. */
const CALM_PER_SECOND = 30;

export interface Scene extends AsyncDisposable {
  readonly service: string;
  readonly wires: readonly Wire[];
  readonly reader: AnyRegistry;
  readonly events: readonly ClientEvent[];
  /** How many instances each set had that was published. */
  readonly sizes: readonly number[];
  /** What happened to the registration but for errors. */
  readonly told: readonly string[];
  readonly pending: Promise<Registration>;
  /** As a service client sees them; none before the first set. */
  ids(): readonly string[];
}

export interface SceneParts {
  /** The way to each server. */
  readonly wires: readonly Wire[];
  readonly open: () => AnyRegistry;
  /** @default TTL_MS */
  readonly ttlMs?: number | undefined;
  /** @default one that no other scene has */
  readonly service?: string | undefined;
}

let scenes = 0;
/** Of what is written late: two at one address and port would count once. */
let port = 7_100;
export const freshService = (): string => `faulty-${(scenes += 1)}`;

export const openWires = ({ nodes }: Cluster): Promise<readonly Wire[]> =>
  Promise.all(nodes.map(({ address }) => openWire(address)));

export const setScene = ({ wires, open, ttlMs = TTL_MS, service = freshService() }: SceneParts): Scene => {
  const [registrar, reader] = [open(), open()];
  const events: ClientEvent[] = [];
  const sizes: number[] = [];
  const told: string[] = [];
  let ids: readonly string[] = [];
  const discovery = new DiscoveryClient({ registry: reader, onEvent: event => void events.push(event) });
  discovery.subscribe(service, {
    changed({ instances }) {
      ids = instances.map(({ id }) => id).sort();
      sizes.push(instances.length);
    },
  });
  const pending = registrar.register({ id: 'own', service, address: '127.0.0.1', port: 7_001 }, { ttlMs });
  pending.then(
    registration => {
      for (const type of ['lost', 'restored'] as const) registration.on(type, () => void told.push(type));
    },
    () => undefined,
  );
  return {
    ...{ service, wires, reader, events, sizes, told, pending },
    ids: () => ids,
    async [Symbol.asyncDispose]() {
      await discovery.close();
      await Promise.all([registrar.close(), reader.close()]);
      await Promise.all(wires.map(wire => wire[Symbol.asyncDispose]()));
    },
  };
};

/** Our own registration and one entry that somebody else wrote, both seen. */
export const settled = async (scene: Scene, witness: Witness): Promise<Scene> => {
  await scene.pending;
  await witness.put(scene.service, 'other', 7_002);
  await eventually(() => expect(scene.ids()).toEqual(['other', 'own']));
  return scene;
};

/** While the registry is away: nobody asks in a hurry, and who was known stays known. Gives the figure. */
export const calmFor = async (scene: Scene, ms: number, kept = scene.ids()): Promise<number> => {
  const stop = countAsked(scene.wires);
  await sleep(ms);
  const { perSecond } = stop();
  expect(perSecond).toBeLessThan(CALM_PER_SECOND * scene.wires.length);
  expect(scene.ids()).toEqual(expect.arrayContaining([...kept]));
  return perSecond;
};

export interface Recovery {
  readonly witness: Witness;
  /** @default TTL_MS */
  readonly ttlMs?: number | undefined;
  /** Another entry to write, once in a test. @default 'late' */
  readonly late?: string | undefined;
}

export interface Recovered {
  readonly backMs: number;
  readonly seenMs: number;
}

/** From now on: the witness sees our entry again in time, and what it writes is seen by us. */
export const rightAgain = async (
  scene: Scene,
  { witness, ttlMs = TTL_MS, late = 'late' }: Recovery,
): Promise<Recovered> => {
  const from = performance.now();
  const registration = await eventually(() => scene.pending, { withinMs: ttlMs + 2_000, what: 'the registration' });
  await eventually(
    async () => {
      expect(registration.state).toBe('registered');
      expect(await witness.has(scene.service, 'own')).toBe(true);
    },
    { withinMs: ttlMs + 2_000, what: 'the registration to be back' },
  );
  const backMs = performance.now() - from;
  // A cluster that elects may refuse a write, or be long about it: what counts is when it has it.
  await eventually(() => witness.put(scene.service, 'other', 7_002), { withinMs: 50_000 });
  port += 1;
  await eventually(() => witness.put(scene.service, late, port), { withinMs: 50_000 });
  const expected = [late, 'other', 'own'];
  await eventually(() => expect(scene.ids()).toEqual(expect.arrayContaining(expected)), {
    withinMs: SEEN_WITHIN_MS,
    what: 'the set to be right',
  });
  return { backMs, seenMs: performance.now() - from };
};
