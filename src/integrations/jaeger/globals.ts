import type * as api from '@opentelemetry/api';
import type { ContextManager, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import { ofSdk, peer } from './peers.js';

interface Hooks {
  readonly AsyncLocalStorageContextManager: new () => ContextManager;
}

export interface Globals {
  /** What somebody else has registered before, and keeps. */
  readonly problems: readonly string[];
  /** Takes back what was registered here. */
  release(): void;
}

/** Registers with OpenTelemetry's API. Of each kind the first one stays: a second would tear running traces apart. */
export const globalsOf = (provider: TracerProvider | undefined, propagator: TextMapPropagator): Globals => {
  const { context, propagation, trace } = peer<typeof api>('@opentelemetry/api', 'startTracing');
  const { AsyncLocalStorageContextManager } = ofSdk<Hooks>('@opentelemetry/context-async-hooks');
  const registrations = [
    ...(provider === undefined
      ? []
      : [{ what: 'tracer provider', set: () => trace.setGlobalTracerProvider(provider), undo: () => trace.disable() }]),
    {
      what: 'context manager',
      set: () => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()),
      undo: () => context.disable(),
    },
    {
      what: 'propagator',
      set: () => propagation.setGlobalPropagator(propagator),
      undo: () => propagation.disable(),
    },
  ];
  const [taken, own] = [[] as string[], [] as (() => void)[]];
  for (const { what, set, undo } of registrations)
    if (set()) own.push(undo);
    else taken.push(what);
  const problem = `OpenTelemetry has a ${taken.join(', a ')} already, which stays; is tracing started twice?`;
  return { problems: taken.length > 0 ? [problem] : [], release: () => own.forEach(undo => undo()) };
};
