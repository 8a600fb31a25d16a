/** The node of one instance. It ends with the session that made it, so whose it is decides all. */
import { FairleadError } from '../../core/errors.js';
import type { InstanceStatus, ServiceInstance } from '../../core/instance.js';
import type { Entry } from '../shared/entry.js';
import type { Connector } from './connector.js';
import { BAD_VERSION, codeOf, NO_NODE, NODE_EXISTS, refusalOf, unavailable } from './failure.js';
import type { Link } from './link.js';
import { EPHEMERAL, type Stat } from './peer.js';
import { commit, createEphemeral, createParent, exists, ownerOf, removeOwn } from './requests.js';
import type { Session } from './session.js';
import { hexOf, nodeName, writeValue } from './value.js';

export interface EntryPlan {
  readonly session: Session;
  readonly connector: Connector;
  /** Of the service. */
  readonly parent: string;
  readonly id: string;
}

/** Somebody else changed the node, or its parent, at the same time. */
const RACES: readonly unknown[] = [NO_NODE, NODE_EXISTS, BAD_VERSION];
const MAX_RACES = 5;
const NOBODY = '0'.repeat(16);

interface Writing {
  readonly link: Link;
  readonly data: Buffer;
  readonly signal: AbortSignal | undefined;
}

export class ZooKeeperEntry implements Entry {
  readonly name: string;
  readonly ownStatus = true;
  readonly #plan: EntryPlan;
  readonly #path: string;
  /** It was ours: one that another process put there since then is left to that. */
  #claimed = false;

  constructor(plan: EntryPlan) {
    this.#plan = plan;
    this.name = `zookeeper entry ${plan.id}`;
    this.#path = `${plan.parent}/${nodeName(plan.id)}`;
  }

  async write(instance: ServiceInstance, _status: InstanceStatus | undefined, signal?: AbortSignal): Promise<void> {
    const { session } = this.#plan;
    const data = writeValue(instance);
    session.take(this.#path);
    try {
      const link = await session.connected({ signal });
      for (let races = 0; races < MAX_RACES; races += 1) {
        if (await this.#put({ link, data, signal })) {
          this.#claimed = true;
          return;
        }
      }
      throw unavailable(`${link.name}: ${this.#path} was changed by others ${MAX_RACES} times`);
    } catch (error) {
      throw refusalOf(error, instance.service);
    }
  }

  async pulse(_instance: ServiceInstance, signal: AbortSignal): Promise<boolean> {
    const link = await this.#plan.session.connected({ signal });
    const stat = await exists(link, this.#path, { signal });
    return stat !== null && ownerOf(stat) === link.session;
  }

  async remove(): Promise<void> {
    const { session } = this.#plan;
    // Others may keep the session alive, and the node with it.
    session.leave(this.#path);
    const link = await session.connected();
    await removeOwn(link, this.#path, owner => session.isOurs(owner));
    session.take(this.#path);
  }

  /** False: somebody was faster, look again. */
  async #put(writing: Writing): Promise<boolean> {
    const { link, signal } = writing;
    const stat = await exists(link, this.#path, { signal });
    try {
      if (stat === null) await this.#create(writing);
      else if (this.#claimed && ownerOf(stat) === link.session) await this.#change(writing, stat);
      else await this.#replace(writing, stat);
      return true;
    } catch (error) {
      if (RACES.includes(codeOf(error))) return false;
      throw error;
    }
  }

  async #create({ link, data, signal }: Writing): Promise<void> {
    const { acls } = this.#plan.connector;
    const create = (): Promise<unknown> => createEphemeral(link, { path: this.#path, data, acls, signal });
    await create().catch(async (error: unknown) => {
      if (codeOf(error) !== NO_NODE) throw error;
      await this.#ensureParents(link, signal);
      await create();
    });
  }

  /** Those above may exist and be somebody's who lets nobody create there: what matters is the last. */
  async #ensureParents(link: Link, signal: AbortSignal | undefined): Promise<void> {
    const { parent, connector } = this.#plan;
    const names = parent.split('/').slice(1);
    for (const [index] of names.entries()) {
      const path = `/${names.slice(0, index + 1).join('/')}`;
      if ((await exists(link, path, { signal })) !== null) continue;
      await createParent(link, { path, data: Buffer.alloc(0), acls: connector.acls, signal }).catch(function ignoreTwin(
        error: unknown,
      ) {
        if (codeOf(error) !== NODE_EXISTS) throw error;
      });
    }
  }

  /**
   * In place, so that it stays the same instance. Who watches the children is not told of that, and a watch for each of
   * them would be one too many for large services: so the parent's data names who changed, and one watch is enough.
   */
  async #change({ link, data }: Writing, stat: Stat): Promise<void> {
    const { parent, id } = this.#plan;
    await commit(link, `setData ${this.#path}, of it and its parent,`, transaction =>
      transaction.setData(this.#path, data, stat.version).setData(parent, Buffer.from(nodeName(id)), -1),
    );
  }

  /** Of a process that died and was started anew within its session, or of our own session before this. */
  async #replace({ link, data }: Writing, stat: Stat): Promise<void> {
    const { session, connector, id } = this.#plan;
    const owner = ownerOf(stat);
    const whose = owner === NOBODY ? 'a lasting node' : `of another session, ${hexOf(stat.ephemeralOwner)}`;
    if (owner === NOBODY || (this.#claimed && !session.isOurs(owner)))
      throw new FairleadError(
        'REGISTRATION_FAILED',
        `${link.name}: ${id} cannot be written: ${this.#path} is ${whose}`,
      );
    await commit(link, `replace ${this.#path}`, transaction =>
      transaction.remove(this.#path, stat.version).create(this.#path, data, connector.acls, EPHEMERAL),
    );
  }
}
