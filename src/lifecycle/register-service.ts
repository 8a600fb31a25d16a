import type { Registrar } from '../core/registry.js';
import { systemHost } from './host.js';
import type { RegisterServiceOptions } from './options.js';
import type { RegisteredService } from './registered-service.js';
import { Service } from './service.js';
import { settingsOf } from './settings.js';

/**
 * Registers this process as an instance of a service once it can serve, keeps it registered, and lets it leave without a
 * lost call: on `stop()`, SIGTERM or SIGINT it is first taken out of the registry, serves on until its callers have heard
 * of that, and only then closes.
 *
 * Returns at once: neither a registry that is down nor a `ready` that takes long blocks the start.
 *
 * ```ts
 * const server = createServer(app).listen(8080);
 * const service = registerService({ service: 'users', registry: consulRegistry(), server, ready: () => db.connect() });
 * service.onRelease(() => db.close());
 * service.on('state', ({ state }) => log.info(state));
 * ```
 *
 * @throws TypeError or RangeError that names the option when one is wrong
 */
export const registerService = <R extends Registrar>(options: RegisterServiceOptions<R>): RegisteredService =>
  new Service(settingsOf(options), systemHost);
