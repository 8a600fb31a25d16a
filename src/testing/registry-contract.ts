import type { InstanceInput } from '../core/instance.js';
import type { Registrar, Registration, Registry } from '../core/registry.js';
import { systemRuntime, type Runtime } from '../core/runtime.js';
import type { ContractCase } from './contract-case.js';
import { meansCases } from './registry-means-cases.js';
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

/** The same for a registry that cannot be written to: somebody else registers. */
export interface ReadOnlyHarness extends Omit<RegistryHarness, 'registry'> {
  readonly registry: Registry;
  readonly registrar: Registrar;
}

/** What a registry cannot show by itself. Each enables the cases that need it. */
export interface RegistryMeans {
  /** Writes some entries into the service, by other means, that are no instances; resolves with how many. */
  readonly spoil?: ((service: string) => Promise<number>) | undefined;
  /** Starts a process that registers this instance; resolves, when it has, with how to kill that without a word. */
  readonly startOwner?: ((instance: InstanceInput) => Promise<() => void>) | undefined;
  /** How soon a dead owner's entry must not serve any more: its TTL, and how often the registry looks, in ms. @default 15_000 */
  readonly diesWithinMs?: number | undefined;
  /** How many instances "many" are. @default 1_000 */
  readonly many?: number | undefined;
}

/** What a case works with: its own services in a registry that may hold those of others. */
export interface CaseContext {
  readonly registry: Registry;
  readonly registrar: Registrar;
  readonly means: RegistryMeans;
  /** A name that no other case uses. */
  readonly service: string;
  readonly read: (service?: string, withinMs?: number) => RegistryReader;
  readonly register: (input: Omit<InstanceInput, 'service'> & { readonly service?: string }) => Promise<Registration>;
}

export interface CaseStory {
  readonly name: string;
  /** What has to be given for it. */
  readonly needs?: 'spoil' | 'startOwner' | undefined;
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
  means: RegistryMeans = {},
): readonly ContractCase[] =>
  [...readingCases, ...writingCases, ...meansCases]
    .filter(({ needs }) => needs === undefined || means[needs] !== undefined)
    .map(story => caseOf(name, story, async () => asReadOnly(await makeHarness(), means)));

/**
 * The part about reading, for a registry that cannot be written to, such as one on DNS. A service that nobody registered
 * is left out of it: such a registry may well call that an error.
 */
export const registryReadingContract = (
  name: string,
  makeHarness: () => ReadOnlyHarness | Promise<ReadOnlyHarness>,
  means: Pick<RegistryMeans, 'many'> = {},
): readonly ContractCase[] =>
  readingCases.map(story => caseOf(name, story, async () => ({ ...(await makeHarness()), means })));

interface Given extends ReadOnlyHarness {
  readonly means: RegistryMeans;
}

const asReadOnly = (harness: RegistryHarness, means: RegistryMeans): Given => ({
  ...harness,
  registrar: harness.registry,
  means,
});

const caseOf = (name: string, story: CaseStory, make: () => Promise<Given>): ContractCase => ({
  name: `${name}: ${story.name}`,
  run: async () => runStory(story, await make()),
});

const runStory = async ({ run }: CaseStory, given: Given): Promise<void> => {
  const { registry, registrar, means, runtime = systemRuntime, withinMs = 5_000, close } = given;
  served += 1;
  const service = `contract-${runtime.wallNow().toString(36)}-${served}`;
  const readers: RegistryReader[] = [];
  const registrations: Registration[] = [];
  try {
    await run({
      ...{ registry, registrar, means, service },
      read(of = service, patienceMs = withinMs) {
        const reader = new RegistryReader({ registry, service: of, runtime, withinMs: patienceMs });
        readers.push(reader);
        return reader;
      },
      async register(input) {
        const registration = await registrar.register({ service, ...input });
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
