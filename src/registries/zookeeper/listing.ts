/** What is known of one service's nodes, and how little has to be read to know it again. */
import { describe } from '../../core/errors.js';
import type { ServiceInstance } from '../../core/instance.js';
import type { RegistryProblem } from '../../core/registry.js';
import { codeOf, NO_AUTH } from './failure.js';
import type { Link } from './link.js';
import type { Stat } from './peer.js';
import { inBatches, settled, untilAborted } from './promises.js';
import { childrenOf, dataOf, exists, type Reading } from './requests.js';
import { readValue } from './value.js';

/** A service full of junk is told in so many problems, and the rest as a number. */
const MAX_PROBLEMS = 20;

interface Known {
  /** Changes with every write. */
  readonly mark: string;
  readonly instance?: ServiceInstance | undefined;
  readonly problem?: RegistryProblem | undefined;
}

/** Of the service's node, what is to be looked at: what no event was about is as it was. */
export interface Parts {
  readonly data: boolean;
  readonly children: boolean;
}

interface Look extends Parts, Pick<Reading, 'watched'> {
  aborted(): boolean;
}

/** The parent at the last read. */
interface Parent {
  readonly czxid: string;
  readonly names: readonly string[];
  /** Creations plus deletions of children. */
  readonly changes: number;
  /** Writes of its data: each names a child that was changed in place. */
  readonly updates: number;
}

export class Listing {
  readonly #link: Link;
  readonly #service: string;
  readonly #path: string;
  #parent: Parent | undefined;
  #known = new Map<string, Known>();

  /** @param path of the service */
  constructor(link: Link, service: string, path: string) {
    this.#link = link;
    this.#service = service;
    this.#path = path;
  }

  get instances(): readonly ServiceInstance[] {
    return [...this.#known.values()].flatMap(({ instance }) => instance ?? []);
  }

  get problems(): readonly RegistryProblem[] {
    const all = [...this.#known.values()].flatMap(({ problem }) => problem ?? []);
    if (all.length <= MAX_PROBLEMS) return all;
    const message = `zookeeper: ${all.length - MAX_PROBLEMS} more entries of ${this.#service} were skipped`;
    return [...all.slice(0, MAX_PROBLEMS), { kind: 'bad-entry', message }];
  }

  /** Reads what is not known yet. True: something changed. */
  refresh({ signal, ...parts }: Reading & Parts): Promise<boolean> {
    // One listener on the signal, however many reads there are.
    return untilAborted(this.#refresh({ ...parts, aborted: () => signal?.aborted === true }), signal);
  }

  async #refresh(look: Look): Promise<boolean> {
    // The data first: an update after it fires the watch that it armed.
    const [own, children] = await settled(
      look.data ? dataOf(this.#link, this.#path, look) : undefined,
      look.children ? childrenOf(this.#link, this.#path, look) : undefined,
    );
    if ((look.data && own === undefined) || (look.children && children === undefined)) return this.#absent(look);
    const before = this.#parent;
    const czxid = hexed((children ?? own)!.stat.czxid);
    // What is known was about another node of that name.
    if (before?.czxid !== czxid && !(look.data && look.children))
      return this.#refresh({ ...look, data: true, children: true });
    const parent = {
      czxid,
      names: children === undefined ? before!.names : [...children.names].sort(),
      changes: children?.stat.cversion ?? before!.changes,
      updates: own?.stat.version ?? before!.updates,
    };
    const toRead = this.#toRead(parent, own?.data.toString('utf8'));
    const reads = await inBatches(toRead, name => (look.aborted() ? undefined : this.#read(name)));
    return this.#learn(parent, new Set(toRead), reads);
  }

  #learn(parent: Parent, fresh: ReadonlySet<string>, reads: ReadonlyMap<string, Known>): boolean {
    let changed = this.#parent === undefined;
    const next = new Map<string, Known>();
    for (const name of parent.names) {
      const before = this.#known.get(name);
      const now = fresh.has(name) ? reads.get(name) : before;
      if (now !== undefined) next.set(name, now);
      changed ||= now?.mark !== before?.mark;
    }
    // What is new was noticed above: the same number then means the same names.
    changed ||= next.size !== this.#known.size;
    this.#known = next;
    this.#parent = parent;
    return changed;
  }

  /** No such service: yet, or any more. */
  async #absent(look: Look): Promise<boolean> {
    // Only this arms a watch for a node that is not there.
    const appeared = await exists(this.#link, this.#path, look);
    if (appeared !== null) return this.#refresh({ ...look, data: true, children: true });
    return this.#learn({ czxid: '', names: [], changes: 0, updates: 0 }, new Set(), new Map());
  }

  /** Counting tells what names do not: a node that was replaced by one of the same name, or changed in place. */
  #toRead({ names, czxid, changes, updates }: Parent, touched: string | undefined): readonly string[] {
    const before = this.#parent;
    if (before?.czxid !== czxid) return names;
    const added = names.filter(name => !this.#known.has(name));
    const gone = this.#known.size + added.length - names.length;
    if (changes - before.changes !== added.length + gone) return names;
    if (updates === before.updates) return added;
    const isNamed = updates - before.updates === 1 && touched !== undefined && this.#known.has(touched);
    return isNamed ? [...added, touched] : names;
  }

  async #read(name: string): Promise<Known | undefined> {
    try {
      const node = await dataOf(this.#link, `${this.#path}/${name}`, {});
      return node === undefined ? undefined : this.#understand(name, node);
    } catch (error) {
      if (codeOf(error) !== NO_AUTH) throw error;
      return { mark: 'NO_AUTH', problem: this.#problem(name, error) };
    }
  }

  #understand(name: string, node: { readonly data: Buffer; readonly stat: Stat }): Known {
    const mark = `${hexed(node.stat.czxid)} ${hexed(node.stat.mzxid)}`;
    try {
      return { mark, instance: readValue({ service: this.#service, name, ...node }) };
    } catch (error) {
      return { mark, problem: this.#problem(name, error) };
    }
  }

  #problem(name: string, error: unknown): RegistryProblem {
    const entry = name.slice(0, 200);
    const message = `zookeeper: an entry of ${this.#service} (${entry}) was skipped: ${describe(error)}`;
    return { kind: 'bad-entry', message, entry };
  }
}

const hexed = (long: Buffer): string => long.toString('hex');
