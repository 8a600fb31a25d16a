/** The answer to "are you ready?", for an orchestrator, a registry's check and fairlead's own active probes. */
import type { ServiceState } from '../core/lifecycle-events.js';

/** What node:http and Express hand to a handler. */
export interface PlainReply {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

/** What Fastify hands to a handler. */
export interface FastifyReply {
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(body: string): unknown;
}

export type HealthHandler = (request: unknown, reply: PlainReply | FastifyReply) => void;

export const healthHandler = (service: string, state: () => ServiceState): HealthHandler =>
  function health(_request, reply) {
    const now = state();
    const isReady = now === 'READY';
    const status = isReady ? 200 : 503;
    const body = JSON.stringify({ status: isReady ? 'UP' : 'DOWN', service, state: now });
    // An answer out of a cache would say what was true then.
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    if ('writeHead' in reply) {
      reply.writeHead(status, headers);
      reply.end(body);
      return;
    }
    reply.code(status);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    reply.send(body);
  };
