// What a call costs, in CPU time and bytes: fairlead's whole pipeline over a transport that answers at once, beside a bare
// async call and the libraries that people would compose; refusals; calls that fail among few and among many.
//
//   npm run bench:hotpath -- [--rounds 9] [--only fairlead,opossum,bare] [--json] [--write] [--check]
//   npm run bench:breaker        the rows of the circuit breaker alone
import { contestants as ofBreaker, goals as goalsOfBreaker } from './breaker-contestants.js';
import { contest } from './contest.js';
import { contestants } from './hotpath-contestants.js';

const [ON, OFF] = ['fairlead call(), all on', 'fairlead call(), all on, no breaker'];
const [FETCH, FETCH_OFF] = ['fairlead fetch(), all on', 'fairlead fetch(), all on, no breaker'];
const PIPELINE = 'pipeline overhead, all on';

const goals = [
  [ON, 'opossum, lean', 0.75, 'overhead', `${PIPELINE}, breaker on opossum ÷ opossum, lean: \`call()\``],
  [FETCH, 'opossum, lean, Response', 0.75, 'overhead', '… around the same Response: `fetch()`'],
  [OFF, 'opossum, lean', 0.6, 'overhead', `${PIPELINE}, without the breaker ÷ opossum, lean: \`call()\``],
  [FETCH_OFF, 'opossum, lean, Response', 0.6, 'overhead', '… around the same Response: `fetch()` without'],
  [ON, 'cockatiel: retry, breaker, timeout, bulkhead', 1 / 40, 'overhead', `${PIPELINE} ÷ cockatiel, four policies`],
  [ON, 'Moleculer local call, all on', 1 / 3, 'overhead', `${PIPELINE} ÷ Moleculer, all on`],
  [OFF, 'opossum, defaults', 0.6, 'bytes', 'bytes per call, all on without the breaker ÷ opossum, defaults'],
  ...goalsOfBreaker,
];

const peers = ['cockatiel', 'limiter', 'moleculer', 'mollitia', 'opossum', 'p-retry'];
await contest({ script: import.meta.url, contestants: { ...contestants, ...ofBreaker }, goals, peers });
