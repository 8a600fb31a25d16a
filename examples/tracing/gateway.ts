/** The front door: `curl http://127.0.0.1:8080/orders/7`. Asks orders, which asks users. See README.md beside this. */
import { createServiceClient, staticRegistry } from 'fairlead';
import { tracing } from 'fairlead/opentelemetry';
import { serve } from './serve.js';

const orders = createServiceClient({
  service: 'orders',
  registry: staticRegistry([process.env['ORDERS'] ?? '127.0.0.1:8081']),
  instruments: [tracing()],
});

await serve({
  name: 'gateway',
  port: 8080,
  clients: [orders],
  async handler(request, ctx) {
    ctx.setAttribute('shop.tenant', 'blue');
    const response = await orders.fetch(request.url ?? '/');
    ctx.addEvent('order found', { 'shop.order.bytes': Number(response.headers.get('content-length') ?? 0) });
    return { status: response.status, body: { order: await response.json(), traceId: ctx.traceId } };
  },
});
