// One table of what fetch does, asked of the platform's fetch and of a client with undiciTransport(): the same is expected of both.
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIG, CODED_TEXT, openStage, type Ask, type Echo, type Stage } from './undici-stage.js';

interface Case {
  readonly name: string;
  readonly see: (ask: Ask) => Promise<unknown>;
  readonly expected: unknown;
}

const echoed = async (ask: Ask, init?: RequestInit, path = '/echo'): Promise<Echo> =>
  (await (await ask(path, init)).json()) as Echo;

/** The kind of body, its length or way, and its bytes. */
const sent = async (ask: Ask, init: RequestInit): Promise<unknown> => {
  const { headers, body } = await echoed(ask, { method: 'POST', ...init });
  return [headers['content-type'], headers['content-length'] ?? headers['transfer-encoding'], body];
};

/** Kind, message and cause of a rejection. */
const failure = async (work: Promise<unknown>): Promise<unknown> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) return error;
  const cause = error.cause as { code?: string } | undefined;
  return cause === undefined ? error.name : [error.name, error.message, cause.code];
};

const chunksOf = async (body: ReadableStream<Uint8Array>): Promise<string> => {
  let text = '';
  for await (const chunk of body) text += Buffer.from(chunk).toString();
  return text;
};

const streamOf = (...chunks: unknown[]): ReadableStream =>
  new ReadableStream({
    start: controller => {
      chunks.forEach(chunk => controller.enqueue(chunk));
      controller.close();
    },
  });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const form = (): FormData => {
  const data = new FormData();
  data.set('name', 'Zoë\nLovelace');
  data.set('quo"ted\r\n', 'x');
  data.set('file', new File(['bytes\n'], 'a "b".txt', { type: 'text/plain' }));
  data.append('file', new Blob(['more']));
  return data;
};

const REQUESTS: readonly Case[] = [
  {
    name: 'sends the same headers of itself',
    see: async ask => {
      const { headers, method } = await echoed(ask);
      const { host: _host, ...others } = headers;
      return { method, others };
    },
    expected: {
      method: 'GET',
      others: {
        accept: '*/*',
        'accept-encoding': 'gzip, deflate',
        'accept-language': '*',
        connection: 'keep-alive',
        'sec-fetch-mode': 'cors',
        'user-agent': 'node',
      },
    },
  },
  {
    name: 'lets the caller replace them',
    see: async ask => {
      const headers = { accept: 'text/plain', 'user-agent': 'me', 'accept-encoding': 'br', 'Accept-Language': 'de' };
      const { names: _names, ...echo } = await echoed(ask, { headers });
      return [
        echo.headers['accept'],
        echo.headers['user-agent'],
        echo.headers['accept-encoding'],
        echo.headers['accept-language'],
      ];
    },
    expected: ['text/plain', 'me', 'br', 'de'],
  },
  {
    name: 'asks for no coding of a range',
    see: async ask => (await echoed(ask, { headers: { range: 'bytes=0-1' } })).headers['accept-encoding'],
    expected: 'identity',
  },
  {
    name: 'tells caches on the way what `cache` asks for',
    see: async ask => {
      const seen: unknown[] = [];
      for (const cache of ['no-store', 'reload', 'no-cache', 'default'])
        seen.push((await echoed(ask, { cache } as RequestInit)).headers['cache-control']);
      return seen;
    },
    expected: ['no-cache', 'no-cache', 'max-age=0', undefined],
  },
  {
    name: 'sends a text',
    see: ask => sent(ask, { body: 'Zoë' }),
    expected: ['text/plain;charset=UTF-8', '4', 'Zo\u00c3\u00ab'],
  },
  {
    name: 'sends an empty text',
    see: ask => sent(ask, { body: '' }),
    expected: ['text/plain;charset=UTF-8', '0', ''],
  },
  { name: 'sends no body by POST', see: ask => sent(ask, {}), expected: [undefined, '0', ''] },
  {
    name: 'sends URLSearchParams',
    see: ask => sent(ask, { body: new URLSearchParams({ a: '1 2' }) }),
    expected: ['application/x-www-form-urlencoded;charset=UTF-8', '5', 'a=1+2'],
  },
  {
    name: 'sends an ArrayBuffer',
    see: ask => sent(ask, { body: bytes('buffer').buffer as ArrayBuffer }),
    expected: [undefined, '6', 'buffer'],
  },
  {
    name: 'sends the part that a view shows',
    see: ask => sent(ask, { body: bytes('a part of it').subarray(2, 6) }),
    expected: [undefined, '4', 'part'],
  },
  {
    name: 'sends a DataView',
    see: ask => sent(ask, { body: new DataView(bytes('a view').buffer, 2) as never }),
    expected: [undefined, '4', 'view'],
  },
  {
    name: 'sends a Blob with its type',
    see: ask => sent(ask, { body: new Blob(['blob'], { type: 'text/csv' }) }),
    expected: ['text/csv', '4', 'blob'],
  },
  {
    name: 'sends a Blob without type',
    see: ask => sent(ask, { body: new Blob(['b']) }),
    expected: [undefined, '1', 'b'],
  },
  {
    name: 'sends a stream',
    see: ask => sent(ask, { body: streamOf(bytes('one '), bytes('two')) }),
    expected: [undefined, 'chunked', 'one two'],
  },
  {
    name: 'sends an async iterable',
    see: ask =>
      sent(ask, {
        body: (async function* () {
          yield 'text and ';
          yield bytes('bytes');
        })() as never,
      }),
    expected: [undefined, 'chunked', 'text and bytes'],
  },
  {
    name: 'sends a stream of Node',
    see: ask => sent(ask, { body: Readable.from([Buffer.from('node')]) as never }),
    expected: [undefined, 'chunked', 'node'],
  },
  {
    name: 'sends whatever else as its text',
    see: ask => sent(ask, { body: 42 as never }),
    expected: ['text/plain;charset=UTF-8', '2', '42'],
  },
  {
    name: 'keeps to the type that the caller names',
    see: ask => sent(ask, { body: '{}', headers: { 'Content-Type': 'application/json' } }),
    expected: ['application/json', '2', '{}'],
  },
  {
    name: 'sends a form with files, and says how long it is',
    see: async ask => (await ask('/form-echo', { method: 'POST', body: form() })).json(),
    expected: {
      fields: [
        ['name', 'Zoë\r\nLovelace'],
        ['quo"ted\r\n', 'x'],
        ['file', 'a "b".txt', 'text/plain', 'bytes\n'],
        ['file', 'blob', 'application/octet-stream', 'more'],
      ],
      measured: true,
    },
  },
  {
    name: 'fails with the error of the stream that is sent',
    see: async ask => {
      const broken = new ReadableStream({
        pull: () => Promise.reject(Object.assign(new Error('disk'), { code: 'EIO' })),
      });
      return failure(ask('/echo', { method: 'POST', body: broken }));
    },
    expected: ['TypeError', 'fetch failed', 'EIO'],
  },
  {
    name: 'refuses a stream that was read',
    see: async ask => {
      const body = streamOf(bytes('x'));
      await body.getReader().read();
      return failure(ask('/echo', { method: 'POST', body }));
    },
    expected: 'TypeError',
  },
  ...['CONNECT', 'TRACE', 'track', 'bad method', ''].map(method => ({
    name: `refuses the method ${JSON.stringify(method)}`,
    see: (ask: Ask) => failure(ask('/echo', { method })),
    expected: 'TypeError',
  })),
  {
    name: 'writes methods as fetch does',
    see: async ask => [
      (await echoed(ask, { method: 'get' })).method,
      (await echoed(ask, { method: 'options' })).method,
      (await echoed(ask, { method: 'REPORT' })).method,
    ],
    expected: ['GET', 'OPTIONS', 'REPORT'],
  },
  ...[{ 'bad name': 'x' }, { 'x-bad': 'line\nbreak' }, { 'x-bad': 'snow ☃' }, { '': 'x' }].map(headers => ({
    name: `refuses the headers ${JSON.stringify(headers)}`,
    see: (ask: Ask) => failure(ask('/echo', { headers: headers as never })),
    expected: 'TypeError',
  })),
  {
    name: 'refuses a Transfer-Encoding of the caller’s',
    see: ask => failure(ask('/echo', { method: 'POST', body: 'x', headers: { 'transfer-encoding': 'chunked' } })),
    expected: ['TypeError', 'fetch failed', 'UND_ERR_INVALID_ARG'],
  },
  {
    name: 'refuses Expect',
    see: ask => failure(ask('/echo', { method: 'POST', body: 'x', headers: { expect: '100-continue' } })),
    expected: ['TypeError', 'fetch failed', 'UND_ERR_NOT_SUPPORTED'],
  },
  {
    name: 'does not let the caller name another host',
    see: async ask =>
      /^127\.0\.0\.1:\d+$/.test((await echoed(ask, { headers: { host: 'evil.example' } })).headers['host']!),
    expected: true,
  },
  {
    name: 'closes the connection where the caller asks for it',
    see: async ask => (await echoed(ask, { headers: { connection: 'close' } })).headers['connection'],
    expected: 'close',
  },
  {
    name: 'sends header values as Latin-1, and cookies',
    see: async ask => {
      const { headers } = await echoed(ask, {
        headers: [
          ['x-name', ' Zoë '],
          ['x-name', 'Ada'],
          ['cookie', 'a=1'],
        ],
      });
      return [headers['x-name'], headers['cookie']];
    },
    expected: ['Zoë, Ada', 'a=1'],
  },
  ...(
    [
      ['/a/./b/../c', '/a/c'],
      ['/a/%2e%2e/b', '/b'],
      ['/..', '/'],
      ['/Zoë?q=Zoë', '/Zo%C3%AB?q=Zo%C3%AB'],
      ['/a b', '/a%20b'],
      [`/it's?it's`, `/it's?it%27s`],
      ['/<">`{}|^?<">`{}|^', '/%3C%22%3E%60%7B%7D|%5E?%3C%22%3E`{}|^'],
      ['/a\\b', '/a/b'],
      ['/a#fragment', '/a'],
      ['/a.b/.c', '/a.b/.c'],
      ['/%zz/%41', '/%zz/%41'],
    ] as const
  ).map(([path, expected]) => ({
    name: `asks for ${path} as ${expected}`,
    see: async (ask: Ask) => (await echoed(ask, undefined, path)).path.replaceAll('%5E', '^').replaceAll('%7C', '|'),
    expected: expected.replaceAll('%5E', '^'),
  })),
];

const READING: readonly Case[] = [
  {
    name: 'gives a Response',
    see: async ask => {
      const response = await ask('/json');
      const { status, statusText, ok, type, redirected, bodyUsed } = response;
      const isTrue = response instanceof Response && response.body instanceof ReadableStream;
      const cookies = response.headers.getSetCookie();
      const twice = response.headers.get('X-Twice');
      await response.body?.cancel();
      return {
        status,
        statusText,
        ok,
        type,
        redirected,
        bodyUsed,
        isTrue,
        cookies,
        twice,
        path: new URL(response.url).pathname,
      };
    },
    expected: {
      ...{ status: 200, statusText: 'Fine', ok: true, type: 'basic', redirected: false, bodyUsed: false, isTrue: true },
      ...{ cookies: ['a=1', 'b=2; Path=/'], twice: 'one, two', path: '/json' },
    },
  },
  {
    name: 'gives headers that are not to be changed',
    see: async ask => {
      const { headers, body } = await ask('/json');
      await body?.cancel();
      const change = async (work: () => void): Promise<void> => work();
      return [
        await failure(change(() => headers.set('a', 'b'))),
        await failure(change(() => headers.append('a', 'b'))),
        await failure(change(() => headers.delete('content-type'))),
        headers instanceof Headers,
        new Headers(headers).get('content-type'),
        [...headers.keys()].includes('set-cookie'),
      ];
    },
    expected: ['TypeError', 'TypeError', 'TypeError', true, 'application/json', true],
  },
  { name: 'reads json', see: async ask => (await ask('/json')).json(), expected: { id: 42, name: 'Zoë' } },
  {
    name: 'reads a text, a buffer and a blob',
    see: async ask => {
      const blob = await (await ask('/json')).blob();
      const buffer = await (await ask('/json')).arrayBuffer();
      return [
        await (await ask('/json')).text(),
        buffer instanceof ArrayBuffer,
        buffer.byteLength,
        blob.type,
        await blob.text(),
      ];
    },
    expected: ['{"id":42,"name":"Zoë"}', true, 23, 'application/json', '{"id":42,"name":"Zoë"}'],
  },
  {
    name: 'reads a form',
    see: async ask => [...(await (await ask('/form')).formData())],
    expected: [
      ['a', '1'],
      ['b', 'two'],
    ],
  },
  { name: 'drops a byte order mark', see: async ask => (await ask('/bom')).text(), expected: '{"id":1}' },
  { name: 'parses behind a byte order mark', see: async ask => (await ask('/bom')).json(), expected: { id: 1 } },
  { name: 'shows what is no UTF-8', see: async ask => (await ask('/broken-utf8')).text(), expected: 'a\ufffd\ufffdb' },
  { name: 'rejects what is no JSON', see: async ask => failure((await ask('/html')).json()), expected: 'SyntaxError' },
  { name: 'rejects an empty JSON', see: async ask => failure((await ask('/empty')).json()), expected: 'SyntaxError' },
  {
    name: 'is read once',
    see: async ask => {
      const response = await ask('/json');
      await response.text();
      return [response.bodyUsed, await failure(response.text()), await failure(response.json()), response.body?.locked];
    },
    expected: [true, 'TypeError', 'TypeError', true],
  },
  {
    name: 'is not read while its stream is',
    see: async ask => {
      const response = await ask('/json');
      const reader = response.body!.getReader();
      const seen = [response.bodyUsed, await failure(response.text())];
      await reader.cancel();
      return [...seen, response.bodyUsed];
    },
    expected: [false, 'TypeError', true],
  },
  {
    name: 'is read after somebody looked at its stream',
    see: async ask => {
      const response = await ask('/json');
      return [response.body?.locked, await response.json(), response.bodyUsed];
    },
    expected: [false, { id: 42, name: 'Zoë' }, true],
  },
  {
    name: 'is read as a stream',
    see: async ask => chunksOf((await ask('/json')).body as ReadableStream<Uint8Array>),
    expected: '{"id":42,"name":"Zoë"}',
  },
  {
    name: 'is read into a buffer of the reader’s',
    see: async ask => {
      const reader = (await ask('/json')).body!.getReader({ mode: 'byob' });
      const { value } = await reader.read(new Uint8Array(5));
      const rest = await reader.read(new Uint8Array(100));
      const { done } = await reader.read(new Uint8Array(1));
      return [Buffer.from(value!).toString(), rest.value!.byteLength, done];
    },
    expected: ['{"id"', 18, true],
  },
  {
    name: 'is cloned, and both are read',
    see: async ask => {
      const response = await ask('/json');
      const copy = response.clone();
      return [
        await copy.json(),
        await response.text(),
        copy.status,
        copy.url === response.url,
        copy.headers.get('content-type'),
        await failure((async () => response.clone())()),
      ];
    },
    expected: [{ id: 42, name: 'Zoë' }, '{"id":42,"name":"Zoë"}', 200, true, 'application/json', 'TypeError'],
  },
  {
    name: 'becomes another Response',
    see: async ask => {
      const response = await ask('/json');
      const other = new Response(response.body, response);
      return [other.status, other.statusText, other.headers.get('x-twice'), await other.json(), response.bodyUsed];
    },
    expected: [200, 'Fine', 'one, two', { id: 42, name: 'Zoë' }, true],
  },
  ...[204, 205, 304].map(status => ({
    name: `has no body with ${status}`,
    see: async (ask: Ask) => {
      const response = await ask(`/status?${status}`);
      return [
        response.status,
        response.ok,
        response.body,
        await response.text(),
        await response.text(),
        response.bodyUsed,
      ];
    },
    expected: [status, status !== 304, null, '', '', false],
  })),
  {
    name: 'has no body after HEAD',
    see: async ask => {
      const response = await ask('/coded?gzip', { method: 'HEAD' });
      return [response.status, response.body, response.headers.get('content-encoding'), await response.text()];
    },
    expected: [200, null, 'gzip', ''],
  },
  {
    name: 'has an empty body otherwise',
    see: async ask => {
      const response = await ask('/empty');
      return [response.body !== null, await response.text(), response.bodyUsed];
    },
    expected: [true, '', true],
  },
  { name: 'reads what is large', see: async ask => (await (await ask('/big')).text()) === BIG, expected: true },
  {
    name: 'streams what is large',
    see: async ask => (await chunksOf((await ask('/big')).body as ReadableStream<Uint8Array>)) === BIG,
    expected: true,
  },
  {
    name: 'pipes',
    see: async ask => {
      const text = (await ask('/big')).body!.pipeThrough(new TextDecoderStream() as never);
      let length = 0;
      for await (const piece of text as ReadableStream<string>) length += piece.length;
      return length === BIG.length;
    },
    expected: true,
  },
  ...['gzip', 'x-gzip', 'GZIP', 'deflate', 'br', 'gzip, br'].map(coding => ({
    name: `undoes ${coding}, and still says so`,
    see: async (ask: Ask) => {
      const response = await ask(`/coded?${encodeURIComponent(coding)}`);
      const streamed = (await ask(`/coded?${encodeURIComponent(coding)}`)).body as ReadableStream<Uint8Array>;
      return [response.headers.get('content-encoding'), await response.text(), await chunksOf(streamed)];
    },
    expected: [coding, CODED_TEXT, CODED_TEXT],
  })),
  { name: 'undoes raw deflate', see: async ask => (await ask('/raw-deflate')).text(), expected: CODED_TEXT },
  {
    name: 'leaves a coding that it does not know',
    see: async ask => (await ask('/coded?zebra')).text(),
    expected: CODED_TEXT,
  },
  { name: 'forgives gzip without its end', see: async ask => (await ask('/cut-gzip')).text(), expected: CODED_TEXT },
  {
    name: 'breaks where the coding is not what it says',
    see: async ask => failure((await ask('/not-gzip')).text()),
    expected: ['TypeError', 'terminated', 'Z_DATA_ERROR'],
  },
  { name: 'has nothing to decode with 204', see: async ask => (await ask('/gzip-204')).text(), expected: '' },
  { name: 'passes over early hints', see: async ask => (await ask('/early')).text(), expected: 'late' },
  {
    name: 'reads until the connection ends',
    see: async ask => (await ask('/until-close')).text(),
    expected: 'to the end',
  },
  {
    name: 'takes a status and a reason that are odd',
    see: async ask => {
      const { status, ok, statusText } = await ask('/odd-status');
      return [status, ok, statusText.startsWith('Very ')];
    },
    expected: [299, true, true],
  },
  {
    name: 'reads headers as Latin-1',
    see: async ask => (await ask('/latin1')).headers.get('x-name'),
    expected: 'Zoë',
  },
  { name: 'takes no more than the length says', see: async ask => (await ask('/too-long')).text(), expected: 'fo' },
];

const REDIRECTS: readonly Case[] = [
  ...(
    [
      [301, 'GET'],
      [302, 'GET'],
      [303, 'GET'],
      [307, 'POST'],
      [308, 'POST'],
    ] as const
  ).map(([status, method]) => ({
    name: `follows ${status} after POST by ${method}`,
    see: async (ask: Ask) => {
      const init = { method: 'POST', body: 'again', headers: { 'content-type': 'text/plain', 'x-mine': 'kept' } };
      const response = await ask(`/redirect?${status},${encodeURIComponent('/echo?to=here')}`, init);
      const echo = (await response.json()) as Echo;
      return [
        echo.method,
        echo.path,
        echo.body,
        echo.headers['content-type'],
        echo.headers['x-mine'],
        response.redirected,
        new URL(response.url).search,
      ];
    },
    expected:
      method === 'GET'
        ? ['GET', '/echo?to=here', '', undefined, 'kept', true, '?to=here']
        : ['POST', '/echo?to=here', 'again', 'text/plain', 'kept', true, '?to=here'],
  })),
  {
    name: 'hands a redirect out where that is wanted',
    see: async ask => {
      const response = await ask('/redirect?302,/echo', { redirect: 'manual' });
      return [response.status, response.headers.get('location'), response.redirected, await response.text()];
    },
    expected: [302, '/echo', false, 'moved'],
  },
  {
    name: 'fails at a redirect where that is wanted',
    see: ask => failure(ask('/redirect?302,/echo', { redirect: 'error' })),
    expected: ['TypeError', 'fetch failed', undefined],
  },
  {
    name: 'hands out a redirect without a place',
    see: async ask => (await ask('/status?302')).status,
    expected: 302,
  },
  {
    name: 'ends a loop',
    see: async ask => ((await failure(ask('/loop'))) as string[] | string).toString().startsWith('TypeError'),
    expected: true,
  },
  {
    name: 'does not send a stream a second time',
    see: async ask => {
      const error = await failure(ask('/redirect?307,/echo', { method: 'POST', body: streamOf(bytes('once')) }));
      return String(error).startsWith('TypeError');
    },
    expected: true,
  },
];

const ENDINGS: readonly Case[] = [
  {
    name: 'is aborted before it begins',
    see: ask => failure(ask('/echo', { signal: AbortSignal.abort('changed my mind') })),
    expected: 'changed my mind',
  },
  {
    name: 'is aborted while it waits for an answer',
    see: async ask => {
      const controller = new AbortController();
      const asked = ask('/hang', { signal: controller.signal });
      setTimeout(() => controller.abort(), 20);
      return failure(asked);
    },
    expected: 'AbortError',
  },
  {
    name: 'is aborted in the midst of its body',
    see: async ask => {
      const controller = new AbortController();
      const response = await ask('/half', { signal: controller.signal });
      const reading = response.text();
      setTimeout(() => controller.abort('enough'), 20);
      return failure(reading);
    },
    expected: 'enough',
  },
  {
    name: 'is aborted while nobody reads its stream',
    see: async ask => {
      const controller = new AbortController();
      const response = await ask('/half', { signal: controller.signal });
      const reader = response.body!.getReader();
      await reader.read();
      controller.abort('enough');
      return [await failure(reader.closed), await failure(reader.read())];
    },
    expected: ['enough', 'enough'],
  },
  {
    name: 'is not touched by an abort after its end',
    see: async ask => {
      const controller = new AbortController();
      const response = await ask('/json', { signal: controller.signal });
      const clone = response.clone();
      await response.text();
      controller.abort();
      return clone.json();
    },
    expected: { id: 42, name: 'Zoë' },
  },
  {
    name: 'fails where the connection ends before the answer',
    see: async ask => ((await failure(ask('/reset'))) as string[]).slice(0, 2),
    expected: ['TypeError', 'fetch failed'],
  },
  {
    name: 'breaks where the connection ends within the body',
    see: async ask => ((await failure((await ask('/reset-late')).text())) as string[]).slice(0, 2),
    expected: ['TypeError', 'terminated'],
  },
  {
    name: 'breaks where a chunked body has no end',
    see: async ask => {
      const body = (await ask('/reset-chunked')).body as ReadableStream<Uint8Array>;
      return ((await failure(chunksOf(body))) as string[]).slice(0, 2);
    },
    expected: ['TypeError', 'terminated'],
  },
  {
    name: 'fails where the answer is no HTTP',
    see: async ask => ((await failure(ask('/no-http'))) as string[]).slice(0, 2),
    expected: ['TypeError', 'fetch failed'],
  },
  {
    name: 'fails where the headers are too many',
    see: ask => failure(ask('/too-many-headers')),
    expected: ['TypeError', 'fetch failed', 'UND_ERR_HEADERS_OVERFLOW'],
  },
];

let stage: Stage;
beforeAll(async () => void (stage = await openStage()));
afterAll(() => stage.close());

const GROUPS = { requests: REQUESTS, reading: READING, redirects: REDIRECTS, endings: ENDINGS };

describe.each(['fetch', 'undiciTransport'] as const)('%s', means => {
  describe.each(Object.entries(GROUPS))('%s', (_group, cases) => {
    it.each(cases)('$name', async ({ see, expected }) => {
      expect(await see((path, init) => stage.by[means](path, init))).toEqual(expected);
    });
  });
});
