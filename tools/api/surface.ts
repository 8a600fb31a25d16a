import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { Declarations, type Place } from './declarations.js';
import type { Door } from './doors.js';

export interface Entry {
  readonly name: string;
  readonly kind: string;
  /** The first paragraph of its doc comment. */
  readonly summary: string;
  /** The declaration, as in the .d.ts, with the comments of its members. */
  readonly text: string;
}

export interface DoorSurface {
  readonly name: string;
  readonly exports: readonly Entry[];
  /** What these speak of and no import gives by name: part of the surface all the same. */
  readonly parts: readonly Entry[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Reads the surface of each door. Throws when the sources do not compile: what they export would be a guess. */
export const readSurface = (doors: readonly Door[]): readonly DoorSurface[] => {
  const program = compile(doors);
  const checker = program.getTypeChecker();
  const declarations = new Declarations(program);
  const exportsOf = doors.map(door => exportedFrom(door, program));
  // The main door is always at hand beside another one.
  const main = exportsOf[doors.findIndex(({ name }) => name === 'fairlead')] ?? [];
  const read = (exported: Exported): Entry => {
    const { kind, text } = declarations.find(exported.place);
    const summary = ts.displayPartsToString(exported.symbol?.getDocumentationComment(checker));
    return { name: exported.as, kind, text, summary: firstParagraph(summary) };
  };
  return doors.map(({ name }, at) => ({
    name,
    exports: exportsOf[at]!.map(read).sort(byName),
    parts: partsOf(exportsOf[at]!, main, declarations).map(read).sort(byName),
  }));
};

const compile = (doors: readonly Door[]): ts.Program => {
  const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), file => ts.sys.readFile(file)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const program = ts.createProgram(
    // No import leads to declarations that stand for a package without types.
    [...doors.map(({ file }) => path.join(ROOT, file)), ...ts.sys.readDirectory(path.join(ROOT, 'src'), ['.d.ts'])],
    { ...options, noEmit: false, declaration: true, emitDeclarationOnly: true },
  );
  const problems = ts.getPreEmitDiagnostics(program);
  if (problems.length === 0) return program;
  const host = {
    getCurrentDirectory: () => ROOT,
    getCanonicalFileName: (file: string) => file,
    getNewLine: () => '\n',
  };
  throw new Error(`the sources do not compile:\n${ts.formatDiagnostics(problems.slice(0, 5), host)}`);
};

interface Exported {
  /** The name by which it is imported. */
  readonly as: string;
  readonly place: Place;
  readonly symbol: ts.Symbol | undefined;
}

const exportedFrom = ({ file }: Door, program: ts.Program): readonly Exported[] => {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path.join(ROOT, file));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) return [];
  return checker.getExportsOfModule(module).map(exported => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const declaredIn = symbol.declarations?.[0]?.getSourceFile().fileName ?? file;
    return { as: exported.name, place: { file: declaredIn, name: symbol.name }, symbol };
  });
};

/** Everything that the exports speak of, however deep, as far as neither they nor the main door give it a name. */
const partsOf = (
  exported: readonly Exported[],
  main: readonly Exported[],
  declarations: Declarations,
): readonly Exported[] => {
  const seen = new Set([...exported, ...main].map(({ place }) => keyOf(place)));
  const parts: Exported[] = [];
  const waiting = exported.flatMap(({ place }) => declarations.find(place).mentions);
  for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
    if (seen.has(keyOf(place))) continue;
    seen.add(keyOf(place));
    parts.push({ as: place.name, place, symbol: undefined });
    waiting.push(...declarations.find(place).mentions);
  }
  return parts;
};

const keyOf = ({ file, name }: Place): string => `${file}#${name}`;

const firstParagraph = (text: string): string =>
  text
    .trim()
    .split(/\n\s*\n/)[0]!
    .replace(/\s*\n\s*/g, ' ');

/** By code unit: the same on each machine, whatever its locale. */
const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
