import assert from "node:assert/strict";
import { labelText } from "../../web/draw/token_label.ts";
import { distance, makeRamp } from "../../web/draw/ramp.ts";
import { topOf } from "../../web/draw/shade.ts";
import { DEFAULT_STATE, readState, writeState } from "../../web/page_state.ts";
import { Answers, type Question } from "../../web/server/answers.ts";
// @ts-types="@types/d3-color"
import { lab } from "d3-color";

Deno.test("the ramp is even to the eye, rises steadily in lightness, and can be shown", () => {
  for (const isDark of [false, true]) {
    const { colours } = makeRamp(isDark);
    const steps = colours.slice(1).map((colour, index) => distance(colours[index]!, colour));
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
    for (const step of steps) assert(step > 0.5 * mean && step < 1.5 * mean, `${step} of ${mean}`);
    const lights = colours.map((colour) => isDark ? -lab(colour).l : lab(colour).l);
    assert(lights.every((light, index) => index === 0 || light < lights[index - 1]!));
    assert(colours.every((colour) => colour.displayable()));
  }
});

Deno.test("a state and its link are the same, whatever the prompt", () => {
  for (const prompt of ["", "a&b=c#d%20+ é", "🍣\n<script>", "=".repeat(50)]) {
    const state = { ...DEFAULT_STATE, prompt, layer: 0, view: "heads", token: 7 } as const;
    assert.deepEqual(readState(writeState(state)), { state, broken: [] });
  }
  assert.equal(writeState(DEFAULT_STATE), "");
  assert.deepEqual(readState("#__proto__=1&layer=1e9&curve=AUTO&"), {
    state: DEFAULT_STATE,
    broken: ["__proto__=1", "layer=1e9"],
  });
});

Deno.test("labels show what can't be seen, and turn no text around", () => {
  assert.equal(labelText(" a\n"), "·a↵");
  assert.equal(labelText("\u202eabc\0"), "\\u202eabc␀");
  assert.equal(labelText("\\xf0\\x9f"), "\\xf0\\x9f");
  assert.equal(labelText("👩🏽‍🚀x", 2), "👩🏽‍🚀x");
  assert.equal(labelText("abcdef", 4), "abc…");
  assert.equal(labelText("<|endoftext|>"), "BOS");
});

Deno.test("the scale ends where all but a few cells are below it, the first row aside", () => {
  const values = Float32Array.of(1, 0, 0, 0.7, 0.3, 0, 0.2, 0.3, 0.5);
  const matrix = { tokens: ["a", "b", "c"], values, dropped: new Float32Array(3), positions: 3 };
  assert.equal(topOf(matrix), values[3]);
});

Deno.test("Answers asks once, keeps the last, forgets failures, breaks off what nobody wants", async () => {
  const asked: string[] = [];
  const broken: string[] = [];
  const answers = new Answers();
  const question = (key: string): Question<string> => ({
    key: `letters ${key}`,
    kept: 2,
    fetch: (signal) => {
      asked.push(key);
      signal.addEventListener("abort", () => broken.push(key));
      return key === "bad" ? Promise.reject(new Error("no")) : Promise.resolve(key);
    },
  });
  assert.equal(await answers.ask(question("a")), "a");
  await answers.ask(question("a"));
  assert.deepEqual(asked, ["a"]);
  await assert.rejects(answers.ask(question("bad")));
  await assert.rejects(answers.ask(question("bad")));
  assert.deepEqual(asked, ["a", "bad", "bad"]);
  const slow = answers.ask(question("b"));
  answers.want(new Set(["letters a"]));
  assert.deepEqual(broken, ["b"]);
  await slow;
  for (const key of ["c", "d", "a"]) await answers.ask(question(key));
  assert.deepEqual(asked.slice(3), ["b", "c", "d", "a"], "a was the oldest of three");
});
