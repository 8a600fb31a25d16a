import path from 'node:path';
import ts from 'typescript';

/** One name of one emitted .d.ts. */
export interface Place {
  /** The source that it was emitted from. */
  readonly file: string;
  readonly name: string;
}

export interface Declaration {
  readonly kind: string;
  readonly text: string;
  /** What it speaks of and is declared in src. */
  readonly mentions: readonly Place[];
}

const printer = ts.createPrinter({ newLine: ts.NewLineKind.LineFeed });

/** The .d.ts of each source: inferred types are written out there, and private members are gone. */
export class Declarations {
  readonly #files = new Map<string, ts.SourceFile>();

  constructor(program: ts.Program) {
    program.emit(undefined, (_file, text, _mark, _onError, sources) => {
      const source = sources?.[0]?.fileName;
      if (source !== undefined)
        this.#files.set(source, ts.createSourceFile(source, text, ts.ScriptTarget.Latest, true));
    });
  }

  /** Throws if there is none: then the surface would be told wrongly. */
  find({ file, name }: Place): Declaration {
    const emitted = this.#files.get(file);
    const statements = emitted?.statements.filter(statement => namesOf(statement).includes(name)) ?? [];
    if (emitted === undefined || statements.length === 0) throw new Error(`${name}: no declaration found in ${file}`);
    return {
      kind: kindOf(statements[0]!),
      text: statements.map(statement => textOf(statement, emitted)).join('\n'),
      mentions: mentionsOf(statements, emitted),
    };
  }
}

const namesOf = (statement: ts.Statement): readonly string[] => {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.getText(statement.getSourceFile()));
  const { name } = statement as ts.Statement & { readonly name?: ts.Identifier };
  return name === undefined ? [] : [name.text];
};

const kindOf = (statement: ts.Statement): string => {
  if (ts.isInterfaceDeclaration(statement)) return 'interface';
  if (ts.isTypeAliasDeclaration(statement)) return 'type';
  if (ts.isClassDeclaration(statement)) return 'class';
  const type = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0]?.type : undefined;
  return ts.isFunctionDeclaration(statement) || (type && ts.isFunctionTypeNode(type)) ? 'function' : 'const';
};

/** With the comments of its members, without the one of the whole: that is told in words above it. */
const textOf = (statement: ts.Statement, file: ts.SourceFile): string =>
  printer
    .printNode(ts.EmitHint.Unspecified, statement, file)
    .replace(/^(\/\*\*[\s\S]*?\*\/\s*)+/, '')
    .replace(/^(export )?(declare )?/, '');

const mentionsOf = (statements: readonly ts.Statement[], file: ts.SourceFile): readonly Place[] => {
  const ours = new Map(file.statements.flatMap(statement => placesOf(statement, file)));
  const mentions = new Set<Place>();
  const visit = (node: ts.Node): void => {
    const name = mentionedIn(node)?.getText(file).split('.')[0];
    const place = name === undefined ? undefined : ours.get(name);
    if (place !== undefined) mentions.add(place);
    node.forEachChild(visit);
  };
  statements.forEach(visit);
  return [...mentions];
};

const mentionedIn = (node: ts.Node): ts.Node | undefined => {
  if (ts.isTypeReferenceNode(node)) return node.typeName;
  if (ts.isExpressionWithTypeArguments(node)) return node.expression;
  return ts.isTypeQueryNode(node) ? node.exprName : undefined;
};

/** The names that a statement brings into its file, with where they are declared; third parties are left out. */
const placesOf = (statement: ts.Statement, { fileName }: ts.SourceFile): readonly (readonly [string, Place])[] => {
  if (!ts.isImportDeclaration(statement)) return namesOf(statement).map(name => [name, { file: fileName, name }]);
  const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
  const { namedBindings } = statement.importClause ?? {};
  if (!specifier.startsWith('.') || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return [];
  const file = path.resolve(path.dirname(fileName), specifier.replace(/\.js$/, '.ts'));
  return namedBindings.elements.map(({ name, propertyName }) => [
    name.text,
    { file, name: (propertyName ?? name).text },
  ]);
};
