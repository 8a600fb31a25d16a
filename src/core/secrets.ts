/** What is called like this holds a secret: a header, a query parameter, a field, an option. */
const LIKE =
  'passw|passphrase|pwd|secret|token|credential|authoriz|cookie|session|jwt|signature|(?:api|access|account|private|shared)[-_.]?key';
const EXACTLY = 'auth|sig|sid';
const NAME = new RegExp(`${LIKE}|^(?:${EXACTLY})$`, 'i');

/** A name and its value, as in `?token=…`, `"password":"…"` and `x-consul-token: …`. Bounded: the text may be a stranger's. */
const PAIR = new RegExp(
  `((?<![\\w.-])(?:[\\w.-]{0,40}(?:${LIKE})[\\w.-]{0,40}|${EXACTLY})["']?\\s{0,4}[:=]\\s{0,4}["']?)[^\\s&"',;<>(){}[\\]]+`,
  'gi',
);
/** Names that mean a secret only in a query. */
const IN_QUERY = /([?&;](?:key|code|pass|pin|otp|ticket|assertion|awsaccesskeyid)=)[^&;#\s"'<>)]*/gi;
const USER_INFO = /:\/\/[^\s/?#"'`]*@/g;
const SCHEME = /\b(bearer|basic|digest|negotiate)\s{1,4}[\w+/=.~-]{4,}/gi;
/** Their values have blanks and commas of their own: all up to the end of the line. */
const HEADER = /\b((?:set-)?cookie|(?:proxy-)?authorization)(["']?\s{0,4}[:=])[^\r\n]+/gi;

const HIDDEN = '***';

export const isSecretName = (name: string): boolean => NAME.test(name);

/**
 * A text without what looks like a secret: user names and passwords in URLs, values of fields and query parameters that are
 * called like one, credentials of the schemes of HTTP. For words of others that we pass on: a registry's error, a log line.
 */
export const withoutSecrets = (text: string): string => {
  // Most texts have none, and no character that could begin one.
  if (!/[:=]|bearer|basic|digest|negotiate/i.test(text)) return text;
  return text
    .replace(USER_INFO, `://${HIDDEN}@`)
    .replace(HEADER, `$1$2 ${HIDDEN}`)
    .replace(SCHEME, `$1 ${HIDDEN}`)
    .replace(IN_QUERY, `$1${HIDDEN}`)
    .replace(PAIR, `$1${HIDDEN}`);
};
