const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Any other start gives a second hash of the same text. */
export const SECOND_BASIS = 0x9747b28c;

/**
 * A 32-bit hash of a text, the same in every process: FNV-1a over its UTF-16 units, then murmur3's finaliser, without which
 * FNV spreads badly on a ring. Signed, since such integers cost no allocation; `>>> 0` makes it a place on the circle. Not
 * for secrets: whoever chooses keys can make them collide.
 */
export const hashOf = (text: string, basis = FNV_BASIS): number => {
  let hash = basis;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  return mixed(hash);
};

/** Each bit of the result depends on each bit given; different numbers stay different. */
export const mixed = (bits: number): number => {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};
