import type { Verdict } from '../core/outcome.js';
import type { AdaptiveConcurrency } from '../machines/adaptive-concurrency.js';
import type { Guard } from './guarded.js';

/**
 * A limit that finds itself, as the pipeline sees it. A connection that was refused says nothing about the time a call takes.
 */
export const adaptiveGuard = (limit: AdaptiveConcurrency): Guard => ({
  enter: now => limit.enter(now),
  leave: (ticket, { outcome, unsent }: Verdict, now) => limit.leave(ticket, unsent ? 'ignored' : outcome, now),
  refusal: ({ service }) => limit.refusal(service),
});
