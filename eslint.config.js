import tseslint from 'typescript-eslint';
import { walls } from './lint/walls.js';

const outsideRuntime = 'time, chance and the network come from the Runtime (src/core/runtime.ts)';
const ban = name => ({ name, message: outsideRuntime });
const banProperty = (object, property) => ({ object, property, message: outsideRuntime });

const CLOCKS = ['Date', 'performance', 'setTimeout', 'setInterval', 'setImmediate', 'fetch'];
const CLOCK_MODULES = ['timers', 'timers/promises', 'perf_hooks'];
const CHANCE = [
  'randomBytes',
  'randomFill',
  'randomFillSync',
  'randomInt',
  'randomUUID',
  'getRandomValues',
  'webcrypto',
];
const NETWORK_MODULES = ['http', 'https', 'http2', 'net', 'tls', 'dgram', 'dns', 'dns/promises'];
/** With and without `node:`: both are the same module. */
const bothNames = names => names.flatMap(name => [name, `node:${name}`]);

const banImports = paths => ['error', { paths: [...paths] }];
const clockImports = bothNames(CLOCK_MODULES).map(ban);
const chanceImports = bothNames(['crypto']).map(name => ({ ...ban(name), importNames: CHANCE }));
const networkImports = bothNames(NETWORK_MODULES).map(name => ({ ...ban(name), allowTypeImports: true }));

const SYNTAX = [
  { selector: 'TSEnumDeclaration', message: 'no enum: a union of strings' },
  {
    selector: ':matches(ExportDefaultDeclaration, TSExportAssignment, ExportSpecifier[exported.name="default"])',
    message: 'named exports only',
  },
  {
    selector: `ImportExpression > Literal[value=/^(node:)?(${CLOCK_MODULES.join('|').replaceAll('/', '.')})$/]`,
    message: outsideRuntime,
  },
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.cache/', '**/node_modules/', 'test/package/fixtures/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Errors of callers and of transports pass through unchanged, whatever they are.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      'no-control-regex': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'anywhere' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { fairlead: walls },
    rules: {
      'fairlead/walls': 'error',
      'no-restricted-globals': ['error', ...CLOCKS.map(ban)],
      'no-restricted-properties': [
        'error',
        banProperty('Math', 'random'),
        banProperty('AbortSignal', 'timeout'),
        ...['hrtime', 'uptime'].map(name => banProperty('process', name)),
        ...['randomUUID', 'getRandomValues'].map(name => banProperty('crypto', name)),
        ...['globalThis', 'global'].flatMap(object => CLOCKS.map(name => banProperty(object, name))),
      ],
      '@typescript-eslint/no-restricted-imports': banImports([...clockImports, ...chanceImports, ...networkImports]),
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: false } },
      ],
      'max-lines': ['error', { max: 200 }],
      'max-params': ['error', { max: 3 }],
      'max-lines-per-function': ['error', { max: 40, skipComments: true, skipBlankLines: true }],
      'no-restricted-syntax': ['error', ...SYNTAX],
    },
  },
  {
    // They speak protocols of their own, over connections that their packages or node: modules make.
    files: ['src/{registries,integrations}/**/*.ts', 'src/health/tcp-probe.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': banImports([...clockImports, ...chanceImports]) },
  },
  {
    // The one door to the real clock, and the one that turns it off.
    files: ['src/core/runtime.ts', 'src/testing/test-runtime.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/no-restricted-imports': banImports([...chanceImports, ...networkImports]),
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['test/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
);
