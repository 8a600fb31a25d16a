import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { PassThrough, pipeline, Readable, type Transform } from 'node:stream';

/** As fetch allows, so that a small answer cannot unfold into all memory in steps. */
const MOST_CODINGS = 5;

/** Forgiving as fetch and curl are: a missing end is no error. */
const ZLIB = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = { flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH };

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(ZLIB),
  'x-gzip': () => createGunzip(ZLIB),
  deflate: () => inflateOfEitherKind(),
  br: () => createBrotliDecompress(BROTLI),
};

/** What to undo, last applied first; empty for what is plain, or coded in a way that fetch would not undo either. */
export const codingsOf = (contentEncoding: string | undefined): readonly string[] => {
  if (contentEncoding === undefined || contentEncoding === '') return [];
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map(coding => coding.trim());
  if (codings.length > MOST_CODINGS)
    throw new Error(`too many content-encodings in response: ${codings.length}, maximum allowed is ${MOST_CODINGS}`);
  return codings.every(coding => Object.hasOwn(DECODERS, coding)) ? codings.reverse() : [];
};

/** Decodes as it is read. */
export const decoded = (chunks: AsyncIterable<Uint8Array>, codings: readonly string[]): AsyncIterator<Buffer> => {
  const source = Readable.from(chunks, { objectMode: false });
  const decoders = codings.map(coding => DECODERS[coding]!());
  // Its errors are those of the last stream, which are read there.
  const last = pipeline([source, ...decoders, new PassThrough()], () => undefined) as unknown as Readable;
  return last[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
};

/** Some servers send raw deflate under this name: the first byte tells. */
const inflateOfEitherKind = (): Transform => {
  let inner: Transform | undefined;
  const outer = new PassThrough();
  outer._transform = (chunk: Buffer, _encoding, done): void => {
    if (chunk.length === 0) return done();
    inner ??= innerOf((chunk[0]! & 0x0f) === 0x08 ? createInflate(ZLIB) : createInflateRaw(ZLIB), outer);
    inner.write(chunk, () => done());
  };
  outer._flush = (done): void => {
    if (inner === undefined) return done();
    inner.once('end', () => done());
    inner.end();
  };
  outer._destroy = (error, done): void => {
    inner?.destroy();
    done(error);
  };
  return outer;
};

const innerOf = (inner: Transform, outer: Transform): Transform =>
  inner.on('data', chunk => outer.push(chunk)).on('error', error => outer.destroy(error));
