import { describe, expect, it } from 'vitest';
import { IncomingBody } from '../../../../src/integrations/undici/incoming-body.js';

const bytes = (length: number, fill = 'x'): Buffer => Buffer.alloc(length, fill);

const opened = () => {
  const told: string[] = [];
  const body: IncomingBody = new IncomingBody({
    resume: () => told.push('resume'),
    abandon: reason => told.push(`abandon ${String(reason)}`),
  });
  body.observe({ ended: () => told.push('ended'), failed: error => told.push(`failed ${String(error)}`) });
  return { body, told };
};

describe('a body between its connection and its reader', () => {
  it('is whole when all of it came before anybody read', () => {
    const { body, told } = opened();
    body.push(Buffer.from('a'));
    body.push(Buffer.from(''));
    expect(body.takeWhole()).toBeUndefined();
    body.push(Buffer.from('b'));
    body.end();
    expect(body.takeWhole()?.toString()).toBe('ab');
    expect(told).toEqual(['ended']);
  });

  it('asks the connection to wait at 64 kB that nobody read, and to go on when somebody reads', async () => {
    const { body, told } = opened();
    expect(body.push(bytes(60_000))).toBe(true);
    expect(body.push(bytes(10_000))).toBe(false);
    expect((await body.read())!.length).toBe(70_000);
    expect(told).toEqual(['resume']);
    expect(body.push(bytes(10))).toBe(true);
  });

  it('lets everything come to who wants all of it', async () => {
    const { body } = opened();
    body.push(bytes(70_000));
    const all = body.collect();
    expect(body.push(bytes(1_000_000))).toBe(true);
    body.end();
    expect((await all).length).toBe(1_070_000);
  });

  it('gives a reader what came, then the end', async () => {
    const { body } = opened();
    const first = body.read();
    body.push(Buffer.from('a'));
    expect((await first)!.toString()).toBe('a');
    const last = body.read();
    body.end();
    expect(await last).toBeUndefined();
  });

  it('breaks for its reader and for who watches; an abort is nobody’s failure', async () => {
    const broken = opened();
    const reading = broken.body.read();
    broken.body.push(Buffer.from('never read'));
    broken.body.fail('reset');
    broken.body.end();
    await expect(reading).rejects.toBe('reset');
    await expect(broken.body.collect()).rejects.toBe('reset');
    expect(broken.told.filter(each => each !== 'resume')).toEqual(['failed reset']);
    const aborted = opened();
    const collecting = aborted.body.collect();
    aborted.body.abort('enough');
    aborted.body.fail('late');
    await expect(collecting).rejects.toBe('enough');
    expect(aborted.told.filter(each => each !== 'resume')).toEqual(['ended']);
  });

  it('tells of a break though nobody reads, once', () => {
    const { body } = opened();
    const heard: unknown[] = [];
    body.onBreak(error => heard.push(error));
    body.fail('reset');
    body.abort('again');
    expect(heard).toEqual(['reset']);
    body.onBreak(error => heard.push(error));
    expect(heard).toEqual(['reset', 'reset']);
  });

  it('lets go of its connection when its reader gives up, and not when it was read', () => {
    const given = opened();
    given.body.cancel('bored');
    given.body.cancel('again');
    expect(given.told).toEqual(['ended', 'abandon bored']);
    const read = opened();
    read.body.end();
    read.body.cancel('late');
    expect(read.told).toEqual(['ended']);
  });
});
