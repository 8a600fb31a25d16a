/** What an instance of a rolling restart and its parent say to each other. */
import type { InstanceInput, InstancePatch } from 'fairlead';

export interface RollingSetup {
  readonly id: string;
  readonly service: string;
  readonly port: number;
  /** Where it writes what it processed. */
  readonly journal: string;
  /** `ipc`: its parent keeps the registry. Else where that is. */
  readonly registry: { readonly kind: 'ipc' | 'consul' | 'etcd' | 'zookeeper'; readonly at: string };
}

/** Questions of an instance to a registry that its parent keeps. */
export type RegistryQuestion = { readonly ask: number } & (
  | { readonly what: 'register'; readonly input: InstanceInput }
  | { readonly what: 'update'; readonly patch: InstancePatch }
  | { readonly what: 'deregister' }
);
export type RegistryAnswer = { readonly answer: number; readonly error?: string | undefined };
export type FromRolling = RegistryQuestion | { readonly state: string } | { readonly trouble: string };
