/** Which of several agents is asked: the same one as long as it answers, then the next in the list, round and round. */
export class Route {
  /** Agents that were asked, whether they answered or not. */
  readonly used = new Set<string>();
  readonly #urls: readonly string[];
  #at = 0;

  /** @param urls at least one */
  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  get length(): number {
    return this.#urls.length;
  }

  /** The agent to ask now. */
  take(): string {
    const url = this.#urls[this.#at]!;
    this.used.add(url);
    return url;
  }

  /** To be called when `url` failed. Of several who saw it fail, one moves on for all. */
  leave(url: string): void {
    if (this.#urls[this.#at] === url) this.#at = (this.#at + 1) % this.#urls.length;
  }
}
