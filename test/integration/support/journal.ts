/** What an instance wrote down of the requests it saw: the witness that is not the client. */
import { readFile } from 'node:fs/promises';

export interface JournalEntry {
  /** `processed`: its work was done. `left`: answered, or its connection ended. */
  readonly what: 'arrived' | 'processed' | 'left';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  /** The header x-id. */
  readonly id: string;
}

export const readJournal = async (path: string): Promise<JournalEntry[]> => {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map(line => {
    const [what, at, method, id] = line.split(' ');
    return { what: what as JournalEntry['what'], at: Number(at), method: method!, id: id! };
  });
};

/** Ids of requests whose work was done more than once, with how often. */
export const processedTwice = (entries: readonly JournalEntry[], of: string): [id: string, times: number][] => {
  const times = new Map<string, number>();
  for (const { what, method, id } of entries)
    if (what === 'processed' && method === of) times.set(id, (times.get(id) ?? 0) + 1);
  return [...times].filter(([, count]) => count > 1);
};
