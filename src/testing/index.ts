/** The door "fairlead/testing": virtual time, seeded chance and a network that is a function. */
export { testRuntime, seededRandom, type TestRuntime, type TestRuntimeOptions } from './test-runtime.js';
export { fakeFetch, connectionRefused, connectionReset } from './fake-fetch.js';
