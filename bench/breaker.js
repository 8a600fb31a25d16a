// What a circuit breaker costs, in CPU time, beside opossum and cockatiel.
//
//   npm run bench:breaker -- [--rounds 3] [--json] [--check]
import { contest } from './contest.js';
import { contestants } from './breaker-contestants.js';

const goals = [
  ['refused: CircuitBreaker.execute()', 'refused: opossum', 0.35],
  // With everything else that a client does around it: deadline, bulkhead, record, events.
  ['refused: client.call()', 'refused: opossum', 0.35],
  ['fails among 100000: client.call()', 'fails among 1000: client.call()', 1.2],
  ['fails among 100000: CircuitBreaker.execute()', 'fails among 1000: CircuitBreaker.execute()', 1.2],
  ['passes: CircuitBreaker enter + leave', 'passes: opossum, lean', 0.3],
];

await contest({ script: import.meta.url, contestants, goals });
