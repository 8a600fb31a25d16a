/** What a call to etcd failed with, and what follows from it. */
import { FairleadError } from '../../core/errors.js';
import type { GrpcStatus } from './peer.js';

/** By the number of their code. https://grpc.io/docs/guides/status-codes/ */
const NAMES = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED'],
  ...['INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
] as const;
export type StatusName = (typeof NAMES)[number];

/** Answers of a member that works: another one would say the same. */
const ANSWERS: readonly (StatusName | undefined)[] = [
  ...(['INVALID_ARGUMENT', 'NOT_FOUND', 'PERMISSION_DENIED', 'FAILED_PRECONDITION', 'OUT_OF_RANGE'] as const),
  ...(['UNIMPLEMENTED', 'UNAUTHENTICATED'] as const),
];

/** The cause of an error for a call that was answered with a status. */
export class GrpcFailure extends Error {
  readonly status: StatusName;
  /** The server's words. */
  readonly details: string;

  constructor({ code, details }: GrpcStatus) {
    const status = NAMES[code] ?? 'UNKNOWN';
    super(details === '' ? status : `${status}: ${details}`);
    this.name = 'GrpcFailure';
    this.status = status;
    this.details = details;
  }
}

const failureOf = (error: unknown): GrpcFailure | undefined => {
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause instanceof GrpcFailure ? cause : undefined;
};

export const statusOf = (error: unknown): StatusName | undefined => failureOf(error)?.status;

/** The answer exceeds what the client may receive. etcd says RESOURCE_EXHAUSTED for other reasons too. */
export const isTooLarge = (error: unknown): boolean =>
  statusOf(error) === 'RESOURCE_EXHAUSTED' && /larger than max/i.test(failureOf(error)?.details ?? '');

/** The token ran out, the server that gave it started anew, or rights have changed since: another one may do. */
export const isTokenRefused = (error: unknown): boolean => {
  const { status, details = '' } = failureOf(error) ?? {};
  return status === 'UNAUTHENTICATED' || /auth token|revision of auth store is old|user name is empty/.test(details);
};

/** Another member may do better. */
export const mayBeElsewhere = (error: unknown): boolean => !ANSWERS.includes(statusOf(error)) && !isTooLarge(error);

/** For a write: what trying again would not change becomes REGISTRATION_FAILED. */
export const refusalOf = (error: unknown, service: string): unknown => {
  const failure = failureOf(error);
  if (failure === undefined || mayBeElsewhere(error) || failure.status === 'NOT_FOUND') return error;
  return new FairleadError('REGISTRATION_FAILED', (error as Error).message, { service, cause: failure });
};
