/** At the end of the chain: fails each first request of a trace, so that there is something to see. See README.md beside this. */
import { serve } from './serve.js';

const seen = new Set<string>();

await serve({
  name: 'users',
  port: 8082,
  clients: [],
  async handler(_request, ctx) {
    if (!seen.has(ctx.traceId)) {
      seen.add(ctx.traceId);
      ctx.addEvent('not ready');
      return { status: 503, body: { error: 'not ready' } };
    }
    return { status: 200, body: { id: 42, name: 'Ann' } };
  },
});
