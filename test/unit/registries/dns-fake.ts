/** A resolver whose zone is a few tables, and may change, fail or keep silent. */
import type { RecordWithTtl, SrvRecord } from 'node:dns';
import type { RegistryProblem, WatchContext } from '../../../src/core/registry.js';
import type { Runtime } from '../../../src/core/runtime.js';
import type { DnsResolver } from '../../../src/registries/dns.js';

export interface Zone {
  srv?: Record<string, unknown>;
  a?: Record<string, unknown>;
  aaaa?: Record<string, unknown>;
}

export interface FakeResolver extends DnsResolver {
  zone: Zone;
  /** `SRV name`, one for each query. */
  readonly queries: string[];
  /** Queries get no answer while it is true. */
  silent: boolean;
  /** The most queries that were under way at once. */
  readonly most: number;
}

export const dnsError = (code: string): Error =>
  Object.assign(new Error(`query${code}`), { code, syscall: 'query', hostname: 'x' });

/** What a zone holds is answered; an Error is thrown; a name that it lacks is NXDOMAIN. */
export const fakeResolver = (zone: Zone): FakeResolver => {
  let open = 0;
  const answer = async (type: string, table: Record<string, unknown> | undefined, name: string): Promise<never> => {
    fake.queries.push(`${type} ${name}`);
    open += 1;
    fake.most = Math.max(fake.most, open);
    // As slow as a network in promises' terms.
    for (let turn = 0; turn < 3; turn += 1) await Promise.resolve();
    if (fake.silent) await new Promise(() => undefined);
    open -= 1;
    const found = table?.[name] ?? dnsError('ENOTFOUND');
    if (found instanceof Error) throw found;
    return found as never;
  };
  const fake = {
    zone,
    queries: [] as string[],
    silent: false,
    most: 0,
    resolveSrv: (name: string): Promise<readonly SrvRecord[]> => answer('SRV', fake.zone.srv, name),
    resolve4: (name: string): Promise<readonly RecordWithTtl[]> => answer('A', fake.zone.a, name),
    resolve6: (name: string): Promise<readonly RecordWithTtl[]> => answer('AAAA', fake.zone.aaaa, name),
  };
  return fake;
};

export const srv = (name: string, { port = 80, priority = 1, weight = 1 } = {}): SrvRecord => ({
  ...{ name, port, priority, weight },
});

export const at = (address: string, ttl = 20): RecordWithTtl => ({ address, ttl });

export interface TestContext extends WatchContext {
  readonly problems: RegistryProblem[];
  abort(): void;
}

export const contextOn = (runtime: Runtime): TestContext => {
  const controller = new AbortController();
  const problems: RegistryProblem[] = [];
  return {
    ...{ runtime, signal: controller.signal, problems },
    report: problem => void problems.push(problem),
    abort: () => controller.abort(new Error('enough')),
  };
};
