/** In the middle: knows orders, and asks users who gave them. See README.md beside this. */
import { createServiceClient, staticRegistry } from 'fairlead';
import { tracing } from 'fairlead/opentelemetry';
import { serve } from './serve.js';

const users = createServiceClient({
  service: 'users',
  registry: staticRegistry([process.env['USERS'] ?? '127.0.0.1:8082']),
  instruments: [tracing()],
});

await serve({
  name: 'orders',
  port: 8081,
  clients: [users],
  async handler(request, ctx) {
    const id = request.url?.split('/').at(-1) ?? '';
    ctx.setAttribute('shop.order.id', id);
    // Users fails the first time: fairlead tries again, and the trace shows both.
    const response = await users.fetch('/users/42');
    return { status: response.status, body: { id, user: await response.json() } };
  },
});
