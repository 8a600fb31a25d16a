/** Reads of one service: once, or for ever by blocking queries. */
import { pause } from '../../core/pause.js';
import { createHash } from 'node:crypto';
import type { ServiceInstance } from '../../core/instance.js';
import type { RegistryProblem, WatchContext } from '../../core/registry.js';
import type { Answer, Ask } from './ask.js';
import type { Connection } from './connection.js';
import { readEntries, type Entries } from './entries.js';
import type { Settings } from './options.js';
import { pacer } from './pace.js';

export interface Reader {
  readonly connection: Connection;
  readonly settings: Settings;
}

interface Read extends Entries {
  /** What to block on next; 0 = nothing, a plain read. */
  readonly index: bigint;
}

/**
 * All instances of a service, whatever their status, as soon as known and after each change. Nothing is read ahead: while
 * its reader is busy no request is under way, and the next one, on an index that has passed, is answered at once with
 * the newest set.
 *
 * Any error ends it: Consul may have come back without its data, and would then hold a request with the old index for
 * the whole wait. A new watch starts with a plain read.
 */
export async function* watchService(
  reader: Reader,
  service: string,
  context: WatchContext,
): AsyncGenerator<readonly ServiceInstance[], void, undefined> {
  const { signal, runtime } = context;
  reader.connection.refuseWhenClosed();
  const release = reader.connection.hold();
  // A reader that aborts and never comes back leaves no connection behind.
  signal.addEventListener('abort', release, { once: true });
  try {
    const waitFor = pacer();
    let index = 0n;
    let known: string | undefined;
    while (!signal.aborted) {
      const waitMs = waitFor(runtime.now());
      if (waitMs > 0) await pause(runtime, waitMs, signal);
      const read = await readService(reader, service, { index, signal, runtime });
      index = read.index;
      const digest = digestOf(read);
      if (digest === known) continue;
      known = digest;
      for (const problem of read.problems) context.report(problem);
      yield read.instances;
    }
  } catch (error) {
    if (!signal.aborted && !reader.connection.closed) throw error;
  } finally {
    signal.removeEventListener('abort', release);
    release();
  }
}

/** One read; with an index it is answered when something changed or after the wait. */
export const readService = async (
  { connection, settings }: Reader,
  service: string,
  {
    index,
    signal,
    runtime,
  }: Pick<WatchContext, 'runtime'> & { readonly index: bigint; readonly signal?: AbortSignal | undefined },
): Promise<Read> => {
  const { waitMs, requestTimeoutMs } = settings;
  const blocking = index > 0n;
  const ask: Ask = {
    method: 'GET',
    path: `/v1/health/service/${encodeURIComponent(service)}`,
    query: blocking ? { ...settings.query, index: String(index), wait: `${waitMs}ms` } : settings.query,
    // Consul adds up to a sixteenth to the wait, so that those who started together do not return together.
    timeoutMs: blocking ? Math.ceil(waitMs * 1.1) + requestTimeoutMs : requestTimeoutMs,
    runtime,
    signal,
  };
  const answer = await connection.ask(ask);
  if (answer.status < 200 || answer.status > 299 || !Array.isArray(answer.body)) throw connection.refusal(ask, answer);
  const entries = readEntries(answer.body, { service, taggedAddress: settings.taggedAddress });
  if (answer.headers['x-consul-results-filtered-by-acls'] !== 'true')
    return { ...entries, index: nextIndex(index, answer) };
  // Consul 1.11 and later admit that the token may not see all; an older one just answers [].
  if (answer.body.length === 0)
    throw connection.refusal(ask, { ...answer, body: 'the token may not read this service' });
  const problem: RegistryProblem = {
    kind: 'other',
    message: `${connection.name}: the token may not read all instances of ${service}`,
  };
  return { instances: entries.instances, problems: [...entries.problems, problem], index: nextIndex(index, answer) };
};

/** An index that is missing, 0 or lower than the last one is a server that started anew: read plainly. */
const nextIndex = (last: bigint, { headers }: Answer): bigint => {
  const text = headers['x-consul-index'];
  const index = typeof text === 'string' && /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
  return index < last ? 0n : index;
};

/** An index moves for changes that are not to be seen here, such as the output of a check. */
const digestOf = ({ instances, problems }: Entries): string =>
  createHash('sha1')
    .update(JSON.stringify([instances, problems]))
    .digest('base64');
