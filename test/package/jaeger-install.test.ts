import { copyFile, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCollector } from '../integration/tracing/collectors.js';
import { root, run } from './support/project.js';

let folder: string;
let tarball: string;
let lines: string[];
beforeAll(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'fairlead-jaeger-')));
  const packing = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root);
  const [{ filename }] = JSON.parse(packing) as [{ filename: string }];
  tarball = path.join(folder, filename);
  const guide = await readFile(path.join(root, 'docs/guides/jaeger.md'), 'utf8');
  lines = [...guide.matchAll(/^npm install (.*)$/gm)].map(([, packages]) => packages!);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** As a user types it, the package being this one. Fails when npm finds two packages that do not want each other. */
const install = (packages: string): Promise<string> => {
  const names = packages.split(' ').map(name => (name === 'fairlead' ? tarball : name.replaceAll('"', '')));
  return run('npm', ['install', '--strict-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', ...names], folder);
};

const trace = async (build: string, exporter: string): Promise<unknown[]> => {
  await using collector = await startCollector();
  await copyFile(path.join(root, 'test/package/fixtures/jaeger.mjs'), path.join(folder, 'jaeger.mjs'));
  const args = ['--unhandled-rejections=strict', 'jaeger.mjs', build, exporter, collector.url];
  const { traceparent } = JSON.parse(await run(process.execPath, args, folder)) as { traceparent: string };
  const [, traceId, spanId] = traceparent.split('-');
  const sent = collector.spans.find(span => span.spanId === spanId && span.traceId === traceId);
  expect(sent).toMatchObject({ kind: 'CLIENT' });
  return collector.spans.map(({ service, name }) => `${service} ${name}`).sort();
};

test(
  'what the guide says installs from nothing with strict peers, and spans arrive',
  { timeout: 240_000 },
  async () => {
    expect(lines.map(line => line.includes('fairlead'))).toEqual([true, false]);
    await install(lines[0]!);
    for (const build of ['esm', 'cjs'])
      expect(await trace(build, 'jaeger')).toEqual([
        `${build}-jaeger GET`,
        `${build}-jaeger GET users`,
        `${build}-jaeger work`,
      ]);
    await expect(trace('esm', 'otlp')).rejects.toThrow('MISSING_PEER');

    await install(lines[1]!);
    expect(await trace('esm', 'otlp')).toEqual(['esm-otlp GET', 'esm-otlp GET users', 'esm-otlp work']);
  },
);
