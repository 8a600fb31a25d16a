import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { createServiceClient, staticRegistry } from 'fairlead';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

it('100 000 calls on one signal: never more than one listener, and none after the bodies are read', async () => {
  const client = createServiceClient({
    service: 'users',
    registry: staticRegistry(['http://127.0.0.1:1']),
    transport: { send: () => Promise.resolve(new Response('ok')) },
  });
  const { signal } = new AbortController();
  let most = 0;
  for (let round = 0; round < 1_000; round += 1) {
    const responses = await Promise.all(Array.from({ length: 100 }, () => client.fetch('/', { signal })));
    most = Math.max(most, listeners(signal));
    await Promise.all(responses.map(response => response.text()));
  }
  expect(most).toBe(1);
  expect(listeners(signal)).toBe(0);
  await client.close();
}, 60_000);
