/** The door "fairlead". */
export { createServiceClient } from './client/client.js';
export type { ServiceClient, ServiceRequestInit } from './client/service-client.js';
export type { CallOptions, DiscoveryPolicy, LayerOptions, ServiceClientOptions } from './client/options.js';
export type { BulkheadOptions } from './client/options/bulkhead.js';
export type { EjectionOptions } from './client/options/ejection.js';
export type { RetryOptions } from './client/options/retry.js';
export type { Attempted, Classify } from './client/classify.js';
export type { CallFunction, Invocation, ServiceCallOptions } from './client/invocation.js';
export type { ClientSnapshot, InstanceSnapshot } from './client/snapshot.js';
export { DEFAULTS } from './client/defaults.js';
export { withDeadline } from './client/with-deadline.js';

export {
  DiscoveryClient,
  type DiscoveredSet,
  type DiscoveryOptions,
  type DiscoveryStatus,
  type ServiceObserver,
} from './discovery/discovery-client.js';
export { dnsRegistry, type DnsRegistryOptions, type DnsResolver } from './registries/dns.js';
export { memoryRegistry, type MemoryRegistry, type MemoryRegistryOptions } from './registries/memory.js';
export { staticRegistry, type StaticInput } from './registries/static.js';

export { consistentHash } from './balancers/consistent-hash.js';
export type { HashKey } from './balancers/hash-key.js';
export type { ConsistentHashOptions } from './balancers/hash-options.js';
export { leastConnections } from './balancers/least-connections.js';
export { p2c } from './balancers/p2c.js';
export { random } from './balancers/random.js';
export { roundRobin } from './balancers/round-robin.js';
export { smoothWeighted } from './balancers/smooth-weighted.js';

export { compose, type Call, type CallPolicy, type Dispatch, type Layer } from './core/call.js';
export { Cancellation } from './core/cancellation.js';
export {
  FairleadError,
  isFairleadError,
  type FairleadErrorCode,
  type FairleadErrorDetails,
  type RefusedCode,
  type RegistryCode,
  type TimeoutCode,
} from './core/errors.js';
export type { ClientEvent, EventOf, EventType } from './core/events.js';
export type { Balancer, BalancerFactory, Candidates } from './core/balancer.js';
export type { Endpoint } from './core/endpoint.js';
export { REFUSED, type Gate } from './core/gate.js';
export type { InstanceInput, InstancePatch, InstanceStatus, ServiceInstance } from './core/instance.js';
export type { Outcome, Verdict } from './core/outcome.js';
export { recordOf, type CallRecord, type Ending } from './core/record.js';
export type {
  ConfigSource,
  RegisterOptions,
  Registrar,
  Registration,
  RegistrationEvent,
  Registry,
  RegistryProblem,
  WatchContext,
} from './core/registry.js';
export { systemRuntime, type Runtime } from './core/runtime.js';
export type { OutboundRequest, Transport } from './core/transport.js';
