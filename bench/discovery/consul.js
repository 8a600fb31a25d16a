// Consul by its HTTP API, without our adapter: who writes, and a blocking query by hand.
import http from 'node:http';
import { batches, idOf, instanceOf } from './instances.js';

/** Of the catalog's entries; not the agent's own node, which the agent keeps as it knows it. */
const NODE = 'bench';
/** Consul takes 64 operations in a transaction; an instance and its check are two. */
const BATCH = 32;

const ask = (agent, url, { method = 'GET', body, signal } = {}) =>
  new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method, signal }, response => {
      const chunks = [];
      response.on('data', chunk => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve({ headers: response.headers, body: JSON.parse(text) });
        else reject(new Error(`${method} ${url}: ${response.statusCode} ${text}`));
      });
    });
    request.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });

const serviceOf = (service, nth) => {
  const { id, address, port, tags, version, zone, metadata } = instanceOf(service, nth);
  return { ID: id, Service: service, Address: address, Port: port, Tags: tags, Meta: { ...metadata, version, zone } };
};
const checkOf = nth => ({
  ...{ Node: NODE, CheckID: `service:${idOf(nth)}`, ServiceID: idOf(nth) },
  ...{ Name: 'fairlead: kept alive by its process', Status: 'passing' },
});

export const consul = {
  /** More than ten reads a second are spread by our floor between polls: that would be another measurement. */
  paceMs: 120,
  wire: 'http',
  open: async url => (await import('../../dist/consul.js')).consulRegistry({ url }),

  writer: async url => {
    const agent = new http.Agent({ keepAlive: true });
    const put = (path, body) => ask(agent, `${url}/v1/${path}`, { method: 'PUT', body });
    const node = { Node: NODE, Address: '127.0.0.2' };
    return {
      join: (service, nth) =>
        put('catalog/register', { ...node, Service: serviceOf(service, nth), Check: checkOf(nth) }),
      leave: (_service, nth) => put('catalog/deregister', { Node: NODE, ServiceID: idOf(nth) }),
      fill: async (service, { from, count }) => {
        await put('catalog/register', node);
        for (const batch of batches({ from, count, size: BATCH }))
          await put(
            'txn',
            batch.flatMap(nth => [
              { Service: { Verb: 'set', Node: NODE, Service: serviceOf(service, nth) } },
              { Check: { Verb: 'set', Check: checkOf(nth) } },
            ]),
          );
      },
      close: async () => agent.destroy(),
    };
  },

  bares: {
    'blocking query': async (url, service, look) => {
      const agent = new http.Agent({ keepAlive: true });
      const life = new AbortController();
      let index = 0;
      const read = async () => {
        const query = index === 0 ? '' : `?index=${index}&wait=30s`;
        const { headers, body } = await ask(agent, `${url}/v1/health/service/${service}${query}`, life);
        index = headers['x-consul-index'];
        const ids = new Set(body.map(({ Service }) => Service.ID));
        look(id => ids.has(id));
      };
      await read();
      const loop = async () => {
        while (!life.signal.aborted) await read();
      };
      loop().catch(error => {
        if (!life.signal.aborted) throw error;
      });
      return async () => {
        life.abort();
        agent.destroy();
      };
    },
  },
};
