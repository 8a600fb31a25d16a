// The figures as tables.
import { describe } from '../outcome.js';

const line = (cells, width = 11) =>
  cells
    .map((cell, at) => (at === 0 ? cell.padEnd(36) : cell.padStart(width)))
    .join(' ')
    .trimEnd();
const ms = value => (value < 1 ? value.toFixed(3) : value < 100 ? value.toFixed(2) : value.toFixed(0));

const latencyRows = ([name, { latency }]) => {
  const [ours] = latency;
  return latency.map(({ way, medianMs, p95Ms, joinMs, leaveMs }) => {
    const ratio = way === ours.way ? '' : (ours.medianMs / medianMs).toFixed(2);
    return line([`${name}: ${way}`, ms(medianMs), ms(p95Ms), ms(joinMs), ms(leaveMs), ratio]);
  });
};

const largeRows = ([name, { large }]) =>
  Object.entries(large.ways).map(([way, { firstMs, changeMs, cpuMs }]) =>
    line([`${name}: ${way}`, ms(firstMs), ms(changeMs), ms(cpuMs)]),
  );

const costRow = ([name, { large }]) => {
  const { bytesPerInstance, bytesAfterChanges, wire } = large;
  const wired = wire === null ? ['', '', ''] : [wire.requestsOfFirst, wire.requestsPerChange, wire.kBPerChange];
  const numbers = wired.map(value => (typeof value === 'number' ? String(Number(value.toFixed(2))) : value));
  return line([name, bytesPerInstance.toFixed(0), bytesAfterChanges.toFixed(0), ...numbers], 14);
};

const idleRow = ([name, { idle }]) =>
  line([name, idle.requestsPerMinute.toFixed(1), idle.pingsPerMinute.toFixed(1), idle.cpuPercent.toFixed(2)], 14);

export const report = ({ machine, size, results }) => {
  const all = Object.entries(results);
  return [
    describe(machine),
    '',
    `A change until it is seen, ms; ${size.changes} changes among ${size.standing} instances`,
    line(['', 'median', 'p95', 'joins', 'leaves', 'ours ÷ it']),
    ...all.flatMap(latencyRows),
    '',
    `${size.large.count} instances, ms; medians of ${size.large.rounds} lists and ${size.large.rounds * size.large.changes} changes`,
    line(['', 'first list', 'one change', 'its CPU']),
    ...all.flatMap(largeRows),
    '',
    line(['', 'B/instance', '… at the end', 'req. for list', 'req./change', 'kB/change'], 14),
    ...all.map(costRow),
    '',
    `Idle: a watch of ${size.idle.count} instances for ${size.idle.seconds} s`,
    line(['', 'requests/min', 'pings/min', 'CPU, %'], 14),
    ...all.map(idleRow),
    '',
  ].join('\n');
};
