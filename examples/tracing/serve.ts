/** What the three services of this example have in common: tracing, a server whose requests are traced, and an orderly end. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { ServiceClient } from 'fairlead';
import { startTracing } from 'fairlead/jaeger';
import { inbound, type InboundSpan } from 'fairlead/opentelemetry';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Service {
  readonly name: string;
  /** PORT in the environment comes first. */
  readonly port: number;
  /** Clients of other services, closed at the end. */
  readonly clients: readonly ServiceClient[];
  readonly handler: (request: IncomingMessage, ctx: InboundSpan) => Promise<Answer>;
}

export const serve = async ({ name, port, clients, handler }: Service): Promise<void> => {
  // To Jaeger on this machine, or wherever the variables OTEL_* say.
  const tracing = startTracing({ serviceName: name });

  const server = createServer((request, response) => {
    const answering = inbound(request, ctx => handler(request, ctx), { response });
    answering.then(
      ({ status, body }) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(Number(process.env['PORT'] ?? port), '127.0.0.1');
  await once(server, 'listening');
  console.log(`${name} listens`);

  const stop = async (): Promise<void> => {
    server.close();
    server.closeIdleConnections();
    await once(server, 'close');
    await Promise.all(clients.map(client => client.close()));
    // Last: the spans of the requests before it are to go out too.
    await tracing.shutdown({ timeoutMs: 5_000 });
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
};
