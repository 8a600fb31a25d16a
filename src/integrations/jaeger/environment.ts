/** What the variables OTEL_* say. One that cannot be used is a problem to be told, and counts as not set, as OpenTelemetry wants it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentReader {
  readonly problems: readonly string[];
  /** The first of these that is set; one of blanks is not. */
  text(...names: readonly string[]): string | undefined;
  number(names: readonly string[], min: number): number | undefined;
  /** Comma-separated; `undefined` when it is not set. */
  list(name: string): readonly string[] | undefined;
  isTrue(name: string): boolean;
  problem(text: string): void;
}

export const readEnvironment = (environment: Environment): EnvironmentReader => {
  const problems: string[] = [];
  const problem = (text: string): void => void problems.push(text);
  const textOf = (name: string): string | undefined => {
    const value = environment[name]?.trim();
    return value === '' ? undefined : value;
  };
  const text = (...names: readonly string[]): string | undefined =>
    names.map(textOf).find(value => value !== undefined);
  const numberOf = (name: string, min: number): number | undefined => {
    const given = textOf(name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (Number.isFinite(value) && value >= min) return value;
    problem(`${name}: expected a number >= ${min}, got ${JSON.stringify(given.slice(0, 80))}; it is ignored`);
    return undefined;
  };
  return {
    problems,
    problem,
    text,
    number: (names, min) => names.map(name => numberOf(name, min)).find(value => value !== undefined),
    list: name =>
      textOf(name)
        ?.split(',')
        .map(entry => entry.trim().toLowerCase())
        .filter(entry => entry !== ''),
    isTrue: name => textOf(name)?.toLowerCase() === 'true',
  };
};
