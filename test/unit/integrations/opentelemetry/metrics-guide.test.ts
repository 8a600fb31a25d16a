import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import {
  GAUGES,
  INSTANCE_GAUGES,
  REGISTRATION_MISSING,
} from '../../../../src/integrations/opentelemetry/metrics-gauges.js';
import {
  CALL_DURATION,
  COUNTERS,
  REQUEST_DURATION,
} from '../../../../src/integrations/opentelemetry/metrics-instruments.js';

const GUIDE = new URL('../../../../docs/guides/metrics.md', import.meta.url);

it('the guide lists every metric with its type and unit, and no other', async () => {
  const rows = (await readFile(GUIDE, 'utf8')).matchAll(
    /^\| `([a-z_.]+\.[a-z_.]+)` *\| ([a-z- ]+?) *\| `?(.*?)`? *\|/gm,
  );
  const listed = [...rows].map(([, name, type, unit]) => `${name} ${type} ${unit}`);
  const gauges = [...GAUGES, ...INSTANCE_GAUGES, REGISTRATION_MISSING];
  const made = [
    `${REQUEST_DURATION} histogram s`,
    `fairlead.${CALL_DURATION} histogram s`,
    ...Object.values(COUNTERS).map(([name, unit]) => `fairlead.${name} counter ${unit}`),
    ...gauges.map(({ name, unit, adds }) => `fairlead.${name} ${adds ? 'up-down count' : 'gauge'} ${unit}`),
  ];
  expect(listed.sort()).toEqual(made.sort());
});
