/** What is told about a body that was handed out. Each at most once, and only one of them. */
export interface BodyObserver {
  /** Read to its end, or given up by its reader. */
  ended(): void;
  /** It broke while it came. */
  failed(error: unknown): void;
}

/** The same for all copies of fairlead in a process. */
export const WATCH_BODY: unique symbol = Symbol.for('fairlead.watchBody') as never;

/** A response of a transport that knows itself when a body has ended: nobody has to look at its streams. */
export interface WatchedResponse {
  /** False when the body has ended already, or there is none: nobody is asked for then. */
  [WATCH_BODY](observer: () => BodyObserver): boolean;
}

export const isWatched = (response: unknown): response is WatchedResponse =>
  typeof (response as Partial<WatchedResponse> | null | undefined)?.[WATCH_BODY] === 'function';
