import type { Call } from '../core/call.js';
import { withBody } from './with-body.js';

/**
 * A Response of its own for one of several callers. What one has not read yet is kept for it, as with `clone()`; who
 * gives up lets go of its share, and the connection is let go with the last one.
 *
 * @param left how many more will get one of this response: the last one gets the response itself
 */
export const branchFor = (response: Response, call: Call, left: number): Response => {
  const own = left > 0 ? response.clone() : response;
  return withBody(response, own.body && abortable(own.body, call));
};

/** Breaks with the caller's reason when its call is cancelled, as a body that was fetched for it alone would. */
const abortable = (body: ReadableStream<Uint8Array>, { cancellation }: Call): ReadableStream<Uint8Array> => {
  const reader = body.getReader();
  let takeBack: () => void = () => undefined;
  return new ReadableStream<Uint8Array>({
    start: controller => {
      takeBack = cancellation.onCancel(reason => {
        controller.error(reason);
        void reader.cancel(reason).catch(() => undefined);
      });
    },
    pull: async controller => {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      takeBack();
      controller.close();
    },
    cancel: reason => {
      takeBack();
      return reader.cancel(reason);
    },
  });
};
