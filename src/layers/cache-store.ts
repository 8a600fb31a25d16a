import type { OutboundRequest } from '../core/transport.js';
import type { Freshness } from './cache-policy.js';

/** One kept answer. */
export interface Kept {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly body: Uint8Array<ArrayBuffer>;
  freshness: Freshness;
}

/** Answers to one path that differ by what `Vary` names. */
const MOST_VARIANTS = 8;
/** What an entry costs besides its body, roughly: headers, policy, map. */
const ENTRY_BYTES = 2_048;

/** Kept answers by path, the least recently used let go first. Bounded by count and by bytes. */
export class CacheStore {
  readonly #paths = new Map<string, Kept[]>();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #entries = 0;
  #bytes = 0;

  constructor({ maxEntries, maxBytes }: { readonly maxEntries: number; readonly maxBytes: number }) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The answers to this path; the newest first. */
  of(path: string): readonly Kept[] {
    const found = this.#paths.get(path);
    if (found === undefined) return [];
    this.#paths.delete(path);
    this.#paths.set(path, found);
    return found;
  }

  /** Takes the place of the answer to the same request, if there is one. */
  keep(request: OutboundRequest, kept: Kept): void {
    const { path } = request;
    if (size(kept) > this.#maxBytes) return;
    const others = this.of(path).filter(other => !other.freshness.matches(request));
    this.drop(path);
    const variants = [kept, ...others].slice(0, MOST_VARIANTS);
    this.#paths.set(path, variants);
    this.#entries += variants.length;
    for (const variant of variants) this.#bytes += size(variant);
    this.#shrink();
  }

  /** What is kept of this path is no longer true. */
  drop(path: string): void {
    const found = this.#paths.get(path) ?? [];
    this.#paths.delete(path);
    this.#entries -= found.length;
    for (const kept of found) this.#bytes -= size(kept);
  }

  /** A Map keeps the order of insertion, and a read inserts anew: the first is the one that was not read for longest. */
  #shrink(): void {
    for (const path of this.#paths.keys()) {
      if (this.#entries <= this.#maxEntries && this.#bytes <= this.#maxBytes) return;
      this.drop(path);
    }
  }
}

const size = ({ body }: Kept): number => body.byteLength + ENTRY_BYTES;
