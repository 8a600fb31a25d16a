import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const alias = {
  'fairlead/consul': at('./src/registries/consul/index.ts'),
  'fairlead/etcd': at('./src/registries/etcd/index.ts'),
  'fairlead/zookeeper': at('./src/registries/zookeeper/index.ts'),
  'fairlead/testing': at('./src/testing/index.ts'),
  fairlead: at('./src/index.ts'),
};

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        // One module graph for all files: the tests share no state, and loading it for each would take longer than running.
        test: {
          name: 'unit',
          include: ['test/{unit,contracts,scenarios}/**/*.test.ts'],
          pool: 'threads',
          isolate: false,
          // Vitest leaves one core free; on two that would be half of them.
          maxWorkers: '100%',
          testTimeout: 20_000,
        },
      },
      {
        // Real servers and real processes: one file at a time, so that two cores measure one thing.
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      // What `npm test` built, as a user installs it: the doors are resolved through package.json.
      {
        test: { name: 'package', include: ['test/package/**/*.test.ts'], testTimeout: 120_000, fileParallelism: false },
      },
    ],
  },
});
