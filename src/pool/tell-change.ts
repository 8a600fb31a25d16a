import type { Emitter } from '../core/events.js';
import type { EjectionChange } from './ejection-host.js';

/** `instance.down` and `instance.up` are told once for each outage; each probe meanwhile is an `instance.probed`. */
export const tellChange = ({ emit }: Emitter, instance: string, change: EjectionChange): void => {
  const { from, to, reason, ms, cause = 'calls' } = change;
  if (from === 'serving') emit?.({ type: 'instance.down', instance, cause, reason, forMs: ms });
  if (from === 'trial' && to === 'out') emit?.({ type: 'instance.probed', instance, ok: false, reason, forMs: ms });
  if (to === 'serving') emit?.({ type: 'instance.up', instance, afterMs: ms });
};
