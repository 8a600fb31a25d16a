import { readFileSync } from 'node:fs';
import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { testRuntime } from 'fairlead/testing';
import { EventHub } from '../../../src/client/event-hub.js';
import { LIFECYCLE_ENTRIES } from '../../../src/client/log-lifecycle-words.js';
import { CLIENT_ENTRIES, type LogEntry } from '../../../src/client/log-words.js';
import { LifecycleEvents } from '../../../src/lifecycle/events.js';

const guide = readFileSync(new URL('../../../docs/guides/events-and-logs.md', import.meta.url), 'utf8');
const rows = [...guide.matchAll(/^\| `([\w.-]+)`\s*\| ([\w ]+?)\s*\| `([\w:]+)`\s*\| (.+?)\s*\| (.+?)\s*\|$/gm)];
const entries: Record<string, LogEntry<never>> = { ...CLIENT_ENTRIES, ...LIFECYCLE_ENTRIES };

/** The channels that are told of an event. */
const channelsOf = (type: string): string[] => {
  const names = ['call', 'attempt', 'instance', 'breaker', 'registry', 'client', 'lifecycle'];
  const told: string[] = [];
  const listeners = names.map(name => {
    const listener = (): void => void told.push(`fairlead:${name}`);
    channel(`fairlead:${name}`).subscribe(listener);
    return () => channel(`fairlead:${name}`).unsubscribe(listener);
  });
  const runtime = testRuntime();
  if (type in LIFECYCLE_ENTRIES)
    new LifecycleEvents({ service: 'users', runtime, onEvent: undefined, warn: () => undefined }).emit({
      type,
    } as never);
  else new EventHub('users', { runtime }).emit!({ type } as never);
  for (const stop of listeners) stop();
  return told;
};

describe('the table of events in the guide', () => {
  it('has each event once, and no other', () => {
    expect(rows.map(([, type]) => type).sort()).toEqual(Object.keys(entries).sort());
  });

  it.each(rows.map(([, type, level, published]) => [type!, level!, published!]))(
    '%s: %s, %s',
    (type, level, published) => {
      const entry = entries[type]!;
      if (typeof entry.level === 'function') expect(level).toBe('debug or warn');
      else expect(level).toBe(entry.level);
      expect(channelsOf(type)).toEqual([published]);
    },
  );
});

/** What the types say: the fields that follow each `type`, in the order of the source. */
const declared = new Map(
  ['events', 'lifecycle-events'].flatMap(file => {
    const source = readFileSync(new URL(`../../../src/core/${file}.ts`, import.meta.url), 'utf8');
    const members = source.slice(0, source.indexOf(' );')).split("readonly type: '").slice(1);
    return members.map(text => {
      const fields = [...text.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name!);
      return [text.slice(0, text.indexOf("'")), fields] as const;
    });
  }),
);

it.each(rows.map(([, type, , , , fields]) => [type!, fields!]))(
  'the fields of %s are those of its type',
  (type, fields) => {
    expect([...fields.matchAll(/`(\w+)`/g)].map(([, name]) => name).sort()).toEqual([...declared.get(type)!].sort());
  },
);

it('where nobody listens, events are not even made', () => {
  const hub = new EventHub('users', { runtime: testRuntime() });
  expect(hub.emit).toBeUndefined();
  const stop = hub.on('instance.up', () => undefined);
  expect(hub.emit).toBeDefined();
  stop();
  expect(hub.emit).toBeUndefined();
});
