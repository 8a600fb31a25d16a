/** Why an instance is out: what its calls said, what it asked for itself (`Retry-After`), or what health checks said. */
export type Cause = 'calls' | 'asked' | 'checks';

export type State =
  | { readonly kind: 'serving'; readonly since: number; consecutive: number }
  | {
      readonly kind: 'out';
      readonly since: number;
      readonly until: number;
      readonly cause: Cause;
      readonly reason: string;
    }
  | {
      readonly kind: 'trial';
      readonly since: number;
      readonly outMs: number;
      inFlight: number;
      lastProbeAt: number;
      successes: number;
    };
