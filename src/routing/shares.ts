import { hashOf, mixed } from '../core/hash.js';

/** Rounding of decimal shares that add up to 1. */
export const SLACK = 1e-9;

/** The rest: none of the targets. */
export const REST = -1;

/**
 * Which target a point (0 ≤ point < 1) falls to. The first takes from 0 upwards, the last from 1 downwards, what is between
 * follows the first. So with one or two targets nobody who has one loses it while shares only grow; with three or more that
 * cannot be had without remembering everybody (growth of one would have to be taken from the rest alone, wherever the others
 * lie), and then only those between move.
 */
export const targetAt = (shares: readonly number[], point: number): number => {
  const last = shares.length - 1;
  let upTo = 0;
  for (let at = 0; at < last; at += 1) {
    upTo += shares[at]!;
    if (point < upTo) return at;
  }
  if (last === 0) return point < shares[0]! ? 0 : REST;
  const full = upTo + shares[last]! >= 1 - SLACK;
  return full || point >= 1 - shares[last]! ? last : REST;
};

/** Where a key stands among all, 0–1: the same in every process. Other salts give other orders of the same keys. */
export const pointOf = (key: string, salt: number): number => (mixed(hashOf(key) ^ salt) >>> 0) / 2 ** 32;

export const saltOf = (name: string): number => hashOf(name);
