/**
 * What a real Prometheus sees of the example application in examples/metrics, through a story of failures; and that the
 * dashboard and the alarms of docs/operations ask for what is there.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, serverOrSkip, startPrometheus, type Prometheus } from '../servers/index.js';
import { run } from '../servers/run.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ALERTS = 'docs/operations/alerts.yml';
const server = await serverOrSkip('prometheus');
// In a container there is a server, and no tool at hand.
if (server !== undefined && server.toolFolder === undefined) {
  const line = 'SKIPPED: the rules of docs/operations: no promtool on this machine';
  if (process.env['CI'] === 'true') throw new Error(line);
  writeSync(2, `${line}\n`);
}

interface Shop {
  readonly metrics: string;
  fault(name: string): Promise<void>;
  stop(): Promise<void>;
}

const startShop = async (): Promise<Shop> => {
  const flags = ['--import', 'tsx', 'examples/metrics/app.ts', '0', '0'];
  const child: ChildProcess = spawn(process.execPath, flags, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([once(child.stdout!.setEncoding('utf8'), 'data'), exited])) as [string | number];
  const [shop, metrics] =
    String(line)
      .match(/\d+/g)
      ?.map(port => `127.0.0.1:${port}`) ?? [];
  if (shop === undefined || metrics === undefined) throw new Error(`the example did not start: ${line}`);
  return {
    metrics,
    fault: async name => {
      const { status } = await fetch(`http://${shop}/fault/${name}`, { method: 'POST' });
      if (status !== 204) throw new Error(`fault ${name}: ${status}`);
    },
    stop: async () => {
      child.kill('SIGTERM');
      expect(await exited, 'the example ends by itself').toEqual([0, null]);
    },
  };
};

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: { uid: string } }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; type: string; definition?: string }[] };
}

const readDashboard = async (): Promise<Dashboard> =>
  JSON.parse(await readFile(join(ROOT, 'docs/operations/grafana-dashboard.json'), 'utf8')) as Dashboard;

/** As Grafana sends it. */
const filledIn = (expression: string): string =>
  expression.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|service)\b/g, '.*');

/** Without label matchers and groupings, what is left of our words are names of metrics. */
const metricsOf = (expression: string): string[] =>
  expression
    .replaceAll(/\{[^}]*\}|\bby \([^)]*\)/g, '')
    .match(/\b(?:fairlead|http)_\w+/g)
    ?.map(String) ?? [];

describe.skipIf(server === undefined)('the example application, scraped by Prometheus', () => {
  let shop: Shop;
  let prometheus: Prometheus;
  const value = async (expression: string): Promise<number> => (await prometheus.query(expression))[0]?.value ?? NaN;
  const until = (expression: string, holds: (value: number) => boolean): Promise<unknown> =>
    eventually(async () => holds(await value(expression)), { withinMs: 60_000, what: expression });

  beforeAll(async () => {
    shop = await startShop();
    prometheus = await startPrometheus({ targets: [shop.metrics], rules: [join(ROOT, ALERTS)] });
  });
  afterAll(async () => {
    await prometheus?.stop();
    await shop?.stop();
  });

  it('requests are there by the conventions, in seconds, in the standard buckets', async () => {
    const ok = 'http_response_status_code="200", http_request_method="GET"';
    const series = `http_client_request_duration_seconds_bucket{${ok}}`;
    await until(`sum(${series.replace('}', ', le="+Inf"}')})`, count => count > 10);
    const samples = await prometheus.query(series);
    expect(samples[0]!.labels).toMatchObject({
      job: 'fairlead',
      fairlead_service: 'inventory',
      server_address: 'inventory',
      http_request_method: 'GET',
    });
    const bounds = samples.map(({ labels }) => Number(labels['le']!.replace('+Inf', 'Infinity'))).sort((a, b) => a - b);
    expect(bounds).toEqual([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, Infinity]);
    // The instances take 5 to 25 ms; a slow machine takes longer, and none takes less.
    expect(await value(`sum(${series.replace('}', ', le="0.005"}')})`)).toBe(0);
  });

  it('a healthy fleet shows as one', async () => {
    await until('fairlead_client_instance_eligible', count => count === 3);
    expect(await value('fairlead_client_instance_known')).toBe(3);
    expect(await value('fairlead_client_breaker_state{fairlead_state="closed"}')).toBe(1);
    expect(await value('fairlead_client_registry_down')).toBe(0);
    expect(await value('fairlead_registration_missing')).toBe(0);
    await until('sum(rate(fairlead_client_calls_total{fairlead_outcome="success"}[1m]))', rate => rate > 0);
  });

  it('an instance that fails shows as retries by reason, then as an ejection that rises from zero', async () => {
    await shop.fault('one');
    await until('sum(increase(fairlead_client_instance_ejections_total{fairlead_reason="calls"}[2m]))', n => n >= 1);
    await until('sum(fairlead_client_retries_total{fairlead_reason="503"})', count => count >= 2);
    expect(await value('sum(http_client_request_duration_seconds_count{error_type="503"})')).toBeGreaterThanOrEqual(5);
    expect(await value('sum(fairlead_client_attempts_total{fairlead_outcome="failure"})')).toBeGreaterThanOrEqual(5);
    expect(await value('max_over_time(fairlead_client_instance_ejected[2m])')).toBe(1);
  });

  it('broken bodies show, since a call that ended well may end badly after all', async () => {
    await shop.fault('bodies');
    await until('fairlead_client_body_failures_total', count => count > 0);
  });

  it('a service that fails shows as an open breaker, refusals, and what callers got instead', async () => {
    await shop.fault('all');
    await until('fairlead_client_breaker_state{fairlead_state="open"}', state => state === 1);
    await until('sum(fairlead_client_refusals_total{fairlead_code="CIRCUIT_OPEN"})', count => count > 0);
    await until('sum(fairlead_client_fallbacks_total)', count => count > 0);
    await until('fairlead_client_stale_answers_total', count => count > 0);
    await until('sum(fairlead_client_calls_total{fairlead_outcome="refused"})', count => count > 0);
    await until('count(ALERTS{alertname="FairleadBreakerOpen"})', count => count === 1);
    expect(await value('fairlead_client_breaker_transitions_total{fairlead_state="open"}')).toBeGreaterThan(0);
  });

  it('a registry that is gone shows, and how old the set is', async () => {
    await shop.fault('registry');
    await until('fairlead_client_registry_down', down => down === 1);
    await until('fairlead_client_discovery_age_seconds', age => age > 0);
    await until('count(ALERTS{alertname="FairleadSetStale", alertstate="pending"})', count => count === 1);
    expect(await value('fairlead_client_registry_errors_total{fairlead_reason="lost"}')).toBe(1);
    // The last good set serves on, and the breaker closes again.
    await until('fairlead_client_breaker_state{fairlead_state="closed"}', state => state === 1);
  });

  it('the dashboard asks for nothing that is not there', async () => {
    const { panels, templating } = await readDashboard();
    const known = new Set(await prometheus.names());
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(30);
    const definitions = templating.list.flatMap(({ definition = '' }) => metricsOf(definition.replace(/, \w+\)$/, '')));
    const asked = [...expressions.flatMap(metricsOf), ...definitions];
    expect(asked.filter(name => !known.has(name))).toEqual([]);
    const empty: string[] = [];
    // A query that is not valid rejects, with Prometheus' words.
    for (const expression of expressions)
      if ((await prometheus.query(filledIn(expression))).length === 0) empty.push(expression);
    expect(empty).toEqual([]);
  });

  it('the alarms ask for nothing that is not there, and Prometheus evaluates them', async () => {
    const known = new Set([...(await prometheus.names()), ...(await recordedNames())]);
    const rules = await readFile(join(ROOT, ALERTS), 'utf8');
    const asked = metricsOf(rules.replaceAll(/#.*|'\{\{.*|summary:.*|description:.*/g, ''));
    expect(asked.length).toBeGreaterThan(15);
    expect(asked.filter(name => !known.has(name))).toEqual([]);
    const answer = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as {
      data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
    };
    const loaded = answer.data.groups.flatMap(group => group.rules);
    expect(loaded).toHaveLength(16);
    expect(loaded.filter(({ health }) => health !== 'ok')).toEqual([]);
  });
});

const recordedNames = async (): Promise<string[]> =>
  [...(await readFile(join(ROOT, ALERTS), 'utf8')).matchAll(/record: (\S+)/g)].map(([, name]) => name!);

describe.skipIf(server?.toolFolder === undefined)('docs/operations', () => {
  const promtool = (...args: string[]): Promise<string> =>
    run([join(server!.toolFolder!, 'promtool'), ...args], { cwd: ROOT, timeoutMs: 60_000 });

  it('the rules are valid, and each alarm fires on its story and on no other', async () => {
    expect(await promtool('check', 'rules', ALERTS)).toContain('16 rules found');
    expect(await promtool('test', 'rules', 'docs/operations/alerts.test.yml')).toContain('SUCCESS');
    const rules = await readFile(join(ROOT, ALERTS), 'utf8');
    const stories = await readFile(join(ROOT, 'docs/operations/alerts.test.yml'), 'utf8');
    const alarms = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name!);
    expect(alarms.filter(name => !stories.includes(`alertname: ${name}`))).toEqual([]);
  });

  it('the example’s configuration is valid', async () => {
    expect(await promtool('check', 'config', 'examples/metrics/prometheus.yml')).toContain(
      'is valid prometheus config',
    );
  });
});

describe('the dashboard', () => {
  it('is what Grafana imports: panels with ids of their own, side by side, on the chosen data source', async () => {
    const { schemaVersion, panels, templating } = await readDashboard();
    expect(schemaVersion).toBeGreaterThanOrEqual(36);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
    expect(templating.list.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'datasource: datasource',
      'job: query',
      'service: query',
    ]);
    const drawn = panels.filter(({ type }) => type !== 'row');
    const uids = drawn.flatMap(({ datasource, targets = [] }) => [datasource, ...targets.map(t => t.datasource)]);
    expect(new Set(uids.map(source => source?.uid))).toEqual(new Set(['${datasource}']));
    expect(drawn.filter(({ targets = [] }) => targets.length === 0)).toEqual([]);
    expect(new Set(drawn.map(({ title }) => title)).size).toBe(drawn.length);
  });
});
