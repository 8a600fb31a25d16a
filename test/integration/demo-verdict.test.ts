/** What the demo says of a run that went well, and of those that did not: without a run. */
import { describe, expect, it } from 'vitest';
import { planOf } from '../../examples/demo/script.js';
import { summarise } from '../../examples/demo/summary.js';
import { Witness } from '../../examples/demo/witness.js';

describe("the demo's own verdict", () => {
  const [fault] = planOf(8);
  const well = {
    gets: { ok: 900, failed: 0 },
    ...{
      posts: { ok: 100, failed: 3 },
      retries: 7,
      p50Ms: 36,
      p99Ms: 60,
      processedTwice: 0,
      skipped: 0,
      complaints: [],
    },
  };
  const seen = {
    id: 'orders-a',
    state: 'serving',
    expectedMs: 35,
    inFlight: 1,
    reason: null,
    availableInMs: 0,
  } as const;

  type Course = { readonly outAfterMs?: number; readonly backAfterMs?: number; readonly share?: number };

  const witnessOf = ({ outAfterMs, backAfterMs, share = 0.3 }: Course): Witness => {
    const witness = new Witness(planOf(8));
    witness.struck(fault!, 1_000);
    if (outAfterMs !== undefined) witness.ejected('a', 1_000 + outAfterMs);
    witness.healed(fault!, 5_000);
    if (backAfterMs !== undefined) witness.look('a', { ...seen, share }, 5_000 + backAfterMs);
    return witness;
  };

  it.each<[string, Course, Partial<typeof well>, string[]]>([
    ['all as promised', { outAfterMs: 40, backAfterMs: 3_000 }, {}, []],
    ['out at the last moment', { outAfterMs: 2_000, backAfterMs: 10_000 }, {}, []],
    ['never out', { backAfterMs: 3_000 }, {}, ['was not seen to go out', 'was not seen to come back']],
    ['out too late', { outAfterMs: 2_001, backAfterMs: 3_000 }, {}, ['was out after 2001 ms, later than 2000']],
    ['never back', { outAfterMs: 40 }, {}, ['was not seen to come back']],
    ['back without calls', { outAfterMs: 40, backAfterMs: 3_000, share: 0.01 }, {}, ['was not seen to come back']],
    ['back too late', { outAfterMs: 40, backAfterMs: 10_001 }, {}, ['was back after 10001 ms, later than 10000']],
    ['a GET failed', { outAfterMs: 40, backAfterMs: 3_000 }, { gets: { ok: 900, failed: 1 } }, ['1 GETs failed']],
    [
      'a POST was repeated',
      { outAfterMs: 40, backAfterMs: 3_000 },
      { processedTwice: 1 },
      ['processed more than once'],
    ],
  ])('%s', (_story, course, totals, complaints) => {
    const { lines, exitCode } = summarise({
      totals: { ...well, ...totals },
      witness: witnessOf(course),
      plan: [fault!],
    });
    const told = lines.filter(line => line.startsWith('NOT AS PROMISED: '));
    expect(told).toEqual(complaints.map(complaint => expect.stringContaining(complaint)));
    expect(exitCode).toBe(complaints.length === 0 ? 0 : 1);
  });

  it('is bad when a fault of the plan never came', () => {
    const { exitCode } = summarise({ totals: well, witness: new Witness(planOf(8)), plan: planOf(8) });
    expect(exitCode).toBe(1);
  });
});
