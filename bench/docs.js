// Makes the tables and plots of docs/performance.md from bench/results: what stands between <!-- bench:NAME --> and
// <!-- /bench:NAME --> is replaced; NAME is one of docs/tables.js. Run a bench with --write first.
//
//   npm run bench:docs
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { resultFile } from './outcome.js';
import { plots } from './docs/plots.js';
import { tables } from './docs/tables.js';

const MAIN = 'v20';

const resultsOf = node => {
  const folder = new URL('.', resultFile('any', node));
  const read = file => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
  const files = existing(folder).filter(file => file.endsWith('.json'));
  return Object.fromEntries(files.map(file => [file.replace('.json', ''), read(file)]));
};
const existing = folder => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const results = resultsOf(MAIN);
const later = resultsOf('v24');

const page = new URL('../docs/performance.md', import.meta.url);
let text = readFileSync(page, 'utf8');
for (const [name, make] of Object.entries(tables)) {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/performance.md: expected ${begin} and then ${end}`);
  const made = make(results, later);
  // What was not measured anew stays as it was.
  if (made !== undefined) text = `${text.slice(0, from + begin.length)}\n\n${made}\n\n${text.slice(to)}`;
}
const format = async (file, content) => {
  const options = await prettier.resolveConfig(file);
  return prettier.format(content, { ...options, filepath: file });
};
writeFileSync(page, await format(fileURLToPath(page), text));

for (const [name, make] of Object.entries(plots)) {
  const made = make(results);
  if (made !== undefined) writeFileSync(new URL(`../docs/performance/${name}.svg`, import.meta.url), made);
}
