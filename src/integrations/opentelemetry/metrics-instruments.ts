/** What events feed: each with its name, unit and what it says. docs/guides/metrics.md lists them. */
import type { Histogram, Meter } from '@opentelemetry/api';
import type { MetricsSettings } from './metrics-options.js';

export const REQUEST_DURATION = 'http.client.request.duration';
export const CALL_DURATION = 'client.call.duration';

/** Key, name after the prefix, unit, description. */
export const COUNTERS = {
  calls: ['client.calls', '{call}', 'Calls that ended, whatever the number of their attempts.'],
  attempts: ['client.attempts', '{attempt}', 'Attempts that were handed to an instance, by what they say about it.'],
  retries: ['client.retries', '{attempt}', 'Attempts after one that failed, by what that failed with.'],
  hedges: ['client.hedges', '{attempt}', 'Attempts beside one that took long.'],
  refusals: ['client.refusals', '{call}', 'Calls that fairlead itself refused, by the code of the error.'],
  fallbacks: ['client.fallbacks', '{call}', 'Calls that a fallback answered, by what failed.'],
  staleAnswers: [
    'client.stale_answers',
    '{call}',
    'Calls that got a kept answer, no longer fresh, in place of a failure.',
  ],
  bodyFailures: ['client.body.failures', '{response}', 'Responses whose body broke while it was read.'],
  ejections: ['client.instance.ejections', '{ejection}', 'Instances taken out, by who said so: calls, asked, checks.'],
  recoveries: ['client.instance.recoveries', '{recovery}', 'Instances that serve again after they were out.'],
  transitions: [
    'client.breaker.transitions',
    '{transition}',
    'Changes of the circuit breaker, by the state it went to.',
  ],
  registryErrors: [
    'client.registry.errors',
    '{error}',
    'What a registry said that is of no use, and losses of contact.',
  ],
  registrationLosses: [
    'registration.losses',
    '{loss}',
    'Times that an entry of this process was gone from the registry.',
  ],
  registrationErrors: ['registration.errors', '{error}', 'Tries to register, or to confirm it, that failed.'],
} as const satisfies Record<string, readonly [name: string, unit: string, description: string]>;

export interface Histograms {
  readonly requests: Histogram;
  readonly calls: Histogram;
}

export const createHistograms = (meter: Meter, { prefix, buckets }: MetricsSettings): Histograms => {
  const advice = { explicitBucketBoundaries: [...buckets] };
  return {
    requests: meter.createHistogram(REQUEST_DURATION, {
      unit: 's',
      description: 'Duration of HTTP client requests.',
      advice,
    }),
    calls: meter.createHistogram(`${prefix}.${CALL_DURATION}`, {
      unit: 's',
      description: 'Duration of calls up to the headers, retries and waiting included.',
      advice,
    }),
  };
};
