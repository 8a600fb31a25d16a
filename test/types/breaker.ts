/** What has to compile, and what must not: `npm run typecheck` is the test, nothing here runs. */
import type { EventEmitter } from 'node:events';
import {
  CircuitBreaker,
  createServiceClient,
  memoryRegistry,
  type CircuitSnapshot,
  type Gate,
  type OpossumBreaker,
  type ServiceClient,
} from 'fairlead';
import type { Equal, Expect } from './expect.js';

const registry = memoryRegistry();
const client: ServiceClient = createServiceClient({ service: 'users', registry, circuitBreaker: { minCalls: 50 } });
createServiceClient({ service: 'users', registry, circuitBreaker: false });
createServiceClient({ service: 'users', registry, circuitBreaker: { consecutiveFailures: false, slowCallMs: 500 } });
// @ts-expect-error -- opossum's name
createServiceClient({ service: 'users', registry, circuitBreaker: { errorThresholdPercentage: 50 } });
// @ts-expect-error -- on by default: there is nothing to switch on
createServiceClient({ service: 'users', registry, circuitBreaker: true });

// An opossum, by what it has.
export type Handle = Expect<Equal<ServiceClient['breaker'], OpossumBreaker | undefined>>;
export const emitter: EventEmitter | undefined = client.breaker;
client.breaker?.on('failure', (error: Error, ms: number) => void [error.message, ms]).open();
// @ts-expect-error -- calls are made through the client
void client.breaker?.fire();
// @ts-expect-error -- counted by the client only
client.breaker!.stats.fires = 0;

const circuit = new CircuitBreaker({ tripWhen: ({ calls, failures }) => failures / calls >= 0.6 });
export const gate: Gate = circuit;
export const sent: Promise<number> = circuit.execute(() => 7);
export const later: Promise<string> = circuit.execute(async () => 'sent');
circuit.restore(JSON.parse(JSON.stringify(circuit.snapshot())) as CircuitSnapshot);
// @ts-expect-error -- our name is consecutiveFailures
new CircuitBreaker({ failureThreshold: 5 });
// @ts-expect-error -- an outcome
circuit.leave(0, 'failed');
