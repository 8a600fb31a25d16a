/** What SRV records mean: who comes first, and who gets how much. RFC 2782. */
import type { SrvRecord } from 'node:dns';

/** A target with its share. */
export interface SrvTarget {
  /** Lower case, without the last dot. */
  readonly host: string;
  readonly port: number;
  readonly weight: number;
}

/** "A very small chance" beside records that have a weight. */
const SMALL_WEIGHT = 0.1;

/** The only record, with the root as its target, says that the service is not available here. */
export const saysNotAvailable = (records: readonly SrvRecord[]): boolean =>
  records.length > 0 && records.every(({ name }) => name === '' || name === '.');

/**
 * Targets of one priority together, the lowest number first: a later group is for when nobody of an earlier one is left.
 * Weight 0 is a share of 0.1 beside others that have weights, and an equal share among its like.
 */
export const groupsOf = (records: readonly SrvRecord[]): readonly (readonly SrvTarget[])[] => {
  const byPriority = new Map<number, SrvRecord[]>();
  for (const record of records) {
    const priority = Number(record.priority);
    const group = byPriority.get(priority);
    if (group === undefined) byPriority.set(priority, [record]);
    else group.push(record);
  }
  return [...byPriority].sort(([one], [other]) => one - other).map(([, group]) => targetsOf(group));
};

const targetsOf = (group: readonly SrvRecord[]): readonly SrvTarget[] => {
  const weightless = group.some(record => record.weight > 0) ? SMALL_WEIGHT : 1;
  return group.map(record => ({
    host: hostOf(record),
    port: record.port,
    weight: record.weight === 0 ? weightless : record.weight,
  }));
};

const hostOf = ({ name }: SrvRecord): string => (typeof name === 'string' ? name.toLowerCase().replace(/\.$/, '') : '');
