/**
 * Downloads Debian packages of a named suite and unpacks them, without root, without installing and without starting
 * a service. apt gets lists, cache and status of its own, so it works for any user and with no `apt-get update`
 * before; signatures are checked as always.
 */
import { lstat, mkdir, readdir, readlink, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { machineArchives, type Archive } from './apt-sources.js';
import { cached, type CacheEntry } from './cache.js';
import { messageOf, onPath, run } from './run.js';

export interface DebianPackages {
  /** Names the cache entry together with the suite. */
  readonly name: string;
  readonly suite: string;
  readonly packages: readonly string[];
}

const UPDATE_LIMIT_MS = 120_000;
const DOWNLOAD_LIMIT_MS = 300_000;

/** The folder which holds the packages' files as `usr/bin/…` and so on. */
export function unpackedPackages(wanted: DebianPackages): Promise<CacheEntry> {
  return cached(`${wanted.name}-${wanted.suite}`, folder => downloadAndUnpack(wanted, folder));
}

async function downloadAndUnpack(wanted: DebianPackages, folder: string): Promise<void> {
  if ((await onPath('apt-get')) === undefined) throw new Error('no apt-get on PATH');
  const archives = await machineArchives();
  if (archives.length === 0) throw new Error('the apt configuration of this machine names no archive');
  const failures: string[] = [];
  for (const archive of archives) {
    try {
      const apt = join(folder, 'apt');
      await download(wanted, archive, apt);
      for (const file of (await readdir(apt)).filter(name => name.endsWith('.deb'))) {
        await run(['dpkg-deb', '-x', join(apt, file), folder], { timeoutMs: DOWNLOAD_LIMIT_MS });
      }
      await rm(apt, { recursive: true });
      return await rehomeLinks(folder);
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new Error(failures.join('; '));
}

async function download(wanted: DebianPackages, archive: Archive, apt: string): Promise<void> {
  await rm(apt, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'archives/partial', 'sources', 'none']) {
    await mkdir(join(apt, folder), { recursive: true });
  }
  await writeFile(join(apt, 'status'), '');
  await writeFile(join(apt, 'sources/this.sources'), sourceStanza(wanted, archive));
  const command = ['apt-get', '-q', ...aptOptions(apt)];
  await run([...command, 'update'], { timeoutMs: UPDATE_LIMIT_MS });
  await run([...command, 'download', ...wanted.packages], { cwd: apt, timeoutMs: DOWNLOAD_LIMIT_MS });
}

function sourceStanza(wanted: DebianPackages, archive: Archive): string {
  return [
    'Types: deb',
    `URIs: ${archive.uri}`,
    `Suites: ${wanted.suite}`,
    'Components: main',
    ...(archive.signedBy === undefined ? [] : [`Signed-By: ${archive.signedBy}`]),
    'Targets: Packages',
    // A suite at the end of its life is no longer re-signed; its signature itself is still checked.
    'Check-Valid-Until: no',
    '',
  ].join('\n');
}

function aptOptions(apt: string): string[] {
  const options = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(apt, 'sources'),
    // A pin for the machine's own suite must not hide packages of another one.
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': join(apt, 'none'),
    'Dir::State': apt,
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': apt,
    'Dir::Cache::archives': join(apt, 'archives'),
    // As root, apt would drop to a user who may not write here.
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * Packages link to absolute places (the JRE's `conf` to `/etc/java-17-openjdk`), which after unpacking lead nowhere,
 * or worse into another installation. Links whose target was unpacked too are made relative.
 */
async function rehomeLinks(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const link = join(entry.parentPath, entry.name);
    const target = await readlink(link);
    if (!isAbsolute(target)) continue;
    const inside = join(root, target);
    const unpacked = await lstat(inside).catch(() => undefined);
    if (unpacked === undefined) continue;
    await unlink(link);
    await symlink(relative(dirname(link), inside), link);
  }
}
