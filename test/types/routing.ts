/** What has to compile about routes, and what must not: see client.ts. */
import {
  createServiceClient,
  memoryRegistry,
  type CallRoute,
  type ClientUpdate,
  type InstanceSelector,
  type RouteOptions,
  type RouteSnapshot,
} from 'fairlead';

const base = { service: 'users', registry: memoryRegistry() };
const to: InstanceSelector = { version: ['1', '2'], zone: 'eu', tags: 'gpu', metadata: { env: ['a', 'b'] }, not: {} };

export const route: RouteOptions = {
  rules: [
    { name: 'canary', share: 0.05, to, fallback: 'strict' },
    {
      match: { headers: { a: true, b: 'c', d: ['e'] }, method: 'GET', keys: ['ann'], when: call => call.idempotent },
      to,
    },
    { split: [{ share: 0.5, to: { where: instance => instance.port > 1 } }], fallback: [{ version: '1' }, {}] },
  ],
  otherwise: 'any',
  key: { header: 'x-user-id' },
  zone: { own: 'eu', callersRatio: 0.5 },
};
const client = createServiceClient({ ...base, route, subset: { size: 20, key: 'pod-1' } });
createServiceClient({ ...base, route: false, subset: false });
createServiceClient({ ...base, route: undefined, subset: undefined });
void client.fetch('/', { fairlead: { route: { to: { version: '2' }, key: 'ann', fallback: 'any' } } });
void client.call(() => 1, { route: { to: {} } });
client.update({ route });
client.update({ route: false });
export const update: ClientUpdate = {};
export const routes: readonly RouteSnapshot[] = client.snapshot().routes;
export const outReason: string | undefined = client.snapshot().routes[0]?.out[0]?.reason;

// @ts-expect-error -- versions are text
createServiceClient({ ...base, route: { rules: [{ to: { version: 2 } }] } });
// @ts-expect-error -- a misspelt condition
createServiceClient({ ...base, route: { rules: [{ to: { versoin: '2' } }] } });
// @ts-expect-error -- a share is a number
createServiceClient({ ...base, route: { rules: [{ share: '5%', to: {} }] } });
// @ts-expect-error -- there is no such fallback
createServiceClient({ ...base, route: { fallback: 'none' } });
// @ts-expect-error -- a zone has to be named
createServiceClient({ ...base, route: { zone: { minLocal: 1 } } });
// @ts-expect-error -- the size is an option of its own
createServiceClient({ ...base, subset: 100 });
// @ts-expect-error -- each call's own function would be a set of its own
export const wish: CallRoute = { to: { where: () => true } };
// @ts-expect-error -- the selector goes under `to`
void client.fetch('/', { fairlead: { route: { version: '2' } } });
// @ts-expect-error -- cannot change while it runs
client.update({ service: 'other' });
