import type { Context, Span } from '@opentelemetry/api';
import { MAX_HOPS, reentry } from '../../client/redirects.js';
import type { Call } from '../../core/call.js';
import { isFairleadError } from '../../core/errors.js';
import type { CallRecord } from '../../core/record.js';
import { endAttributes } from './call-attributes.js';
import { isAbort, markFailed, markOutcome } from './span-error.js';
import type { TracingParts } from './tracing-parts.js';

/** A call that is not recorded: what its requests carry on all the same, so that the trace stays one. */
export class DroppedTrace {
  readonly context: Context;

  constructor(context: Context) {
    this.context = context;
  }
}

/** The span of a call, from its beginning to the answer that its caller gets, rounds after redirects included. */
export class CallTrace {
  readonly span: Span;
  readonly context: Context;
  /** Where its attempts went, by id. */
  readonly instances = new Set<string>();
  readonly #parts: TracingParts;
  readonly #closed: (trace: CallTrace) => void;
  #hops = 0;
  #redirected = false;

  /**
   * @param parent what is active where the call is made
   * @param closed is told when the span ends
   */
  constructor(
    parts: TracingParts,
    { span, context }: { span: Span; context: Context },
    closed: (trace: CallTrace) => void,
  ) {
    this.#parts = parts;
    this.#closed = closed;
    this.span = span;
    this.context = context.setValue(parts.callKey, this);
  }

  /** True once after each answer that named the service anew: what comes is another round of the same call. */
  takeRedirect(): boolean {
    const redirected = this.#redirected;
    this.#redirected = false;
    return redirected;
  }

  answered(call: Call, result: unknown): void {
    if (this.#goesOn(call, result)) return;
    const { record, verdict } = call;
    const status = call.request === undefined ? undefined : (result as Partial<Response> | null)?.status;
    if (typeof status === 'number') this.span.setAttribute('http.response.status_code', status);
    const isTheirs = record.servedFrom === 'instance' || record.servedFrom === 'coalesced';
    const isBad = verdict.outcome === 'failure' || verdict.outcome === 'overload';
    if (isTheirs && isBad) markOutcome(this.span, status ?? 0, verdict.outcome);
    this.#end(call, verdict.outcome === 'success' ? 'success' : 'not-retryable');
  }

  failed(call: Call, error: unknown): void {
    const aborted = isAbort(error, call.cancellation);
    if (isFairleadError(error) && call.record.endedBy === 'refused')
      this.span.addEvent('fairlead.refused', { 'fairlead.code': error.code, 'fairlead.reason': error.message });
    if (aborted) this.span.setAttribute('fairlead.cancelled', true);
    else markFailed(this.span, error, this.#parts.redact);
    this.#end(call, aborted ? 'aborted' : 'not-retryable');
  }

  /** As the client will decide: it sends the call through the pool once more, and that is the same call. */
  #goesOn({ request, service }: Call, result: unknown): boolean {
    if (request === undefined || this.#hops >= MAX_HOPS || !(result instanceof Response)) return false;
    if (result.status < 300 || result.status >= 400) return false;
    try {
      this.#redirected = reentry(request, result, service) !== undefined;
    } catch {
      // It cannot be followed, as the caller will hear.
      return false;
    }
    if (this.#redirected) this.#hops += 1;
    return this.#redirected;
  }

  /** @param otherwise how it ended, where no rule of a stage ended it */
  #end(call: Call, otherwise: CallRecord['endedBy']): void {
    const { endedBy } = call.record;
    this.#closed(this);
    this.span.setAttributes(endAttributes(call, endedBy === 'running' ? otherwise : endedBy));
    this.span.end();
  }
}
