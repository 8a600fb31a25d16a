/** Processes that own a registration, from outside; what they do is in owner.ts. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { InstanceInput } from '../../../src/core/instance.js';
import type { KindName } from './open-registry.js';

const PROGRAM = fileURLToPath(new URL('owner.ts', import.meta.url));

export interface OwnerPlan {
  readonly kind: KindName;
  /** `host:port` of a server. */
  readonly address: string;
  readonly instance: InstanceInput;
}

const spawnOwner = ({ kind, address, instance }: OwnerPlan, what: string): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, ['--import', 'tsx', PROGRAM, kind, address, what, JSON.stringify(instance)]);

/** Resolves when it has registered; what it resolves with kills it without a word. */
export const startOwner = async (plan: OwnerPlan): Promise<() => void> => {
  const owner = spawnOwner(plan, 'stay');
  let said = '';
  owner.stderr.on('data', chunk => (said += String(chunk)));
  await Promise.race([
    once(owner.stdout, 'data'),
    once(owner, 'exit').then(() => Promise.reject(new Error(`the owner ended: ${said}`))),
  ]);
  return () => void owner.kill('SIGKILL');
};

export interface Left {
  readonly code: number;
  /** All that it printed. */
  readonly said: string;
  /** From its last word to its end. */
  readonly lingeredMs: number;
}

/** Runs to its own end. */
export const ownerThatLeaves = async (plan: OwnerPlan, what: 'leave' | 'give-up' = 'leave'): Promise<Left> => {
  const owner = spawnOwner(plan, what);
  let said = '';
  let saidAt = 0;
  for (const stream of [owner.stdout, owner.stderr])
    stream.on('data', chunk => {
      said += String(chunk);
      saidAt = performance.now();
    });
  const [code] = (await once(owner, 'exit')) as [number];
  return { code, said, lingeredMs: performance.now() - saidAt };
};
