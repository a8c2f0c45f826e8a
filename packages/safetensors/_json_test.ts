// Copyright 2026 the Infoflow authors. MIT license.

import { assertMalformed, assertTaken, file } from "./_test_file.ts";
import assert from "node:assert/strict";

/** A header with a tensor of no bytes that has a value in an unknown field. */
function withUnknown(value: string): string {
  return `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":${value}}}`;
}

const VALUE_AT = withUnknown("").length - 2;

// Whitespace is space, tab, line feed and carriage return, and may be anywhere between tokens.
Deno.test("whitespace around every token is taken", async () => {
  const text = '{"a":{"dtype":"U8","shape":[0,1],"data_offsets":[0,0],"x":[{},-1,true]}}';
  const spaced = text.replaceAll(/"\w+"|-?\w+|[^"\w]/g, " \t\n\r$& \t\n\r");
  assert.deepEqual(await assertTaken(file(spaced)), ["a"]);
});

// Nothing else is whitespace, whatever Unicode says.
for (const space of ["\u00a0", "\f", "\v", "\u2028", "\u0000"]) {
  Deno.test(`${JSON.stringify(space)} is no whitespace`, () =>
    assertMalformed(
      `{}${space}`,
      `nothing must follow the outermost object: current value is ${JSON.stringify(space)} ` +
        "at character 2",
    ));
}

// A header is an object.
Deno.test("a header of no bytes is refused", () =>
  assertMalformed("", "a { must be here: current value is the end of the header"));

// A header is an object, and no other value.
Deno.test("a header that is an array is refused", () =>
  assertMalformed("[]", 'a { must be here: current value is "[" at character 0'));

// What is opened is closed.
Deno.test("a header that ends within an object is refused", () =>
  assertMalformed("{", 'a " must be here: current value is the end of the header'));

// A key is a string.
Deno.test("a key without quotes is refused", () =>
  assertMalformed("{a:1}", 'a " must be here: current value is "a" at character 1'));

// A colon stands between a key and its value.
Deno.test("a key without a value is refused", () =>
  assertMalformed('{"a"}', 'a : must be here: current value is "}" at character 4'));

// Commas stand between elements, not after the last one.
Deno.test("a comma behind the last element of an object is refused", () =>
  assertMalformed(
    '{"__metadata__":{},}',
    'a " must be here: current value is "}" at character 19',
  ));

Deno.test("a comma behind the last element of an array is refused", () =>
  assertMalformed(
    withUnknown("[1,]"),
    `a value must be here, and a number must be finite: current value is "]" at character ${
      VALUE_AT + 3
    }`,
  ));

// Commas stand between all elements.
Deno.test("elements without a comma between them are refused", () =>
  assertMalformed(
    withUnknown("[1 2]"),
    `a , must be here: current value is "2" at character ${VALUE_AT + 3}`,
  ));

// Brackets are closed by their own kind.
Deno.test("an array that is closed like an object is refused", () =>
  assertMalformed(
    withUnknown("[1}"),
    `a , must be here: current value is "}" at character ${VALUE_AT + 2}`,
  ));

// A string holds no control character, unless escaped.
Deno.test("a line feed in a string is refused", () =>
  assertMalformed(
    '{"a\nb":1}',
    'a string must not hold a control character and must end: current value is "\\n" at character 3',
  ));

// A string ends before the header does.
for (const open of ['{"a', '{"a\\', '{"a\\"']) {
  Deno.test(`a string that does not end is refused: ${open}`, () =>
    assertMalformed(
      open,
      "a string must not hold a control character and must end: " +
        "current value is the end of the header",
    ));
}

const BAD_ESCAPES = ["\\x", "\\u12", "\\u12g4", "\\U0041", "\\'"];

// The escapes are those of JSON.
for (const escape of BAD_ESCAPES) {
  Deno.test(`the unknown escape ${escape} is refused`, () =>
    assertMalformed(
      `{"${escape}":1}`,
      "escapes must be known ones, and surrogates must come in pairs, in the string: " +
        'current value is "\\\\" at character 2',
    ));
}

const BAD_SURROGATES = [
  "\\ud83d",
  "\\ude00",
  "\\ude00\\ud83d",
  "\\ud83dx",
  "\\ud83d\\n",
  "\\ud83d\u{1f600}",
];

// An escaped surrogate is half of a character: it counts for nothing without the other half.
for (const escape of BAD_SURROGATES) {
  Deno.test(`the lone surrogate in ${escape} is refused`, () =>
    assertMalformed(
      `{"${escape}":1}`,
      "escapes must be known ones, and surrogates must come in pairs, in the string: " +
        'current value is "\\\\" at character 2',
    ));
}

// Two halves are a character; the rest of the escapes are one each.
Deno.test("escapes are read in keys and in values", async () => {
  const bytes = file(
    String.raw`{"\ud83d\uDE00\"\\\/\b\f\n\r\t\u0000":${withUnknown('"\\\\"').slice(5, -1)}}`,
  );
  assert.deepEqual(await assertTaken(bytes), ['\u{1f600}"\\/\b\f\n\r\t\0']);
});

const NUMBERS = [
  "0",
  "-0",
  "7",
  "-7",
  "1.5",
  "1e3",
  "1E+3",
  "1e-3",
  "0e99999999999",
  "1e-99999",
  "1".repeat(300),
];

// Where an unknown field has a number, any JSON number will do.
for (const number of NUMBERS) {
  Deno.test(`the number ${number.slice(0, 16)} is taken in an unknown field`, async () => {
    assert.deepEqual(await assertTaken(file(withUnknown(number))), ["a"]);
  });
}

const NOT_NUMBERS = [
  "01",
  "-",
  "+1",
  ".5",
  "1.",
  "1e",
  "1e+",
  "-01",
  "1-2",
  "1e400",
  "-1e400",
  "1".repeat(400),
];

// A number is spelled as in JSON, and does not overflow.
for (const number of NOT_NUMBERS) {
  Deno.test(`${number.slice(0, 16)} is refused in an unknown field`, () =>
    assertMalformed(
      withUnknown(number),
      "a value must be here, and a number must be finite: " +
        `current value is "${number[0]}" at character ${VALUE_AT}`,
    ));
}

// There are three words, in lower case.
Deno.test("a misspelled word is refused", () =>
  assertMalformed(
    withUnknown("nil"),
    `the word null must be here: current value is "n" at character ${VALUE_AT}`,
  ));

Deno.test("the three words are taken in an unknown field", async () => {
  assert.deepEqual(await assertTaken(file(withUnknown("[null,true,false]"))), ["a"]);
});

// 127 brackets may be open at once; the header and its tensor are two of them.
Deno.test("brackets nest 127 deep", async () => {
  const nested = "[".repeat(125) + "]".repeat(125);
  assert.deepEqual(await assertTaken(file(withUnknown(nested))), ["a"]);
});

Deno.test("brackets that nest 128 deep are refused", () =>
  assertMalformed(
    withUnknown("[".repeat(126) + "]".repeat(126)),
    `brackets must not nest deeper than 127: current value is "[" at character ${VALUE_AT + 125}`,
  ));

// Neither the stack nor the time is at the mercy of the file.
Deno.test("a million open brackets are refused", () =>
  assertMalformed(
    withUnknown("[".repeat(1_000_000)),
    `brackets must not nest deeper than 127: current value is "[" at character ${VALUE_AT + 125}`,
  ));

Deno.test("a size of a million digits is refused without being computed", () =>
  assertMalformed(
    `{"a":{"shape":[${"9".repeat(1_000_000)}]}}`,
    'an integer from 0 to 2^64 - 1 must be here: current value is "9" at character 15',
  ));
