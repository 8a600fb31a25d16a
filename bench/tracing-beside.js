// What tracing() adds where nothing is recorded, as a ratio: a client with it and one without take turns in one process, so that
// the machine, the compiler and the garbage collector treat them alike. First without an SDK, then below a parent that was
// sampled out. What spans cost that are recorded: tracing.js.
//
//   npm run bench:tracing -- [--rounds 60] [--json] [--write] [--check]
import { parseArgs } from 'node:util';
import { context, trace } from '@opentelemetry/api';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { createServiceClient, staticRegistry } from '../dist/index.js';
import { tracing } from '../dist/opentelemetry.js';
import { OPTIONS, describe, machineWith, publish, wholeNumber } from './outcome.js';
import { ratioOf, takeTurns } from './turns.js';

const { values } = parseArgs({ options: { ...OPTIONS, rounds: { type: 'string', default: '60' } } });
const rounds = wholeNumber('rounds', values.rounds);

const WARM_UP_CALLS = 40_000;
const CALLS = 3_000;
const PARENT = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 0 };

const response = async () => new Response(null);
const value = async () => ({ ok: true });

const clientWith = async instruments => {
  const registry = staticRegistry([1, 2, 3].map(port => ({ address: '127.0.0.1', port })));
  const transport = { send: response, sendCancellable: response };
  const client = createServiceClient({ service: 'users', registry, transport, instruments });
  await client.ready();
  return { 'fetch()': () => client.fetch('/users/42'), 'call()': () => client.call(value) };
};

/** The traced one ÷ the plain one, median of the rounds. */
const beside = async (plain, traced, around) => {
  const operations = { plain: () => context.with(around, plain), traced: () => context.with(around, traced) };
  return ratioOf(await takeTurns(operations, { rounds, count: CALLS, warmUp: WARM_UP_CALLS }), ['traced', 'plain']);
};

const [plain, traced] = [await clientWith([]), await clientWith([tracing()])];
const goals = [];
const measure = async (where, around, atMost) => {
  for (const kind of Object.keys(plain)) {
    const value = await beside(plain[kind], traced[kind], around);
    goals.push({ what: `${kind} with tracing(), ${where} ÷ without tracing()`, value, atMost });
  }
};
await measure('no SDK', context.active(), 1.03);
new NodeTracerProvider().register();
await measure('parent sampled out', trace.setSpanContext(context.active(), PARENT), 1.1);

const machine = machineWith();
publish('tracing-beside', { machine, rounds, goals }, { ...values, text: `${describe(machine)}\n` });
process.exit();
