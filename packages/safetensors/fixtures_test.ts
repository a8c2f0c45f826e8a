// Copyright 2026 the Infoflow authors. MIT license.

import { SafetensorsError } from "./error.ts";
import { open } from "./open.ts";
import { parse } from "./parse.ts";
import assert from "node:assert/strict";

interface Fixture {
  file: string;
  /** "ok", or the code of the error. */
  expect: string;
}

const DIRECTORY = new URL("../../tests/fixtures/safetensors/", import.meta.url);
const FIXTURES: Fixture[] = JSON.parse(Deno.readTextFileSync(new URL("index.json", DIRECTORY)));

async function verdict(read: () => unknown): Promise<string> {
  try {
    await read();
    return "ok";
  } catch (error) {
    if (error instanceof SafetensorsError) return error.code;
    throw error;
  }
}

Deno.test("there are fixtures", () => assert(FIXTURES.length > 50));

for (const { file, expect } of FIXTURES) {
  const url = new URL(file, DIRECTORY);

  Deno.test(`parse() says ${expect} to ${file}`, async () => {
    const bytes = await Deno.readFile(url);
    assert.equal(await verdict(() => parse(bytes)), expect);
  });

  Deno.test(`open() says ${expect} to ${file}`, async () => {
    assert.equal(await verdict(async () => (await open(url)).close()), expect);
  });

  if (expect === "ok") {
    Deno.test(`open() reads the same as parse() from ${file}`, async () => {
      const parsed = parse(await Deno.readFile(url));
      await using opened = await open(url);
      assert.deepEqual(opened.tensors, parsed.tensors);
      assert.deepEqual(opened.metadata, parsed.metadata);
      for (const name of opened.tensors.keys()) {
        assert.deepEqual(await opened.read(name), new Uint8Array(parsed.bytes(name)));
      }
    });
  }
}
