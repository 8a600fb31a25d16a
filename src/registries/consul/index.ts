/** The door "fairlead/consul". */
export { consulRegistry, type ConsulRegistry } from './registry.js';
export type { ConsulClient, ConsulRegistryOptions } from './options.js';
export type {
  ConsulCheck,
  ConsulGrpcCheck,
  ConsulHttpCheck,
  ConsulRegisterOptions,
  ConsulTtlCheck,
  TaggedAddress,
} from './definition.js';
