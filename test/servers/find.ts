/**
 * Finds a real Consul, etcd, ZooKeeper or Prometheus: on PATH, else from Debian packages kept in a cache, else in docker.
 * Each found server was run once for its version, so "available" means that it runs on this machine.
 */
import { writeSync } from 'node:fs';
import { debianCandidates, pathCandidates, type Candidate } from './candidates.js';
import { dockerServer } from './docker.js';
import type { Launch } from './process.js';
import { messageOf, run } from './run.js';

export type ServerKind = 'consul' | 'etcd' | 'zookeeper' | 'prometheus';

export const SERVER_KINDS = ['consul', 'etcd', 'zookeeper', 'prometheus'] as const satisfies readonly ServerKind[];

export interface AvailableServer {
  readonly kind: 'available';
  /** `cache` and `debian package` differ in whether this call downloaded it. */
  readonly how: 'PATH' | 'cache' | 'debian package' | 'docker';
  readonly version: string;
  /** Where the server's own command line tools lie (consul; etcdctl; promtool), if on this machine. */
  readonly toolFolder: string | undefined;
  readonly launch: (folder: string) => Launch;
}

export interface UnavailableServer {
  readonly kind: 'unavailable';
  /** Every way that was tried and why it did not do. */
  readonly reason: string;
}

const found = new Map<ServerKind, Promise<AvailableServer | UnavailableServer>>();

/** Looks once per process; the first call ever may download about 25 MB (for ZooKeeper 50 MB more without a Java). */
export function findServer(kind: ServerKind): Promise<AvailableServer | UnavailableServer> {
  const known = found.get(kind) ?? lookForServer(kind);
  found.set(kind, known);
  return known;
}

/** Like findServer, but throws the reason. */
export async function requireServer(kind: ServerKind): Promise<AvailableServer> {
  const server = await findServer(kind);
  if (server.kind === 'available') return server;
  throw new Error(`${kind} is not available: ${server.reason}`);
}

/**
 * For the head of an integration test: `const server = await serverOrSkip('consul')`, then
 * `describe.skipIf(server === undefined)(…)`. A skip is loud; under CI, where nobody would read it, it is a failure.
 */
export async function serverOrSkip(kind: ServerKind): Promise<AvailableServer | undefined> {
  const server = await findServer(kind);
  if (server.kind === 'available') return server;
  const line = `SKIPPED: ${kind} integration tests: ${server.reason}`;
  if (process.env['CI'] === 'true') throw new Error(line);
  // Straight to the descriptor: test runners collect, delay or drop what goes through process.stderr.
  writeSync(2, `${line}\n`);
  return undefined;
}

async function lookForServer(kind: ServerKind): Promise<AvailableServer | UnavailableServer> {
  const tried: string[] = [];
  for (const candidates of [pathCandidates(kind), debianCandidates(kind)]) {
    for (const candidate of candidates) {
      try {
        return await checked(await candidate.locate());
      } catch (error) {
        tried.push(`${candidate.what}: ${messageOf(error)}`);
      }
    }
  }
  try {
    return { kind: 'available', how: 'docker', toolFolder: undefined, ...(await dockerServer(kind)) };
  } catch (error) {
    tried.push(`docker: ${messageOf(error)}`);
  }
  return { kind: 'unavailable', reason: tried.join('; ').replace(/\s+/g, ' ') };
}

async function checked(located: Awaited<ReturnType<Candidate['locate']>>): Promise<AvailableServer> {
  const said = await run(located.versionArgv);
  const version = /\d+\.\d+\.\d+/.exec(said)?.[0];
  if (version === undefined) throw new Error(`its version is not in "${said.slice(0, 200)}"`);
  const { how, toolFolder, argv } = located;
  return { kind: 'available', how, version, toolFolder, launch: () => ({ argv }) };
}
