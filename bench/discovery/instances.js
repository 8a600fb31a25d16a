// What is registered: as much as a service in use says of itself.
export const idOf = nth => `instance-${String(nth).padStart(5, '0')}`;

export const instanceOf = (service, nth) => ({
  id: idOf(nth),
  service,
  // Each at a place of its own: two at one place would count once.
  address: `10.${(nth >> 16) & 255}.${(nth >> 8) & 255}.${nth & 255}`,
  port: 8080,
  version: '1.4.2',
  zone: `zone-${nth % 3}`,
  tags: ['http', 'stable'],
  metadata: { commit: '9fceb02d0ae5', region: 'eu-west', started: '2026-01-01T00:00:00Z' },
});

/** `from`, `from + 1`, …; in batches of `size`. */
export const batches = ({ from, count, size }) =>
  Array.from({ length: Math.ceil(count / size) }, (_, at) =>
    Array.from({ length: Math.min(size, count - at * size) }, (_, n) => from + at * size + n),
  );
