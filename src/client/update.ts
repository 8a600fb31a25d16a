import { RuleRouter } from '../routing/router.js';
import * as check from '../core/check.js';
import type { ClientParts } from './client-parts.js';
import type { ServiceClientOptions } from './options.js';
import { resolveRoute } from './options/route.js';

/** What may change while a client runs. `undefined`: stays as it is; `false`: off. */
export type ClientUpdate = Pick<ServiceClientOptions, 'route'>;

/** Checks what was given and prepares the change; applying it cannot fail. One line for each policy that can change. */
type Prepare<T> = (given: T, parts: ClientParts) => () => void;

const PREPARE: { readonly [K in keyof ClientUpdate]-?: Prepare<Exclude<ClientUpdate[K], undefined>> } = {
  // Sets of instances are kept by what they select: balancers of those that go on being used keep their state.
  route: (given, { pool, options }) => {
    const router = new RuleRouter(resolveRoute(given), options.runtime);
    return () => pool.reroute(router);
  },
};

/** All or nothing: everything is checked before the first change is made. */
export const applyUpdate = (given: ClientUpdate, parts: ClientParts): void => {
  if (given === undefined) throw new TypeError('update: expected an object, such as { route: false }, got nothing');
  check.object('update', given, { known: Object.keys(PREPARE) });
  const changes = (Object.keys(PREPARE) as (keyof ClientUpdate)[]).map(key => {
    const value = given[key];
    return value === undefined ? undefined : PREPARE[key](value, parts);
  });
  for (const apply of changes) apply?.();
  const options = (Object.keys(PREPARE) as (keyof ClientUpdate)[]).filter(key => given[key] !== undefined);
  if (options.length > 0) parts.events.emit?.({ type: 'client.updated', options });
};
