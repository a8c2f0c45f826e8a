import type { Random } from "../support/random.ts";

/** Pieces that headers are made of, and what is nearly such. */
const WORDS = [
  '{"',
  '"}',
  "{}",
  "[]",
  "[0,0]",
  "[0,4]",
  "null",
  "true",
  "1e3",
  "-0",
  "-1",
  "2.0",
  "00",
  "18446744073709551615",
  "18446744073709551616",
  "9007199254740993",
  "1e999",
  '"dtype":"F32"',
  '"dtype":"F4"',
  '"dtype":"BOOL"',
  '"shape":[1]',
  '"shape":[0,9]',
  '"shape":[]',
  '"data_offsets":[0,4]',
  '"data_offsets":[4,0]',
  '"__metadata__":{}',
  '"__metadata__":{"a":"b"}',
  '"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}',
  "\\u0000",
  "\\ud800",
  "\\ud83d\\ude00",
  "\u00e9",
  "\ufeff",
  " ",
  "\n",
  "\t",
  "\0",
  ",",
  ":",
  '"',
  "\\",
].map((word) => new TextEncoder().encode(word));

const NUMBERS = /\d+/g;

/** A file that is made from others: bits, bytes, spans, numbers, lengths. */
export function mutate(files: readonly Uint8Array[], random: Random): Uint8Array {
  const pick = (): Uint8Array => files[random.below(files.length)]!;
  let { header, data } = split(pick());
  for (let times = random.below(3) === 0 ? 1 + random.below(4) : 1; times > 0; times--) {
    switch (random.below(9)) {
      case 0:
        header = header.slice();
        if (header.length > 0) header[random.below(header.length)]! ^= 1 << random.below(8);
        break;
      case 1:
        header = replaced(header, span(header, random), new Uint8Array());
        break;
      case 2:
        header = replaced(header, empty(header, random), WORDS[random.below(WORDS.length)]!);
        break;
      case 3: {
        const [from, to] = span(header, random);
        header = replaced(header, empty(header, random), header.slice(from, to));
        break;
      }
      case 4:
        header = withNumber(header, random);
        break;
      case 5: {
        const other = split(pick()).header;
        const [from, to] = span(other, random);
        header = replaced(header, span(header, random), other.slice(from, to));
        break;
      }
      case 6:
        data = data.slice(0, random.below(data.length + 1));
        break;
      case 7:
        data = joined([data, new Uint8Array(random.below(9))]);
        break;
      case 8:
        header = swapped(header, random);
        break;
    }
  }
  const length = random.below(12) === 0
    ? wrongLength(header.length, random)
    : BigInt(header.length);
  const file = joined([new Uint8Array(8), header, data]);
  new DataView(file.buffer).setBigUint64(0, length, true);
  return random.below(40) === 0 ? file.slice(0, random.below(file.length)) : file;
}

function split(file: Uint8Array): { header: Uint8Array; data: Uint8Array } {
  if (file.length < 8) return { header: file, data: new Uint8Array() };
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const end = Math.min(file.length, 8 + length);
  return { header: file.slice(8, end), data: file.slice(end) };
}

function span(bytes: Uint8Array, random: Random): [from: number, to: number] {
  const from = random.below(bytes.length + 1);
  return [from, Math.min(bytes.length, from + 1 + random.below(24))];
}

function empty(bytes: Uint8Array, random: Random): [from: number, to: number] {
  const at = random.below(bytes.length + 1);
  return [at, at];
}

function replaced(bytes: Uint8Array, [from, to]: [number, number], by: Uint8Array): Uint8Array {
  return joined([bytes.subarray(0, from), by, bytes.subarray(to)]);
}

/** Puts another number where one is: a neighbour, or one from the edge of a range. */
function withNumber(header: Uint8Array, random: Random): Uint8Array {
  const text = latin1(header);
  const numbers = Array.from(text.matchAll(NUMBERS));
  const match = numbers[random.below(Math.max(1, numbers.length))];
  if (!match) return header;
  const edges = [0n, 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n];
  const number = random.below(2) === 0
    ? BigInt(match[0]) + BigInt(random.below(9) - 4)
    : edges[random.below(edges.length)]!;
  const written = Uint8Array.from(String(number), (digit) => digit.charCodeAt(0));
  return replaced(header, [match.index, match.index + match[0].length], written);
}

function swapped(header: Uint8Array, random: Random): Uint8Array {
  const cuts = Array.from({ length: 4 }, () => random.below(header.length + 1)).sort((a, b) =>
    a - b
  );
  const [a, b, c, d] = cuts as [number, number, number, number];
  const parts = [[0, a], [c, d], [b, c], [a, b], [d, header.length]];
  return joined(parts.map(([from, to]) => header.subarray(from, to)));
}

function wrongLength(length: number, random: Random): bigint {
  const lengths = [
    0n,
    1n,
    BigInt(length) - 1n,
    BigInt(length) + 1n,
    2n ** 63n,
    2n ** 64n - 1n,
    100_000_001n,
  ];
  return BigInt.asUintN(64, lengths[random.below(lengths.length)]!);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
