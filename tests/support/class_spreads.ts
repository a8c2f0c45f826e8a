import ts from "typescript";

/**
 * Finds spreads of class instances: `{ ...it }` copies own properties only, so getters and methods, which a class has
 * on its prototype, are lost without a word.
 *
 * A spread counts if its static type is a class, or an interface that a class of these files says it implements.
 *
 * @param files Paths of TypeScript files; what they import is read too, as far as it is a relative path.
 * @returns Each as `path:line: text`.
 */
export function classSpreads(files: readonly string[]): string[] {
  const program = ts.createProgram(files, {
    allowImportingTsExtensions: true,
    lib: ["lib.esnext.d.ts"],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ESNext,
    types: [],
  });
  const checker = program.getTypeChecker();
  const sources = program.getSourceFiles().filter(({ isDeclarationFile }) => !isDeclarationFile);
  const implemented = new Set<ts.Symbol>();
  for (const source of sources) visit(source, (node) => addImplemented(node, checker, implemented));
  const found: string[] = [];
  for (const source of sources) {
    visit(source, (node) => {
      if (!ts.isSpreadAssignment(node)) return;
      const type = checker.getTypeAtLocation(node.expression);
      if (!isInstance(type, implemented)) return;
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push(`${source.fileName}:${line + 1}: ${node.getText()}`);
    });
  }
  return found;
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

function addImplemented(node: ts.Node, checker: ts.TypeChecker, found: Set<ts.Symbol>): void {
  if (!ts.isClassLike(node)) return;
  for (const { token, types } of node.heritageClauses ?? []) {
    if (token !== ts.SyntaxKind.ImplementsKeyword) continue;
    for (const type of types) {
      const symbol = checker.getTypeAtLocation(type).getSymbol();
      if (symbol) found.add(symbol);
    }
  }
}

function isInstance(type: ts.Type, implemented: ReadonlySet<ts.Symbol>): boolean {
  if (type.isUnionOrIntersection()) return type.types.some((one) => isInstance(one, implemented));
  const symbol = type.getSymbol();
  if (!symbol) return false;
  return type.isClass() || (symbol.flags & ts.SymbolFlags.Class) !== 0 || implemented.has(symbol);
}
