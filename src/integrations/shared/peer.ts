/** Optional peers that are needed the moment something is built, and so cannot wait for an `import()`. */
import { createRequire } from 'node:module';
import { FairleadError } from '../../core/errors.js';

/**
 * The package as CommonJS gives it. Throws MISSING_PEER when it is not installed.
 *
 * @param what who needs it, and what to install: 'undiciTransport needs the package undici, version 7: npm install undici@7'
 */
export const requirePeer = <M>(name: string, what: string): M => {
  try {
    return createRequire(import.meta.url)(name) as M;
  } catch (cause) {
    const { code, message } = cause as { code?: unknown; message?: string };
    // Found, but something that it needs itself is not: its own error says more.
    if (code !== 'MODULE_NOT_FOUND' || !message?.includes(`'${name}'`)) throw cause;
    throw new FairleadError('MISSING_PEER', what, { cause });
  }
};
