import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installedProject, root, type Project } from './support/project.js';

interface Row {
  /** Does the one recognise the other's errors: of its main door, of its Consul door? */
  readonly brand: readonly [boolean, boolean];
  /** Are they of the very same class? */
  readonly sameClass: boolean;
  /** How a call of the other ended within the one's deadline: before, and when it was over. */
  readonly bounded: readonly [string | null, string | null];
  /** Which instance the one's `recordOf` reads from the other's response. */
  readonly recorded: string | null;
}

// Two installs of the package, both builds of each.
const COPIES = ['esm1', 'cjs1', 'esm2', 'cjs2'];
const pairs = COPIES.flatMap(reader => COPIES.map(maker => [reader, maker] as const));

let project: Project;
let rows: Record<string, Row>;

beforeAll(async () => {
  project = await installedProject();
  rows = (await project.runFixture('one-core.mjs', root, project.installed)) as typeof rows;
});
afterAll(() => project?.remove());

describe('all copies in a process share one core', () => {
  test.each(pairs)('%s recognises the errors of %s, of all its doors', (reader, maker) => {
    expect(rows[`${reader} ${maker}`]?.brand).toEqual([true, true]);
  });

  test.each(COPIES)('the doors of %s throw one class', copy => {
    expect(rows[`${copy} ${copy}`]?.sameClass).toBe(true);
  });

  test.each(pairs)('withDeadline of %s bounds a client of %s', (reader, maker) => {
    expect(rows[`${reader} ${maker}`]?.bounded).toEqual([null, 'DEADLINE_EXCEEDED']);
  });

  test.each(pairs)('recordOf of %s reads a response of %s', (reader, maker) => {
    expect(rows[`${reader} ${maker}`]?.recorded).toBe('a-10.0.0.1-80');
  });
});
