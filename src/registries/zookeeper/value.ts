/** What is written into the node of an instance, and what is understood of it. */
import { toInstance, type InstanceInput, type ServiceInstance } from '../../core/instance.js';
import type { Stat } from './peer.js';

/** Beyond any sensible instance. ZooKeeper itself takes a little less than 1 MiB for one node. */
const MAX_VALUE_BYTES = 64 * 1024;

/**
 * ZooKeeper refuses some characters in the name of a node, those beyond U+FFFF among them. They are escaped as in a URL,
 * hence a percent sign too, and the value holds the id as it is.
 */
export const nodeName = (text: string): string => text.replace(REFUSED, encodeURIComponent);
const REFUSED = /[%\u007f-\u009f\ue000-\uf8ff\ufff0-\uffff]|[\u{10000}-\u{10ffff}]/gu;

export const writeValue = (instance: ServiceInstance): Buffer => {
  const { id, address, port, protocol, weight, zone, version, tags, metadata, status } = instance;
  const data = Buffer.from(
    JSON.stringify({ id, address, port, protocol, weight, zone, version, tags, metadata, status }),
  );
  if (data.length <= MAX_VALUE_BYTES) return data;
  throw new RangeError(`${id}: the instance takes ${data.length} bytes, more than ${MAX_VALUE_BYTES}`);
};

export interface Node {
  readonly service: string;
  /** As ZooKeeper lists it. */
  readonly name: string;
  readonly data: Buffer;
  readonly stat: Stat;
}

/** Throws a TypeError or RangeError that says what is wrong with it. */
export const readValue = ({ service, name, data, stat }: Node): ServiceInstance => {
  if (data.length > MAX_VALUE_BYTES)
    throw new RangeError(`the value has ${data.length} bytes, more than ${MAX_VALUE_BYTES}`);
  const text = data.toString('utf8').trim();
  const given = text.startsWith('{') ? fieldsOf(text) : placeOf(text);
  const id = typeof given.id === 'string' && nodeName(given.id) === name ? given.id : name;
  return toInstance({ ...given, id, service, incarnation: hexOf(stat.czxid) });
};

/** As ZooKeeper's own tools write it, such as `0x2a`. */
export const hexOf = (long: Buffer): string => `0x${long.toString('hex').replace(/^0+(?=.)/, '')}`;

const fieldsOf = (text: string): Omit<InstanceInput, 'service'> => {
  const fields = parsed(text) as Record<string, unknown>;
  const { id, address, port, protocol, weight, zone, version, tags, metadata, status } = fields;
  if (tags !== undefined && tags !== null && !Array.isArray(tags)) throw new TypeError('tags is not an array');
  if (typeof (protocol ?? '') !== 'string') throw new TypeError('protocol is not a string');
  const known = { id, address, port, protocol, weight, zone, version, tags, metadata, status };
  // JSON of other languages says null for what is absent.
  const present = Object.entries(known).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(present) as unknown as Omit<InstanceInput, 'service'>;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the value.
    throw new TypeError('the value is not JSON');
  }
};

/** `host:port`, as many write it who have no more to say. */
const placeOf = (text: string): Omit<InstanceInput, 'service'> => {
  const [, bracketed, plain, port] = /^(?:\[([^\]]{1,60})\]|([^:/\s[\]]{1,255})):(\d{1,10})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined) throw new TypeError('the value is neither a JSON object nor host:port');
  return { address, port: Number(port) };
};
