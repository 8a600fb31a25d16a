import { test } from 'vitest';
import { memoryRegistry } from '../../src/registries/memory.js';
import { registryContract } from '../../src/testing/registry-contract.js';

for (const { name, run } of registryContract('memory', () => ({ registry: memoryRegistry() }))) test(name, run);
