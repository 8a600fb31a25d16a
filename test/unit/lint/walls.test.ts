import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { lint, root } from './support.js';

/** From a file, what it imports, and what is said about that. */
type Case = readonly [file: string, specifier: string, says: string];

const DOWNWARD = 'imports run downward only';

const refused: readonly Case[] = [
  // Upward and beside, room by room.
  ['src/core/x.ts', '../machines/x.js', DOWNWARD],
  ['src/core/x.ts', '../client/x.js', DOWNWARD],
  ['src/machines/x.ts', '../pool/x.js', DOWNWARD],
  ['src/machines/x.ts', '../client/x.js', DOWNWARD],
  ['src/pool/x.ts', '../layers/x.js', DOWNWARD],
  ['src/layers/x.ts', '../pool/x.js', DOWNWARD],
  ['src/pool/x.ts', '../balancers/p2c.js', DOWNWARD],
  ['src/layers/x.ts', '../discovery/x.js', DOWNWARD],
  ['src/discovery/x.ts', '../health/x.js', DOWNWARD],
  ['src/health/x.ts', '../discovery/x.js', DOWNWARD],
  ['src/config/x.ts', '../registries/consul/x.js', DOWNWARD],
  ['src/routing/x.ts', '../balancers/x.js', DOWNWARD],
  ['src/discovery/x.ts', '../client/x.js', DOWNWARD],
  ['src/client/x.ts', '../registries/memory.js', DOWNWARD],
  ['src/client/x.ts', '../lifecycle/x.js', DOWNWARD],
  ['src/lifecycle/x.ts', '../client/x.js', DOWNWARD],
  ['src/client/x.ts', '../integrations/opossum.js', DOWNWARD],
  ['src/client/x.ts', '../index.js', DOWNWARD],
  ['src/integrations/x.ts', '../index.js', DOWNWARD],
  // Rooms for people who write a new one.
  ['src/balancers/x.ts', '../pool/x.js', 'src/balancers imports src/core only'],
  ['src/balancers/x.ts', '../machines/x.js', 'src/balancers imports src/core only'],
  ['src/registries/x.ts', '../pool/x.js', 'src/registries imports src/core and src/machines only'],
  ['src/registries/consul/x.ts', '../../discovery/x.js', 'src/registries imports src/core and src/machines only'],
  // Strangers to each other.
  ['src/registries/a.ts', './b.js', 'registries never import each other'],
  ['src/registries/consul/x.ts', '../etcd/index.js', 'registries never import each other'],
  ['src/registries/consul/x.ts', '../memory.js', 'registries never import each other'],
  ['src/registries/dialects/x.ts', '../consul/x.js', 'registries never import each other'],
  ['src/integrations/opossum.ts', './undici.js', 'integrations never import each other'],
  ['src/integrations/opentelemetry/x.ts', '../jaeger/x.js', 'integrations never import each other'],
  // Tests, and what is not in the package.
  ['src/core/x.ts', '../testing/test-runtime.js', 'src/testing: it is for tests'],
  ['src/index.ts', './testing/index.js', 'src/testing: it is for tests'],
  ['src/client/x.ts', '../../test/servers/index.js', 'not in the package'],
  ['src/client/x.ts', '../../package.json', 'not in the package'],
  ['src/somewhere/x.ts', '../core/x.js', 'src/somewhere has no place'],
  // Third parties, and ourselves.
  ['src/core/x.ts', 'opossum', 'third parties are met in'],
  ['src/client/x.ts', 'opossum', 'third parties are met in'],
  ['src/machines/fed-opossum.ts', 'opossum', 'third parties are met in'],
  ['src/client/fed-opossum.ts', 'cockatiel', 'third parties are met in'],
  ['src/client/x.ts', '@opentelemetry/api', 'third parties are met in'],
  ['src/client/x.ts', 'fairlead', 'by relative paths'],
  ['src/registries/consul/x.ts', 'fairlead/testing', 'by relative paths'],
];

const allowed: readonly (readonly [file: string, specifier: string])[] = [
  ['src/core/x.ts', './y.js'],
  ['src/core/x.ts', 'node:async_hooks'],
  ['src/machines/x.ts', '../core/x.js'],
  ['src/pool/x.ts', '../machines/x.js'],
  ['src/layers/x.ts', '../core/x.js'],
  ['src/discovery/x.ts', '../pool/x.js'],
  ['src/balancers/x.ts', '../core/x.js'],
  ['src/balancers/x.ts', './weighted-draw.js'],
  ['src/registries/consul/x.ts', './y.js'],
  ['src/registries/consul/x.ts', '../../core/x.js'],
  ['src/registries/consul/x.ts', '../../machines/x.js'],
  ['src/registries/consul/x.ts', '../dialects/curator.js'],
  ['src/registries/consul/x.ts', 'consul'],
  ['src/integrations/opossum.ts', 'opossum'],
  ['src/client/fed-opossum.ts', 'opossum'],
  ['src/client/x.ts', '../balancers/p2c.js'],
  ['src/integrations/x.ts', '../client/x.js'],
  ['src/index.ts', './integrations/opossum.js'],
  ['src/testing/x.ts', '../client/x.js'],
  ['test/unit/x.test.ts', '../../src/client/x.js'],
];

const FORMS: readonly ((specifier: string) => string)[] = [
  specifier => `import { a } from '${specifier}';\nexport const b = a;\n`,
  specifier => `import type { A } from '${specifier}';\nexport type B = A;\n`,
  specifier => `import '${specifier}';\n`,
  specifier => `export { a } from '${specifier}';\n`,
  specifier => `export type { A } from '${specifier}';\n`,
  specifier => `export * from '${specifier}';\n`,
  specifier => `export * as all from '${specifier}';\n`,
  specifier => `export const a = await import('${specifier}');\n`,
  specifier => `export const a = await import(\`${specifier}\`);\n`,
  specifier => `export type A = typeof import('${specifier}');\n`,
  specifier => `import a = require('${specifier}');\nexport const b = a;\n`,
];

describe('walls between rooms', () => {
  test.each(refused)('%s must not import %s', async (file, specifier, says) => {
    const said = await lint(file, FORMS[0]!(specifier));
    expect(said.join('\n')).toContain(`fairlead/walls: `);
    expect(said.join('\n')).toContain(says);
  });

  test.each(allowed)('%s may import %s', async (file, specifier) => {
    expect(await lint(file, FORMS[0]!(specifier))).toEqual([]);
  });

  test.each(FORMS.map(form => form('../client/x.js')))('a wall stands against %j', async text => {
    expect((await lint('src/machines/x.ts', text)).join('\n')).toContain(DOWNWARD);
  });

  test('each room in src has its place', async () => {
    const files = readdirSync(`${root}/src`).map(entry =>
      entry.endsWith('.ts') ? `src/${entry}` : `src/${entry}/x.ts`,
    );
    const said = await Promise.all(
      files.map(file => lint(file, `import '${file.includes('/x.ts') ? '..' : '.'}/core/x.js';\n`)),
    );
    expect(said.flat().filter(text => text.includes('has no place'))).toEqual([]);
  });
});
