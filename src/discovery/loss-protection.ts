import { identityOf, type ServiceInstance } from '../core/instance.js';
import { placeOf } from './normalise.js';

export interface LossProtectionOptions {
  /** An update that drops more than this share of the listed instances is a loss; 1 turns the protection off. */
  readonly holdDropRatio: number;
  /** How long a loss must last to be believed, in ms; 0 turns the protection off. */
  readonly holdMs: number;
}

interface Held {
  readonly instance: ServiceInstance;
  since: number;
  refused: boolean;
}

/**
 * Does not believe a registry that suddenly knows hardly anybody: a registry that was wiped, an ACL that was
 * tightened or a partitioned agent looks exactly like the death of a whole service, and is far more likely. Pure: time is an
 * argument.
 *
 * ```
 *            dropped with few others, or replaced at its address:port
 *  listed ────────────────────────────────────────────────────────────► gone
 *    │  ▲                                                                ▲
 *    │  └──────────── listed again ───────────┐                          │
 *    │ dropped with more than holdDropRatio   │                          │ a read begun >= holdMs after the loss lacks it
 *    └──────────────────────────────────────► held ──────────────────────┘ or: it refused a connection and another remains
 *                                                                          or: a new instance took its address:port
 * ```
 *
 * Instances of weight 0 take no traffic and so count nowhere: neither as lost, nor as what remains.
 */
export class LossProtection {
  readonly #holdDropRatio: number;
  readonly #holdMs: number;
  #listed: ReadonlyMap<string, ServiceInstance> = new Map();
  readonly #held = new Map<string, Held>();

  constructor({ holdDropRatio, holdMs }: LossProtectionOptions) {
    this.#holdDropRatio = holdDropRatio;
    this.#holdMs = holdMs;
  }

  /** Listed and held. */
  get members(): readonly ServiceInstance[] {
    return Object.freeze([...this.#listed.values(), ...[...this.#held.values()].map(({ instance }) => instance)]);
  }

  /** Identities of those that are held. */
  get held(): ReadonlySet<string> {
    return new Set(this.#held.keys());
  }

  /** Monotonic ms from which a read can tell whether a loss was real; Infinity while nobody is held. */
  get reviewAt(): number {
    let first = Infinity;
    for (const { since } of this.#held.values()) first = Math.min(first, since + this.#holdMs);
    return first;
  }

  /** The registry lists these now. Returns those that are held from now on. */
  listed(instances: readonly ServiceInstance[], now: number): readonly ServiceInstance[] {
    const next = new Map(instances.map(instance => [identityOf(instance), instance]));
    let serving = 0;
    const gone: ServiceInstance[] = [];
    for (const [identity, instance] of this.#listed) {
      if (!takesTraffic(instance)) continue;
      serving += 1;
      if (!next.has(identity)) gone.push(instance);
    }
    // Places are asked for only about those who went: a large set changes all the time.
    const places = new Set(gone.length + this.#held.size > 0 ? instances.map(placeOf) : []);
    const lost = gone.filter(instance => !places.has(placeOf(instance)));
    for (const [identity, { instance }] of this.#held)
      if (next.has(identity) || places.has(placeOf(instance))) this.#held.delete(identity);
    this.#listed = next;
    const isLoss = this.#isLoss(lost.length, serving);
    if (isLoss)
      for (const instance of lost) this.#held.set(identityOf(instance), { instance, since: now, refused: false });
    this.#dropRefused();
    return isLoss ? lost : [];
  }

  /** It refused a connection, or failed a probe. True if that changed the set; a listed instance's refusal never does. */
  refused(instance: ServiceInstance): boolean {
    const held = this.#held.get(identityOf(instance));
    if (held === undefined) return false;
    held.refused = true;
    return this.#dropRefused();
  }

  /**
   * A read of the registry that was begun at `readAt` lists these. What it lacks goes, if the read came late enough
   * to prove it; what it lists (and the watch does not) is held anew. True if that changed the set.
   */
  read(instances: readonly ServiceInstance[], readAt: number): boolean {
    const present = new Set(instances.map(identityOf));
    let changed = false;
    for (const [identity, held] of this.#held) {
      if (readAt < held.since + this.#holdMs) continue;
      if (present.has(identity)) held.since = readAt;
      else changed = this.#held.delete(identity) || changed;
    }
    return changed;
  }

  #isLoss(lost: number, of: number): boolean {
    if (this.#holdMs === 0 || this.#holdDropRatio === 1 || lost === 0) return false;
    // All of it is more than any ratio below 1.
    return lost > of * this.#holdDropRatio;
  }

  /** A refusal counts from when somebody else can serve: the last one stays, it may come back. */
  #dropRefused(): boolean {
    if (this.#held.size === 0) return false;
    let remaining = this.members.filter(takesTraffic).length;
    let changed = false;
    for (const [identity, { refused }] of this.#held) {
      if (!refused || remaining <= 1) continue;
      changed = this.#held.delete(identity) || changed;
      remaining -= 1;
    }
    return changed;
  }
}

const takesTraffic = ({ weight }: ServiceInstance): boolean => weight > 0;
