/** Reads of one service: once, or for as long as the connection holds. */
import type { ServiceInstance } from '../../core/instance.js';
import { pause } from '../../core/pause.js';
import type { WatchContext } from '../../core/registry.js';
import type { Link } from './link.js';
import { Listing, type Parts } from './listing.js';
import { CHILDREN_CHANGED, DATA_CHANGED } from './peer.js';
import type { Session } from './session.js';

export interface Reader {
  readonly session: Session;
  readonly service: string;
  /** Of the service's node. */
  readonly path: string;
}

/** A service that changes all the time is read half of the time: the longer a read takes, the rarer. So much is free. */
const BURST_MS = 1_000;

/**
 * All instances as soon as known and after each change. Nothing is read ahead: while its reader is busy, events only
 * leave a note that there is something to read. A lost connection ends it, since ZooKeeper keeps no events for who is
 * away; a new watch starts with a whole read.
 */
export async function* watchService(
  { session, service, path }: Reader,
  context: WatchContext,
): AsyncGenerator<readonly ServiceInstance[], void, undefined> {
  const { signal, runtime } = context;
  if (signal.aborted) return;
  session.refuseWhenClosed();
  const release = session.hold();
  // A reader that aborts and never comes back holds no session.
  signal.addEventListener('abort', release, { once: true });
  let events: Events | undefined;
  try {
    const patient = (reason: Error): void =>
      context.report({ kind: 'unreachable', message: reason.message, cause: reason });
    const link = await session.connected({ signal, patient });
    const listing = new Listing(link, service, path);
    events = eventsOf(link, path, signal);
    let dueAt = -Infinity;
    while (!signal.aborted) {
      const startedAt = runtime.now();
      const changed = await listing.refresh({ signal, watched: true, ...events.take() });
      const tookMs = runtime.now() - startedAt;
      if (changed) {
        for (const problem of listing.problems) context.report(problem);
        yield listing.instances;
      }
      await events.next();
      dueAt = Math.max(dueAt, startedAt) + 2 * tookMs;
      const restMs = dueAt - BURST_MS - runtime.now();
      if (restMs > 0) await pause(runtime, restMs, signal);
    }
  } catch (error) {
    if (!signal.aborted && !session.closed) throw error;
  } finally {
    events?.stop();
    signal.removeEventListener('abort', release);
    release();
  }
}

/** One whole read. */
export const readService = async (
  { session, service, path }: Reader,
  { signal, report }: Partial<WatchContext>,
): Promise<readonly ServiceInstance[]> => {
  session.refuseWhenClosed();
  const release = session.hold();
  try {
    const listing = new Listing(await session.connected({ signal }), service, path);
    await listing.refresh({ signal, data: true, children: true });
    for (const problem of listing.problems) report?.(problem);
    return listing.instances;
  } finally {
    release();
  }
};

interface Events {
  /** What the events were about that nobody took yet; all of it at first. */
  take(): Parts;
  /** Resolves when there is something to take, or with an abort; rejects when the connection is lost. */
  next(): Promise<void>;
  stop(): void;
}

const eventsOf = (link: Link, path: string, signal: AbortSignal): Events => {
  let news: Parts = { data: true, children: true };
  let lost: { readonly reason: unknown } | undefined;
  let wake = (): void => undefined;
  const stopEvents = link.onEvent(path, event => {
    const type = event.getType();
    news = { data: news.data || type !== CHILDREN_CHANGED, children: news.children || type !== DATA_CHANGED };
    wake();
  });
  const stopDown = link.onDown(reason => {
    lost = { reason };
    wake();
  });
  const abort = (): void => wake();
  signal.addEventListener('abort', abort);
  return {
    take() {
      const taken = news;
      news = { data: false, children: false };
      return taken;
    },
    async next() {
      const isNews = news.data || news.children;
      if (!isNews && lost === undefined && !signal.aborted) await new Promise<void>(resolve => (wake = resolve));
      if (lost !== undefined) throw lost.reason;
    },
    stop() {
      stopEvents();
      stopDown();
      signal.removeEventListener('abort', abort);
    },
  };
};
