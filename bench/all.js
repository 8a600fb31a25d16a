// All benches, each with few rounds, within ten minutes; --write keeps the figures and makes docs/performance.md of them.
//
//   npm run bench -- [--write] [--check]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const BENCHES = [
  ['http', '--rounds', '3', '--ms', '600'],
  ['hotpath', '--rounds', '6'],
  ['profile', '--rounds', '30'],
  ['memory', '--rounds', '5'],
  ['limiters', '--rounds', '4'],
  ['tracing', '--rounds', '3'],
  ['tracing-beside'],
  ['explain'],
  ['balancers', '--rounds', '1'],
  ['discovery', '--quick'],
];

const { values } = parseArgs({
  options: { write: { type: 'boolean', default: false }, check: { type: 'boolean', default: false } },
});
const passedOn = Object.keys(values).filter(name => values[name]);

const run = async (name, args = []) => {
  const file = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  // They use what is written in TypeScript: the real servers, and what no door gives.
  const loader = ['discovery', 'explain'].includes(name) ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, file, ...args], { stdio: 'inherit' });
  const [code] = await once(child, 'close');
  if (code !== 0) process.exitCode = 1;
};

const startedAt = performance.now();
for (const [name, ...args] of BENCHES) {
  console.log(`\n── ${name}, after ${((performance.now() - startedAt) / 1_000).toFixed(0)} s\n`);
  // A look at discovery is no measurement to keep.
  const wanted = passedOn.filter(option => option !== 'write' || name !== 'discovery');
  await run(name, [...args, ...wanted.map(option => `--${option}`)]);
}
if (values.write) await run('docs');
console.log(`\n${((performance.now() - startedAt) / 1_000).toFixed(0)} s in all`);
