/**
 * A folder of unpacked servers which survives between runs and is shared by concurrent processes (vitest workers,
 * a demo beside them). An entry is complete or absent: it is built beside its place and renamed into it.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { exists } from './run.js';

export interface CacheEntry {
  readonly folder: string;
  /** True when this call built it. */
  readonly fresh: boolean;
}

/** Longer than every build may take (see the limits in `debian.ts`), so an older one belongs to the dead. */
const ABANDONED_AFTER_MS = 15 * 60_000;

/** Ignored by git, and outside node_modules, which `npm ci` deletes. */
export function cacheFolder(): string {
  const chosen = process.env['FAIRLEAD_SERVER_CACHE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  return fileURLToPath(new URL('../../.cache/fairlead-servers/', import.meta.url));
}

/**
 * The entry `name`, built by `build(folder)` if absent. `name.part` is both the lock (mkdir is atomic) and the
 * workshop, so a crash leaves one folder, which the next comer takes over.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<CacheEntry> {
  const folder = join(cacheFolder(), name);
  const part = `${folder}.part`;
  for (;;) {
    if (await exists(folder)) return { folder, fresh: false };
    await mkdir(cacheFolder(), { recursive: true });
    if (await takeLock(part)) break;
    await removeIfAbandoned(part);
    await sleep(200);
  }
  try {
    // The one who held the lock before may have finished between the look and the lock.
    if (await exists(folder)) return { folder, fresh: false };
    await mkdir(join(part, 'result'));
    await build(join(part, 'result'));
    await rename(join(part, 'result'), folder);
    return { folder, fresh: true };
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

async function takeLock(part: string): Promise<boolean> {
  try {
    await mkdir(part);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await writeFile(join(part, 'pid'), String(process.pid));
  return true;
}

/** Renames before removing, because of several waiters only one succeeds in the rename. */
async function removeIfAbandoned(part: string): Promise<void> {
  try {
    const ageMs = Date.now() - (await stat(part)).mtimeMs;
    const owner = Number(await readFile(join(part, 'pid'), 'utf8').catch(() => ''));
    // Without a pid yet: either just made, or its maker died in between.
    const dead = owner > 0 ? !isAlive(owner) : ageMs > 10_000;
    if (!dead && ageMs < ABANDONED_AFTER_MS) return;
    const away = `${part}-abandoned-${process.pid}`;
    await rename(part, away);
    await rm(away, { recursive: true, force: true });
  } catch (error) {
    // Another process removed it first, which is as good.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
