/** Registries that are made of others are registries: the reading half of the contract, written to through a part of them. */
import { describe, test } from 'vitest';
import { mergeRegistries } from '../../../src/discovery/merge-registries.js';
import { pollingRegistry } from '../../../src/discovery/polling-registry.js';
import { preferRegistry } from '../../../src/discovery/prefer-registry.js';
import { memoryRegistry, type MemoryRegistry } from '../../../src/registries/memory.js';
import { registryReadingContract } from '../../../src/testing/registry-contract.js';

const made: [string, (one: MemoryRegistry, other: MemoryRegistry) => ReturnType<typeof mergeRegistries>][] = [
  ['mergeRegistries, written to the first', (one, other) => mergeRegistries([one, other])],
  ['mergeRegistries, written to the second', (one, other) => mergeRegistries([other, one])],
  ['preferRegistry, written to the primary', (one, other) => preferRegistry(one, other)],
  ['preferRegistry, written to the fallback', (one, other) => preferRegistry(other, one)],
  ['pollingRegistry', one => pollingRegistry(one, { ttlMs: 20 })],
];

describe.each(made)('%s', (_name, make) => {
  const harness = () => {
    const [one, other] = [memoryRegistry(), memoryRegistry()];
    return { registry: make(one, other), registrar: one };
  };
  for (const { name, run } of registryReadingContract('made of others', harness)) test(name, run);
});
