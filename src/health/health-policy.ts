/** How instances are asked whether they are well. */
export interface HealthPolicy {
  readonly type: 'http' | 'tcp';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>> | undefined;
  /** `undefined`: any 2xx. */
  readonly expectedStatuses: readonly number[] | undefined;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly downAfter: number;
  readonly upAfter: number;
  readonly maxConcurrent: number;
}
