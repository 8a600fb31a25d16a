/**
 * Writes docs/api.md, the public surface as the compiler sees it: each door, each name, its declaration and what its doc
 * comment says first. `--check` compares instead, and fails with what differs. A change of the surface is a change of
 * that file, so that it is seen in review.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { difference } from './api/difference.js';
import { doors } from './api/doors.js';
import { render } from './api/render.js';
import { readSurface } from './api/surface.js';

const FILE = new URL('../docs/api.md', import.meta.url);

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const wanted = render(readSurface(doors));

if (!values.check) {
  writeFileSync(FILE, wanted);
} else {
  const found = readOrNothing();
  if (found !== wanted) {
    console.error(
      'docs/api.md is not what the sources say; if the change is meant, run `npm run api` and commit it.\n',
    );
    console.error(difference(found, wanted));
    process.exitCode = 1;
  }
}

function readOrNothing(): string {
  try {
    return readFileSync(FILE, 'utf8');
  } catch {
    return '';
  }
}
