/** The packages of OpenTelemetry, of which only those are needed that are used. */
import { createRequire } from 'node:module';
import { requirePeer } from '../shared/peer.js';

const SDK = '@opentelemetry/sdk-trace-node';
/** That go together on Node 20: test/package/jaeger-install.test.ts installs them from nothing. */
const VERSIONS: Readonly<Record<string, string>> = {
  '@opentelemetry/api': '~1.9.0',
  [SDK]: '2',
  '@opentelemetry/resources': '2',
  '@opentelemetry/exporter-jaeger': '2',
  '@opentelemetry/propagator-jaeger': '2',
  '@opentelemetry/exporter-trace-otlp-http': '0.223',
};

/** Throws MISSING_PEER, saying who needs it and what to install. */
export const peer = <M>(name: string, who: string): M => {
  const version = VERSIONS[name] ?? 'latest';
  return requirePeer<M>(name, `${who} needs the package ${name}: npm install "${name}@${version}"`);
};

/** A package that the SDK brings along: where packages are kept strictly apart, it is the SDK's to find, and not ours. */
export const ofSdk = <M>(name: string): M => {
  peer(SDK, 'startTracing');
  const here = createRequire(import.meta.url);
  return createRequire(here.resolve(SDK))(name) as M;
};
