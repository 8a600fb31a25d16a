import { guard } from '../../core/guard.js';
import type { Settings } from './settings.js';

export interface Problems {
  tell(text: string): void;
}

/** To `onError`, or the first one as a warning of the process: one collector that is away would fill the log. */
export const problemsOf = ({ onError, destination }: Pick<Settings, 'onError' | 'destination'>): Problems => {
  const guarded = guard('onError of startTracing');
  const secrets = secretsOf(destination);
  let warned = false;
  return {
    tell(text) {
      // A server may say in its answer what it was sent.
      const clean = secrets.reduce((left, secret) => left.replaceAll(secret, 'REDACTED'), `startTracing: ${text}`);
      if (onError !== undefined) return void guarded(() => onError(new Error(clean)));
      if (warned) return;
      warned = true;
      process.emitWarning(`${clean}; what follows is not told, give onError to hear it`, 'FairleadWarning');
    },
  };
};

const secretsOf = (destination: Settings['destination']): readonly string[] => {
  if (!('to' in destination) || !('url' in destination.to)) return [];
  const { username, password } = destination.to.login ?? { username: '', password: '' };
  const headers = 'headers' in destination ? Object.values(destination.headers) : [];
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  return [password, ...(password === '' ? [] : [basic]), ...headers].filter(secret => secret.length > 3);
};
