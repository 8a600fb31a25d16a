// The embedded registry: no server, no wire, so nothing to be beside.
import { idOf, instanceOf } from './instances.js';

/** One for this process: who writes and who watches must meet. */
let shared;
const registry = async () => (shared ??= (await import('../../dist/index.js')).memoryRegistry());

export const memory = {
  paceMs: 1,
  wire: undefined,
  open: registry,

  writer: async () => {
    const { register } = bound(await registry());
    const joined = new Map();
    const join = async (service, nth) => joined.set(idOf(nth), await register(instanceOf(service, nth)));
    return {
      join,
      leave: (_service, nth) => joined.get(idOf(nth)).deregister(),
      fill: async (service, { from, count }) => {
        const list = Array.from({ length: count }, (_, n) => instanceOf(service, from + n));
        (await registry()).set(service, list);
      },
      close: async () => undefined,
    };
  },

  bares: {},
};

const bound = of => ({ register: instance => of.register(instance) });
