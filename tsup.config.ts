import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defineConfig } from 'tsup';

interface SourceMap {
  file: string;
  sources: string[];
}

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    consul: 'src/registries/consul/index.ts',
    etcd: 'src/registries/etcd/index.ts',
    zookeeper: 'src/registries/zookeeper/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  // One core for all doors: without splitting each door would carry its own copy of the error classes.
  splitting: true,
  dts: true,
  clean: true,
  sourcemap: true,
  treeshake: false,
  plugins: [
    {
      // What tsup adds to split CJS maps to itself, by the full path on the machine that built it.
      name: 'relative-source-maps',
      async buildEnd({ writtenFiles }) {
        for (const { name } of writtenFiles.filter(file => file.name.endsWith('.cjs.map'))) {
          const map = JSON.parse(await readFile(name, 'utf8')) as SourceMap;
          const relative = (file: string): string =>
            path.isAbsolute(file) ? path.relative(path.dirname(path.resolve(name)), file) : file;
          map.file = relative(map.file);
          map.sources = map.sources.map(relative);
          await writeFile(name, JSON.stringify(map));
        }
      },
    },
  ],
});
