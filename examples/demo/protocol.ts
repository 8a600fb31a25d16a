/** What an instance's process and its parent say to each other. */
import type { Place } from './places.js';

export interface InstanceSetup {
  readonly id: string;
  readonly service: string;
  /** Absent: any free one. */
  readonly port?: number | undefined;
  /** Where it registers itself; absent: its parent does. */
  readonly place?: Place | undefined;
}

export type Behaviour = 'normal' | 'slow' | 'failing';
export type ToInstance = Behaviour | 'leave';
export type FromInstance =
  /** It listens, and is registered if that is its business. */
  | { readonly port: number }
  /** The id of a POST whose work is done. */
  | { readonly processed: string };
