/** The door "fairlead/testing": virtual time, seeded chance, a network that is a function, and the shared contracts. */
export { testRuntime, seededRandom, type TestRuntime, type TestRuntimeOptions } from './test-runtime.js';
export type { ContractCase } from './contract-case.js';
export {
  registryContract,
  registryReadingContract,
  type ReadOnlyHarness,
  type RegistryHarness,
  type RegistryMeans,
} from './registry-contract.js';
export { fakeFetch, connectionRefused, connectionReset } from './fake-fetch.js';
export { balancerContract } from './balancer-contract.js';
export { testCall, testCandidates, testEndpoint, type TestEndpoint } from './test-fleet.js';
