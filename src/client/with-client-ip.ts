import { systemRuntime } from '../core/runtime.js';
import { shared } from '../core/shared.js';

/**
 * Runs `fn`; for every call that a fairlead client makes meanwhile, however deep, this is the client on whose behalf it is
 * made: `consistentHash({ key: { clientIp: true } })` sends its calls to the same instance. It is not sent on. Which address
 * to believe (the socket's, or a proxy's header) is yours to say; an empty one counts as none.
 *
 * ```ts
 * app.use((request, response, next) => withClientIp(request.socket.remoteAddress, next));
 * ```
 */
export const withClientIp = <T>(clientIp: string | undefined, fn: () => T): T => {
  if (clientIp !== undefined && typeof clientIp !== 'string')
    throw new TypeError(`withClientIp: expected an address, a string or undefined, got ${typeof clientIp}`);
  const outer = shared.context.getStore() ?? { deadlineAt: Infinity, runtime: systemRuntime };
  return shared.context.run({ ...outer, clientIp }, fn);
};
