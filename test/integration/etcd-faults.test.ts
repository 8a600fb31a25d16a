/** etcd in trouble, one server and three. */
import { describe } from 'vitest';
import { serverOrSkip } from '../servers/index.js';
import { etcdKind } from './etcd-stage.js';
import { faultSuite } from './support/faults.js';

const server = await serverOrSkip('etcd');

describe.skipIf(server === undefined)('etcdRegistry in trouble', () => faultSuite(etcdKind));
