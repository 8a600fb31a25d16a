import { equal, ok } from 'node:assert/strict';
import type { InstanceSet } from './registry-reader.js';
import type { CaseStory } from './registry-contract.js';
import { idsOf } from './registry-reader.js';

const at = (port: number) => ({ id: `i-${port}`, address: '127.0.0.1', port });
const servingIds = (set: InstanceSet): string[] => idsOf(set.filter(({ status }) => status === 'passing'));

/** What needs more than the registry: another process, or somebody who writes rubbish. */
export const meansCases: readonly CaseStory[] = [
  {
    name: 'bad entries are told and skipped, and hide no good ones',
    needs: 'spoil',
    async run({ registry, service, register, read, means }) {
      await register(at(20_001));
      const reader = read();
      await reader.untilIds(['i-20001']);
      const bad = await means.spoil!(service);
      await register(at(20_002));
      await reader.untilIds(['i-20001', 'i-20002']);
      const reported = { count: 0 };
      const report = (): void => void (reported.count += 1);
      equal((await registry.discover(service, { report })).length, 2, 'a bad entry is listed');
      equal(reported.count, bad, 'a read told another number of bad entries');
      ok(reader.problems.length >= bad, `the watch told ${reader.problems.length} of ${bad} bad entries`);
      ok(reader.problems.every(({ kind }) => kind === 'bad-entry'));
    },
  },
  {
    name: 'what a process registered that died serves no longer than its TTL',
    needs: 'startOwner',
    async run({ service, register, read, means: { startOwner, diesWithinMs = 15_000 } }) {
      await register(at(20_001));
      const kill = await startOwner!({ ...at(20_002), service });
      const reader = read(service, diesWithinMs);
      await reader.until('both', set => servingIds(set).length === 2);
      kill();
      const left = await reader.until('the dead to be gone', set => servingIds(set).length === 1);
      equal(servingIds(left)[0], 'i-20001');
    },
  },
];
