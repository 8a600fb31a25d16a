import { summarise } from '../core/errors.js';
import type { ClientEvent, EventOf, EventType } from '../core/events.js';
import { ms } from './explanation-words.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** How one type of event is written. */
export interface LogEntry<E> {
  readonly level: LogLevel | ((event: E) => LogLevel);
  /** What it is about: two with the same are repeats of each other. @default the type alone */
  readonly about?: (event: E) => string | undefined;
  /** What happened, in words, after the name of the service. */
  readonly says: (event: E) => string;
}

type Entries = { readonly [T in EventType]: LogEntry<EventOf<T>> };

type Ended = Pick<EventOf<'call.ended'>, 'status' | 'error'>;

const MOST_NAMED = 5;

/** Seconds once they are readable. */
export const lasting = (time: number): string =>
  time < 1_000 ? ms(time) : `${time < 100_000 ? Math.round(time / 100) / 10 : Math.round(time / 1_000)} s`;

const named = (ids: readonly string[]): string => {
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : '';
  return ids.slice(0, MOST_NAMED).join(', ') + more;
};

/** An answer, or what there was instead. */
const gotOf = ({ status, error }: Ended): string => {
  if (error === undefined) return status === undefined ? 'it ended' : String(status);
  const { code, message } = summarise(error);
  return code === null || message.includes(code) ? message : `${message} (${code})`;
};
const kindOf = ({ status, error }: Ended): string => {
  if (error === undefined) return String(status);
  const { code, name } = summarise(error);
  return code ?? name;
};
const wentWrong = ({ outcome }: { readonly outcome: string }): boolean =>
  outcome === 'failure' || outcome === 'overload';
const instanceOf = ({ instance }: { readonly instance: string }): string => instance;
const registryOf = ({ registry }: { readonly registry: string }): string => registry;
const withoutService = ({ service, message }: { readonly service: string; readonly message: string }): string =>
  message.startsWith(`${service}: `) ? message.slice(service.length + 2) : message;

/** A call that fails is a warning, what happens inside one that goes well is for debugging, what stops a whole service an error. */
export const CLIENT_ENTRIES: Entries = {
  'call.ended': {
    level: event => (wentWrong(event) ? 'warn' : 'debug'),
    about: event => `${event.outcome} ${kindOf(event)}`,
    says: ({ method, durationMs, attempts, ...ended }) =>
      `${method} ended after ${lasting(durationMs)} and ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}: ${gotOf(ended)}`,
  },
  'call.fallback': {
    level: 'warn',
    about: ({ code, status }) => code ?? String(status),
    says: event => `the fallback answered, instead of ${gotOf({ ...event, status: event.status })}`,
  },
  'call.stale': {
    level: 'warn',
    about: ({ status }) => String(status),
    says: ({ staleMs, status }) =>
      `an answer ${lasting(staleMs)} past its time was served, since ${status === undefined ? 'no answer came' : `the service said ${status}`}`,
  },
  'attempt.ended': {
    level: 'debug',
    about: event => `${event.instance} ${event.outcome}`,
    says: event =>
      `attempt ${event.attempt} at ${event.instance}: ${event.outcome} after ${lasting(event.durationMs)}, ${gotOf(event)}`,
  },
  'call.retried': {
    level: 'info',
    about: event => kindOf(event),
    says: ({ attempt, delayMs, reason }) =>
      `attempt ${attempt} failed (${reason}), the next one follows in ${lasting(delayMs)}`,
  },
  'call.hedged': {
    level: 'debug',
    says: ({ attempt, afterMs }) => `attempt ${attempt} is sent beside one that has taken ${lasting(afterMs)}`,
  },
  'call.refused': { level: 'warn', about: ({ code }) => code, says: event => `call refused: ${withoutService(event)}` },
  'body.failed': {
    level: 'warn',
    about: instanceOf,
    says: ({ instance, error }) => `an answer of ${instance} broke while its body was read: ${gotOf({ error })}`,
  },
  'instance.down': {
    level: 'warn',
    about: instanceOf,
    says: ({ instance, reason, forMs }) =>
      `instance ${instance} is out${Number.isFinite(forMs) ? ` for ${lasting(forMs)}` : ''}: ${reason}`,
  },
  'instance.up': {
    level: 'info',
    about: instanceOf,
    says: ({ instance, afterMs }) => `instance ${instance} serves again after ${lasting(afterMs)}`,
  },
  'instance.probed': {
    level: 'info',
    about: ({ instance, ok }) => `${instance} ${ok}`,
    says: ({ instance, ok, reason = 'probe failed', forMs }) =>
      ok
        ? `instance ${instance} passed a probe`
        : `instance ${instance} stays out${forMs === undefined ? '' : ` for ${lasting(forMs)}`}: ${reason}`,
  },
  'instances.changed': {
    level: 'info',
    says: ({ known, added, removed }) =>
      [
        `${known} ${known === 1 ? 'instance' : 'instances'} known`,
        ...(added.length > 0 ? [`${added.length} came (${named(added)})`] : []),
        ...(removed.length > 0 ? [`${removed.length} left (${named(removed)})`] : []),
      ].join(', '),
  },
  'instances.held': {
    level: 'warn',
    says: ({ held, reason }) =>
      `${held.length} instances are kept although the registry dropped them (${named(held)}): ${reason}`,
  },
  'panic.entered': {
    level: 'error',
    says: ({ eligible, members }) => `panic: only ${eligible} of ${members} instances may serve, so all of them do`,
  },
  'panic.left': {
    level: 'info',
    says: ({ eligible, members }) => `the panic is over: ${eligible} of ${members} instances may serve`,
  },
  'breaker.opened': {
    level: 'error',
    says: ({ reason, forMs }) => `the circuit opened for ${lasting(forMs)}: ${reason}`,
  },
  'breaker.half-opened': {
    level: 'info',
    says: ({ afterMs }) => `the circuit is half-open after ${lasting(afterMs)}: a few attempts are let through`,
  },
  'breaker.closed': {
    level: 'info',
    says: ({ reason, afterMs }) => `the circuit closed after ${lasting(afterMs)}: ${reason}`,
  },
  'registry.lost': {
    level: 'warn',
    about: registryOf,
    says: ({ registry, error, retryInMs }) =>
      `contact with the registry ${registry} is lost, next try in ${lasting(retryInMs)}: ${gotOf({ error })}`,
  },
  'registry.restored': {
    level: 'info',
    about: registryOf,
    says: ({ registry, afterMs }) => `the registry ${registry} is back after ${lasting(afterMs)}`,
  },
  'registry.problem': {
    level: 'warn',
    about: ({ registry, problem }) => `${registry} ${problem.kind} ${problem.entry ?? ''}`,
    says: ({ registry, problem }) => `the registry ${registry} has a problem: ${problem.message}`,
  },
  'client.updated': { level: 'info', says: ({ options }) => `options changed: ${options.join(', ')}` },
};

export const isClientEvent = (event: { readonly type: string }): event is ClientEvent =>
  Object.hasOwn(CLIENT_ENTRIES, event.type);
