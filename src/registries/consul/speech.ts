import { describe, FairleadError } from '../../core/errors.js';
import type { Answer, Ask } from './ask.js';

/** What is said of a conversation that went wrong: who, what, and the server's words, cut and without the token. */
export class Speech {
  /** Taken out of everything that is said. */
  token: string | undefined;
  /** All of them. */
  readonly name: string;

  /** @param urls of the agents; none when the client is the caller's own */
  constructor(urls: readonly string[], token: string | undefined) {
    this.name = urls.length === 0 ? 'consul' : `consul at ${urls.join(', ')}`;
    this.token = token;
  }

  /** An error for an answer that is not what was asked for. */
  refusal(ask: Pick<Ask, 'method' | 'path'>, answer: Answer): FairleadError {
    const words = this.#clean(typeof answer.body === 'string' ? answer.body : '');
    const said = words === '' ? '' : `: ${words}`;
    return this.unavailable(`${ask.method} ${ask.path} was answered ${answer.status}${said}`, { url: answer.url });
  }

  failure(ask: Ask, error: unknown, url: string | undefined): FairleadError {
    const path = `${ask.method} ${ask.path}`;
    // The parser's own message quotes the body.
    if ((error as { isCodec?: unknown } | null)?.isCodec === true)
      return this.unavailable(`${path} was answered with a body that is not JSON`, { url });
    const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
    const words = this.#clean(describe(error)).replace(/^consul: /, '');
    const named = typeof code === 'string' && !words.includes(code) ? `${code} ${words}` : words;
    // The package's own errors carry the request, and it the token; those of the system carry no more than addresses.
    return this.unavailable(`${path} failed: ${named}`, { url, cause: syscall === undefined ? undefined : error });
  }

  unavailable(what: string, { url, cause }: { url?: string | undefined; cause?: unknown } = {}): FairleadError {
    const who = url === undefined ? this.name : `consul at ${url}`;
    return new FairleadError('REGISTRY_UNAVAILABLE', `${who}: ${what}`, { cause });
  }

  /** One error for what went wrong with each agent in turn. */
  together(errors: readonly unknown[]): unknown {
    if (errors.length < 2) return errors[0];
    const message = errors.map(error => describe(error)).join('; ');
    return new FairleadError('REGISTRY_UNAVAILABLE', message, { cause: (errors.at(-1) as Error).cause });
  }

  #clean(words: string): string {
    const safe = this.token === undefined ? words : words.replaceAll(this.token, '***');
    const line = safe.replace(/\s+/g, ' ').trim();
    return line.length > 200 ? `${line.slice(0, 200)}…` : line;
  }
}
