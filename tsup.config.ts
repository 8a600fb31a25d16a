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
    opentelemetry: 'src/integrations/opentelemetry/index.ts',
    jaeger: 'src/integrations/jaeger/index.ts',
    undici: 'src/integrations/undici/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node20',
  // One core for all doors: without splitting each door would carry its own copy of the error classes.
  splitting: true,
  // `import.meta.url` in the CommonJS build too.
  shims: true,
  dts: true,
  clean: true,
  sourcemap: true,
  treeshake: false,
  esbuildPlugins: [
    {
      // Ours to bundle, and CommonJS: as a module, who does not use the cache does not get it.
      name: 'http-cache-semantics-as-a-module',
      setup(build) {
        build.onLoad({ filter: /http-cache-semantics[/\\]index\.js$/ }, async ({ path: file }) => {
          const text = await readFile(file, 'utf8');
          const contents = text.replace('module.exports = class', 'export default class');
          if (contents === text) throw new Error(`${file}: no longer written as it was; see tsup.config.ts`);
          return { contents, loader: 'js' };
        });
      },
    },
  ],
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
