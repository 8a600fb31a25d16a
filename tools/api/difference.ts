const CONTEXT = 2;
const MOST_LINES = 200;

/**
 * What changed between two texts, by lines, as `diff -u` shows it without the numbers. The longest common subsequence by
 * its plain table: texts of a few thousand lines, once in a while.
 */
export const difference = (before: string, after: string): string => {
  const marked = mark(before.split('\n'), after.split('\n'));
  const shown = marked.filter((_line, at) =>
    marked.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(line => !line.startsWith(' ')),
  );
  const rest = shown.length - MOST_LINES;
  return [...shown.slice(0, MOST_LINES), ...(rest > 0 ? [`… and ${rest} lines more`] : [])].join('\n');
};

const mark = (before: readonly string[], after: readonly string[]): readonly string[] => {
  const common = commonLengths(before, after);
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && before[i] === after[j]) {
      lines.push(`  ${before[i]}`);
      i += 1;
      j += 1;
    } else if (j >= after.length || (i < before.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      lines.push(`- ${before[i]}`);
      i += 1;
    } else {
      lines.push(`+ ${after[j]}`);
      j += 1;
    }
  }
  return lines;
};

/** `[i][j]`: how many lines the rests from i and from j have in common. */
const commonLengths = (before: readonly string[], after: readonly string[]): readonly Uint32Array[] => {
  const table = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1)
      table[i]![j] =
        before[i] === after[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
  return table;
};
