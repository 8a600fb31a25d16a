/**
 * What stands in etcd: one key for each instance, `PREFIX/SERVICE/ID`, and as its value JSON or plain `host:port`.
 * Who reads takes both; what is written is JSON.
 */
import { toInstance, type InstanceInput, type ServiceInstance } from '../../core/instance.js';
import type { KeyValue } from './peer.js';

/** Bytes. A thousand times what an instance needs; a page of such values is still an answer. */
const MAX_VALUE_BYTES = 64 * 1024;

export const prefixOf = (prefix: string, service: string): string => `${prefix}${service}/`;

/** The first key behind all that begin with `start`, which ends with a slash. */
export const endOf = (start: string): Buffer => Buffer.from(`${start.slice(0, -1)}0`);

/** Throws a RangeError for more than is read again. */
export const valueOf = ({
  address,
  port,
  protocol,
  weight,
  zone,
  version,
  tags,
  metadata,
  status,
}: ServiceInstance): Buffer => {
  const value = Buffer.from(JSON.stringify({ address, port, protocol, weight, zone, version, tags, metadata, status }));
  if (value.length <= MAX_VALUE_BYTES) return value;
  throw new RangeError(
    `the instance takes ${value.length} bytes, more than ${MAX_VALUE_BYTES}; expected less metadata`,
  );
};

export const idOf = (key: Buffer, prefix: string): string => key.toString('utf8').slice(prefix.length);

/** Throws a TypeError or RangeError that says what is wrong with the entry. */
export const instanceOf = ({ value, create_revision }: KeyValue, service: string, id: string): ServiceInstance => {
  if (id === '' || id.includes('/')) throw new TypeError('its key is not PREFIX/SERVICE/ID');
  if (value.length > MAX_VALUE_BYTES)
    throw new RangeError(`its value has ${value.length} bytes, more than ${MAX_VALUE_BYTES}`);
  const text = value.toString('utf8').trim();
  const input = text.startsWith('{') ? inputOfJson(text) : inputOfPlain(text);
  return toInstance({ ...input, service, id, incarnation: create_revision });
};

type Place = Omit<InstanceInput, 'service' | 'id' | 'incarnation'>;

/** Other fields are the business of those who wrote them. */
const inputOfJson = (text: string): Place => {
  const { address, port, protocol, weight, zone, version, tags, metadata, status } = parsed(text) as unknown as Place;
  return { address, port, protocol, weight, zone, version, tags, metadata, status };
};

const parsed = (text: string): object => {
  try {
    return JSON.parse(text) as object;
  } catch {
    // The parser's own message quotes the value.
    throw new TypeError('its value is not JSON');
  }
};

const PLAIN = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

const inputOfPlain = (text: string): Place => {
  const [, v6, host, port] = PLAIN.exec(text) ?? [];
  const address = v6 ?? host;
  if (address === undefined) throw new TypeError('its value is neither a JSON object nor host:port');
  return { address, port: Number(port) };
};
