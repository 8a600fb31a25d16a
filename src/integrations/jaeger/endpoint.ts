import * as check from '../../core/check.js';

export interface Login {
  readonly username: string;
  readonly password: string;
}
/** A URL without user, password, query and fragment: what is shown in messages. */
export interface Endpoint {
  readonly url: string;
  readonly login: Login | undefined;
}

/**
 * The URL that spans are sent to. One without a path gets the path of `usual`: the Jaeger exporter does not add its own,
 * and would send to `/`. Throws a TypeError that shows no password.
 *
 * @param path the option or variable, for the error
 */
export const endpointOf = (path: string, text: unknown, usual: string): Endpoint => {
  const expected = `expected an http or https URL such as ${usual}`;
  if (typeof text !== 'string') throw new TypeError(`${path}: ${expected}, got ${check.shown(text)}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new TypeError(`${path}: ${expected}, got what is no URL`);
  const { protocol, pathname } = url;
  // `collector:14250` is a URL too, of the scheme "collector".
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new TypeError(`${path}: ${expected}, got one that begins with ${check.shown(protocol)}`);
  const login = url.username === '' ? undefined : { username: plain(url.username), password: plain(url.password) };
  return { url: `${url.origin}${pathname === '/' ? new URL(usual).pathname : pathname}`, login };
};

/** Percent signs in a user's name or password are not always meant as such. */
const plain = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
