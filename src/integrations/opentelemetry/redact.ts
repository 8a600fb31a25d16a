/** What stands in the place of a secret, by OpenTelemetry's conventions. */
const REDACTED = 'REDACTED';

/**
 * Names of query parameters whose values are secrets, in lower case and without `-`, `_` and `.`: those of OpenTelemetry's
 * conventions (signed URLs of AWS, Azure and Google Cloud) and what else carries credentials by custom.
 */
const SECRETS = new Set([
  ...['awsaccesskeyid', 'sig', 'xamzcredential', 'key', 'code', 'pass', 'pwd', 'pin', 'otp', 'auth', 'authorization'],
  ...['jwt', 'session', 'sid', 'assertion', 'ticket', 'cookie'],
]);
/** `access_token`, `X-Goog-Signature`, `clientSecret` and their like. */
const SECRET_ENDINGS = /(token|secret|passw(or)?d|passphrase|signature|apikey|accesskey|credentials?|sessionid)$/;

const USER_INFO = /\/\/[^/?#\s@]*@/g;
const PARAMETER = /([?&;])([^=&;?#\s]+)=([^&;#]*)/g;
/** In running text, a space or a quote ends what is a URL. */
const PARAMETER_IN_TEXT = /([?&;])([^=&;?#\s]+)=([^&;#\s"'<>)]*)/g;
const CREDENTIALS_IN_TEXT = /\b(bearer|basic)\s+[\w~+/.=-]+/gi;

/** Takes secrets out of what is written into spans. */
export interface Redact {
  /** Of a whole URL, or of its path and query. */
  url(url: string): string;
  /** Of a message, in which URLs may stand. */
  text(text: string): string;
}

/**
 * @param more names of further query parameters whose values are secrets; case, `-`, `_` and `.` do not matter
 */
export const redaction = (more: readonly string[] = []): Redact => {
  const own = new Set(more.map(plain));
  const isSecret = (name: string): boolean => {
    const key = plain(decoded(name));
    return SECRETS.has(key) || own.has(key) || SECRET_ENDINGS.test(key);
  };
  const hide = (all: string, before: string, name: string): string =>
    isSecret(name) ? `${before}${name}=${REDACTED}` : all;
  const withoutUser = (text: string): string => (text.includes('@') ? text.replace(USER_INFO, hideUser) : text);
  return {
    url: url => withoutUser(url.includes('?') ? url.replace(PARAMETER, hide) : url),
    text: text =>
      withoutUser(text.replace(PARAMETER_IN_TEXT, hide)).replace(
        CREDENTIALS_IN_TEXT,
        (_, scheme) => `${scheme} ${REDACTED}`,
      ),
  };
};

const hideUser = (info: string): string => (info.includes(':') ? `//${REDACTED}:${REDACTED}@` : `//${REDACTED}@`);

const plain = (name: string): string => name.toLowerCase().replace(/[-_.]/g, '');

const decoded = (name: string): string => {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
};
