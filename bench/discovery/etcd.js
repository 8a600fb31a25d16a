// etcd by the etcd3 package, without our adapter: who writes, and a bare watch.
import { Etcd3 } from 'etcd3';
import { batches, idOf, instanceOf } from './instances.js';

/** etcd takes so many operations in a transaction. */
const BATCH = 128;

const prefixOf = service => `/services/${service}/`;
const keyOf = (service, nth) => prefixOf(service) + idOf(nth);
const valueOf = (service, nth) => {
  const { id: _id, service: _service, ...rest } = instanceOf(service, nth);
  return JSON.stringify({ ...rest, protocol: 'http', weight: 1, status: 'passing' });
};

export const etcd = {
  paceMs: 20,
  wire: 'http2',
  open: async endpoint => (await import('../../dist/etcd.js')).etcdRegistry({ endpoints: endpoint }),

  writer: async endpoint => {
    const client = new Etcd3({ hosts: endpoint });
    const put = (service, nth) => ({
      request_put: { key: Buffer.from(keyOf(service, nth)), value: Buffer.from(valueOf(service, nth)) },
    });
    return {
      join: (service, nth) => client.put(keyOf(service, nth)).value(valueOf(service, nth)),
      leave: (service, nth) => client.delete().key(keyOf(service, nth)),
      fill: async (service, { from, count }) => {
        for (const batch of batches({ from, count, size: BATCH }))
          await client.kv.txn({ success: batch.map(nth => put(service, nth)) });
      },
      close: async () => client.close(),
    };
  },

  bares: {
    'etcd3 watch': async (endpoint, service, look) => {
      const client = new Etcd3({ hosts: endpoint });
      const prefix = prefixOf(service);
      const ids = new Set();
      const has = id => ids.has(id);
      const listed = await client.getAll().prefix(prefix).exec();
      for (const { key } of listed.kvs) ids.add(key.toString().slice(prefix.length));
      look(has);
      const watcher = await client
        .watch()
        .prefix(prefix)
        .startRevision(String(BigInt(listed.header.revision) + 1n))
        .create();
      watcher.on('put', ({ key }) => {
        ids.add(key.toString().slice(prefix.length));
        look(has);
      });
      watcher.on('delete', ({ key }) => {
        ids.delete(key.toString().slice(prefix.length));
        look(has);
      });
      return async () => {
        await watcher.cancel();
        client.close();
      };
    },
  },
};
