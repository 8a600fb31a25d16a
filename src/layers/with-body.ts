/** The same answer with another body. */
export const withBody = (response: Response, body: ReadableStream<Uint8Array> | null): Response => {
  const { status, statusText, headers, url, redirected } = response;
  const other = new Response(body, { status, statusText, headers });
  Object.defineProperty(other, 'url', { value: url, configurable: true });
  if (redirected) Object.defineProperty(other, 'redirected', { value: true, configurable: true });
  return other;
};
