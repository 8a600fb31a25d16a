// How long after the begin of a write its change is seen. All who watch see the same change; who began to watch first takes
// turns, for a server tells them in some order.
import { setTimeout as sleep } from 'node:timers/promises';
import { idOf } from './instances.js';

const SEEN_WITHIN_MS = 10_000;

/**
 * `watchers`: { name: look => stop }, begun anew for each of the `blocks`. `seen`: { name: { join: [ms], leave: [ms] } }, the
 * same changes in each; `cpuMs`: of this process, for each change.
 */
export const changesSeen = async ({ watchers, writer, service, from, changes, blocks, warmUp, paceMs }) => {
  const names = Object.keys(watchers);
  const seen = Object.fromEntries(names.map(name => [name, { join: [], leave: [] }]));
  const perBlock = 2 * Math.ceil(changes / (2 * blocks));
  let cpuMs = 0;
  for (let block = 0; block < blocks; block += 1) {
    const observer = new Observer(names);
    const stops = [];
    for (const name of rotated(names, block)) stops.push(await watchers[name](has => observer.looked(name, has)));
    const rest = block === 0 ? warmUp : 2;
    for (let nth = 0; nth < rest + perBlock; nth += 1) {
      await sleep(paceMs);
      const cpuBefore = process.cpuUsage();
      const kind = nth % 2 === 0 ? 'join' : 'leave';
      const times = await observer.time(writer, { kind, service, nth: from + (nth >> 1) });
      if (nth < rest) continue;
      const { user, system } = process.cpuUsage(cpuBefore);
      cpuMs += (user + system) / 1_000;
      for (const name of names) seen[name][kind].push(times[name]);
    }
    for (const stop of stops) await stop();
  }
  return { seen, cpuMs: cpuMs / (blocks * perBlock) };
};

const rotated = (list, by) => list.map((_, at) => list[(at + by) % list.length]);

class Observer {
  #names;
  #awaited;

  constructor(names) {
    this.#names = names;
  }

  looked(name, has) {
    const now = performance.now();
    const awaited = this.#awaited;
    if (awaited === undefined || name in awaited.times || has(awaited.id) !== awaited.present) return;
    awaited.times[name] = now - awaited.startedAt;
    if (Object.keys(awaited.times).length === this.#names.length) awaited.done();
  }

  /** Ms from the begin of the write, by who saw it. */
  async time(writer, { kind, service, nth }) {
    const times = {};
    let timer;
    const all = new Promise((resolve, reject) => {
      const late = () => reject(new Error(`${kind} ${nth}: seen by ${Object.keys(times).join(', ') || 'nobody'} only`));
      timer = setTimeout(late, SEEN_WITHIN_MS);
      this.#awaited = { id: idOf(nth), present: kind === 'join', times, done: resolve, startedAt: performance.now() };
    });
    await Promise.all([writer[kind](service, nth), all]);
    clearTimeout(timer);
    this.#awaited = undefined;
    return times;
  }
}
