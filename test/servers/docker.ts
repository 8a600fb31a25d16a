/**
 * The last resort on machines without the servers and without apt: one container per server, on the host's network,
 * so that ports, data folders and arguments stay those of a plain process. Linux only: elsewhere the host's network
 * is that of a virtual machine. Written without an engine at hand: no test here has run it.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Launch, Signal } from './process.js';
import { messageOf, onPath, run } from './run.js';
import type { ServerKind } from './find.js';

interface Image {
  readonly name: string;
  readonly version: string;
  readonly command: readonly [string, ...string[]];
}

const IMAGES: Readonly<Record<ServerKind, Image>> = {
  consul: { name: 'hashicorp/consul', version: '1.17.1', command: ['consul'] },
  etcd: { name: 'rancher/mirrored-coreos-etcd', version: 'v3.5.12', command: ['etcd'] },
  zookeeper: { name: 'zookeeper', version: '3.8', command: ['zkServer.sh', 'start-foreground'] },
  prometheus: { name: 'prom/prometheus', version: 'v2.53.3', command: ['prometheus'] },
};

export interface DockerServer {
  readonly version: string;
  readonly launch: (folder: string) => Launch;
}

/** Throws when no engine answers or the image cannot be had. */
export async function dockerServer(kind: ServerKind): Promise<DockerServer> {
  if (process.platform !== 'linux') throw new Error('used on Linux only');
  if ((await onPath('docker')) === undefined) throw new Error('no docker on PATH');
  await run(['docker', 'version', '--format', '{{.Server.Version}}']).catch((error: unknown) => {
    throw new Error(`no engine answers: ${messageOf(error)}`);
  });
  const { name, version, command } = IMAGES[kind];
  const image = `${name}:${version}`;
  await run(['docker', 'image', 'inspect', image]).catch(() =>
    run(['docker', 'pull', '-q', image], { timeoutMs: 300_000 }),
  );
  return { version: version.replace(/^v/, ''), launch: folder => containerLaunch(image, command, folder) };
}

function containerLaunch(image: string, command: Image['command'], folder: string): Launch {
  const container = `fairlead-${randomUUID()}`;
  const [entrypoint, ...args] = command;
  // As this user, for the data folder must be removable afterwards.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const place = ['--network', 'host', '--user', user, '--volume', `${folder}:${folder}`];
  return {
    argv: ['docker', 'run', '--rm', '--name', container, ...place, '--entrypoint', entrypoint, image, ...args],
    signal: signal => signalContainer(container, signal),
  };
}

/** Synchronous, because it must also work while this process exits. */
function signalContainer(container: string, signal: Signal): void {
  const docker = (word: string) => spawnSync('docker', [word, container], { stdio: 'ignore', timeout: 10_000 });
  if (signal === 'SIGSTOP') docker('pause');
  else if (signal === 'SIGCONT') docker('unpause');
  else {
    // Some engines refuse to kill what is paused.
    docker('unpause');
    docker('kill');
  }
}
