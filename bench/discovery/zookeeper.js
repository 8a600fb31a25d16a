// ZooKeeper by the node-zookeeper-client package, without our adapter: who writes, and bare child watches.
import { once } from 'node:events';
import zookeeperClient from 'node-zookeeper-client';
import { batches, idOf, instanceOf } from './instances.js';

/** So many nodes of this size stay far below the 1 MB of a request. */
const BATCH = 500;

const connected = async servers => {
  const client = zookeeperClient.createClient(servers, { sessionTimeout: 15_000 });
  client.connect();
  await once(client, 'connected');
  return client;
};

/** A call that ends with `callback(error, result, …)`, as a promise of `result`. */
const asked = start =>
  new Promise((resolve, reject) => start((error, result) => (error ? reject(error) : resolve(result))));

const parentOf = service => `/services/${service}`;
const pathOf = (service, nth) => `${parentOf(service)}/${idOf(nth)}`;
const valueOf = (service, nth) => {
  const { service: _service, ...rest } = instanceOf(service, nth);
  return Buffer.from(JSON.stringify({ ...rest, protocol: 'http', weight: 1, status: 'passing' }));
};

/** Lists, and lists again at each event. `readsNew`: the data of children that are new, too, without which they have no address. */
const childWatch =
  ({ readsNew }) =>
  async (servers, service, look) => {
    const client = await connected(servers);
    const path = parentOf(service);
    let known = new Map();
    let stopped = false;
    const again = () => {
      if (stopped) return;
      list().catch(error => {
        if (!stopped) throw error;
      });
    };
    const list = async () => {
      const names = await asked(done => client.getChildren(path, again, done));
      const read = async name =>
        known.get(name) ?? JSON.parse(await asked(done => client.getData(`${path}/${name}`, done)));
      const entries = names.map(async name => [name, readsNew ? await read(name) : true]);
      known = new Map(readsNew ? await Promise.all(entries) : names.map(name => [name, true]));
      look(id => known.has(id));
    };
    await list();
    return async () => {
      stopped = true;
      client.close();
    };
  };

export const zookeeper = {
  paceMs: 20,
  wire: 'jute',
  open: async servers => (await import('../../dist/zookeeper.js')).zookeeperRegistry({ servers }),

  writer: async servers => {
    const client = await connected(servers);
    const parent = service => asked(done => client.mkdirp(parentOf(service), done));
    return {
      join: (service, nth) => asked(done => client.create(pathOf(service, nth), valueOf(service, nth), done)),
      leave: (service, nth) => asked(done => client.remove(pathOf(service, nth), done)),
      fill: async (service, { from, count }) => {
        await parent(service);
        for (const batch of batches({ from, count, size: BATCH })) {
          const transaction = client.transaction();
          for (const nth of batch) transaction.create(pathOf(service, nth), valueOf(service, nth));
          await asked(done => transaction.commit(done));
        }
      },
      close: async () => client.close(),
    };
  },

  bares: {
    'child watch (names only)': childWatch({ readsNew: false }),
    'child watch, new ones read': childWatch({ readsNew: true }),
  },
};
