/** Watches what becomes of each fault, and judges at the end: was the instance out in time, and back in time? */
import type { Seen } from './meter.js';
import { SECOND_MS } from './recent.js';
import { STRUCK, type Fault } from './script.js';

const OUT_WITHIN_MS = 2_000;
const BACK_WITHIN_MS = 10_000;
/** An instance that is slow is not ejected: the balancer leaves it with less than this share of the calls. */
const AVOIDED_SHARE = 0.1;
/** One that returns gets its calls step by step, starting at a tenth of its weight: this share says that it works again. */
const RETURNED_SHARE = 0.05;

interface Case {
  readonly fault: Fault;
  readonly struckAt: number;
  outAt?: number;
  healedAt?: number;
  backAt?: number;
}

/** What is worth a line when it is seen. */
export interface Sighting {
  readonly instance: string;
  readonly text: string;
}

export class Witness {
  readonly #plan: readonly Fault[];
  readonly #cases: Case[] = [];

  constructor(plan: readonly Fault[]) {
    this.#plan = plan;
  }

  struck(fault: Fault, now: number): void {
    this.#cases.push({ fault, struckAt: now });
  }

  healed(fault: Fault, now: number): void {
    const concerned = this.#cases.find(each => each.fault === fault);
    if (concerned) concerned.healedAt = now;
  }

  /** fairlead told that it took the instance out. */
  ejected(instance: string, now: number): void {
    for (const each of this.#cases) if (each.fault.instance === instance) each.outAt ??= now;
  }

  /** Compares the newest measurement with what is waited for. */
  look(instance: string, { state, share }: Seen, now: number): Sighting | undefined {
    const open = this.#cases.find(each => each.fault.instance === instance && each.backAt === undefined);
    if (open === undefined) return undefined;
    const percent = `${Math.round(share * 100)} % of the calls`;
    if (open.outAt === undefined) {
      // Up to a second after the fault the share still holds calls from before it: that can only make it greater.
      if (open.fault.kind !== 'slow' || share >= AVOIDED_SHARE) return undefined;
      open.outAt = now;
      return { instance, text: `is avoided: down to ${percent}` };
    }
    // The second that was measured must have begun after the healing.
    const soonest = (open.healedAt ?? Infinity) + (open.fault.kind === 'slow' ? SECOND_MS : 0);
    if (now < soonest || state !== 'serving' || share < RETURNED_SHARE) return undefined;
    open.backAt = now;
    return { instance, text: `carries ${percent} again` };
  }

  /** All faults of the plan came to their end. */
  get done(): boolean {
    return this.#cases.length === this.#plan.length && this.#cases.every(each => each.backAt !== undefined);
  }

  /** One line for each fault. */
  report(): readonly string[] {
    return this.#cases.map(each => {
      const { fault } = each;
      const out = `out after ${outMs(each) ?? '-'} ms,`;
      return `${fault.instance} ${STRUCK[fault.kind].padEnd(13)}  ${out.padEnd(18)}  back after ${backMs(each) ?? '-'} ms`;
    });
  }

  /** What did not happen, or too late. Empty when all is well. */
  complaints(): readonly string[] {
    const unstruck = this.#plan
      .slice(this.#cases.length)
      .map(fault => `${fault.instance} was never ${STRUCK[fault.kind]}`);
    return [...unstruck, ...this.#cases.flatMap(complaintsOf)];
  }
}

const outMs = ({ struckAt, outAt }: Case): number | undefined => between(struckAt, outAt);
const backMs = ({ healedAt, backAt }: Case): number | undefined => between(healedAt, backAt);

const between = (from: number | undefined, to: number | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : Math.round(to - from);

const complaintsOf = (each: Case): string[] => {
  const { instance, kind } = each.fault;
  const out = outMs(each);
  const back = backMs(each);
  const who = `${instance}, ${STRUCK[kind]},`;
  const complaints: string[] = [];
  if (out === undefined) complaints.push(`${who} was not seen to go out`);
  else if (out > OUT_WITHIN_MS) complaints.push(`${who} was out after ${out} ms, later than ${OUT_WITHIN_MS}`);
  if (back === undefined) complaints.push(`${who} was not seen to come back`);
  else if (back > BACK_WITHIN_MS) complaints.push(`${who} was back after ${back} ms, later than ${BACK_WITHIN_MS}`);
  return complaints;
};
