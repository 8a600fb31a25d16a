/** Programs on the real runtime: what keeps them alive, what they leave behind, what they print that nobody asked for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, serverOrSkip, startConsul } from '../servers/index.js';
import { reservePorts } from '../servers/ports.js';
import { runStory, type Ended } from './support/child.js';
import { startFleet, type Fleet, type Instance } from './support/instance.js';

let fleet: Fleet;
let well: Instance;
beforeAll(async () => {
  fleet = await startFleet({ latencyMs: 20 });
  [well] = fleet.instances;
});
afterAll(() => fleet.stop());

const run = async (name: string, ...more: string[]): Promise<Ended> => {
  const ended = await runStory({ name, args: [`127.0.0.1:${well.port}`, ...more] });
  console.log(`${name}: code ${ended.code}, ${ended.lingeredMs} ms after its last word ${JSON.stringify(ended.told)}`);
  return ended;
};
const QUIET = { code: 0, stderr: '' };

describe('a program ends by itself', () => {
  it.each<[story: string, told: unknown]>([
    ['closed, memory', { ok: 20, after: 'CLIENT_CLOSED' }],
    ['closed, static', { ok: 20, after: 'CLIENT_CLOSED' }],
    ['closed, small responses unread', 5],
    ['closed, a large response unread', 200],
    ['closed while a call is in flight', 'a\n'],
    ['closed and never used', undefined],
    ['never closed, static', 20],
    ['never closed, memory', 20],
    ['never closed, never used', undefined],
  ])('%s', async (story, told) => {
    expect(await run(story)).toMatchObject({ ...QUIET, told });
  });
});

describe('a call that waits keeps the program alive, as fetch does', () => {
  it('between two attempts', async () => {
    const [nobody] = await reservePorts(1);
    const ended = await runStory({ name: 'a call waits to be tried again', args: [`127.0.0.1:${nobody}`] });
    expect(ended).toMatchObject({ ...QUIET, told: 'ECONNREFUSED' });
  });

  it('for a registry that does not answer', async () => {
    const [nobody] = await reservePorts(1);
    const ended = await run('a call waits for the registry', `http://127.0.0.1:${nobody}`);
    expect(ended).toMatchObject({ ...QUIET, told: 'NO_INSTANCES' });
  });

  it('for a server that hangs', async () => {
    await well.become('hangs');
    const ended = await run('a call waits for a server that hangs').finally(() => well.become('ok'));
    expect(ended).toMatchObject({ ...QUIET, told: 'DEADLINE_EXCEEDED' });
  });
});

const consulServer = await serverOrSkip('consul');
it.skipIf(consulServer === undefined)('a program that registered at a real Consul ends by itself', async () => {
  const consul = await startConsul({ persistent: false });
  try {
    const ended = await run('closed, consul', consul.url);
    expect(ended).toMatchObject({ ...QUIET, told: { ok: 20, after: 'CLIENT_CLOSED' } });
  } finally {
    await consul.stop();
  }
});

describe('the caller’s signal', () => {
  it('aborts in the middle of a body: its own reason at once, the server sees it, nobody is blamed', async () => {
    const { told, ...ended } = await run('an abort in the middle of a body');
    expect(ended).toMatchObject(QUIET);
    expect(told).toMatchObject({ ownReason: true, left: 0, instances: [{ inFlight: 0, successRatio: 1 }] });
    await eventually(async () => {
      const stream = (await well.journal()).filter(({ id }) => id === 'stream');
      return stream.at(-1)?.what === 'left';
    });
  });

  it('carries 2 000 calls over one listener, and is left with none', async () => {
    expect(await run('2 000 calls on one signal')).toMatchObject({ ...QUIET, told: { most: 1, left: 0 } });
  });

  it('is let go when responses are collected that nobody read', async () => {
    expect(await run('responses that nobody reads')).toMatchObject({ ...QUIET, told: { before: 1, left: 0 } });
  });
});
