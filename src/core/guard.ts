import { withoutSecrets } from './secrets.js';

export type Guarded = <T>(run: () => T) => T | undefined;

/**
 * Runs code that a user gave (a listener, a rule, a balancer's hook) so that its faults cannot fail a call: what it throws,
 * or rejects with, becomes a warning of the process. The first time only, since such a fault tends to come with every call.
 *
 * @param what the code, as the warning names it
 * @returns what the code returned; `undefined` when it threw
 */
export const guard = (what: string): Guarded => {
  let warned = false;
  const warn = (error: unknown): void => {
    if (warned) return;
    warned = true;
    const message = error instanceof Error ? (error.stack ?? error.message) : 'something that is not an Error';
    process.emitWarning(withoutSecrets(`${what} threw: ${message}`), 'FairleadWarning');
  };
  return function guarded(run) {
    try {
      const returned = run();
      if (returned instanceof Promise) returned.catch(warn);
      return returned;
    } catch (error) {
      warn(error);
      return undefined;
    }
  };
};
