/** A span as a collector understood it, whatever format it came in. */
export interface Collected {
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** `undefined`: the root. */
  readonly parentId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  readonly events: readonly string[];
  readonly startMs: number;
  readonly durationMs: number;
}

/** `service KIND name key=value …`, indented below its parent, children by their start: what a trace looks like in Jaeger. */
export const treeOf = (spans: readonly Collected[], keys: readonly string[]): string[] => {
  const below = (parentId: string | undefined, depth: number): string[] =>
    spans
      .filter(span => span.parentId === parentId)
      .sort((a, b) => a.startMs - b.startMs)
      .flatMap(span => [`${'  '.repeat(depth)}${lineOf(span, keys)}`, ...below(span.spanId, depth + 1)]);
  return below(undefined, 0);
};

const lineOf = ({ service, kind, name, attributes, failed }: Collected, keys: readonly string[]): string => {
  const shown = keys.filter(key => attributes[key] !== undefined).map(key => `${key}=${String(attributes[key])}`);
  return [service, kind, name, ...shown, ...(failed ? ['ERROR'] : [])].join(' ');
};
