/**
 * Writes the lists of what is found in a folder: the analyses of `src/engine/analyses/`, and the answers of
 * `src/server/answers/`. `deno task api`; a test fails where a list is not what this writes.
 */
import { relative } from "node:path/posix";

const NOTE = "// Written by `deno task api`.\n";
const ANALYSES = "src/engine/analyses";
const ANSWERS = "src/server/answers";

/** Every list: its path, and what it says before it is formatted. */
export async function lists(): Promise<Readonly<Record<string, string>>> {
  return {
    [`${ANALYSES}/list.ts`]: analysesList(await find(ANALYSES, /^export class (\w+)Analysis /gm)),
    [`${ANSWERS}/list.ts`]: answersList(await find(ANSWERS, /^export const (\w+): AnswerMaker /gm)),
  };
}

function analysesList(found: readonly Found[]): string {
  const fields = (value: string): string =>
    found.map(({ name }) => `${fieldOf(name)}: ${name}${value},`).join("\n");
  return [
    NOTE,
    ...found.map(({ name, path }) =>
      `import { ${name}Analysis, type ${name}Question } from "${path}";`
    ),
    "",
    "/** The questions that an engine answers, each with its argument and its result. */",
    `export interface Questions { ${fields("Question").replaceAll(",", ";")} }`,
    "",
    "/** What answers each of them. */",
    `export const ANALYSES = { ${fields("Analysis")} } as const;`,
  ].join("\n");
}

function answersList(found: readonly Found[]): string {
  return [
    NOTE,
    'import type { AnswerMaker } from "./answer_maker.ts";',
    ...found.map(({ name, path }) => `import { ${name} } from "${path}";`),
    "",
    "/**",
    " * What answers each question about a prompt, by its field in `schema.graphql`. GraphQL and the links read this list.",
    " */",
    "export const ANSWERS: Readonly<Record<string, AnswerMaker>> = {",
    ...found.map(({ name }) => `${name},`),
    "};",
  ].join("\n");
}

/** A declaration, and its file as seen from the list. */
interface Found {
  readonly name: string;
  readonly path: string;
}

/** What a folder declares, by name. */
async function find(folder: string, declaration: RegExp): Promise<readonly Found[]> {
  const found: Found[] = [];
  const look = async (directory: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      const file = `${directory}/${name}`;
      if (isDirectory) await look(file);
      else {
        for (const [, name] of (await Deno.readTextFile(file)).matchAll(declaration)) {
          found.push({ name: name!, path: `./${relative(folder, file)}` });
        }
      }
    }
  };
  await look(folder);
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** `NextTokens` as `nextTokens`. */
function fieldOf(name: string): string {
  return name[0]!.toLowerCase() + name.slice(1);
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(await lists())) await Deno.writeTextFile(path, text);
}
