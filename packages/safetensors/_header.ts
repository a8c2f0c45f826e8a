// Copyright 2026 the Infoflow authors. MIT license.

import { type Dtype, DTYPES } from "./dtype.ts";
import { JsonReader } from "./_json.ts";
import type { U64 } from "./_u64.ts";

/** A tensor as the header declares it; whether that adds up is not known yet. */
export interface Declaration {
  dtype: Dtype;
  shape: U64[];
  begin: U64;
  end: U64;
}

/** A header's text, taken apart. */
export interface Header {
  tensors: Map<string, Declaration>;
  metadata: Map<string, string>;
  /** A key that came twice in one object; the last one won. */
  repeatedKey: string | undefined;
}

/**
 * Takes a header's text apart: `{ name: tensor, ..., "__metadata__": { string: string, ... } }`.
 *
 * It takes whatever serde takes for the reference's types, down to the odd forms: a tensor may be
 * the array of its three fields, a dtype may be `{"F32": null}`, `__metadata__` may be null, and
 * further fields of a tensor are skipped.
 */
export function parseHeader(text: string): Header {
  const reader = new JsonReader(text);
  const tensors = new Map<string, Declaration>();
  const metadata = new Map<string, string>();
  let hasMetadata = false;
  reader.object((key) => {
    if (key !== "__metadata__") {
      tensors.set(key, readTensor(reader));
    } else {
      if (hasMetadata) reader.fail("__metadata__ must not come twice");
      hasMetadata = true;
      if (reader.peek() === "n") reader.word("null");
      else reader.object((name) => metadata.set(name, reader.string()), metadata);
    }
  }, tensors);
  reader.end();
  return { tensors, metadata, repeatedKey: reader.repeatedKey };
}

const FIELDS = ["dtype", "shape", "data_offsets"] as const;

type Fields = { dtype?: Dtype; shape?: U64[]; data_offsets?: U64[] };

function readTensor(reader: JsonReader): Declaration {
  const fields: Fields = {};
  if (reader.peek() === "[") {
    reader.array((index) => {
      const name = FIELDS[index] ?? reader.fail("a tensor's array must end after three elements");
      readField(reader, fields, name);
    });
  } else {
    reader.object((name) => readField(reader, fields, name));
  }
  const { dtype, shape, data_offsets: [begin, end] = [] } = fields;
  if (dtype === undefined || shape === undefined || begin === undefined || end === undefined) {
    reader.fail("a dtype, a shape and two data_offsets must come before this");
  }
  return { dtype, shape, begin, end };
}

function readField(reader: JsonReader, fields: Fields, name: string): void {
  if (Object.hasOwn(fields, name)) reader.fail(`${name} must not come twice`);
  switch (name) {
    case "dtype":
      fields.dtype = readDtype(reader);
      break;
    case "shape":
      fields.shape = readIntegers(reader);
      break;
    case "data_offsets":
      fields.data_offsets = readIntegers(reader, 2);
      break;
    default:
      reader.skip();
  }
}

function readDtype(reader: JsonReader): Dtype {
  if (reader.peek() !== "{") return asDtype(reader, reader.string());
  const names: string[] = [];
  reader.object((key) => {
    names.push(key);
    reader.word("null");
  });
  const [name = "", ...others] = names;
  if (others.length > 0) reader.fail("one dtype must come before this");
  return asDtype(reader, name);
}

function asDtype(reader: JsonReader, name: string): Dtype {
  if (!Object.hasOwn(DTYPES, name)) reader.fail("a known dtype must come before this");
  return name as Dtype;
}

function readIntegers(reader: JsonReader, length?: number): U64[] {
  const integers: U64[] = [];
  reader.array(() => integers.push(reader.u64()));
  if (length !== undefined && integers.length !== length) {
    reader.fail(`an array of ${length} integers must come before this`);
  }
  return integers.slice(); // push left room for more, which millions of tensors would keep
}
