/**
 * Reads from the machine's own apt configuration where Debian packages come from, so that no mirror is named here
 * and proxies, mirrors and keyrings set up by the machine's owner are respected.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, run } from './run.js';

export interface Archive {
  readonly uri: string;
  /** A keyring's path, a fingerprint or a whole key, as written; undefined: the keys which apt trusts anyway. */
  readonly signedBy: string | undefined;
}

/** Archives that carry a whole distribution, in the order of the machine's files, each once. */
export async function machineArchives(): Promise<Archive[]> {
  const archives: Archive[] = [];
  for (const file of await sourceFiles()) {
    const text = await readFile(file, 'utf8').catch(() => '');
    archives.push(...(file.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text)));
  }
  const unique = new Map(archives.map(archive => [archive.uri.replace(/\/+$/, ''), archive]));
  return Promise.all([...unique.values()].map(withoutMissingKeyring));
}

async function sourceFiles(): Promise<string[]> {
  const shell = await run([
    'apt-config',
    'shell',
    'LIST',
    'Dir::Etc::sourcelist/f',
    'PARTS',
    'Dir::Etc::sourceparts/d',
  ]);
  const list = /^LIST='(.*)'$/m.exec(shell)?.[1];
  const parts = /^PARTS='(.*)'$/m.exec(shell)?.[1];
  const names = parts === undefined ? [] : await readdir(parts).catch(() => []);
  const inParts = names.filter(name => /\.(list|sources)$/.test(name)).map(name => join(parts ?? '', name));
  return [...inParts.sort(), ...(list === undefined ? [] : [list])];
}

/** `Types: deb` stanzas of sources.list.d/*.sources; see sources.list(5). */
export function parseDeb822(text: string): Archive[] {
  const withoutComments = text.replace(/^#.*\n?/gm, '');
  return withoutComments.split(/\n\s*\n/).flatMap(function toArchives(stanza) {
    const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1]?.trim();
    const words = (name: string) => field(name)?.split(/\s+/) ?? [];
    const enabled = !/^(no|false|0)$/i.test(field('Enabled') ?? 'yes');
    if (!enabled || !words('Types').includes('deb') || !isMain(words('Suites'), words('Components'))) return [];
    return words('URIs').map(uri => ({ uri, signedBy: field('Signed-By') }));
  });
}

/** `deb [options] uri suite component…` lines. */
export function parseOneLine(text: string): Archive[] {
  const lines = text.matchAll(/^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#\n]*)/gm);
  return [...lines].flatMap(function toArchives([, options = '', uri = '', suite = '', components = '']) {
    if (!isMain([suite], components.trim().split(/\s+/))) return [];
    return [{ uri, signedBy: /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1] }];
  });
}

/** Suites with a dash (bookworm-security, bookworm-updates) hold additions only, and often live in another archive. */
function isMain(suites: readonly string[], components: readonly string[]): boolean {
  return components.includes('main') && suites.some(suite => /^\w+$/.test(suite));
}

async function withoutMissingKeyring(archive: Archive): Promise<Archive> {
  const { uri, signedBy } = archive;
  const missing = signedBy !== undefined && signedBy.startsWith('/') && !(await exists(signedBy));
  return { uri, signedBy: missing ? undefined : signedBy };
}
