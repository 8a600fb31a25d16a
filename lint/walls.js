// The import walls of the house: a room may import from rooms below it, never above or beside; registries and
// integrations never import each other; a third party is met in a registry or an integration only. Types count too:
// a room that needs to know a name from above cannot be read alone.
import { isBuiltin } from 'node:module';
import path from 'node:path';

const SRC = path.resolve(import.meta.dirname, '..', 'src');

const RANKS = new Map([
  ['core', 0],
  ['machines', 1],
  ['pool', 2],
  ['layers', 2],
  ['discovery', 3],
  ['health', 3],
  ['config', 3],
  ['balancers', 3],
  ['routing', 3],
  ['client', 4],
  ['lifecycle', 4],
  ['registries', 4],
  ['integrations', 5],
  ['index.ts', 6],
  ['testing', 7],
]);
/** Rooms for people who write a new one: they read little else. */
const NARROW = new Map([
  ['balancers', ['core']],
  ['registries', ['core', 'machines']],
]);
/** Rooms whose parts are strangers to each other. */
const SEPARATE = new Set(['registries', 'integrations']);
/** Parts of them that the others may use: wire formats of other ecosystems, and what all adapters need. */
const COMMON = new Set(['dialects', 'shared']);

/** Packages that every install has, each met in one file: `room/file`. */
const OWN_PACKAGES = new Map([
  ['http-cache-semantics', 'layers/cache-policy'],
  ['opossum', 'client/fed-opossum'],
]);

/** `{ room, part }` of a file in src, `undefined` for any other. */
const placeOf = file => {
  const [room, part = ''] = path.relative(SRC, file).split(path.sep);
  return room === '..' || path.isAbsolute(room) ? undefined : { room, part: part.replace(/\.[cm]?[jt]s$/, '') };
};

const complaint = (from, to) => {
  if (to === undefined) return 'src must not import what is not in src: it is not in the package';
  for (const { room } of [from, to]) if (!RANKS.has(room)) return `src/${room} has no place in lint/walls.js`;
  if (from.room === to.room) {
    const strangers = SEPARATE.has(from.room) && from.part !== to.part && !COMMON.has(to.part);
    return strangers ? `${from.room} never import each other` : undefined;
  }
  if (to.room === 'testing') return 'nothing in src imports src/testing: it is for tests';
  if (RANKS.get(to.room) >= RANKS.get(from.room))
    return `src/${from.room} must not import src/${to.room}: imports run downward only`;
  const allowed = NARROW.get(from.room);
  return allowed && !allowed.includes(to.room)
    ? `src/${from.room} imports src/${allowed.join(' and src/')} only`
    : undefined;
};

/** A package by its name. */
const complaintOfPackage = (from, specifier) => {
  if (/^fairlead(\/|$)/.test(specifier)) return 'src imports itself by relative paths: by name it would get the build';
  if (isBuiltin(specifier) || SEPARATE.has(from.room) || from.room === 'testing') return undefined;
  if (OWN_PACKAGES.get(specifier) === `${from.room}/${from.part}`) return undefined;
  return `${specifier}: third parties are met in src/registries and src/integrations only`;
};

const textOf = node => {
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked;
  return typeof node?.value === 'string' ? node.value : undefined;
};

const rule = {
  meta: { type: 'problem', schema: [], messages: { wall: '{{why}}' } },
  create: context => {
    const from = placeOf(context.filename);
    if (from === undefined) return {};
    const check = (node, source) => {
      const specifier = textOf(source);
      if (specifier === undefined) return;
      const target = path.resolve(path.dirname(context.filename), specifier.replace(/\.js$/, '.ts'));
      const why = /^\.{0,2}\//.test(specifier) ? complaint(from, placeOf(target)) : complaintOfPackage(from, specifier);
      if (why) context.report({ node, messageId: 'wall', data: { why } });
    };
    const bySource = node => check(node, node.source);
    return {
      ImportDeclaration: bySource,
      ExportNamedDeclaration: bySource,
      ExportAllDeclaration: bySource,
      ImportExpression: bySource,
      TSImportType: bySource,
      TSExternalModuleReference: node => check(node, node.expression),
      'CallExpression[callee.name="require"]': node => check(node, node.arguments[0]),
    };
  },
};

export const walls = { rules: { walls: rule } };
