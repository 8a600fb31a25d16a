// What the parts of memory.js are made of: instances as a service in use registers them, and a network that answers at once.
import { instanceOf } from '../discovery/instances.js';

export const SERVICE = 'orders';

/** Parsed, as from a registry's answer: strings that were put together by hand would hold their parts. */
export const fleet = (count, service = SERVICE) =>
  JSON.parse(JSON.stringify(Array.from({ length: count }, (_, nth) => instanceOf(service, nth))));

export const answering = async () => new Response(null);

/** Of all that is alive, buffers too. Needs --expose-gc. */
export const liveBytes = async () => {
  for (let nth = 0; nth < 4; nth += 1) {
    await new Promise(resolve => setTimeout(resolve, 20));
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

export const tell = result => process.stdout.write(JSON.stringify(result), () => process.exit(0));
