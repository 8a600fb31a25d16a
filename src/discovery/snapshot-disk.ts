import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { threadId } from 'node:worker_threads';

/** What a snapshot needs of a disk. */
export interface SnapshotFiles {
  /** The text of a file; `undefined` if there is none. Rejects for one that is larger, or cannot be read. */
  read(path: string, maxBytes: number): Promise<string | undefined>;
  /** Replaces a file as a whole: whoever reads sees the old or the new text, never a part. */
  write(path: string, text: string): Promise<void>;
}

/** The disk. A file is written whole under another name and then renamed, so that a crash leaves the old or the new one. */
export const diskFiles: SnapshotFiles = {
  async read(path, maxBytes) {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found === undefined) return undefined;
    // A pipe or a device would never end.
    if (!found.isFile()) throw new Error('it is not a file');
    if (found.size > maxBytes) throw new Error(`it has ${found.size} bytes, more than ${maxBytes}`);
    return readFile(path, 'utf8');
  },

  async write(path, text) {
    // The same name each time, so that crashes do not fill the directory; one for each who may write at the same time.
    const draft = `${path}.${process.pid}-${threadId}.tmp`;
    await rm(draft, { force: true });
    try {
      // 'wx' follows no link that somebody put there. Addresses of a fleet are nobody else's business.
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw error;
    }
  },
};
