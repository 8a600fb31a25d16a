/**
 * The body, handed on as its reader asks for it, and handed over as a whole once it was read to its end. What is given up,
 * breaks or grows longer than `maxBytes` is not collected: the connection belongs to the reader alone.
 */
export const collectedBody = (
  body: ReadableStream<Uint8Array>,
  { maxBytes, collected }: { readonly maxBytes: number; readonly collected: (whole: Uint8Array<ArrayBuffer>) => void },
): ReadableStream<Uint8Array> => {
  const reader = body.getReader();
  let chunks: Uint8Array[] = [];
  let length = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async controller => {
        const { done, value } = await reader.read();
        if (done) {
          if (length <= maxBytes) collected(joined(chunks, length));
          return controller.close();
        }
        length += value.byteLength;
        if (length > maxBytes) chunks = [];
        // Copied: its reader may hand the bytes on, or write to them.
        else chunks.push(value.slice());
        controller.enqueue(value);
      },
      cancel: reason => {
        chunks = [];
        return reader.cancel(reason);
      },
    },
    // Nothing is read before somebody asks.
    { highWaterMark: 0 },
  );
};

const joined = (chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
};
