import { summarise } from '../core/errors.js';
import { guard } from '../core/guard.js';
import type { Runtime } from '../core/runtime.js';
import { isSecretName, withoutSecrets } from '../core/secrets.js';
import { oneLine } from './explanation-words.js';
import type { EventLogger, LoggedEvent } from './log-events.js';
import { LIFECYCLE_ENTRIES } from './log-lifecycle-words.js';
import { CLIENT_ENTRIES, lasting, type LogEntry, type LogLevel } from './log-words.js';

export interface EventLogParts {
  readonly logger: EventLogger;
  readonly level: LogLevel;
  readonly levels: Readonly<Partial<Record<string, LogLevel | false | undefined>>>;
  readonly repeatMs: number;
  readonly fieldsFirst: boolean;
  readonly runtime: Runtime;
}

/** One thing that happens again and again. */
interface Repeated {
  /** Written again from then on, monotonic ms. */
  until: number;
  /** Since it was written. */
  count: number;
  /** Writes the newest of them. */
  tell: (() => void) | undefined;
  disarm: (() => void) | undefined;
}

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Of things that are counted at the same time; the oldest are forgotten first, and then written once more. */
const MOST_COUNTED = 1_000;
/** Of a long list in a field. */
const MOST_LISTED = 20;

/** Looked up one after the other: one table made of both would stay in every bundle, used or not. */
const entryOf = (type: string): LogEntry<LoggedEvent> | undefined => {
  const entries = [CLIENT_ENTRIES, LIFECYCLE_ENTRIES].find(table => Object.hasOwn(table, type));
  return (entries as Record<string, LogEntry<LoggedEvent>> | undefined)?.[type];
};

/** Events as lines of a log: the first of a kind at once, its repeats as one line for each `repeatMs`. */
export class EventLog {
  readonly #parts: EventLogParts;
  readonly #guarded = guard('the logger of logEvents()');
  readonly #repeated = new Map<string, Repeated>();

  constructor(parts: EventLogParts) {
    this.#parts = parts;
  }

  readonly write = (event: LoggedEvent): void => {
    // One that a later version of fairlead may tell.
    const entry = entryOf(event.type);
    if (entry === undefined) return;
    const level = this.#levelOf(entry, event);
    if (level === undefined) return;
    const key = `${event.type} ${event.service} ${entry.about?.(event) ?? ''}`;
    const { repeatMs, runtime } = this.#parts;
    const now = runtime.now();
    const repeated = this.#repeated.get(key);
    const tell = (count: number): void => this.#say(level, { event, entry, count });
    if (repeated === undefined || (now >= repeated.until && repeated.count === 0)) {
      if (repeatMs > 0) this.#remember(key, now + repeatMs);
      return tell(0);
    }
    repeated.count += 1;
    repeated.tell = () => tell(repeated.count - 1);
    repeated.disarm ??= runtime.after(Math.max(0, repeated.until - now), () => this.#due(key, repeated));
  };

  /** Writes what was held back, and lets go of its timers. */
  close(): void {
    for (const repeated of this.#repeated.values()) {
      repeated.disarm?.();
      repeated.tell?.();
    }
    this.#repeated.clear();
  }

  #levelOf({ level }: LogEntry<LoggedEvent>, event: LoggedEvent): LogLevel | undefined {
    const own = this.#parts.levels[event.type];
    const decided = own ?? (typeof level === 'function' ? level(event) : level);
    if (decided === false || RANK[decided] < RANK[this.#parts.level]) return undefined;
    return decided === 'debug' && this.#parts.logger.debug === undefined ? undefined : decided;
  }

  #remember(key: string, until: number): void {
    const [oldest] = this.#repeated;
    if (this.#repeated.size >= MOST_COUNTED && oldest !== undefined) {
      oldest[1].disarm?.();
      oldest[1].tell?.();
      this.#repeated.delete(oldest[0]);
    }
    this.#repeated.delete(key);
    this.#repeated.set(key, { until, count: 0, tell: undefined, disarm: undefined });
  }

  /** The time is up: one line for all that came meanwhile, and the next one after as long again. */
  #due(key: string, repeated: Repeated): void {
    repeated.tell?.();
    this.#remember(key, this.#parts.runtime.now() + this.#parts.repeatMs);
  }

  #say(
    level: LogLevel,
    { event, entry, count }: { event: LoggedEvent; entry: LogEntry<LoggedEvent>; count: number },
  ): void {
    this.#guarded(() => {
      const { logger, fieldsFirst, repeatMs } = this.#parts;
      const more = count === 0 ? '' : ` (… ${count} more in ${lasting(repeatMs)})`;
      const message = oneLine(withoutSecrets(`${event.service}: ${entry.says(event)}`)) + more;
      const fields = fieldsOf(event, count);
      const write = logger[level] as (...args: unknown[]) => unknown;
      return fieldsFirst ? write.call(logger, fields, message) : write.call(logger, message, fields);
    });
  }
}

/** The event as plain JSON. A field `message` would be taken for the line's own (winston), and the sentence has its words. */
const fieldsOf = ({ type, ...event }: LoggedEvent, count: number): Record<string, unknown> => {
  const fields: Record<string, unknown> = { event: type };
  for (const [name, value] of Object.entries(event))
    if (value !== undefined && name !== 'message') fields[name] = fieldOf(name, value);
  if (count > 0) fields['repeats'] = count;
  return fields;
};

const fieldOf = (name: string, value: unknown): unknown => {
  if (typeof value === 'string') return isSecretName(name) ? '***' : withoutSecrets(value);
  if (typeof value === 'number') return Number.isFinite(value) ? Math.round(value * 1_000) / 1_000 : null;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, MOST_LISTED);
  if (name !== 'problem') return summarise(value);
  const { cause: _cause, ...problem } = value as Record<string, unknown>;
  return Object.fromEntries(Object.entries(problem).map(([key, each]) => [key, fieldOf(key, each)]));
};
