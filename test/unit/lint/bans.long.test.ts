import { describe, expect, test } from 'vitest';
import { lint, lintTyped } from './support.js';

const RUNTIME = 'come from the Runtime';

const bannedTexts: readonly (readonly [text: string, says: string])[] = [
  ['export const a = Math.random();', RUNTIME],
  ['export const { random } = Math;', RUNTIME],
  ['export const a = Date.now();', RUNTIME],
  ['export const a = new Date();', RUNTIME],
  ['export const a = performance.now();', RUNTIME],
  ['export const a = process.hrtime();', RUNTIME],
  ['setTimeout(() => undefined, 1);', RUNTIME],
  ['setInterval(() => undefined, 1);', RUNTIME],
  ['setImmediate(() => undefined);', RUNTIME],
  ['globalThis.setTimeout(() => undefined, 1);', RUNTIME],
  ["globalThis['setTimeout'](() => undefined, 1);", RUNTIME],
  ['export const { setTimeout: later } = globalThis;', RUNTIME],
  ['global.setInterval(() => undefined, 1);', RUNTIME],
  ['export const a = globalThis.Date.now();', RUNTIME],
  ["export const a = fetch('http://a/');", RUNTIME],
  ["export const a = globalThis.fetch('http://a/');", RUNTIME],
  ['export const a = AbortSignal.timeout(1);', RUNTIME],
  ['export const a = crypto.randomUUID();', RUNTIME],
  ["import { setTimeout as later } from 'node:timers/promises';\nexport const a = later;", RUNTIME],
  ["import { setTimeout as later } from 'timers';\nexport const a = later;", RUNTIME],
  ["import { performance as p } from 'node:perf_hooks';\nexport const a = p;", RUNTIME],
  ["export * from 'node:timers/promises';", RUNTIME],
  ["export const a = await import('node:timers/promises');", RUNTIME],
  ["import { randomUUID } from 'node:crypto';\nexport const a = randomUUID;", RUNTIME],
  ["import { request } from 'node:http';\nexport const a = request;", RUNTIME],
  ["import { connect } from 'node:net';\nexport const a = connect;", RUNTIME],
  ['export enum A {\n  B,\n}', 'no enum'],
  ['export const enum A {\n  B,\n}', 'no enum'],
  ['export default 1;', 'named exports only'],
  ['const a = 1;\nexport { a as default };', 'named exports only'],
  ['export const a = 1; // TODO: more', 'todo'],
  ['export const f = (a: 1, b: 2, c: 3, d: 4) => [a, b, c, d];', 'too many parameters'],
  ['export const a = 1;\n'.repeat(1) + '// b\n'.repeat(200), 'too many lines'],
  [`export function f() {\n${'  void 0;\n'.repeat(40)}}`, 'too many lines'],
  ['export const f = (a: unknown) => a == 1;', "Expected '==='"],
  ['export const a = /[\\u0000]/;', 'control character'],
];

const goodTexts: readonly (readonly [file: string, text: string])[] = [
  ['src/machines/x.ts', 'export const due = (now: number, atMs: number): boolean => now >= atMs;\n'],
  ['src/client/x.ts', "import type { Agent } from 'node:http';\nexport type A = Agent;\n"],
  ['src/client/x.ts', "import { createHash } from 'node:crypto';\nexport const a = createHash;\n"],
  ['src/registries/dns.ts', "import { Resolver } from 'node:dns/promises';\nexport const a = new Resolver();\n"],
  ['src/core/runtime.ts', 'export const now = (): number => performance.now() + Math.random();\n'],
  ['test/unit/x.test.ts', 'export const now = Date.now();\n'],
];

/** What only the compiler sees; the file is a real one, its text is not. */
const typedTexts: readonly (readonly [text: string, says: string])[] = [
  ['const work = (): Promise<void> => Promise.resolve();\nwork();\n', 'no-floating-promises'],
  ['export const f = (x: Set<Promise<void>>): void => x.forEach(async () => {});\n', 'no-misused-promises'],
  [
    "export const f = (x: 'a' | 'b'): number => {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n};\n",
    'switch-exhaustiveness-check',
  ],
  ["import { Call } from './call.js';\nexport type A = Call;\n", 'consistent-type-imports'],
  ['export interface IThing {\n  readonly a: 1;\n}\n', 'naming-convention'],
  ['export const f = (a: any): number => a.b;\n', 'no-explicit-any'],
];

describe('bans', () => {
  test.each(bannedTexts)('%j', async (text, says) => {
    expect((await lint('src/client/x.ts', `${text}\n`)).join('\n')).toContain(says);
  });

  test.each(goodTexts)('not in %s: %j', async (file, text) => {
    expect(await lint(file, text)).toEqual([]);
  });

  test.each(typedTexts)('%j', async (text, says) => {
    expect((await lintTyped('src/core/outcome.ts', text)).join('\n')).toContain(says);
  });

  test('a good text passes, types and all', async () => {
    const good =
      "import type { Call } from './call.js';\n\nexport const nameOf = ({ service }: Call): string => service;\n";
    expect(await lintTyped('src/core/outcome.ts', good)).toEqual([]);
  });

  test('registries have the network but not the clock', async () => {
    const said = await lint('src/registries/consul/x.ts', "import { a } from 'node:timers';\nexport const b = a;\n");
    expect(said.join('\n')).toContain(RUNTIME);
  });
});
