// What limits cost, in CPU time, beside the packages that people use.
//
//   npm run bench:limiters -- [--rounds 3] [--json] [--check]
import { contest } from './contest.js';
import { contestants } from './limiter-contestants.js';

const goals = [
  ['allows: tokenBucket(), the call’s clock', 'allows: npm limiter, TokenBucket', 0.1],
  ['allows: tokenBucket(), its own clock', 'allows: npm limiter, TokenBucket', 1],
  ['refuses: tokenBucket(), its own clock', 'refuses: npm limiter, TokenBucket', 1],
  ['allows: tokenBucket(), its own clock', 'allows: rate-limiter-flexible, memory', 1 / 3],
  ['refuses: tokenBucket(), its own clock', 'refuses: rate-limiter-flexible, memory', 1 / 8],
  ['window of 1 000: slidingWindow(), exact', 'window of 1 000: an array, filtered', 1 / 50],
  ['refused: adaptiveConcurrency().execute()', 'refused: opossum', 0.35],
  ['refused call(): rateLimit', 'refused: opossum', 0.35],
  ['refused call(): throttle', 'refused: opossum', 0.35],
  ['refused call(): adaptiveConcurrency', 'refused: opossum', 0.35],
];

await contest({ script: import.meta.url, contestants, goals });
