/**
 * Milliseconds that a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110 §10.2.3). `undefined` when it is
 * missing or means nothing.
 */
export const parseRetryAfter = (value: string | null, wallNow: number): number | undefined => {
  if (value === null) return undefined;
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000;
  // An HTTP date names its weekday: "-1", "soon" or "1.5" must not be taken for a year.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  // eslint-disable-next-line no-restricted-globals -- reads a date that was written; asks no clock
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - wallNow);
};
