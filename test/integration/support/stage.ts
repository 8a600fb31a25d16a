/** A fleet, a client that finds it, and a witness at the client's door to the network. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createServiceClient,
  memoryRegistry,
  systemRuntime,
  type ClientEvent,
  type Registry,
  type ServiceClient,
  type ServiceClientOptions,
} from 'fairlead';
import { startFleet, type Fleet, type Instance, type InstanceOptions } from './instance.js';
import { wallNow, type CallMade } from './load.js';

/** One request as it left the client. */
export interface Sent {
  readonly at: number;
  readonly port: number;
  readonly method: string;
  /** The header x-id. */
  readonly id: string | null;
  /** `undefined` while it is in flight: up to its headers. */
  endedAt: number | undefined;
  /** A response came, whatever its status. */
  answered: boolean;
}

export interface StageOptions extends Omit<Partial<ServiceClientOptions>, 'registry' | 'runtime'> {
  readonly fleet?: InstanceOptions;
  /** Where the client finds the fleet. @default in memory */
  readonly registry?: Registry;
}

export interface Stage extends AsyncDisposable {
  readonly fleet: Fleet;
  readonly client: ServiceClient;
  readonly sent: readonly Sent[];
  /** All but call.ended, which would be too many to keep: `counts.calls` counts them. */
  readonly events: readonly ClientEvent[];
  /** By the client's own events. */
  readonly counts: { readonly calls: number; readonly attempts: number };
  /** Attempts on this instance since `from`. */
  sentTo(instance: Instance, from: number): Sent[];
  inFlightOn(instance: Instance): Sent[];
}

const SERVICE = 'users';

export const setStage = async ({ fleet: fleetOptions, registry, ...own }: StageOptions = {}): Promise<Stage> => {
  const fleet = await startFleet(fleetOptions);
  const sent: Sent[] = [];
  const events: ClientEvent[] = [];
  const counts = { calls: 0, attempts: 0 };
  const client = createServiceClient({
    service: SERVICE,
    registry: registry ?? memoryRegistry({ instances: fleet.listed(SERVICE) }),
    runtime: { ...systemRuntime, fetch: witness(sent) },
    onEvent: event => {
      if (event.type === 'call.ended') counts.calls += 1;
      else events.push(event);
      if (event.type === 'attempt.ended') counts.attempts += 1;
    },
    ...own,
  });
  const dispose = async (): Promise<void> => {
    await client.close();
    await fleet.stop();
  };
  const to = ({ port }: Instance): Sent[] => sent.filter(each => each.port === port);
  return {
    ...{ fleet, client, sent, events, counts },
    sentTo: (instance, from) => to(instance).filter(({ at }) => at >= from),
    inFlightOn: instance => to(instance).filter(({ endedAt }) => endedAt === undefined),
    [Symbol.asyncDispose]: dispose,
  };
};

const witness =
  (sent: Sent[]): typeof fetch =>
  async (input, init) => {
    const seen: Sent = {
      at: wallNow(),
      port: Number(new URL(input).port),
      method: init?.method ?? 'GET',
      id: new Headers(init?.headers).get('x-id'),
      endedAt: undefined,
      answered: false,
    };
    sent.push(seen);
    try {
      const response = await fetch(input, init);
      seen.answered = true;
      return response;
    } finally {
      seen.endedAt = wallNow();
    }
  };

export const waitUntil = async (at: number): Promise<void> => {
  await sleep(Math.max(0, at - wallNow()));
};

/** How the calls failed, counted, for a failed test's message. */
export const reasons = (calls: readonly CallMade[]): Record<string, number> => {
  const counted: Record<string, number> = {};
  for (const { method, status, error } of calls) {
    const { cause } = (error ?? {}) as { cause?: Error };
    const reason = `${method} ${status ?? String(error)}${cause === undefined ? '' : ` (${cause.message})`}`;
    counted[reason] = (counted[reason] ?? 0) + 1;
  }
  return counted;
};

/** Requests that were on their way at the same time as one that began later. */
export const overlapping = (sent: readonly Sent[]): Sent[] =>
  sent.filter((each, index) => sent.slice(index + 1).some(later => later.at < (each.endedAt ?? Infinity)));
