import type { Registration } from '../../core/registry.js';
import type { RegisteredService } from '../../lifecycle/registered-service.js';
import type { Enlisted } from './metrics-observer.js';

/** What `metrics().observe()` takes: what `registerService` gave, or a registrar's own registration. */
export type ObservedRegistration = RegisteredService | Registration;

export interface RegistrationTold {
  readonly lost: () => void;
  readonly failed: () => void;
  /** Anything happened: a moment to look whether there is an SDK now. */
  readonly moved: () => void;
}

const isService = (observed: ObservedRegistration): observed is RegisteredService => 'registration' in observed;

/** How it stands; `service` names a bare registration, which does not know its own. */
export const enlistedOf = (observed: ObservedRegistration, service: string | undefined): Enlisted => {
  if (isService(observed))
    return {
      service: observed.service,
      missing: () =>
        observed.state === 'SHUTTING_DOWN' || observed.state === 'TERMINATED'
          ? undefined
          : observed.registration !== 'registered',
    };
  if (service === undefined)
    throw new TypeError(
      "observe: a registration does not name its service; write observe(registration, { service: 'orders' })",
    );
  return { service, missing: () => (observed.state === 'closed' ? undefined : observed.state === 'lost') };
};

/** Returns how to end it. */
export const listenTo = (observed: ObservedRegistration, told: RegistrationTold): (() => void) => {
  const stops = isService(observed)
    ? [
        observed.on('state', told.moved),
        observed.on('registration.lost', told.lost),
        observed.on('error', ({ phase }) => {
          if (phase === 'register') told.failed();
        }),
      ]
    : [observed.on('lost', told.lost), observed.on('error', told.failed)];
  return () => {
    for (const stop of stops) stop();
  };
};
