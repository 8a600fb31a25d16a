/** Values that are no instances, by a name for each, for registries that keep whatever they are given. */
export const RUBBISH: Readonly<Record<string, string>> = {
  html: '<html><body>502 Bad Gateway</body></html>',
  broken: '{"address":"a",',
  port0: '10.0.0.1:0',
  port70000: '{"address":"a","port":70000}',
  empty: '',
  list: '[1]',
  nothing: 'null',
  user: 'user@host:80',
  tags: '{"address":"a","port":1,"tags":7}',
  proto: '{"address":"a","port":1,"metadata":{"__proto__":"x"}}',
  weight: '{"address":"a","port":1,"weight":-1}',
  // 1 MB, and as much as ZooKeeper takes.
  huge: `{"address":"a","port":1,"x":"${'y'.repeat(1_000_000)}"}`,
};
