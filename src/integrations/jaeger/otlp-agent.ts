/**
 * The connections of the OTLP exporter. It tries again on timers that nobody can stop, and that would hold a process which
 * is shut down: so it is shown no failure that it would try again after, and trying again is left to `Delivery`.
 */
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

export interface OtlpAgent {
  readonly agent: HttpAgent;
  /** See `Sender`. */
  readonly retryAfterMs: (error: Error | undefined) => number | undefined;
  /** Ends all that is on its way, and takes no more. */
  readonly cut: () => void;
}

/** As the specification of OTLP/HTTP names them. */
const RETRYABLE = [429, 502, 503, 504];
/** No status of HTTP, and so none to try again after. */
const SHIFT = 1_000;
const SHOWN_CODE = 'ERR_OTLP_CONNECTION';
const CUT_CODE = 'ERR_OTLP_CUT';

export const otlpAgent = (url: string): OtlpAgent => {
  const agent = url.startsWith('https:')
    ? new HttpsAgent({ keepAlive: true, ...certificates() })
    : new HttpAgent({ keepAlive: true });
  const state = { cut: false, askedMs: 0 };
  onRequest(agent, request => {
    // An export that was about to connect when all was cut.
    if (state.cut) throw closed();
    request.prependListener('error', disguiseError);
    request.prependListener('response', response => {
      if (!RETRYABLE.includes(response.statusCode ?? 0)) return;
      state.askedMs = Math.max(0, 1_000 * (Number(response.headers['retry-after']) || 0));
      response.statusCode = response.statusCode! + SHIFT;
    });
  });
  return {
    agent,
    retryAfterMs: error => {
      const { code } = (error ?? {}) as { code?: unknown };
      if (code === SHOWN_CODE) return 0;
      return typeof code === 'number' && code > SHIFT ? state.askedMs : undefined;
    },
    cut: () => {
      state.cut = true;
      const gone = closed();
      for (const sockets of Object.values(agent.sockets)) for (const socket of sockets ?? []) socket.destroy(gone);
      agent.destroy();
    },
  };
};

const closed = (): Error => Object.assign(new Error('closed'), { code: CUT_CODE });

const disguiseError = (error: Error & { code?: unknown }): void => {
  if (error.code !== CUT_CODE) error.code = SHOWN_CODE;
};

/** Node calls it first of all with each request that is to use the agent; no event is as early, and none shows a hang-up. */
interface Asked {
  addRequest: (this: Asked, request: ClientRequest, ...rest: readonly unknown[]) => void;
}

const onRequest = (agent: HttpAgent, seen: (request: ClientRequest) => void): void => {
  const asked = agent as unknown as Asked;
  const { addRequest } = asked;
  asked.addRequest = function seenRequest(request, ...rest) {
    seen(request);
    addRequest.call(asked, request, ...rest);
  };
};

/** The exporter reads these variables for an agent of its own only. */
const certificates = (): Record<string, Buffer> =>
  Object.fromEntries(
    Object.entries({ ca: 'CERTIFICATE', cert: 'CLIENT_CERTIFICATE', key: 'CLIENT_KEY' }).flatMap(([option, name]) => {
      const file = process.env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] ?? process.env[`OTEL_EXPORTER_OTLP_${name}`];
      return file === undefined || file.trim() === '' ? [] : [[option, readFileSync(file)] as const];
    }),
  );
