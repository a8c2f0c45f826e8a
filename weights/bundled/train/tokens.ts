/**
 * The corpus of the bundled model, as token ids of GPT-2's vocabulary in files of uint16:
 *
 *     deno run --allow-read --allow-write weights/bundled/train/tokens.ts BOOKS OUT [first]
 *
 * BOOKS holds the texts of `BOOKS_BY_NAME`, each as NAME.txt. OUT gets books.bin, and syn.bin with `first` (900 thousand
 * tokens of sentences for the first run, by a generator that repeats itself: 506 different stories) or syn2.bin without
 * it (4 million for the second run, by one that does not).
 */
import { join } from "node:path";
import { BOS_ID, encode } from "../../../src/tokens/vocabulary.ts";

/** What was read, in this order. The first four are prose that is wrapped by hand: their lines are joined again. */
const BOOKS_BY_NAME = {
  pg1342: { title: "Pride and Prejudice (Project Gutenberg 1342)", isWrapped: true },
  pg2591: { title: "Grimms' Fairy Tales (2591)", isWrapped: true },
  pg244: { title: "A Study in Scarlet (244)", isWrapped: true },
  alice: { title: "Alice's Adventures in Wonderland", isWrapped: true },
  pg8800: { title: "The Divine Comedy, in English (8800)", isWrapped: false },
  shakespeare: { title: "a selection of Shakespeare's plays, 1.1 MB", isWrapped: false },
};

const NAMES =
  "Mary John Tom James Dan Sarah Anna Peter Jack Lucy Alice Mark Paul Emma Kate Bill Jane Sam David " +
  "Laura Bob Ruth Ben Rose Max Helen Lily Tim Sue Amy";
const PLACES =
  "store park school garden station market beach library house farm church river shop kitchen office";
const THINGS =
  "cart ball book drink ring bone kiss apple basket letter cup flower hat key kite bag cake snack " +
  "computer necklace";
const ADJECTIVES = "big small red old new little happy bright cold good blue green";
const ANIMALS = "dog cat bird rabbit fox bear mouse horse duck frog";
const VERBS = "gave handed passed offered brought";

type Rng = () => number;

/** The generator of the first run, a linear congruential one whose short period makes stories repeat. */
function congruential(): Rng {
  let state = 12345;
  return () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** That of the second run: mulberry32, with the same seed. */
function mulberry(): Rng {
  let state = 12345;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The text between Project Gutenberg's marks, with plain quotation marks. */
function cleaned(text: string, isWrapped: boolean): string {
  text = text.replaceAll("\uFEFF", "").replaceAll("\r", "");
  const start = text.search(/\*\*\* ?START OF.*\*\*\*/);
  if (start >= 0) text = text.slice(text.indexOf("\n", start) + 1);
  const end = text.search(/\*\*\* ?END OF/);
  if (end >= 0) text = text.slice(0, end);
  if (isWrapped) {
    text = text.split(/\n\s*\n/).map((paragraph) => paragraph.replace(/\s*\n\s*/g, " ").trim())
      .filter(Boolean).join("\n");
  }
  return text.replaceAll(/[“”]/g, '"').replaceAll(/[‘’]/g, "'").replaceAll("_", "");
}

/** Makes a few sentences by one of nine templates. The order of the draws is part of the corpus. */
function sentences(random: Rng): string {
  const pick = (words: string): string => {
    const list = words.split(" ");
    return list[Math.floor(random() * list.length)]!;
  };
  const a = pick(NAMES);
  let b = pick(NAMES);
  while (b === a) b = pick(NAMES);
  const [place, thing] = [pick(PLACES), pick(THINGS)];
  const [x, y] = random() < 0.5 ? [a, b] : [b, a];
  const gave = pick(VERBS);
  switch (Math.floor(random() * 9)) {
    case 0:
      return `${a} and ${b} went to the ${place}. ${x} ${gave} the ${thing} to ${y}.`;
    case 1:
      return `When ${a} and ${b} went to the ${place}, ${x} ${gave} a ${thing} to ${y}.`;
    case 2:
      return `${a} and ${b} were at the ${place}. ${x} found a ${thing} and ${gave} it to ${y}. ${y} was happy.`;
    case 3: {
      const [animal, kind] = [pick(ANIMALS), pick(ADJECTIVES)];
      return `Once there was a ${kind} ${animal}. The ${animal} lived near the ${place}. One day the ${kind} ${animal} ` +
        `found a ${thing}. "What a ${pick(ADJECTIVES)} ${thing}!" said the ${animal}.`;
    }
    case 4:
      return `${a} has a ${thing}. ${b} does not have a ${thing}. ${a} gave ${b} the ${thing}. Now ${b} has the ${thing}.`;
    case 5: {
      const kind = pick(ADJECTIVES);
      return `The ${thing} in the ${place} is ${kind}. ${a} likes the ${kind} ${thing}. ${b} likes it too.`;
    }
    case 6:
      return `After ${a} left the ${place}, ${b} looked for ${a}. "Where is ${a}?" asked ${b}.`;
    case 7: {
      const c = pick(NAMES);
      return `${a}, ${b} and ${c} played in the ${place} with a ${
        pick(ADJECTIVES)
      } ${thing}. ${x} threw the ${thing} to ${y}.`;
    }
    default:
      return `${a} went to the ${place} with a ${pick(ANIMALS)}. ${a} and the ${
        pick(ANIMALS)
      } saw ${b}. ${b} said hello to ${a}.`;
  }
}

/** Stories of 2 to 6 of them, each ended by BOS, until there are so many tokens. */
function stories(random: Rng, count: number): number[] {
  const ids: number[] = [];
  while (ids.length < count) {
    const length = 2 + Math.floor(random() * 5);
    const story = Array.from({ length }, () => sentences(random)).join(" ");
    ids.push(...encode(story), BOS_ID);
  }
  return ids;
}

async function write(path: string, ids: readonly number[]): Promise<void> {
  await Deno.writeFile(path, new Uint8Array(Uint16Array.from(ids).buffer));
  console.log(`${path}: ${ids.length.toLocaleString("en")} tokens`);
}

if (import.meta.main) {
  const [books, out, run] = Deno.args as [string, string, string?];
  const ids: number[] = [];
  for (const [name, { isWrapped }] of Object.entries(BOOKS_BY_NAME)) {
    for (
      const id of encode(cleaned(await Deno.readTextFile(join(books, `${name}.txt`)), isWrapped))
    ) {
      ids.push(id);
    }
  }
  await write(join(out, "books.bin"), ids);
  if (run === "first") await write(join(out, "syn.bin"), stories(congruential(), 900_000));
  else await write(join(out, "syn2.bin"), stories(mulberry(), 4_000_000));
}
