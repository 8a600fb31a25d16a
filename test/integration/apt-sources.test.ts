/** The reading of apt's configuration, by which `test/servers` finds the machine's own mirror. Needs no server. */
import { describe, expect, it } from 'vitest';
import { parseDeb822, parseOneLine } from '../servers/apt-sources.js';

describe('the apt configuration of a machine', () => {
  const archive = { uri: 'http://mirror.test/debian', signedBy: '/keys/debian.gpg' };

  it('is read in the deb822 form, without additions, sources and disabled stanzas', () => {
    const stanza = (...lines: string[]): string => [...lines, 'Signed-By: /keys/debian.gpg', ''].join('\n');
    const text = [
      stanza(
        '# a comment',
        'Types: deb',
        'URIs: http://mirror.test/debian',
        'Suites: stable stable-updates',
        'Components: main',
      ),
      stanza('Types: deb', 'URIs: http://mirror.test/security', 'Suites: stable-security', 'Components: main'),
      stanza('Types: deb-src', 'URIs: http://mirror.test/sources', 'Suites: stable', 'Components: main'),
      stanza('Enabled: no', 'Types: deb', 'URIs: http://mirror.test/off', 'Suites: stable', 'Components: main'),
    ].join('\n');
    expect(parseDeb822(text)).toEqual([archive]);
  });

  it('keeps a key that is written into the stanza', () => {
    const key = '-----BEGIN PGP-----\n .\n abc';
    const text = `Types: deb\nURIs: http://m.test\nSuites: sid\nComponents: main\nSigned-By: ${key}\n`;
    expect(parseDeb822(text)).toEqual([{ uri: 'http://m.test', signedBy: key }]);
  });

  it('is read in the one-line form', () => {
    const text = `
      # deb http://off.test/debian stable main
      deb [arch=amd64 signed-by=/keys/debian.gpg] http://mirror.test/debian stable main contrib
      deb http://mirror.test/security stable-security main
      deb http://vendor.test/apt stable tools
      deb-src http://mirror.test/debian stable main
    `;
    expect(parseOneLine(text)).toEqual([archive]);
  });
});
