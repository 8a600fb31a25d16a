import type { ServiceInstance } from '../core/instance.js';

/** The last good set of one service. */
export interface SnapshotEntry {
  readonly service: string;
  /** When the registry was last in contact, in ms since the epoch. */
  readonly at: number;
  /** As they were read: to be checked by whoever uses them. */
  readonly instances: readonly unknown[];
}

const FORMAT = 'fairlead-snapshot';
/** Grows when files of before cannot be read any more. */
const VERSION = 1;
/** Metadata and tags are often filled from a process's environment. What is called like a secret is not written down … */
const SECRET = /passw|pwd|secret|token|credential|authorization|(?:api|access|private)[-_.]?key/i;
/** … nor what has a user's name and password in a URL. */
const USER_INFO = /:\/\/[^/?#\s]*@/;

export const writeSnapshot = (entries: readonly SnapshotEntry[]): string => {
  const services = entries.map(({ service, at, instances }) => ({
    service,
    at,
    instances: instances.map(withoutSecrets),
  }));
  return `${JSON.stringify({ format: FORMAT, version: VERSION, services })}\n`;
};

/** Throws an Error that says what is wrong with the file. What it does not know it passes over. */
export const readSnapshot = (text: string): SnapshotEntry[] => {
  const { format, version, services } = parsed(text);
  if (format !== FORMAT) throw new Error('it is no snapshot of instances');
  if (version !== VERSION) throw new Error(`it has version ${shown(version)}, not ${VERSION}`);
  if (!Array.isArray(services)) throw new Error('it is damaged: it lists no services');
  return services.filter(isEntry);
};

const parsed = (text: string): Record<string, unknown> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the file.
    throw new Error('it is damaged: it is not JSON');
  }
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
};

const isEntry = (value: unknown): value is SnapshotEntry => {
  const { service, at, instances } = (value ?? {}) as Record<string, unknown>;
  return typeof service === 'string' && service !== '' && Number.isFinite(at) && Array.isArray(instances);
};

const shown = (version: unknown): string =>
  typeof version === 'number' || typeof version === 'string' ? String(version).slice(0, 40) : 'none';

const withoutSecrets = (instance: unknown): unknown => {
  const { metadata, tags } = instance as ServiceInstance;
  if (metadata === undefined || tags === undefined) return instance;
  const harmless = Object.entries(metadata).filter(([key, value]) => !SECRET.test(key) && !USER_INFO.test(value));
  return {
    ...(instance as ServiceInstance),
    metadata: Object.fromEntries(harmless),
    tags: tags.filter(tag => !(SECRET.test(tag) && /[=:]/.test(tag)) && !USER_INFO.test(tag)),
  };
};
