import { withoutSecrets } from '../core/secrets.js';

/** Where a call goes, after everything that could make it leave its instance was refused. */
export interface Target {
  /** Path and query, starting with `/`. */
  readonly path: string;
  /** The protocol that the caller insisted on by writing a whole URL; `undefined` for a path. */
  readonly protocol: string | undefined;
}

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
/** Stands in for any instance: whatever does not resolve to this origin would leave the instance. */
const SOMEWHERE = 'http://instance.invalid';

/**
 * Reads what was given to `fetch`: a path, or a URL whose host is the service's name. Throws a TypeError for anything else,
 * before anything is sent: `//evil`, `/\evil`, `http://other/`, user names, ports, control characters, leading blanks.
 */
export const parseTarget = (input: string, service: string): Target => {
  if (isPlainPath(input)) return { path: input, protocol: undefined };
  if (CONTROL.test(input)) throw refused(input, service, 'it holds a control character');
  if (input.startsWith(' ')) throw refused(input, service, 'it begins with a blank');
  const relative = resolve(input, SOMEWHERE);
  if (relative?.origin === SOMEWHERE && !/^[a-z][a-z0-9+.-]*:/i.test(input))
    return { path: relative.pathname + relative.search, protocol: undefined };
  return parseUrl(input, service);
};

/**
 * The usual case, seen at once: the authority of a URL ends at the first slash, so behind an origin such a path cannot change
 * it, and there is no fragment to take away. A loop, since a regular expression takes several times as long.
 */
export const isPlainPath = (input: string): boolean => {
  const second = input.charCodeAt(1);
  if (input.charCodeAt(0) !== SLASH || second === SLASH || second === BACKSLASH) return false;
  for (let at = 1; at < input.length; at += 1) {
    const code = input.charCodeAt(at);
    if (code <= BLANK || code === HASH || code === DELETE) return false;
  }
  return true;
};

const BLANK = 32;
const HASH = 35;
const SLASH = 47;
const BACKSLASH = 92;
const DELETE = 127;

const parseUrl = (input: string, service: string): Target => {
  const url = resolve(input);
  if (url === undefined) throw refused(input, service, 'it is neither a path nor a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refused(input, service, 'its protocol is not http or https');
  if (url.username !== '' || url.password !== '') throw refused('a URL', service, 'it holds a user name or a password');
  if (!namesService(url, service))
    throw refused(input, service, `its host is not the service ${JSON.stringify(service)}`);
  if (url.port !== '') throw refused(input, service, 'it names a port, which is the instance’s business');
  return { path: url.pathname + url.search, protocol: url.protocol.slice(0, -1) };
};

/** Compared as hosts are: without regard to case. */
export const namesService = (url: URL, service: string): boolean => {
  const host = url.hostname.toLowerCase();
  return host === service.toLowerCase() || host === resolve(`${url.protocol}//${service}`)?.hostname;
};

const resolve = (input: string, base?: string): URL | undefined =>
  URL.canParse(input, base) ? new URL(input, base) : undefined;

const refused = (input: string, service: string, why: string): TypeError => {
  const harmless = withoutSecrets(input);
  const shown = harmless.length > 200 ? `${harmless.slice(0, 200)}…` : harmless;
  return new TypeError(
    `${service}: cannot fetch ${JSON.stringify(shown)}: ${why}; expected a path such as "/users/42", or a URL whose host is the service's name`,
  );
};
