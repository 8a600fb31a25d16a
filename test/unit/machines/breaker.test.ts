import { describe, it } from 'vitest';
import type { CircuitBreakerOptions } from 'fairlead';
import { play, SUBJECTS, type Row } from './breaker-script.js';

const HOUR = 3_600_000;
/** Opens at 2 of 4 or more, for 1 000 ms; two probes, two successes. */
const HALF: CircuitBreakerOptions = {
  failureRatio: 0.5,
  minCalls: 4,
  windowMs: 1_000,
  openMs: 1_000,
  maxOpenMs: 4_000,
  probes: 2,
  successesToClose: 2,
};
const ROW: CircuitBreakerOptions = { ...HALF, failureRatio: false, consecutiveFailures: 3 };
const SLOW: CircuitBreakerOptions = { ...HALF, failureRatio: false, slowCallMs: 100, slowCallRatio: 0.5 };

const TABLES: Record<string, readonly [CircuitBreakerOptions, readonly Row[]]> = {
  'below the volume nothing opens it; exactly at volume and ratio it does': [
    HALF,
    [
      [0, 'fail 3', 'closed'],
      [0, 'fail', 'open'],
    ],
  ],
  'just below the ratio it stays closed, exactly at it it opens': [
    HALF,
    [
      [0, 'ok 3', 'closed'],
      [0, 'fail 2', 'closed'],
      [0, 'fail', 'open'],
    ],
  ],
  'a success never opens it': [
    { ...HALF, failureRatio: 0.1 },
    [
      [0, 'fail 3', 'closed'],
      [0, 'ok', 'closed'],
      [0, 'fail', 'open'],
    ],
  ],
  'who is in flight has not failed': [
    HALF,
    [
      [0, 'enter a', 'in'],
      [0, 'enter b', 'in'],
      [0, 'enter c', 'in'],
      [0, 'enter d', 'in'],
      [1, 'fail 3', 'closed'],
      [2, 'fail', 'open'],
    ],
  ],
  'failures are out of the window when it is over, not before': [
    HALF,
    [
      [0, 'fail 3', 'closed'],
      [999, 'ok', 'closed'],
      [1_000, 'fail', 'closed'],
      [1_000, 'ok 2', 'closed'],
      [1_000, 'fail', 'closed'],
      [1_100, 'fail', 'open'],
    ],
  ],
  'overload and ignored are admitted, but failures of nobody': [
    HALF,
    [
      [0, 'overload 10', 'closed'],
      [0, 'ignore 10', 'closed'],
      [0, 'fail 19', 'closed'],
      [0, 'fail', 'open'],
    ],
  ],
  'in a row: exactly at the number': [
    ROW,
    [
      [0, 'fail 2', 'closed'],
      [0, 'ok', 'closed'],
      [0, 'fail 2', 'closed'],
      [0, 'fail', 'open'],
    ],
  ],
  'in a row: an ignored call changes nothing, an overloaded one is an answer': [
    ROW,
    [
      [0, 'fail 2', 'closed'],
      [0, 'overload', 'closed'],
      [0, 'fail 2', 'closed'],
      [0, 'ignore', 'closed'],
      [0, 'fail', 'open'],
    ],
  ],
  'slow calls: exactly at time and ratio': [
    SLOW,
    [
      [0, 'enter a', 'in'],
      [0, 'enter b', 'in'],
      [0, 'enter c', 'in'],
      [0, 'enter d', 'in'],
      [99, 'ok a', 'closed'],
      [99, 'ok b', 'closed'],
      [100, 'ok c', 'closed'],
      [100, 'ok d', 'open'],
    ],
  ],
  'open until exactly its time is up, then as many probes as are allowed': [
    HALF,
    [
      [0, 'fail 4', 'open'],
      [999, 'enter x', 'refused'],
      [1_000, 'enter a', 'in'],
      [1_000, 'enter b', 'in'],
      [1_000, 'enter x', 'refused'],
      [1_001, 'ok a', 'half-open'],
      [1_001, 'enter c', 'in'],
      [1_001, 'enter x', 'refused'],
      [1_002, 'ok b', 'closed'],
      [1_002, 'enter d', 'in'],
    ],
  ],
  'it counts anew when it closed: one more failure does not open it again': [
    HALF,
    [
      [0, 'fail 4', 'open'],
      [1_000, 'ok 2', 'closed'],
      [1_000, 'fail 3', 'closed'],
      [1_000, 'fail', 'open'],
    ],
  ],
  'each failed trial doubles the time, up to the most': [
    HALF,
    [
      [0, 'fail 4', 'open'],
      [1_000, 'fail', 'open'],
      [2_999, 'enter x', 'refused'],
      [3_000, 'fail', 'open'],
      [6_999, 'enter x', 'refused'],
      [7_000, 'fail', 'open'],
      [10_999, 'enter x', 'refused'],
      [11_000, 'ok 2', 'closed'],
    ],
  ],
  'a healthy window takes one doubling back': [
    HALF,
    [
      [0, 'fail 4', 'open'],
      [1_000, 'fail', 'open'],
      [3_000, 'fail', 'open'],
      [7_000, 'ok 2', 'closed'],
      // Twice failed, one window passed: twice the time.
      [8_000, 'fail 4', 'open'],
      [9_999, 'enter x', 'refused'],
      [10_000, 'ok 2', 'closed'],
      [12_000, 'fail 4', 'open'],
      [13_000, 'enter a', 'in'],
    ],
  ],
  'late results across a trip: neither success nor failure moves the new state': [
    { ...HALF, probes: 1 },
    [
      [0, 'enter late-ok', 'in'],
      [0, 'enter late-fail', 'in'],
      [0, 'enter later', 'in'],
      [0, 'fail 3', 'open'],
      [1_000, 'enter a', 'in'],
      [1_001, 'ok late-ok', 'half-open'],
      [1_001, 'fail late-fail', 'half-open'],
      [1_002, 'ok a', 'half-open'],
      [1_003, 'ok', 'closed'],
      [1_004, 'fail later', 'closed'],
      [1_004, 'fail 3', 'closed'],
      [1_004, 'fail', 'open'],
    ],
  ],
  'a probe of an older trial has no say in a newer one': [
    HALF,
    [
      [0, 'fail 4', 'open'],
      [1_000, 'enter old', 'in'],
      [1_000, 'fail', 'open'],
      [3_000, 'enter new', 'in'],
      [3_001, 'fail old', 'half-open'],
      [3_002, 'ok new', 'half-open'],
      [3_003, 'ok', 'closed'],
    ],
  ],
  'probes that never end do not wedge the trial': [
    HALF,
    [
      [0, 'fail 4', 'open'],
      [1_000, 'enter hung', 'in'],
      [1_000, 'enter hung-too', 'in'],
      [1_999, 'enter x', 'refused'],
      [2_000, 'enter a', 'in'],
      [2_000, 'enter x', 'refused'],
      [2_001, 'ok a', 'half-open'],
      [3_000, 'enter b', 'in'],
      [3_001, 'ok b', 'closed'],
    ],
  ],
  'a probe that is given up frees its place and says nothing': [
    HALF,
    [
      [0, 'fail 4', 'open'],
      [1_000, 'enter a', 'in'],
      [1_000, 'enter b', 'in'],
      [1_001, 'ignore a', 'half-open'],
      [1_001, 'overload b', 'half-open'],
      [1_001, 'ok 2', 'closed'],
    ],
  ],
  'a slow probe has not succeeded': [
    SLOW,
    [
      [0, 'open', 'open'],
      [1_000, 'enter a', 'in'],
      [1_100, 'ok a', 'open'],
      [3_099, 'enter x', 'refused'],
      [3_100, 'ok 2', 'closed'],
    ],
  ],
  'by hand: opened it is tried after its time, closed it counts anew': [
    HALF,
    [
      [0, 'fail 3', 'closed'],
      [0, 'open', 'open'],
      [500, 'open', 'open'],
      [1_000, 'look', 'half-open'],
      [1_000, 'open', 'open'],
      [1_500, 'close', 'closed'],
      [1_500, 'fail 3', 'closed'],
      [1_500, 'close', 'closed'],
      [1_500, 'fail', 'open'],
    ],
  ],
  'a clock that goes back an hour keeps it open no longer than its time': [
    HALF,
    [
      [HOUR, 'fail 4', 'open'],
      [0, 'enter x', 'refused'],
      [999, 'enter x', 'refused'],
      [1_000, 'ok 2', 'closed'],
      [1_000, 'fail 3', 'closed'],
      [2_000, 'fail', 'closed'],
    ],
  ],
  'readings that are a little out of order do not move the time': [
    HALF,
    [
      [10_000, 'fail 4', 'open'],
      [10_500, 'enter x', 'refused'],
      [9_000, 'enter x', 'refused'],
      [10_999, 'enter x', 'refused'],
      [11_000, 'enter a', 'in'],
    ],
  ],
  'an hour of suspension: an open one is tried, a closed one has forgotten': [
    HALF,
    [
      [0, 'fail 3', 'closed'],
      [0, 'enter a', 'in'],
      [HOUR, 'fail a', 'closed'],
      [HOUR, 'fail 3', 'open'],
      [2 * HOUR, 'look', 'half-open'],
      [2 * HOUR, 'ok 2', 'closed'],
    ],
  ],
  'left twice counts once': [
    HALF,
    [
      [0, 'enter a', 'in'],
      [0, 'fail a', 'closed'],
      [0, 'fail a', 'closed'],
      [0, 'fail a', 'closed'],
      [0, 'fail 2', 'closed'],
      [0, 'fail', 'open'],
    ],
  ],
  'attempts longer than the window count when they fail': [
    HALF,
    [
      [0, 'enter a', 'in'],
      [0, 'enter b', 'in'],
      [0, 'enter c', 'in'],
      [0, 'enter d', 'in'],
      [5_000, 'fail a', 'closed'],
      [5_000, 'fail b', 'closed'],
      [5_000, 'fail c', 'closed'],
      [5_000, 'fail d', 'open'],
    ],
  ],
};

describe.each(Object.entries(SUBJECTS))('%s', (_, make) => {
  it.each(Object.entries(TABLES))('%s', (_story, [options, rows]) => play(make, options, rows));
});

it('a 500 counts in the ratio, not in a row', () => {
  play(SUBJECTS['the breaker on opossum']!, ROW, [
    [0, 'fail 2', 'closed'],
    [0, 'bug 20', 'closed'],
    [0, 'fail', 'open'],
  ]);
  play(SUBJECTS['the breaker on opossum']!, HALF, [
    [0, 'bug 3', 'closed'],
    [0, 'bug', 'open'],
  ]);
});
