import type { ServiceClient } from '../../client/service-client.js';
import type { CallTrace } from './call-trace.js';

/**
 * The calls of one client that have an open span, and what happens around them meanwhile: an instance that they used goes
 * out, the service's breaker changes. Such events belong to no single call, so each that it may concern tells them.
 */
export class OpenCalls {
  readonly #traces = new Set<CallTrace>();
  #client: ServiceClient | undefined;
  #stop: (() => void)[] | undefined;

  /** A client that nobody listens to tells nothing, which is cheaper: we listen from the first recorded call on. */
  add(trace: CallTrace): void {
    this.#traces.add(trace);
    if (this.#stop === undefined && this.#client !== undefined) this.#stop = this.#listen(this.#client);
  }

  readonly closed = (trace: CallTrace): void => {
    this.#traces.delete(trace);
  };

  attach(client: ServiceClient): () => void {
    this.#client = client;
    return () => {
      this.#client = undefined;
      this.#stop?.forEach(stop => stop());
      this.#stop = undefined;
    };
  }

  #listen(client: ServiceClient): (() => void)[] {
    return [
      client.on('instance.down', ({ instance, reason, forMs }) => {
        const attributes = { 'fairlead.instance.id': instance, 'fairlead.reason': reason, 'fairlead.for_ms': forMs };
        for (const { span, instances } of this.#traces)
          if (instances.has(instance)) span.addEvent('fairlead.instance.down', attributes);
      }),
      client.on('breaker.opened', ({ reason, forMs }) =>
        this.#tell('fairlead.breaker.opened', { 'fairlead.reason': reason, 'fairlead.for_ms': forMs }),
      ),
      client.on('breaker.half-opened', ({ afterMs }) =>
        this.#tell('fairlead.breaker.half_opened', { 'fairlead.after_ms': afterMs }),
      ),
      client.on('breaker.closed', ({ reason }) => this.#tell('fairlead.breaker.closed', { 'fairlead.reason': reason })),
    ];
  }

  #tell(name: string, attributes: Record<string, string | number>): void {
    for (const { span } of this.#traces) span.addEvent(name, attributes);
  }
}
