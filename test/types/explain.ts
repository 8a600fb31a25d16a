/** Explanations and logs. See `client.ts` for how this is a test. */
import {
  createServiceClient,
  formatExplanation,
  isFairleadError,
  logEvents,
  memoryRegistry,
  registerService,
  type CallExplanation,
  type LoggedEvent,
} from 'fairlead';
import type { Equal, Expect } from './expect.js';

const registry = memoryRegistry();
const log = logEvents(console);
const client = createServiceClient({ service: 'users', registry, onEvent: log });
export const service = registerService({ service: 'users', registry, port: 1, onEvent: log });
export type OneForBoth = Expect<Equal<typeof log, (event: LoggedEvent) => void>>;

export const stop: () => void = logEvents(client, console, { level: 'debug', levels: { 'instance.up': false } });
// @ts-expect-error -- an event that there is not
logEvents(console, { levels: { 'instance.gone': 'info' } });
// @ts-expect-error -- no logger
logEvents(client);
// @ts-expect-error -- a logger without warn
logEvents({ info: console.info, error: console.error });

export const text = (thrown: unknown): string => {
  const explanation: CallExplanation | undefined = client.explain(thrown);
  if (isFairleadError(thrown)) return formatExplanation(thrown.explain());
  // @ts-expect-error -- read only
  if (explanation) explanation.attempts = 1;
  return formatExplanation(explanation);
};
