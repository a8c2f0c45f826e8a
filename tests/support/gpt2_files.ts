import { join } from "node:path";
import { lettersOfBytes } from "../../src/tokens/byte_letters.ts";
import { BOS_ID, BOS_TEXT, tokenBytes } from "../../src/tokens/vocabulary.ts";

/** GPT-2's tokens as `vocab.json` and `merges.txt` spell them. */
export function gpt2Files(): { vocab: Record<string, number>; merges: string[] } {
  const spellings = Array.from({ length: BOS_ID }, (_, id) => lettersOfBytes(tokenBytes(id)));
  const ids = new Map(spellings.map((spelling, id) => [spelling, id]));
  const merges = spellings.slice(256).map((spelling, i) => lastPair(spelling, ids, 256 + i));
  return { vocab: Object.fromEntries([...ids, [BOS_TEXT, BOS_ID]]), merges };
}

/** The pair that a token was merged from: what is left of it when only older tokens are merged. */
function lastPair(spelling: string, ids: ReadonlyMap<string, number>, id: number): string {
  const parts = spelling.split("");
  while (parts.length > 2) {
    let [best, at] = [id, -1];
    for (let i = 0; i + 1 < parts.length; i++) {
      const merged = ids.get(parts[i]! + parts[i + 1]!);
      if (merged !== undefined && merged < best) [best, at] = [merged, i];
    }
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
  return parts.join(" ");
}

/** Writes both files into a directory. */
export async function writeGpt2Files(directory: string): Promise<void> {
  const { vocab, merges } = gpt2Files();
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(join(directory, "vocab.json"), JSON.stringify(vocab));
  await Deno.writeTextFile(join(directory, "merges.txt"), `#version: 0.2\n${merges.join("\n")}\n`);
}

if (import.meta.main) await writeGpt2Files(Deno.args[0]!);
