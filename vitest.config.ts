import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const alias = {
  'fairlead/consul': at('./src/registries/consul/index.ts'),
  'fairlead/etcd': at('./src/registries/etcd/index.ts'),
  'fairlead/zookeeper': at('./src/registries/zookeeper/index.ts'),
  'fairlead/opentelemetry': at('./src/integrations/opentelemetry/index.ts'),
  'fairlead/jaeger': at('./src/integrations/jaeger/index.ts'),
  'fairlead/undici': at('./src/integrations/undici/index.ts'),
  'fairlead/testing': at('./src/testing/index.ts'),
  fairlead: at('./src/index.ts'),
};

const LONG = 'test/unit/**/*.long.test.ts';

// One module graph for all files: the tests share no state, and loading it for each would take longer than running.
const onVirtualTime = {
  pool: 'threads',
  isolate: false,
  // Vitest leaves one core free; on two that would be half of them.
  maxWorkers: '100%',
  testTimeout: 20_000,
  sequence: { groupOrder: 0 },
} as const;

export default defineConfig({
  test: {
    projects: [
      // The fast loop: what a change of one file breaks shows here.
      {
        resolve: { alias },
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: [LONG], ...onVirtualTime },
      },
      // Whole clients for minutes and hours of virtual time, and what needs many draws to show.
      {
        resolve: { alias },
        test: {
          name: 'scenarios',
          include: ['test/{contracts,scenarios}/**/*.test.ts', LONG],
          ...onVirtualTime,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Real servers and real processes. They mostly wait for each other, so two files at a time take half as long, and
        // no more than two: what they print is to be the servers' times, not the queue's.
        resolve: { alias },
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
      // What `npm test` built, as a user installs it: the doors are resolved through package.json.
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          testTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
