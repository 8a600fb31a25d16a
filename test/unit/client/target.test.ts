import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../../src/client/target.js';

describe('parseTarget', () => {
  it.each([
    ['/users/42?x=1', '/users/42?x=1', undefined],
    ['/', '/', undefined],
    ['', '/', undefined],
    ['users/42', '/users/42', undefined],
    ['?x=1', '/?x=1', undefined],
    ['/a#fragment', '/a', undefined],
    ['/a//b', '/a//b', undefined],
    ['/http://other/', '/http://other/', undefined],
    ['http://user-service/users?x=1#y', '/users?x=1', 'http'],
    ['https://USER-Service/', '/', 'https'],
  ])('reads %j', (input, path, protocol) => {
    expect(parseTarget(input, 'User-Service')).toEqual({ path, protocol });
  });

  it.each([
    '//evil',
    '/\\evil',
    '\\\\evil',
    '/\t/evil',
    ' //evil',
    '\n//evil',
    '/a\r\nHost: evil',
    '/a\u0000',
    'http://other/',
    'http:\\\\other',
    'http://user-service:81/',
    'http://user-service@evil/',
    'http://user:password@user-service/',
    'http://user-service.evil.com/',
    'ftp://user-service/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'user-service:8080/x',
  ])('refuses %j', input => {
    expect(() => parseTarget(input, 'user-service')).toThrow(TypeError);
  });

  it('names the service, the input and what was expected, but no password', () => {
    expect(() => parseTarget('//evil', 'users')).toThrow(/^users: cannot fetch "\/\/evil": .*expected a path such as/);
    expect(() => parseTarget('http://u:secret@users/', 'users')).toThrow(/^(?!.*secret)/s);
  });
});
