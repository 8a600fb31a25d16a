import { describe } from '../core/errors.js';
import type { RegistryProblem } from '../core/registry.js';
import type { Runtime } from '../core/runtime.js';
import { Alarm } from './alarm.js';
import { readSnapshot, writeSnapshot, type SnapshotEntry } from './snapshot-format.js';
import type { SnapshotSettings } from './snapshot-options.js';

/** A service whose set is kept. */
export interface SnapshotSource {
  readonly service: string;
  /** The set, and how long ago the registry was in contact; `undefined` while there is none, or none to be believed. */
  current(): { readonly instances: readonly unknown[]; readonly ageMs: number } | undefined;
  readonly report: (problem: RegistryProblem) => void;
}

/** A set of a thousand instances takes 0.3 MB. What is much larger is none of ours, and would fill our memory. */
const MAX_BYTES = 16 * 2 ** 20;
/** Changes come in bursts: they are written together, after this. */
const DELAY_MS = 1_000;
/** Without changes too: the file tells how old its sets are, and a quiet registry is no old one. */
const REFRESH_MS = 600_000;
/** A disk that is full is not asked for each change. */
const RETRY_MS = 30_000;

/** The last good sets of all services that are followed, in one file. Faults of the disk are told and never thrown. */
export class SnapshotFile {
  readonly #settings: SnapshotSettings;
  readonly #runtime: Runtime;
  readonly #sources = new Set<SnapshotSource>();
  /** What was last good of each service; empty for one that has nobody. */
  readonly #kept = new Map<string, SnapshotEntry>();
  readonly #alarm: Alarm;
  #reading: Promise<SnapshotEntry[]> | undefined;
  #writing: Promise<void> | undefined;
  #changed = false;
  #failed = false;

  constructor(settings: SnapshotSettings, runtime: Runtime) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#alarm = new Alarm(runtime, () => void this.#write());
  }

  /** Returns how to leave: the set stays in the file until it is too old. */
  follow(source: SnapshotSource): () => void {
    this.#sources.add(source);
    return () => {
      this.#note(source);
      this.#sources.delete(source);
    };
  }

  /** To be called when a source has another set. */
  changed(): void {
    if (this.#changed) return;
    this.#changed = true;
    if (this.#writing === undefined) this.#alarm.set(this.#runtime.now() + (this.#failed ? RETRY_MS : DELAY_MS));
  }

  /** What is known of a service from before; `undefined` if nothing is, or nothing that may be used. */
  async recall({
    service,
    report,
  }: SnapshotSource): Promise<{ instances: readonly unknown[]; ageMs: number } | undefined> {
    try {
      const entry = this.#kept.get(service) ?? (await this.#read()).findLast(kept => kept.service === service);
      if (entry === undefined) return undefined;
      const ageMs = this.#runtime.wallNow() - entry.at;
      const { maxAgeMs } = this.#settings;
      if (Math.abs(ageMs) > maxAgeMs)
        throw new Error(`its set is ${ageMs < 0 ? 'from the future' : `${ageMs} ms old, more than ${maxAgeMs} ms`}`);
      return { instances: entry.instances, ageMs: Math.max(0, ageMs) };
    } catch (error) {
      report(this.#problem('ignored', error));
      return undefined;
    }
  }

  /** Writes what is not written yet; resolves when that is done, or has failed. */
  async close(): Promise<void> {
    this.#alarm.close();
    await this.#writing;
    if (this.#changed) await this.#write();
  }

  #read(): Promise<SnapshotEntry[]> {
    const { files, path } = this.#settings;
    const read = async (): Promise<SnapshotEntry[]> => {
      try {
        const text = await files.read(path, MAX_BYTES);
        return text === undefined ? [] : readSnapshot(text);
      } finally {
        this.#reading = undefined;
      }
    };
    return (this.#reading ??= read());
  }

  #write(): Promise<void> {
    return (this.#writing ??= this.#writeOnce().finally(() => {
      this.#writing = undefined;
      const { maxAgeMs } = this.#settings;
      const next = this.#failed ? RETRY_MS : this.#changed ? DELAY_MS : Math.min(REFRESH_MS, maxAgeMs / 4);
      this.#alarm.set(this.#runtime.now() + next);
    }));
  }

  async #writeOnce(): Promise<void> {
    const { files, path } = this.#settings;
    this.#changed = false;
    for (const source of this.#sources) this.#note(source);
    const [first] = this.#sources;
    try {
      // Other processes keep their services in the same file.
      const others = (await this.#read().catch(() => [])).filter(({ service }) => !this.#kept.has(service));
      const text = writeSnapshot([...others, ...this.#kept.values()].filter(entry => this.#isWorthKeeping(entry)));
      if (Buffer.byteLength(text) > MAX_BYTES) throw new Error(`it would have more than ${MAX_BYTES} bytes`);
      await files.write(path, text);
      this.#failed = false;
      this.#tidy();
    } catch (error) {
      if (!this.#failed) first?.report(this.#problem('not written', error));
      this.#failed = true;
    }
  }

  #note(source: SnapshotSource): void {
    const current = source.current();
    if (current === undefined) return;
    const at = Math.round(this.#runtime.wallNow() - current.ageMs);
    const known = this.#kept.get(source.service);
    // Of several clients of one service, the one that heard of it last.
    if (known === undefined || known.at <= at)
      this.#kept.set(source.service, { service: source.service, at, instances: current.instances });
  }

  /** Names that were asked for once must not stay for ever. */
  #tidy(): void {
    const followed = new Set([...this.#sources].map(({ service }) => service));
    for (const [service, entry] of this.#kept)
      if (!followed.has(service) && !this.#isWorthKeeping(entry)) this.#kept.delete(service);
  }

  #isWorthKeeping({ at, instances }: SnapshotEntry): boolean {
    return instances.length > 0 && Math.abs(this.#runtime.wallNow() - at) <= this.#settings.maxAgeMs;
  }

  #problem(what: string, cause: unknown): RegistryProblem {
    return { kind: 'other', message: `the snapshot file ${this.#settings.path} is ${what}: ${describe(cause)}`, cause };
  }
}
