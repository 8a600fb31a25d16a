import { build } from 'esbuild';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installedProject, root, run, type Project } from './support/project.js';

let project: Project;
beforeAll(async () => {
  project = await installedProject();
});
afterAll(() => project?.remove());

const tsc = path.join(root, 'node_modules/typescript/bin/tsc');

/** Compiles a file as a strict user would, our declarations included (no skipLibCheck). */
const compile = async (files: readonly string[], options: object): Promise<string> => {
  for (const file of files) await project.copyFixture('consumer.ts', file);
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022'],
    types: ['node'],
    typeRoots: [path.join(root, 'node_modules/@types')],
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    ...options,
  };
  await project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }));
  return run(process.execPath, [tsc, '-p', 'tsconfig.json'], project.folder);
};

describe('a user who installs the tarball', () => {
  test.each(['call.mjs', 'call.cjs'])('calls a service: %s', async fixture => {
    const seen = await project.runFixture(fixture);
    expect(seen).toEqual({ status: 200, text: 'hello from /users/42', closed: true });
  });

  test('compiles with node16, as ESM and as CJS', async () => {
    const files = ['consumer.mts', 'consumer.cts'];
    expect(await compile(files, { module: 'node16', moduleResolution: 'node16' })).toBe('');
  });

  test('compiles with a bundler', async () => {
    expect(await compile(['consumer.ts'], { module: 'esnext', moduleResolution: 'bundler' })).toBe('');
  });

  test('compiles beside the types of browsers', async () => {
    const lib = ['ES2022', 'DOM', 'DOM.Iterable'];
    expect(await compile(['consumer.ts'], { module: 'esnext', moduleResolution: 'bundler', lib })).toBe('');
  });

  test('may have no consul: its door opens, and using it says what to install', async () => {
    const missing = { code: 'MISSING_PEER', message: expect.stringContaining('npm install consul') as unknown };
    const told = { branded: true, discover: missing, watch: missing, register: missing };
    expect(await project.runFixture('missing-peer.mjs')).toEqual({ esm: told, cjs: told });
  });

  test('may have no OpenTelemetry and no undici: what needs them says so at once', async () => {
    const missing = (name: string): unknown =>
      expect.stringMatching(`^MISSING_PEER: .*npm install .*${name}`) as unknown;
    const told = {
      tracing: missing('@opentelemetry/api'),
      metrics: missing('@opentelemetry/api'),
      inbound: missing('@opentelemetry/api'),
      startTracing: missing('@opentelemetry/'),
      undiciTransport: missing('undici'),
    };
    expect(await project.runFixture('missing-at-once.mjs')).toEqual({ esm: told, cjs: told });
  });

  test('bundles only what is used', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: "import { isFairleadError } from 'fairlead'; export const is = error => isFairleadError(error);",
        resolveDir: project.folder,
      },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'node',
      // Somebody else's, and CommonJS: no bundler leaves it out.
      external: ['opossum'],
    });
    const text = outputFiles[0]?.text ?? '';
    expect(text).toContain('fairlead.error');
    // An error explains itself, and is rid of secrets: that comes along. So do frozen constants and a few symbols, which no
    // bundler can know to be pure; the client is 250 kB.
    expect(text.length, text).toBeLessThan(13_000);
  });
});
