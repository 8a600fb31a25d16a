import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    consul: 'src/registries/consul/index.ts',
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
});
