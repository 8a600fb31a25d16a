import { startZooKeeper } from '../servers/index.js';
import { zookeeperRegistry } from '../../src/registries/zookeeper/index.js';
import { systemRuntime } from '../../src/core/runtime.js';
import { bare } from './zookeeper-stage.js';
const zk = await startZooKeeper();
const servers = zk.connectString;
const N = 10000;
await bare<unknown>(servers, async (c, done) => {
  const mk = (p: string, d: string) => new Promise<void>((res, rej) => c.create(p, Buffer.from(d), undefined as never, 0, e => e ? rej(e) : res()));
  await mk('/services', ''); await mk('/services/big', ''); await mk('/services/lat', '');
  for (let i = 0; i < N; i += 100) await Promise.all(Array.from({ length: 100 }, (_, j) => mk(`/services/big/instance-${i + j}`, JSON.stringify({ address: '10.0.0.1', port: 1 + i + j, metadata: { a: 'b' } }))));
  done(null);
});
for (let k = 0; k < 2; k++) {
await bare<unknown>(servers, (c, done) => {
  const s = performance.now(); let n = 0, left = N;
  const one = () => { if (n >= N) return; c.getData(`/services/big/instance-${n++}`, undefined, () => { if (--left === 0) { console.log('bare 10k reads', (performance.now() - s).toFixed(0)); done(null); } else one(); }); };
  for (let i = 0; i < 50; i++) one();
});
const registry = zookeeperRegistry({ servers });
const c0 = process.cpuUsage(); const t = performance.now();
const set = await registry.discover('big'); const cpu = process.cpuUsage(c0);
console.log('ours', set.length, (performance.now() - t).toFixed(0), 'cpu ms', (cpu.user / 1000).toFixed(0)); await registry.close(); }
const registry = zookeeperRegistry({ servers });
const controller = new AbortController();
const lat = registry.watch('lat', { signal: controller.signal, runtime: systemRuntime, report: () => undefined })[Symbol.asyncIterator](); await lat.next();
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1]!.toFixed(2);
await bare<unknown>(servers, async (c, done) => {
  const mk = (p: string) => new Promise<void>((res, rej) => c.create(p, Buffer.from('10.0.0.1:80'), undefined as never, 0, e => e ? rej(e) : res()));
  for (const _ of [1, 2]) {
  const ours: number[] = []; 
  for (let i = 0; i < 200; i++) { const s = performance.now(); const p = lat.next(); await mk(`/services/lat/a${_}-${i}`); await p; ours.push(performance.now() - s); }
  console.log('ours median', med(ours)); }
  done(null);
});
await bare<unknown>(servers, async (w, done) => {
  await new Promise<void>(r => w.create('/services/bare', Buffer.from(''), undefined as never, 0, () => r()));
  await bare<unknown>(servers, async (c, d2) => {
   for (const _ of [1, 2]) { const theirs: number[] = []; 
    for (let i = 0; i < 200; i++) {
      let seen!: () => void; const p = new Promise<void>(r => (seen = r));
      await new Promise<void>(r => w.getChildren('/services/bare', () => { w.getChildren('/services/bare', undefined, () => { w.getData(`/services/bare/a${_}-${i}`, undefined, () => seen()); }); }, () => r()));
      const s = performance.now();
      await new Promise<void>(r => c.create(`/services/bare/a${_}-${i}`, Buffer.from('10.0.0.1:80'), undefined as never, 0, () => r()));
      await p; theirs.push(performance.now() - s);
    }
    console.log('bare median', med(theirs)); }
    d2(null);
  });
  done(null);
});
controller.abort(); await registry.close(); await zk.stop();
