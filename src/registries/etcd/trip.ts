/**
 * What rides along with one gRPC call: the token goes in, the status comes out, and an abort cancels it. None of these
 * the `etcd3` package offers: its calls take no signal, its errors lose their code, its own log-in leaks a channel for
 * each try and never gives up on a server that refuses its tokens.
 */
import type { CallOptions, GrpcCall, GrpcListener, GrpcStatus } from './peer.js';

const CANCELLED = 1;

export class Trip {
  readonly options: CallOptions = { interceptors: [(options, nextCall) => this.#escort(nextCall(options))] };
  readonly #signal: AbortSignal;
  readonly #token: string | undefined;
  #status: GrpcStatus | undefined;

  /** @param token '' = log in is not needed; undefined = not our business */
  constructor(signal: AbortSignal, token: string | undefined) {
    this.#signal = signal;
    this.#token = token;
  }

  /** How the call ended; undefined before that, or when there was none. */
  get status(): GrpcStatus | undefined {
    return this.#status;
  }

  #escort(call: GrpcCall): GrpcCall {
    const start = call.start.bind(call);
    call.start = (metadata, listener) => {
      // A member that lost its leader then says so, where it would keep silent.
      metadata.set('hasleader', 'true');
      if (this.#token !== undefined && this.#token !== '') metadata.set('token', this.#token);
      start(metadata, this.#listening(listener));
      const cancel = (): void => call.cancelWithStatus(CANCELLED, 'no longer wanted');
      // A client's own retries come here after the end, too.
      if (this.#signal.aborted) cancel();
      else this.#signal.addEventListener('abort', cancel, { once: true });
    };
    return call;
  }

  #listening(listener: GrpcListener = {}): GrpcListener {
    return {
      ...listener,
      onReceiveStatus: status => {
        this.#status = status;
        // By these words the package knows a token of its own; it would ask again and again, at once.
        const mine = this.#token !== undefined && status.details.includes('invalid auth token');
        listener.onReceiveStatus?.(mine ? { ...status, details: 'the auth token was refused' } : status);
      },
    };
  }
}
