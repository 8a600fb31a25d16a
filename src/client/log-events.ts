import * as check from '../core/check.js';
import type { ClientEvent, EventType } from '../core/events.js';
import type { LifecycleEvent, LifecycleEventType } from '../core/lifecycle-events.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import { EventLog } from './event-log.js';
import { LIFECYCLE_ENTRIES } from './log-lifecycle-words.js';
import { CLIENT_ENTRIES, type LogLevel } from './log-words.js';
import type { ServiceClient } from './service-client.js';

type Write = (...args: never[]) => unknown;

/** `console`, pino, winston, bunyan, or anything else that has these. Without `debug`, what is for debugging is left out. */
export interface EventLogger {
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly debug?: Write | undefined;
}

export interface LogEventsOptions {
  /** Events below it are not written. @default 'info' */
  readonly level?: LogLevel | undefined;
  /** Other levels for these types of event; `false`: never written. */
  readonly levels?: Readonly<Partial<Record<EventType | LifecycleEventType, LogLevel | false>>> | undefined;
  /** The same event about the same thing is written once in so long, with the number of its repeats, ms, >= 0. @default 10_000 */
  readonly repeatMs?: number | undefined;
  /** `true`: `logger.info(fields, message)`, as pino and bunyan want it; `false`: `logger.info(message, fields)`. @default by the logger */
  readonly fieldsFirst?: boolean | undefined;
  /** Whose clock counts. @default the system's */
  readonly runtime?: Runtime | undefined;
}

export type LoggedEvent = ClientEvent | LifecycleEvent;

const LEVELS: readonly unknown[] = ['debug', 'info', 'warn', 'error'];
const KNOWN = ['level', 'levels', 'repeatMs', 'fieldsFirst', 'runtime'];

/**
 * Writes what a client or a registered service tells: each event as a sentence for people, with the event as fields, the
 * type of the event under `event`. Repeats are counted, not written; secrets are left out; a logger that throws does no harm.
 *
 * ```ts
 * const users = createServiceClient({ service: 'users', registry, onEvent: logEvents(console) });
 * ```
 */
export function logEvents(logger: EventLogger, options?: LogEventsOptions): (event: LoggedEvent) => void;
/** The same for a client that is there already. Returns how to stop. */
export function logEvents(client: ServiceClient, logger: EventLogger, options?: LogEventsOptions): () => void;
export function logEvents(
  target: EventLogger | ServiceClient,
  second?: LogEventsOptions | EventLogger,
  third?: LogEventsOptions,
): (event: LoggedEvent) => void {
  if (!isClient(target)) return newLog(target, second as LogEventsOptions | undefined).write;
  const log = newLog(second as EventLogger, third);
  const stops = (Object.keys(CLIENT_ENTRIES) as EventType[]).map(type => target.on(type, log.write));
  return () => {
    for (const stop of stops.splice(0)) stop();
    log.close();
  };
}

const isClient = (given: unknown): given is ServiceClient =>
  typeof (given as Partial<ServiceClient> | null)?.on === 'function' &&
  typeof (given as Partial<ServiceClient>).fetch === 'function';

const newLog = (logger: EventLogger, options: LogEventsOptions | undefined): EventLog => {
  if (typeof logger !== 'object' && typeof logger !== 'function')
    throw new TypeError(`logEvents: expected a logger such as console, got ${check.shown(logger)}`);
  check.hasMethods('logEvents: logger', logger, ['info', 'warn', 'error']);
  check.object('logEvents', options, { known: KNOWN });
  const { level = 'info', levels = {}, repeatMs = 10_000, runtime = systemRuntime } = options ?? {};
  const { fieldsFirst = isFieldsFirst(logger) } = options ?? {};
  check.oneOf('logEvents.level', level, LEVELS);
  check.object('logEvents.levels', levels, {
    known: [...Object.keys(CLIENT_ENTRIES), ...Object.keys(LIFECYCLE_ENTRIES)],
  });
  for (const [type, value] of Object.entries(levels))
    check.oneOf(`logEvents.levels["${type}"]`, value, [...LEVELS, false]);
  check.number('logEvents.repeatMs', repeatMs, { min: 0 });
  check.ofType('logEvents.fieldsFirst', fieldsFirst, 'boolean');
  check.hasMethods('logEvents.runtime', runtime, ['now', 'after']);
  return new EventLog({ logger, level, levels, repeatMs, fieldsFirst, runtime });
};

/** pino has `bindings`, bunyan `addSerializers`; both want fields first, and ignore those that come second. */
const isFieldsFirst = (logger: EventLogger): boolean => {
  const { bindings, addSerializers } = logger as { bindings?: unknown; addSerializers?: unknown };
  return typeof bindings === 'function' || typeof addSerializers === 'function';
};
