/** What went wrong with one request, by ZooKeeper's own codes. */
import { describe, FairleadError } from '../../core/errors.js';

export const CONNECTION_LOSS = -4;
export const NO_NODE = -101;
export const NO_AUTH = -102;
export const BAD_VERSION = -103;
export const NODE_EXISTS = -110;
const AUTH_FAILED = -115;
/** Asking again would be answered the same: bad arguments, children under an ephemeral, not empty, no right, a bad ACL. */
const DEFINITIVE: readonly unknown[] = [-8, -108, -111, NO_AUTH, -114, AUTH_FAILED];

/** The server's code, of the package's exception or of a failure made from it; undefined: it did not answer. */
export const codeOf = (error: unknown): number | undefined => {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === 'number') return code;
  return typeof cause === 'object' && cause !== null ? codeOf(cause) : undefined;
};

export const unavailable = (message: string, cause?: unknown): FairleadError =>
  new FairleadError('REGISTRY_UNAVAILABLE', message, { cause });

/** Of a session whose credentials the servers refused. */
export const authFailed = (name: string): FairleadError =>
  unavailable(`${name}: the credentials were refused`, Object.assign(new Error('AUTH_FAILED'), { code: AUTH_FAILED }));

/** The package's exceptions hold a code and its name, and no data. */
export const failureOf = (what: string, error: unknown): FairleadError =>
  unavailable(`${what} failed: ${describe(error).replace(/^Exception: /, '')}`, error);

/** For the write of an entry: REGISTRATION_FAILED when ZooKeeper refuses it for good, else the error as it was. */
export const refusalOf = (error: unknown, service: string): unknown => {
  if (!DEFINITIVE.includes(codeOf(error))) return error;
  return new FairleadError('REGISTRATION_FAILED', describe(error), { service, cause: error });
};
