import type { Runtime } from '../core/runtime.js';
import { Alarm } from './alarm.js';
import type { SnapshotFile, SnapshotSource } from './snapshot-file.js';

/** A registry that is up answers sooner; of a short `firstTimeoutMs` it is the fifth part. */
const PATIENCE_MS = 1_000;

export interface ColdStartParts {
  readonly file: SnapshotFile;
  readonly source: SnapshotSource;
  readonly runtime: Runtime;
  readonly firstTimeoutMs: number;
  /** The file has a set, and the registry still has said nothing. Returns whether it could be used. */
  readonly recalled: (instances: readonly unknown[], ageMs: number) => boolean;
}

/**
 * Keeps one service's set in the file, and takes it from there when the registry fails before it ever answered, or takes its
 * time to. Once.
 */
export class ColdStart {
  readonly #parts: ColdStartParts;
  readonly #patience: Alarm;
  readonly #leave: () => void;
  #state: 'waiting' | 'reading' | 'over' = 'waiting';

  constructor(parts: ColdStartParts) {
    const { file, source, runtime, firstTimeoutMs } = parts;
    this.#parts = parts;
    this.#leave = file.follow(source);
    this.#patience = new Alarm(runtime, () => this.failed());
    this.#patience.set(runtime.now() + Math.min(PATIENCE_MS, firstTimeoutMs / 5));
  }

  /** The registry did not answer. */
  failed(): void {
    if (this.#state === 'waiting') void this.#recall();
  }

  /** It did. */
  over(): void {
    this.#state = 'over';
    this.#patience.close();
  }

  /** The set stays in the file. */
  close(): void {
    this.#leave();
    this.over();
  }

  async #recall(): Promise<void> {
    const { file, source, recalled } = this.#parts;
    this.#state = 'reading';
    this.#patience.close();
    const found = await file.recall(source);
    if (this.#state !== 'reading') return;
    this.over();
    if (found === undefined || !recalled(found.instances, found.ageMs)) return;
    const age = `${Math.round(found.ageMs)} ms old`;
    source.report({ kind: 'unreachable', message: `the last good set is taken from the snapshot file, ${age}` });
  }
}
