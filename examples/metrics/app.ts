/**
 * A shop that calls its inventory, and tells Prometheus how that goes:
 *
 *     npx tsx examples/metrics/app.ts            the shop on 8080, its metrics on 9464
 *     npx tsx examples/metrics/app.ts 0 0        on any free ports
 *     curl -X POST localhost:8080/fault/one      one of three instances fails; also: all, bodies, registry, none
 *     curl localhost:9464/metrics
 *
 * It calls 20 times a second by itself. examples/metrics/prometheus.yml scrapes it and evaluates docs/operations/alerts.yml.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics as api } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { createServiceClient, roundRobin, tokenBucket } from 'fairlead';
import { metrics, prometheusViews } from 'fairlead/opentelemetry';
import { FAULTS, startInventory, type Fault } from './inventory.js';

const [shopPort = 8_080, metricsPort = 9_464] = process.argv.slice(2).map(Number);

async function main(): Promise<void> {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const resource = resourceFromAttributes({ 'service.name': 'shop' });
  api.setGlobalMeterProvider(new MeterProvider({ resource, readers: [exporter], views: prometheusViews() }));

  const measured = metrics();
  const inventory = await startInventory();
  for (const registration of inventory.registrations) measured.observe(registration, { service: 'inventory' });

  const client = createServiceClient({
    service: 'inventory',
    registry: inventory.registry,
    instruments: [measured],
    // The usual one, p2c(), would avoid an instance that fails so well that there is little to see.
    balancer: roundRobin(),
    hedge: { afterMs: 20 },
    rateLimit: { limiter: tokenBucket({ perSecond: 500, burst: 500 }) },
    throttle: true,
    adaptiveConcurrency: true,
    cache: {},
    // To know nothing of the stock is bad; an order that was not placed must not look like one.
    fallback: ({ method }) => (method === 'GET' ? new Response('unknown') : undefined),
  });
  const read = async (path: string, init?: RequestInit): Promise<string> => (await client.fetch(path, init)).text();
  let calls = 0;
  const traffic = setInterval(() => {
    calls += 1;
    // What the cache has, what it has not, and what nothing stands in for.
    const call = [() => read('/stock/1'), () => read(`/stock/${calls}`), () => read('/orders', { method: 'POST' })];
    call[calls % 3]!().catch(() => undefined);
  }, 50);

  const scraped = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  const shop = createServer((request, response) => {
    const fault = /^\/fault\/(\w+)$/.exec(request.url ?? '')?.[1] as Fault | undefined;
    if (fault === undefined) {
      const answered = (text: string): unknown => response.end(`${text}\n`);
      return void read('/stock/1').then(answered, (error: Error) => answered(error.message));
    }
    if (FAULTS.includes(fault)) inventory.set(fault);
    return response.writeHead(FAULTS.includes(fault) ? 204 : 404).end();
  });
  const ports = [];
  for (const [server, port] of [
    [shop, shopPort],
    [scraped, metricsPort],
  ] as const) {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  console.log(`the shop is on port ${ports[0]}, its metrics on port ${ports[1]}`);

  process.once('SIGINT', () => process.exit());
  await once(process, 'SIGTERM');
  clearInterval(traffic);
  await client.close();
  inventory.close();
  for (const server of [shop, scraped]) server.close().closeAllConnections();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
