// What limits cost, in CPU time, beside the packages that people use.
//
//   npm run bench:limiters -- [--rounds 9] [--only TEXT,TEXT] [--json] [--write] [--check]
import { contest } from './contest.js';
import { contestants } from './limiter-contestants.js';

const goals = [
  [
    'allows: tokenBucket(), the call’s clock',
    'allows: npm limiter, TokenBucket',
    0.1,
    'ns',
    'token bucket inside the pipeline ÷ npm `limiter`',
  ],
  ['allows: tokenBucket(), its own clock', 'allows: npm limiter, TokenBucket', 1],
  ['refuses: tokenBucket(), its own clock', 'refuses: npm limiter, TokenBucket', 1],
  ['allows: tokenBucket(), its own clock', 'allows: rate-limiter-flexible, memory', 1 / 3],
  ['refuses: tokenBucket(), its own clock', 'refuses: rate-limiter-flexible, memory', 1 / 8],
  [
    'window of 1 000: slidingWindow(), exact',
    'window of 1 000: an array, filtered',
    1 / 50,
    'ns',
    'exact sliding window of 1 000 ÷ an array that is filtered',
  ],
  ['refused: adaptiveConcurrency().execute()', 'refused: opossum', 0.35],
  ['refused call(): rateLimit', 'refused: opossum', 0.35],
  ['refused call(): throttle', 'refused: opossum', 0.35],
  ['refused call(): adaptiveConcurrency', 'refused: opossum', 0.35],
];

const peers = ['bottleneck', 'limiter', 'opossum', 'rate-limiter-flexible'];
await contest({ script: import.meta.url, contestants, goals, peers });
