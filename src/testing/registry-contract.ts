import type { InstanceInput } from '../core/instance.js';
import type { Registrar, Registration, Registry } from '../core/registry.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import type { ContractCase } from './contract-case.js';
import { readingCases } from './registry-reading-cases.js';
import { RegistryReader } from './registry-reader.js';
import { writingCases } from './registry-writing-cases.js';

/** A registry made for one case. */
export interface RegistryHarness {
  readonly registry: Registry & Registrar;
  /** @default the system's */
  readonly runtime?: Runtime | undefined;
  /** How long a change may take until it is seen, in ms. @default 5_000 */
  readonly withinMs?: number | undefined;
  /** Called after the case, when the registry is closed. */
  readonly close?: (() => Promise<void> | void) | undefined;
}

/** What a case works with: its own services in a registry that may hold those of others. */
export interface CaseContext {
  readonly registry: Registry & Registrar;
  /** A name that no other case uses. */
  readonly service: string;
  readonly read: (service?: string) => RegistryReader;
  readonly register: (input: Omit<InstanceInput, 'service'> & { readonly service?: string }) => Promise<Registration>;
}

export interface CaseStory {
  readonly name: string;
  readonly run: (context: CaseContext) => Promise<void>;
}

let served = 0;

/**
 * What fairlead expects of every registry, as cases for any test runner. Services get new names in each case, so all may
 * run on one server, but a registry is made, and closed, for each.
 *
 * ```ts
 * for (const { name, run } of registryContract('my registry', () => ({ registry: myRegistry() }))) test(name, run);
 * ```
 */
export const registryContract = (
  name: string,
  makeHarness: () => RegistryHarness | Promise<RegistryHarness>,
): readonly ContractCase[] =>
  [...readingCases, ...writingCases].map(story => ({
    name: `${name}: ${story.name}`,
    run: () => runStory(story, makeHarness),
  }));

const runStory = async (
  { run }: CaseStory,
  makeHarness: () => RegistryHarness | Promise<RegistryHarness>,
): Promise<void> => {
  const { registry, runtime = systemRuntime, withinMs = 5_000, close } = await makeHarness();
  served += 1;
  const service = `contract-${runtime.wallNow().toString(36)}-${served}`;
  const readers: RegistryReader[] = [];
  const registrations: Registration[] = [];
  try {
    await run({
      registry,
      service,
      read(of = service) {
        const reader = new RegistryReader({ registry, service: of, runtime, withinMs });
        readers.push(reader);
        return reader;
      },
      async register(input) {
        const registration = await registry.register({ service, ...input });
        registrations.push(registration);
        return registration;
      },
    });
  } finally {
    readers.forEach(reader => reader.abort());
    await Promise.all(registrations.map(registration => registration.deregister()));
    await registry.close();
    await close?.();
  }
};
