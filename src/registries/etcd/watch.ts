/** Reads of one service: once, or for ever by a list and a watch from the next revision on. */
import { latest, type Latest } from '../../core/latest.js';
import type { ServiceInstance } from '../../core/instance.js';
import type { WatchContext } from '../../core/registry.js';
import type { Connection } from './connection.js';
import { listService } from './listing.js';
import { View } from './view.js';
import { followService } from './follow.js';

/**
 * All instances of a service, whatever their status, as soon as known and after each change. A set is made when it is
 * read: a thousand changes that nobody looked at cost a thousand map entries and one array.
 *
 * It never resumes. A stream that began again at its last revision would miss what a server that lost its data wrote
 * meanwhile, and what the log does not hold any more: any error ends it, and a new watch lists first.
 */
export async function* watchService(
  connection: Connection,
  service: string,
  context: WatchContext,
): AsyncGenerator<readonly ServiceInstance[], void, undefined> {
  const { signal } = context;
  if (signal.aborted) return;
  connection.refuseWhenClosed();
  const release = connection.hold();
  const life = new AbortController();
  // A reader that aborts and never comes back leaves no stream and no connection behind.
  const end = (): void => {
    life.abort(signal.aborted ? signal.reason : connection.closing.reason);
    release();
  };
  signal.addEventListener('abort', end, { once: true });
  connection.closing.addEventListener('abort', end, { once: true });
  try {
    const { view, changes } = await begin(connection, service, {
      runtime: context.runtime,
      report: problem => context.report(problem),
      signal: life.signal,
    });
    for await (const _change of changes.iterable) yield view.instances;
  } catch (error) {
    if (!signal.aborted && !connection.closed) throw error;
  } finally {
    signal.removeEventListener('abort', end);
    connection.closing.removeEventListener('abort', end);
    end();
  }
}

/** In a function of its own: the entries as they came are not kept for the life of the watch. */
const begin = async (
  connection: Connection,
  service: string,
  context: WatchContext,
): Promise<{ readonly view: View; readonly changes: Latest<true> }> => {
  const { runtime, signal } = context;
  const { member, revision, entries } = await listService(connection, service, { runtime, signal });
  const view = new View(service, connection.settings.prefix, problem => context.report(problem));
  view.fill(entries);
  const changes = latest<true>(signal);
  await followService({ connection, service, member, revision, view, changes, runtime, signal });
  changes.push(true);
  return { view, changes };
};

export const readService = async (
  connection: Connection,
  service: string,
  context: Partial<WatchContext>,
): Promise<readonly ServiceInstance[]> => {
  const { signal, runtime = connection.settings.runtime } = context;
  const { entries } = await listService(connection, service, { signal, runtime });
  const view = new View(service, connection.settings.prefix, problem => context.report?.(problem));
  view.fill(entries);
  return view.instances;
};
