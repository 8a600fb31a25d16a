// Who is measured. A field: `open` gives our registry, `writer` one who changes things without it, `bares` ways to see
// changes without it. A way is `(address, service, look) => stop`; it calls `look(has)` for each set that it knows.
import { consul } from './consul.js';
import { etcd } from './etcd.js';
import { memory } from './memory.js';
import { zookeeper } from './zookeeper.js';

export const fields = { consul, etcd, zookeeper, memory };
