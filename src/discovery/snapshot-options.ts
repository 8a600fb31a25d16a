import * as path from 'node:path';
import { diskFiles, type SnapshotFiles } from './snapshot-disk.js';

/** Where the last good sets are kept for a cold start, and how old they may be. */
export interface SnapshotFileOptions {
  /** Of the file; its directory must exist. Clients of one process may share it, for the same or for other services. */
  readonly path: string;
  /** An older set is ignored, in ms, > 0; Infinity: any age will do. @default 86_400_000 (a day) */
  readonly maxAgeMs?: number | undefined;
  /** How the file is read and written. @default the disk */
  readonly files?: SnapshotFiles | undefined;
}

export interface SnapshotSettings {
  /** Absolute: the process may change its directory. */
  readonly path: string;
  readonly maxAgeMs: number;
  readonly files: SnapshotFiles;
}

const DAY_MS = 86_400_000;
const NAMES = ['path', 'maxAgeMs', 'files'];
const EXPECTED = "expected a path, or { path, maxAgeMs }, such as '/var/lib/shop/instances.json'";

/** Checks `snapshotFile`. Throws a TypeError or RangeError that names the option, what was expected and what was given. */
export const snapshotSettings = (given: unknown): SnapshotSettings | undefined => {
  if (given === undefined || given === false) return undefined;
  const options = typeof given === 'string' ? { path: given } : given;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new TypeError(`snapshotFile: ${EXPECTED}, got ${typeof given === 'number' ? given : typeof given}`);
  for (const name of Object.keys(options))
    if (!NAMES.includes(name))
      throw new TypeError(`snapshotFile.${name}: no such option; there are ${NAMES.join(', ')}`);
  const { path: file, maxAgeMs = DAY_MS, files = diskFiles } = options as Partial<SnapshotFileOptions>;
  if (typeof file !== 'string' || file === '' || file.includes('\0'))
    throw new TypeError(`snapshotFile: ${EXPECTED}, got ${file === undefined ? 'no path' : JSON.stringify(file)}`);
  const ms = 'a number of milliseconds > 0, or Infinity';
  if (typeof maxAgeMs !== 'number')
    throw new TypeError(`snapshotFile.maxAgeMs: expected ${ms}, got ${typeof maxAgeMs}`);
  if (!(maxAgeMs > 0)) throw new RangeError(`snapshotFile.maxAgeMs: expected ${ms}, got ${maxAgeMs}`);
  if (typeof files?.read !== 'function' || typeof files.write !== 'function')
    throw new TypeError('snapshotFile.files: expected an object with the methods read() and write()');
  return { path: path.resolve(file), maxAgeMs, files };
};
