/** What the command line says. Everything that is wrong with it is told in one sentence, before anything is started. */
import { parseArgs } from 'node:util';

/** All three faults, one after the other, with the time that fairlead takes for each. */
export const ROUND_SECONDS = 23;
const LEAST_SECONDS = 5;
const MOST_SECONDS = 600;

export const USAGE = `Three instances of a service as real processes, one caller at 300 calls/s through fairlead with its
defaults. One instance is SIGKILLed and comes back, one becomes 20 times slower, one answers 503.

  npm run demo [-- options]

  --registry memory|consul|etcd|zookeeper
                             where instances are registered              (default memory)
  --url http://HOST:PORT     a Consul or etcd that runs already, for ZooKeeper HOST:PORT[,HOST:PORT];
                             without it, the demo starts a server
  --seconds N                how long, ${LEAST_SECONDS}-${MOST_SECONDS}                              (default ${ROUND_SECONDS})
                             all three faults need ${ROUND_SECONDS}; from 8 on there is time for the 503 only, below 8
                             for none; each further ${ROUND_SECONDS} are a further round, with the parts swapped
  --help                     this text

Exit code: 0 if no idempotent call failed, no POST was processed twice and fairlead handled each fault in
time (out within 2 s, back within 10 s); 1 if not, and why; 2 for a mistake on the command line.
With NO_COLOR set there are no colours; when the output is not a terminal, there is a plain line each second.`;

const REGISTRIES = ['memory', 'consul', 'etcd', 'zookeeper'] as const;
export type RegistryName = (typeof REGISTRIES)[number];

export interface RunOptions {
  readonly registry: RegistryName;
  /** Of a server that runs already. */
  readonly url: string | undefined;
  readonly seconds: number;
}

/** A mistake of the person at the keyboard, for whom a stack trace is no help. */
export class UsageError extends Error {}

/** `undefined`: help was asked for. Throws a UsageError. */
export const readOptions = (args: readonly string[]): RunOptions | undefined => {
  const { registry, url, seconds, help } = parse(args);
  if (help === true) return undefined;
  const name = checkRegistry(registry);
  return { registry: name, url: checkUrl(url, name), seconds: checkSeconds(seconds) };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        registry: { type: 'string', default: 'memory' },
        url: { type: 'string' },
        seconds: { type: 'string', default: String(ROUND_SECONDS) },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    // Node adds advice for the authors of programs after the first sentence.
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/);
    throw new UsageError(first);
  }
};

const checkRegistry = (name: string): RegistryName => {
  const known = REGISTRIES.find(each => each === name);
  if (known !== undefined) return known;
  throw new UsageError(`--registry: expected memory, consul, etcd or zookeeper, got ${JSON.stringify(name)}`);
};

const EXAMPLES = { consul: 'http://127.0.0.1:8500', etcd: 'http://127.0.0.1:2379' };
const HOSTS = /^[\w.-]+:\d{1,5}(,[\w.-]+:\d{1,5})*$/;

const checkUrl = (url: string | undefined, registry: RegistryName): string | undefined => {
  if (url === undefined) return undefined;
  if (registry === 'memory') throw new UsageError('--url is for --registry consul, etcd or zookeeper');
  if (registry === 'zookeeper') {
    if (HOSTS.test(url)) return url;
    throw new UsageError(`--url: expected one such as 127.0.0.1:2181, got ${JSON.stringify(url)}`);
  }
  if (URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol)) return url;
  throw new UsageError(`--url: expected one such as ${EXAMPLES[registry]}, got ${JSON.stringify(url)}`);
};

const checkSeconds = (text: string): number => {
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= LEAST_SECONDS && seconds <= MOST_SECONDS) return seconds;
  throw new UsageError(`--seconds: expected ${LEAST_SECONDS}-${MOST_SECONDS}, got ${JSON.stringify(text)}`);
};
