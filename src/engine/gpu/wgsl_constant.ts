/**
 * Reads a `const` of a shader, such as the rows of a tile: the sizes are in the shader, whose code is written for them,
 * and the host reads them from its text.
 *
 * @throws {SyntaxError} If the shader has no such constant.
 */
export function wgslConstant(code: string, name: string): number {
  const value = code.match(new RegExp(`^const ${name} = (\\d+)u;`, "m"))?.[1];
  if (value === undefined) {
    throw new SyntaxError(`Cannot read a shader as it must have a const ${name}: there is none`);
  }
  return Number(value);
}
