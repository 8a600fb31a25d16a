/** The places on this machine where each server may be, and the Debian packages that bring it there. */
import { realpath, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unpackedPackages } from './debian.js';
import type { AvailableServer, ServerKind } from './find.js';
import { exists, onPath } from './run.js';

export interface Located {
  readonly how: Exclude<AvailableServer['how'], 'docker'>;
  readonly argv: readonly string[];
  readonly versionArgv: readonly string[];
  readonly toolFolder: string | undefined;
}

export interface Candidate {
  /** For the sentence that says what was tried. */
  readonly what: string;
  /** Throws when it is not there. */
  locate(): Promise<Located>;
}

/** What suffices to run the server class; the packages' dependencies (jetty, mail, spring) do not matter to it. */
const ZOOKEEPER_JARS = [
  ...['zookeeper', 'zookeeper-jute', 'slf4j-api', 'slf4j-simple', 'metrics-core', 'snappy-java'],
  ...['netty-common', 'netty-buffer', 'netty-transport', 'netty-handler', 'netty-codec', 'netty-resolver'],
  ...['commons-cli', 'commons-io'],
];

const ZOOKEEPER_PACKAGES = [
  ...['libzookeeper-java', 'libslf4j-java', 'libdropwizard-metrics-java', 'libsnappy-java', 'libnetty-java'],
  ...['libcommons-cli-java', 'libcommons-io-java'],
];

const DEBIAN_JAVA_FOLDER = 'usr/share/java';

export function pathCandidates(kind: ServerKind): Candidate[] {
  if (kind === 'prometheus') {
    return [{ what: 'PATH', locate: async () => prometheus('PATH', dirname(await needOnPath(kind))) }];
  }
  if (kind !== 'zookeeper') {
    return [{ what: 'PATH', locate: async () => goServer('PATH', await needOnPath(kind)) }];
  }
  return [
    { what: 'java on PATH with zkServer.sh', locate: locateZooKeeperInstall },
    { what: 'java on PATH with installed jars', locate: () => locateZooKeeperJars('PATH', `/${DEBIAN_JAVA_FOLDER}`) },
  ];
}

/** Consul is in no suite after bullseye. For etcd and Prometheus the newest that runs here. */
export function debianCandidates(kind: ServerKind): Candidate[] {
  const suites = {
    consul: ['bullseye'],
    etcd: ['trixie', 'bookworm'],
    zookeeper: ['bookworm'],
    prometheus: ['trixie', 'bookworm'],
  }[kind];
  return suites.map(function toCandidate(suite) {
    const packages = {
      consul: ['consul'],
      etcd: ['etcd-server', 'etcd-client'],
      zookeeper: ZOOKEEPER_PACKAGES,
      // Its tool is a package of its own since trixie.
      prometheus: suite === 'bookworm' ? ['prometheus'] : ['prometheus', 'promtool'],
    }[kind];
    const locate = async (): Promise<Located> => {
      const { folder, fresh } = await unpackedPackages({ name: kind, suite, packages });
      const how = fresh ? 'debian package' : 'cache';
      if (kind === 'zookeeper') return locateZooKeeperJars(how, join(folder, DEBIAN_JAVA_FOLDER));
      return kind === 'prometheus'
        ? prometheus(how, join(folder, 'usr/bin'))
        : goServer(how, join(folder, 'usr/bin', kind));
    };
    return { what: `Debian packages of ${suite}`, locate };
  });
}

function goServer(how: Located['how'], file: string): Located {
  return { how, argv: [file], versionArgv: [file, '--version'], toolFolder: dirname(file) };
}

/** Rules are tested with its tool, which some installations leave out. */
async function prometheus(how: Located['how'], folder: string): Promise<Located> {
  if (!(await exists(join(folder, 'promtool')))) throw new Error(`no promtool in ${folder}`);
  return goServer(how, join(folder, 'prometheus'));
}

async function needOnPath(name: string): Promise<string> {
  const path = await onPath(name);
  if (path === undefined) throw new Error(`no ${name}`);
  return path;
}

/** Apache's own archive: bin/, lib/ and conf/ side by side. */
async function locateZooKeeperInstall(): Promise<Located> {
  const java = await needOnPath('java');
  const home = dirname(dirname(await realpath(await needOnPath('zkServer.sh'))));
  return zooKeeper({ how: 'PATH', java, classPath: `${join(home, 'lib')}/*:${join(home, 'conf')}` });
}

async function locateZooKeeperJars(how: Located['how'], folder: string): Promise<Located> {
  const jars = ZOOKEEPER_JARS.map(name => join(folder, `${name}.jar`));
  for (const jar of jars) {
    if (!(await exists(jar))) throw new Error(`no ${jar}`);
  }
  const java = (await onPath('java')) ?? (how === 'PATH' ? await needOnPath('java') : await unpackedJava());
  return zooKeeper({ how, java, classPath: jars.join(':') });
}

async function unpackedJava(): Promise<string> {
  const packages = ['openjdk-17-jre-headless'];
  const { folder } = await unpackedPackages({ name: 'jre', suite: 'bookworm', packages });
  const machines = join(folder, 'usr/lib/jvm');
  for (const name of await readdir(machines)) {
    const java = join(machines, name, 'bin/java');
    if (await exists(java)) return java;
  }
  throw new Error('no java in openjdk-17-jre-headless');
}

function zooKeeper(parts: { how: Located['how']; java: string; classPath: string }): Located {
  // Small heap, one collector thread and the quick compiler: a third of the start time and memory of the defaults.
  const machine = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData'];
  const properties = [
    '-Dzookeeper.jmx.log4j.disable=true',
    // A killed process loses nothing without fsync, only a crashed machine does.
    '-Dzookeeper.forceSync=no',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  ];
  const start = [parts.java, ...machine, ...properties, '-cp', parts.classPath];
  return {
    how: parts.how,
    argv: [...start, 'org.apache.zookeeper.server.quorum.QuorumPeerMain'],
    versionArgv: [...start, 'org.apache.zookeeper.Version', '--short'],
    toolFolder: undefined,
  };
}
