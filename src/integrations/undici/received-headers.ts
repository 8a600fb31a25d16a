/** Names and values as the parser left them, in turn. */
export type RawHeaders = readonly Buffer[];

/** Its types declare properties where the platform has methods, which a class cannot override. */
const PlatformHeaders = Headers as unknown as new (init: [string, string][]) => object;

/** The headers of an answer: not to be changed, as those that fetch gives. */
class ReceivedHeaders extends PlatformHeaders {
  append(): void {
    throw immutable();
  }
  delete(): void {
    throw immutable();
  }
  set(): void {
    throw immutable();
  }
}

const immutable = (): TypeError => new TypeError('immutable');

export const toHeaders = (raw: RawHeaders): Headers => {
  const pairs = pairsOf(raw);
  try {
    return new ReceivedHeaders(pairs) as unknown as Headers;
  } catch {
    // Something that no header may be, past a lenient parser: the others are good all the same.
    return new ReceivedHeaders(pairs.filter(isHeader)) as unknown as Headers;
  }
};

const pairsOf = (raw: RawHeaders): [string, string][] => {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2)
    pairs.push([raw[at]!.toString('latin1'), raw[at + 1]!.toString('latin1')]);
  return pairs;
};

const isHeader = (pair: [string, string]): boolean => {
  try {
    new Headers([pair]);
    return true;
  } catch {
    return false;
  }
};

/** The values under a name, in lower case, joined as Headers would; `undefined` without one. Makes no Headers. */
export const rawHeader = (raw: RawHeaders, name: string): string | undefined => {
  let value: string | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const found = raw[at]!;
    if (found.length !== name.length || found.toString('latin1').toLowerCase() !== name) continue;
    const own = raw[at + 1]!.toString('latin1');
    value = value === undefined ? own : `${value}, ${own}`;
  }
  return value;
};
