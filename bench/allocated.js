// Bytes that are allocated per operation: what the heap grew by, and what each garbage collection in between freed.
import { GCProfiler } from 'node:v8';

/** `run` resolves to the number of operations it made. The compiler has to be done with them before. */
export const allocatedBy = async run => {
  const profiler = new GCProfiler();
  profiler.start();
  const before = process.memoryUsage().heapUsed;
  const count = await run();
  const grown = process.memoryUsage().heapUsed - before;
  const { statistics } = profiler.stop();
  const used = ({ heapStatistics }) => heapStatistics.usedHeapSize;
  const freed = statistics.reduce((sum, { beforeGC, afterGC }) => sum + used(beforeGC) - used(afterGC), 0);
  return (grown + freed) / count;
};
