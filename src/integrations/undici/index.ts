/** The door "fairlead/undici". */
export type { PerInstance, UndiciTransportOptions } from './options.js';
export { undiciTransport } from './transport.js';
