// A heap that does not grow, in a process of its own: node --expose-gc growth.js CALLS. A hundred callers with everything on; one
// signal for all of them, one of their own now and then; one answer in a hundred is a 503, and retried; one call in a thousand
// fails altogether. Tells what was alive after each tenth of the calls.
import { fleet, liveBytes, SERVICE, tell } from './fleet.js';
import { createServiceClient, staticRegistry, tokenBucket } from '../../dist/index.js';

const calls = Number(process.argv[2]);
const TENTHS = 10;
const CALLERS = 100;

let sent = 0;
const down = new TypeError('fetch failed');
const send = async () => {
  sent += 1;
  if (sent % 1_000 === 0) throw down;
  return new Response(null, { status: sent % 100 === 0 ? 503 : 200 });
};
const client = createServiceClient({
  service: SERVICE,
  registry: staticRegistry(fleet(10)),
  transport: { send, sendCancellable: send },
  rateLimit: tokenBucket({ perSecond: 1e9, burst: 1e9 }),
});
await client.ready();
client.on('call.ended', () => undefined);

const shared = new AbortController();
const signalOf = nth => (nth % 50 === 0 ? new AbortController() : shared).signal;

let failed = 0;
const callsOf = async count => {
  let begun = 0;
  const caller = async () => {
    while (begun < count) {
      begun += 1;
      const answered = client.fetch('/orders/7', { signal: signalOf(begun) });
      await answered.catch(() => (failed += 1));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
};

await callsOf(50_000);
const alive = [];
const startedAt = performance.now();
for (let tenth = 0; tenth < TENTHS; tenth += 1) {
  await callsOf(calls / TENTHS);
  alive.push(await liveBytes());
}
tell({ calls, failed, alive, seconds: (performance.now() - startedAt) / 1_000 });
