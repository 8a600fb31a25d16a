/** The questions by which a server's state is told, each with a short limit: a paused server never answers. */
import { connect } from 'node:net';

export interface AskOptions {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default 1000 */
  readonly timeoutMs?: number;
}

/** The body of a 2xx answer as JSON; anything else throws. */
export async function askJson(url: string, options: AskOptions = {}): Promise<unknown> {
  const { method = 'GET', body, headers = {}, timeoutMs = 1000 } = options;
  const signal = AbortSignal.timeout(timeoutMs);
  const response = await fetch(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} was answered with ${response.status} ${text.trim()}`);
  return JSON.parse(text);
}

/** ZooKeeper's four-letter commands: one word in, text out, closed. */
export function askFourLetters(port: number, word: string, timeoutMs = 1000): Promise<string> {
  return new Promise(function ask(resolve, reject) {
    const socket = connect({ host: '127.0.0.1', port });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer to ${word} within ${timeoutMs} ms`)), timeoutMs);
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.once('connect', () => socket.write(word));
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
