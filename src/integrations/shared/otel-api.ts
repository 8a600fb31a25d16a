import type * as Otel from '@opentelemetry/api';
import { requirePeer } from './peer.js';

/** The OpenTelemetry API as the application has it: its globals are what an SDK registers itself with. */
export type OtelApi = typeof Otel;

let api: OtelApi | undefined;

/**
 * Throws MISSING_PEER when it is not installed.
 *
 * @param who needs it, as the message says: 'tracing()'
 */
export const otelApi = (who: string): OtelApi =>
  (api ??= requirePeer<OtelApi>(
    '@opentelemetry/api',
    `${who} needs the package @opentelemetry/api: npm install @opentelemetry/api`,
  ));
