import { describe } from '../core/errors.js';
import type { LifecycleEventOf, LifecycleEventType } from '../core/lifecycle-events.js';
import { lasting, type LogEntry } from './log-words.js';

/** How the events of `registerService` are written. */
export const LIFECYCLE_ENTRIES: { readonly [T in LifecycleEventType]: LogEntry<LifecycleEventOf<T>> } = {
  state: { level: 'info', about: ({ state }) => state, says: ({ state, from }) => `${state}, was ${from}` },
  'registration.made': {
    level: 'info',
    about: ({ id }) => id,
    says: ({ id, address, port }) => `registered as ${id} at ${address}:${port}`,
  },
  'registration.late': {
    level: 'warn',
    says: ({ waitedMs }) => `not in the registry yet, after ${lasting(waitedMs)}`,
  },
  'registration.lost': {
    level: 'error',
    about: ({ id }) => id,
    says: ({ id, cause }) =>
      `the registration of ${id} is lost${cause === undefined ? '' : ` (${describe(cause)})`}; it is being put back`,
  },
  'registration.restored': {
    level: 'info',
    about: ({ id }) => id,
    says: ({ id }) => `the registration of ${id} is back`,
  },
  'server.drained': {
    level: 'info',
    says: ({ durationMs, cut }) =>
      `all requests ended, after ${lasting(durationMs)}${cut === 0 ? '' : `; ${cut} were cut off`}`,
  },
  error: {
    level: 'error',
    about: ({ phase }) => phase,
    says: ({ phase, error, retryInMs }) =>
      `${phase} failed${retryInMs === undefined ? '' : `, next try in ${lasting(retryInMs)}`}: ${describe(error)}`,
  },
};
