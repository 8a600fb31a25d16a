import type { Runtime } from '../core/runtime.js';
import type { SnapshotFiles } from './snapshot-disk.js';
import { SnapshotFile } from './snapshot-file.js';
import type { SnapshotSettings } from './snapshot-options.js';

interface Shared {
  readonly file: SnapshotFile;
  users: number;
}

const open = new WeakMap<SnapshotFiles, Map<string, Shared>>();

export interface SharedSnapshot {
  readonly file: SnapshotFile;
  /** Once. The last user's release writes what is not written yet. */
  release(): Promise<void>;
}

/**
 * One for each path: clients for different services that keep their sets in the same file would else overwrite each other's.
 * Clock and age limit are those of the first.
 */
export const shareSnapshot = (settings: SnapshotSettings, runtime: Runtime): SharedSnapshot => {
  const { files, path } = settings;
  const byPath = open.get(files) ?? new Map<string, Shared>();
  open.set(files, byPath);
  const shared = byPath.get(path) ?? { file: new SnapshotFile(settings, runtime), users: 0 };
  byPath.set(path, shared);
  shared.users += 1;
  const release = async (): Promise<void> => {
    shared.users -= 1;
    if (shared.users > 0) return;
    byPath.delete(path);
    await shared.file.close();
  };
  return { file: shared.file, release };
};
