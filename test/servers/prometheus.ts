/** A real Prometheus for tests: scrapes what it is told to, and answers queries. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startCluster, type Cluster } from './cluster.js';
import { requireServer } from './find.js';
import type { Blueprint, ServerNode } from './node.js';
import { askJson } from './probe.js';

export interface PrometheusOptions {
  /** `host:port` of each program that answers `/metrics`. */
  readonly targets: readonly string[];
  /** @default 250 */
  readonly scrapeIntervalMs?: number;
  /** Rule files, by their paths. @default none */
  readonly rules?: readonly string[];
}

const PORTS = ['http'] as const;
type PrometheusNode = ServerNode<(typeof PORTS)[number]>;

/** One series of an instant query. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus extends Cluster<(typeof PORTS)[number]> {
  readonly url: string;
  /** An instant query, now. Rejects with Prometheus' own words when the expression is not valid. */
  query(expression: string): Promise<Sample[]>;
  /** Names of all metrics that it has seen. */
  names(): Promise<string[]>;
}

export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const { launch } = await requireServer('prometheus');
  const cluster = await startCluster({ nodes: 1, launch, ports: PORTS, blueprint: () => prometheusBlueprint(options) });
  const { url } = cluster.nodes[0];
  return Object.assign(cluster, {
    url,
    query: (expression: string) => query(url, expression),
    names: async () => ((await askJson(`${url}/api/v1/label/__name__/values`)) as { data: string[] }).data,
  });
}

function prometheusBlueprint(options: PrometheusOptions): Blueprint<(typeof PORTS)[number]> {
  const isReady = async (node: PrometheusNode): Promise<boolean> => (await fetch(`${node.url}/-/ready`)).ok;
  return {
    kind: 'prometheus',
    ports: PORTS,
    async argumentsOf(node) {
      const file = join(node.folder, 'prometheus.yml');
      // JSON is YAML.
      await writeFile(file, JSON.stringify(configuration(options)));
      return [
        `--config.file=${file}`,
        `--storage.tsdb.path=${node.dataFolder}`,
        `--web.listen-address=${node.address}`,
        '--log.level=warn',
      ];
    },
    isReady,
    isLeader: isReady,
  };
}

function configuration({ targets, scrapeIntervalMs = 250, rules = [] }: PrometheusOptions): object {
  const interval = `${scrapeIntervalMs}ms`;
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: rules,
    scrape_configs: [{ job_name: 'fairlead', static_configs: [{ targets }] }],
  };
}

interface Answer {
  readonly status: 'success' | 'error';
  readonly error?: string;
  readonly data?: { readonly result: readonly { metric: Record<string, string>; value: [number, string] }[] };
}

async function query(url: string, expression: string): Promise<Sample[]> {
  const body = new URLSearchParams({ query: expression });
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body, signal: AbortSignal.timeout(5_000) });
  const answer = (await response.json()) as Answer;
  if (answer.status !== 'success') throw new Error(`${expression}: ${answer.error}`);
  return (answer.data?.result ?? []).map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
}
