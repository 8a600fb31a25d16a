import { readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installedProject, root, type Project } from './support/project.js';

interface Manifest {
  readonly sideEffects: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
  readonly exports: Readonly<Record<string, string | Record<'import' | 'require', Record<string, string>>>>;
}

let project: Project;
let manifest: Manifest;
beforeAll(async () => {
  project = await installedProject();
  manifest = JSON.parse(await readFile(path.join(project.installed, 'package.json'), 'utf8')) as Manifest;
});
afterAll(() => project?.remove());

const textsOf = async (ending: string): Promise<(readonly [name: string, text: string])[]> => {
  const names = (await readdir(path.join(project.installed, 'dist'))).filter(name => name.endsWith(ending));
  const read = async (name: string) =>
    [name, await readFile(path.join(project.installed, 'dist', name), 'utf8')] as const;
  return Promise.all(names.map(read));
};

describe('the tarball', () => {
  test('holds the build, and what a user reads', () => {
    const beside = project.packed.filter(file => !file.startsWith('dist/'));
    expect(beside).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY-LICENSES', 'package.json']);
    const built = project.packed.filter(file => file.startsWith('dist/'));
    expect(built.filter(file => !/^dist\/[\w-]+\.(c?js(\.map)?|d\.c?ts)$/.test(file))).toEqual([]);
  });

  test('tells nothing of the machine that built it', async () => {
    const places = [root.replace(/\/$/, ''), homedir(), 'file://'].filter(place => place.length > 1);
    const texts = [...(await textsOf('.js')), ...(await textsOf('.cjs')), ...(await textsOf('.map'))];
    expect(texts.length).toBeGreaterThan(5);
    const telling = texts.filter(([, text]) => places.some(place => text.includes(`${place}/`)));
    expect(telling.map(([name]) => name)).toEqual([]);
  });

  test('has source maps that bring their sources along: src is not shipped', async () => {
    const maps = await textsOf('.map');
    expect(maps.length).toBeGreaterThan(0);
    for (const [name, text] of maps) {
      const map = JSON.parse(text) as { sources: string[]; sourcesContent: (string | null)[] };
      // What no source line stands for maps to the built file itself.
      const missing = map.sources.filter((_source, at) => typeof map.sourcesContent[at] !== 'string');
      expect(
        missing.filter(source => `${source}.map` !== name),
        name,
      ).toEqual([]);
      // One is the bundler's own: what stands for `import.meta.url` in CommonJS.
      if (map.sources.some(source => source.includes('/tsup/assets/'))) continue;
      expect(map.sources.filter(source => source.startsWith('../src/')).length, name).toBeGreaterThan(0);
    }
  });

  test('has every file that its doors name', () => {
    const doors = Object.values(manifest.exports).filter(door => typeof door !== 'string');
    const named = doors.flatMap(({ import: esm, require: cjs }) => [...Object.values(esm), ...Object.values(cjs)]);
    expect(named).toHaveLength(doors.length * 4);
    expect(named.filter(file => !project.packed.includes(file.replace('./', '')))).toEqual([]);
  });

  test('has no side effects, and asks for no third party but its one dependency', () => {
    expect(manifest.sideEffects).toBe(false);
    expect(Object.keys(manifest.dependencies ?? {}).filter(name => name !== 'opossum')).toEqual([]);
    const peers = Object.keys(manifest.peerDependencies);
    expect(peers.filter(name => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
  });
});
