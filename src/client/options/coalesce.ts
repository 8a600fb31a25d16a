import type { CoalescePolicy } from '../../layers/coalesce.js';
import * as check from '../../core/check.js';

export interface CoalesceOptions {
  /** Headers that do not make two requests different. @default traceparent, tracestate, baggage, x-request-id */
  readonly ignoreHeaders?: readonly string[] | undefined;
}

const IGNORED = ['traceparent', 'tracestate', 'baggage', 'x-request-id'];

export const resolveCoalesce = (given: CoalesceOptions | boolean | undefined): CoalescePolicy | false => {
  if (given === undefined || given === false) return false;
  if (given === true) return { ignoreHeaders: IGNORED };
  check.object('coalesce', given, { known: ['ignoreHeaders'], hint: '; write true' });
  const { ignoreHeaders = IGNORED } = given;
  if (!Array.isArray(ignoreHeaders) || ignoreHeaders.some(name => typeof name !== 'string'))
    throw new TypeError('coalesce.ignoreHeaders: expected an array of header names');
  return { ignoreHeaders: ignoreHeaders.map((name: string) => name.toLowerCase()) };
};
