import type { InstanceStatus, ServiceInstance } from '../../core/instance.js';

/** One entry of a registry. REGISTRY_UNAVAILABLE: trying again may help; REGISTRATION_FAILED: the registry refuses. */
export interface Entry {
  /** What it is called in messages, such as `consul entry web-1`. */
  readonly name: string;
  /** Its status is what its owner says: it is written along. */
  readonly ownStatus: boolean;
  /** Puts it there, or replaces what is under its id. @param status undefined: it keeps the one it has */
  write(instance: ServiceInstance, status: InstanceStatus | undefined, signal?: AbortSignal): Promise<void>;
  /** Tells the registry that its owner lives. False: the entry is gone. */
  pulse(instance: ServiceInstance, signal: AbortSignal): Promise<boolean>;
  /** Is bounded. */
  remove(): Promise<void>;
}
