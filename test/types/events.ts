/** What a listener is told, and what a snapshot says. See `client.ts` for how this is a test. */
import {
  createServiceClient,
  memoryRegistry,
  type ClientEvent,
  type ClientSnapshot,
  type EventOf,
  type EventType,
} from 'fairlead';
import type { Equal, Expect } from './expect.js';

const client = createServiceClient({ service: 'users', registry: memoryRegistry() });

// The payload follows from the name.
export const stop: () => void = client.on('instance.down', ({ instance, reason, forMs, service, at }) => {
  const told: [string, string, number, string, number] = [instance, reason, forMs, service, at];
  return told;
});
client.once('call.retried', ({ attempt, delayMs }) => attempt + delayMs);
client.off('panic.left', ({ eligible, members }) => eligible < members);
client.on('attempt.ended', ({ outcome }) => outcome);
// @ts-expect-error -- a name that there is not
client.on('instance.ejected', () => undefined);
// @ts-expect-error -- of another event
client.on('instance.up', ({ reason }) => reason);
// @ts-expect-error -- read only
client.on('call.ended', event => (event.attempts = 1));

export const describeEvent = (event: ClientEvent): string => {
  // @ts-expect-error -- not before it is known which
  void event.forMs;
  switch (event.type) {
    case 'instance.down':
      return `${event.instance} is out for ${event.forMs} ms`;
    case 'registry.problem':
      return event.problem.message;
    default:
      return event.service;
  }
};
createServiceClient({ service: 'a', registry: memoryRegistry(), onEvent: event => describeEvent(event) });

export type Narrows = Expect<Equal<EventOf<'instance.up'>['afterMs'], number>>;
export type Names = Expect<EventOf<EventType> extends ClientEvent ? true : false>;

export const states = ({ instances }: ClientSnapshot): readonly ('serving' | 'out' | 'trial')[] =>
  instances.map(({ state }) => state);
export const json: ClientSnapshot = JSON.parse(JSON.stringify(client.snapshot())) as ClientSnapshot;
