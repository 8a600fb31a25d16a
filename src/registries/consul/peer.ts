/** The `consul` package: an optional peer, looked for at the first use. */
import { FairleadError } from '../../core/errors.js';
import type { Answer, Ask } from './ask.js';

/** What is used of the package's client: its way to send a request that it has no method for. */
export interface RawClient {
  _get(request: object): Promise<unknown>;
  _put(request: object): Promise<unknown>;
  destroy?(): void;
  /** What it was told to send with every request. */
  readonly _defaults?: Readonly<Record<string, unknown>> | undefined;
}

/** Rejects with MISSING_PEER when `load` does not find the package. */
export const newClient = async (load: () => Promise<unknown>, options: object): Promise<RawClient> => {
  const module = await load().catch((cause: unknown) => {
    const code = (cause as { code?: unknown } | null)?.code;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    const message = 'consulRegistry needs the package consul, version 2: npm install consul';
    throw new FairleadError('MISSING_PEER', message, { cause });
  });
  const Client = (module as { default?: unknown }).default ?? module;
  if (typeof Client !== 'function')
    throw new FairleadError('MISSING_PEER', 'the package consul is not version 2: npm install consul@2');
  return new (Client as new (options: object) => RawClient)(options);
};

/** Of a caller's own client: the defaults that its methods would send along. */
export const inheritedQuery = (defaults: Readonly<Record<string, unknown>>, ask: Ask): Record<string, string> => {
  const { method } = ask;
  const query: Record<string, string> = {};
  for (const name of method === 'GET' ? ['dc', 'partition', 'near', 'filter'] : ['partition'])
    if (typeof defaults[name] === 'string') query[name] = defaults[name];
  const chosen = ask.query?.['stale'] ?? ask.query?.['consistent'];
  if (method === 'GET' && chosen === undefined)
    for (const name of ['consistent', 'stale']) if (defaults[name] === true) query[name] = '1';
  return query;
};

export const answerOf = (response: unknown): Answer => {
  const { statusCode, headers, body } = (response ?? {}) as { statusCode?: number; headers?: object; body?: unknown };
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : body;
  return { status: statusCode ?? 0, headers: (headers ?? {}) as Answer['headers'], body: text };
};

/** The package rejects for a status that is not 2xx; the response hangs on its error. */
export const responseOf = (error: unknown): Answer | undefined => {
  const { isResponse, response } = (error ?? {}) as { isResponse?: unknown; response?: unknown };
  return isResponse === true && response !== undefined ? answerOf(response) : undefined;
};
