// Copyright 2026 the Infoflow authors. MIT license.

import { parseHeader } from "./_header.ts";
import { assertMalformed, header } from "./_test_file.ts";
import assert from "node:assert/strict";

const MISSING = "a dtype, a shape and two data_offsets must come before this";

// A tensor has its three fields.
for (const field of ["dtype", "shape", "data_offsets"]) {
  Deno.test(`a tensor without ${field} is refused`, async () => {
    const text = header("U8", "[0]", "[0,0]").replace(`"${field}"`, '"other"');
    await assertMalformed(text, `${MISSING}: current value is "}" at character ${text.length - 1}`);
  });

  // A tensor has each of them once.
  Deno.test(`a tensor with two of ${field} is refused`, async () => {
    const values = { dtype: '"U8"', shape: "[0]", data_offsets: "[0,0]" };
    const value = values[field as keyof typeof values];
    const text = `{"a":{"${field}":${value},"${field}":${value}}}`;
    await assertMalformed(
      text,
      `${field} must not come twice: current value is ${JSON.stringify(value[0])} at character ${
        text.length - 2 - value.length
      }`,
    );
  });
}

// A tensor is an object.
for (const value of ["null", "1", '"U8"', "true"]) {
  Deno.test(`a tensor that is ${value} is refused`, () =>
    assertMalformed(
      `{"a":${value}}`,
      `a { must be here: current value is ${JSON.stringify(value[0])} at character 5`,
    ));
}

// Or, for serde's sake, the array of its fields, and of no more or fewer.
Deno.test("a tensor that is an array of two is refused", () =>
  assertMalformed('{"a":["U8",[0]]}', `${MISSING}: current value is "}" at character 15`));

Deno.test("a tensor that is an array of four is refused", () =>
  assertMalformed(
    '{"a":["U8",[0],[0,0],1]}',
    'a tensor\'s array must end after three elements: current value is "1" at character 21',
  ));

Deno.test("a tensor that is an array of three is taken", () => {
  const { tensors } = parseHeader('{"a":["U8",[3],[0,3]]}');
  assert.deepEqual([...tensors], [["a", { dtype: "U8", shape: [3], begin: 0, end: 3 }]]);
});

// A dtype is one of the 22, in capital letters.
for (const dtype of ["F128", "f32", "", "toString", "__proto__"]) {
  Deno.test(`the dtype ${JSON.stringify(dtype)} is refused`, () =>
    assertMalformed(
      header(dtype, "[0]", "[0,0]"),
      `a known dtype must come before this: current value is "," at character ${16 + dtype.length}`,
    ));
}

// A dtype is a string.
Deno.test("a dtype that is a number is refused", () =>
  assertMalformed('{"a":{"dtype":1}}', 'a " must be here: current value is "1" at character 14'));

// Or, for serde's sake, an object with that one key and null.
Deno.test("a dtype that is an object with null is taken", () => {
  const { tensors } = parseHeader('{"a":{"dtype":{"U8":null},"shape":[3],"data_offsets":[0,3]}}');
  assert.deepEqual([...tensors], [["a", { dtype: "U8", shape: [3], begin: 0, end: 3 }]]);
});

Deno.test("a dtype that is an object with anything but null is refused", () =>
  assertMalformed(
    '{"a":{"dtype":{"U8":1}}}',
    'the word null must be here: current value is "1" at character 20',
  ));

Deno.test("a dtype that is an object with two keys is refused", () =>
  assertMalformed(
    '{"a":{"dtype":{"U8":null,"I8":null}}}',
    'one dtype must come before this: current value is "}" at character 35',
  ));

Deno.test("a dtype that is an object without keys is refused", () =>
  assertMalformed(
    '{"a":{"dtype":{}}}',
    'a known dtype must come before this: current value is "}" at character 16',
  ));

// A shape is an array.
for (const shape of ["null", "2", "{}", '"2"']) {
  Deno.test(`the shape ${shape} is refused`, () =>
    assertMalformed(
      header("U8", shape, "[0,0]"),
      `a [ must be here: current value is ${JSON.stringify(shape[0])} at character 27`,
    ));
}

// A size is written in digits alone, the first of them no 0 beside others, and below 2^64.
for (
  const size of [
    "-1",
    "-0",
    "null",
    '"2"',
    "[2]",
    "02",
    "00",
    "18446744073709551616",
    "99999999999999999999",
    "100000000000000000000",
  ]
) {
  Deno.test(`the size ${size} is refused`, () =>
    assertMalformed(
      header("U8", `[${size}]`, "[0,0]"),
      `an integer from 0 to 2^64 - 1 must be here: current value is ${
        JSON.stringify(size[0])
      } at character 28`,
    ));
}

// A size is written without fraction and exponent, whole or not.
for (const size of ["2.0", "1.5", "2e0", "2E1"]) {
  Deno.test(`the size ${size} is refused`, () =>
    assertMalformed(
      header("U8", `[${size}]`, "[0,0]"),
      `a , must be here: current value is "${size[1]}" at character 29`,
    ));
}

// A size is not rounded.
Deno.test("sizes up to 2^64 - 1 are read exactly", () => {
  const sizes = "[9007199254740991,9007199254740992,9007199254740993,18446744073709551615]";
  const { tensors } = parseHeader(header("U8", sizes, "[0,9007199254740993]"));
  const { shape, end } = tensors.get("a")!;
  assert.deepEqual(shape, [
    9007199254740991,
    9007199254740992n,
    9007199254740993n,
    18446744073709551615n,
  ]);
  assert.equal(end, 9007199254740993n);
});

// There are two offsets.
for (const offsets of ["[]", "[0]", "[0,0,0]"]) {
  Deno.test(`the offsets ${offsets} are refused`, () =>
    assertMalformed(
      header("U8", "[0]", offsets),
      `an array of 2 integers must come before this: current value is "}" at character ${
        46 + offsets.length
      }`,
    ));
}

// The metadata is an object.
for (const value of ["1", "[]", '"a"']) {
  Deno.test(`metadata that is ${value} is refused`, () =>
    assertMalformed(
      `{"__metadata__":${value}}`,
      `a { must be here: current value is ${JSON.stringify(value[0])} at character 16`,
    ));
}

// The metadata's values are strings.
for (const value of ["1", "null", "{}", '["a"]']) {
  Deno.test(`metadata with the value ${value} is refused`, () =>
    assertMalformed(
      `{"__metadata__":{"k":${value}}}`,
      `a " must be here: current value is ${JSON.stringify(value[0])} at character 21`,
    ));
}

// The metadata comes once.
Deno.test("metadata that comes twice is refused", () =>
  assertMalformed(
    '{"__metadata__":{},"__metadata__":{}}',
    '__metadata__ must not come twice: current value is "{" at character 34',
  ));

Deno.test("metadata that is null is taken, once", async () => {
  const { metadata, tensors } = parseHeader('{"__metadata__":null}');
  assert.equal(metadata.size + tensors.size, 0);
  await assertMalformed(
    '{"__metadata__":null,"__metadata__":null}',
    '__metadata__ must not come twice: current value is "n" at character 36',
  );
});

// A key is what it reads as, not how it is spelled.
Deno.test("metadata whose key has an escape is metadata", () => {
  const { metadata, tensors } = parseHeader('{"\\u005f_metadata__":{"__proto__":"b"}}');
  assert.deepEqual([...metadata], [["__proto__", "b"]]);
  assert.equal(tensors.size, 0);
});

// Fields that the format may get one day are no error.
Deno.test("unknown fields of a tensor are skipped", () => {
  const { tensors } = parseHeader(
    '{"a":{"x":{"y":[1.5,null]},"dtype":"U8","shape":[],"data_offsets":[0,1],"__proto__":1}}',
  );
  assert.deepEqual([...tensors], [["a", { dtype: "U8", shape: [], begin: 0, end: 1 }]]);
});
