import { expect, it } from 'vitest';
import { FairleadError, isFairleadError } from 'fairlead';
import { refused } from '../../../src/core/errors.js';

it('a refusal is a FairleadError like any other, without frames, and leaves the limit as it was', () => {
  const before = Error.stackTraceLimit;
  const error = refused('CIRCUIT_OPEN', 'users: circuit open', { service: 'users', retryAfterMs: 5 });
  expect(error).toBeInstanceOf(FairleadError);
  expect(isFairleadError(error, 'CIRCUIT_OPEN')).toBe(true);
  expect(error).toMatchObject({ name: 'FairleadError', message: 'users: circuit open', retryAfterMs: 5, attempts: 0 });
  expect(error.stack).not.toContain('\n');
  expect(Error.stackTraceLimit).toBe(before);
  expect(new Error('mine').stack).toContain('\n');
});

it('where the limit is frozen it has its frames', () => {
  const own = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!;
  Object.defineProperty(Error, 'stackTraceLimit', { ...own, writable: false });
  try {
    expect(refused('CIRCUIT_OPEN', 'users: circuit open')).toBeInstanceOf(FairleadError);
  } finally {
    Object.defineProperty(Error, 'stackTraceLimit', own);
  }
});
