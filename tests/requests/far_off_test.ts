import assert from "node:assert/strict";
import { ceScoreOf, farOff, hasCeScore } from "../../src/requests/sae/far_off.ts";

const RES_4 = { l0: 12, explainedVariance: 0.9, ceScore: 0.98 };
const Z_3 = { l0: 12, explainedVariance: 0.84, ceScore: 0.86 };

function reasons(
  [l0, explainedVariance, ce, ceWithSae, ceWithZeros]: readonly number[],
  report: Parameters<typeof farOff>[1],
  tokens = 14,
): string[] {
  const losses = { ce: ce!, ceWithSae: ceWithSae!, ceWithZeros: ceWithZeros! };
  const fit = { l0: l0!, explainedVariance: explainedVariance!, ...losses };
  return farOff({ ...fit, ceScore: ceScoreOf(fit) }, report, tokens);
}

Deno.test("what the bundled two do on prompts of all kinds is not far off", () => {
  // English, code, French, as measured: L0, explained variance, losses of the model, with it, with zeros.
  assert.deepEqual(reasons([11.6, 0.85, 1.41, 1.81, 8.69], RES_4), []);
  assert.deepEqual(reasons([19.2, 0.83, 8.40, 8.83, 10.02], RES_4), []);
  assert.deepEqual(reasons([20.3, 0.75, 10.46, 10.78, 12.98], RES_4), []);
  assert.deepEqual(reasons([20.4, 0.67, 8.40, 8.49, 8.58], Z_3), []);
});

Deno.test("where zeros cost next to nothing, the CE score is no measure, whatever it is", () => {
  const losses = { ce: 1.41, ceWithSae: 1.31, ceWithZeros: 1.36 };
  assert(ceScoreOf({ l0: 0, explainedVariance: 0, ...losses }) < -1);
  assert(!hasCeScore(losses));
  assert.deepEqual(reasons([15.2, 0.65, 1.41, 1.31, 1.36], Z_3), []);
});

Deno.test("each of the three measures tells a fit that is far off", () => {
  assert.match(reasons([17.9, -0.57, 4, 4.1, 8], {})[0]!, /worse than none .*-0.57/);
  assert.match(reasons([57.7, 0.5, 4, 4.1, 8], { ...RES_4, l0: 17.9 })[0]!, /57.7 .* 17.9 are/);
  assert.match(reasons([3.9, 0.5, 4, 4.1, 8], RES_4)[0]!, /3.9 features .* 12.0 are/);
  assert.match(reasons([12, 0.5, 4, 7, 8], RES_4)[0]!, /saves 0.25 .* 0.98 are/);
  assert.equal(reasons([57.7, -0.57, 4, 9, 8], { ...RES_4, l0: 17.9 }).length, 3);
  // Nothing to compare with, or beginnings of text only.
  assert.deepEqual(reasons([57.7, 0.5, 4, 7, 8], {}), []);
  assert.deepEqual(reasons([57.7, 0.5, 4, 4.1, 8], { l0: 17.9 }, 8), []);
});
