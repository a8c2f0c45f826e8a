import assert from "node:assert/strict";
import { InfoflowError } from "../../src/errors.ts";
import { ablations } from "../../src/requests/interventions/ablations.ts";
import { canonicalInterventions } from "../../src/requests/interventions/canonical_interventions.ts";
import {
  type Intervention,
  type InterventionInput,
  interventionsKey,
} from "../../src/requests/interventions/intervention.ts";
import { reachOf } from "../../src/requests/interventions/reach.ts";

const RUN = {
  architecture: { layers: 3, heads: 4, channels: 8, headSize: 2 },
  ids: [9, 5, 6, 7, 8],
  beginsWithBos: true,
};
const of = (...inputs: InterventionInput[]): Intervention[] => canonicalInterventions(inputs, RUN);
const Z = { site: "Z", layer: 1, action: "ZERO" } as const;
const STREAM = { site: "RESID_PRE", layer: 1 } as const;

/** Checks that an intervention is refused, and what people read. */
function refused(input: InterventionInput, message: RegExp): void {
  assert.throws(() => of(input), (error) => {
    assert(error instanceof InfoflowError);
    assert.equal(error.code, "BAD_USER_INPUT");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("interventions that say the same have one form, and one key", () => {
  const expected: Intervention = { ...Z, heads: [0, 2], positions: [1, 4] };
  const forms = [
    of({ ...Z, heads: [2, 0, 2], positions: [-1, 1] }),
    of({ ...Z, heads: [2], positions: [1, 4] }, { ...Z, heads: [0], positions: [4, 1] }),
  ];
  for (const form of forms) assert.deepEqual(form, [expected]);
  assert.equal(new Set(forms.map(interventionsKey)).size, 1);
  assert.deepEqual(of({ ...Z, heads: [3, 2, 1, 0], positions: [0, 1, 2, 3, 4] }), [Z]);
  assert.deepEqual(of(...ablations([{ layer: 1, head: 3 }, { layer: 1, head: 0 }])), [
    { ...Z, heads: [0, 3] },
  ]);
  assert.equal(interventionsKey([]), "");
});

Deno.test("interventions stand in the order of the computation, those of one site as they were asked for", () => {
  const add = { ...STREAM, action: "ADD", vector: [1, 0, 0, 0, 0, 0, 0, 0] } as const;
  const scale = { ...STREAM, action: "SCALE", factor: 2 } as const;
  const end = { site: "RESID_POST", layer: 0, action: "ZERO" } as const;
  const list = of({ ...Z, layer: 0 }, scale, add, end, {
    site: "MLP_OUT",
    layer: 0,
    action: "ZERO",
  });
  assert.deepEqual(list.map(({ site, layer, action }) => `${site} ${layer} ${action}`), [
    "Z 0 ZERO",
    "MLP_OUT 0 ZERO",
    "RESID_PRE 1 ZERO", // after layer 0 is before layer 1
    "RESID_PRE 1 SCALE",
    "RESID_PRE 1 ADD",
  ]);
  assert.notEqual(interventionsKey(of(scale, add)), interventionsKey(of(add, scale)));
  assert.equal(of({ ...end, layer: 2 })[0]!.site, "RESID_POST");
});

Deno.test("means and vectors leave BOS out unless they are told not to", () => {
  const mean = { site: "Z", layer: 0, action: "MEAN" } as const;
  assert.deepEqual(of(mean), [{ ...mean, positions: [1, 2, 3, 4], meanFrom: 1 }]);
  assert.deepEqual(of({ ...mean, withBos: true }), [{ ...mean, meanFrom: 0 }]);
  assert.deepEqual(of({ ...mean, positions: [3] }), [{ ...mean, positions: [3], meanFrom: 1 }]);
  const ids = canonicalInterventions([mean], { ...RUN, beginsWithBos: false });
  assert.deepEqual(ids, [{ ...mean, meanFrom: 0 }]);
  const vector = Array.from({ length: 8 }, (_, at) => at);
  const [add] = of({ ...STREAM, action: "ADD", vector });
  assert.deepEqual(add!.positions, [1, 2, 3, 4]);
});

Deno.test("a vector at a head's site is for every head, or for each in their order", () => {
  const add = { site: "Q", layer: 0, action: "ADD", heads: [3, 1], withBos: true } as const;
  assert.deepEqual(of({ ...add, vector: [1, 2] })[0]!.vector, [1, 2, 1, 2]);
  assert.deepEqual(of({ ...add, vector: [1, 2, 3, 4] })[0]!.vector, [3, 4, 1, 2]);
  assert.deepEqual(
    of({ ...add, vector: [0.1, 0] })[0]!.vector,
    [0, 1].flatMap(() => [Math.fround(0.1), 0]),
  );
});

Deno.test("what changes nothing is left out", () => {
  assert.deepEqual(of({ ...STREAM, action: "SCALE", factor: 1 }), []);
  assert.deepEqual(of({ ...STREAM, action: "ADD", vector: new Array(8).fill(0) }), []);
  const alone = { ...RUN, ids: [9] };
  assert.deepEqual(canonicalInterventions([{ ...STREAM, action: "MEAN" }], alone), []);
});

Deno.test("values come from the same positions of another prompt, or from those that are named", () => {
  const replace = { ...STREAM, action: "REPLACE" } as const;
  assert.deepEqual(of({ ...replace, fromIds: [9, 5, 4, 7, 8], positions: [2] }), [
    { ...replace, positions: [2], from: [9, 5, 4, 7, 8] },
  ]);
  const fromIds = [9, 1, 2, 3, 4, 5, 6];
  assert.deepEqual(of({ ...replace, fromIds, positions: [4, 2], fromPositions: [-1, 3] }), [
    { ...replace, positions: [2, 4], from: fromIds, fromPositions: [3, 6] },
  ]);
  assert.deepEqual(of({ ...replace, fromIds, fromPositions: [0, 1, 2, 3, 4] }), [
    { ...replace, from: fromIds },
  ]);
});

Deno.test("what is before the first change is the plain run's", () => {
  assert.deepEqual(reachOf(of({ ...Z, positions: [3, 2] }, { ...Z, layer: 2, positions: [4] })), {
    layer: 1,
    position: 2,
  });
  assert.deepEqual(reachOf(of({ site: "RESID_POST", layer: 2, action: "ZERO" })), {
    layer: 3,
    position: 0,
  });
});

Deno.test("interventions that can't be are refused by what is wrong with them", () => {
  const replace = { ...STREAM, action: "REPLACE" } as const;
  for (
    const [input, message] of [
      [
        { ...Z, layer: 99 },
        /^Cannot apply interventions\[0\] as layer must be whole numbers from 0 to 2: current value is 99$/,
      ],
      [{ ...Z, layer: -1 }, /from 0 to 2: current value is -1/],
      [{ ...Z, heads: [4] }, /heads must be whole numbers from 0 to 3: current value is 4/],
      [{ ...Z, heads: [] }, /heads must name one at least/],
      [
        { ...Z, positions: [5] },
        /positions must be whole numbers from -5 to 4: current value is 5/,
      ],
      [{ ...Z, positions: [1.5] }, /current value is 1.5/],
      [{ ...STREAM, heads: [0], action: "ZERO" }, /RESID_PRE has no heads: leave heads out/],
      [{ ...Z, sources: [0] }, /Z has no sources/],
      [{ ...Z, action: "BLOCK" }, /BLOCK is for SCORES, before the softmax: current site is Z/],
      [{ site: "PATTERN", layer: 0, action: "MEAN" }, /MEAN is for vectors/],
      [{ ...Z, factor: 2 }, /factor belongs to SCALE: current action is ZERO/],
      [{ ...STREAM, action: "SCALE" }, /give factor/],
      [{ ...STREAM, action: "SCALE", factor: Infinity }, /finite numbers/],
      [{ ...STREAM, action: "ADD" }, /give vector/],
      [
        { ...STREAM, action: "ADD", vector: [1, 2] },
        /vector must have 8 numbers: current number is 2/,
      ],
      [
        { site: "Q", layer: 0, action: "ADD", vector: [1, 2, 3] },
        /vector must have 2 or, for each head its own, 8 numbers: current number is 3/,
      ],
      [{ ...STREAM, action: "ADD", vector: [NaN, 0, 0, 0, 0, 0, 0, 0] }, /current value is NaN/],
      [
        { ...STREAM, action: "ADD", vector: [1e39, 0, 0, 0, 0, 0, 0, 0] },
        /below 3.4e38: current value is 1e\+39/,
      ],
      [replace, /give from or fromIds/],
      [{ ...replace, fromIds: [] }, /give from or fromIds/],
      [
        { ...replace, fromIds: [9, 5, 6] },
        /the prompt has 5 tokens and the one that values come from 3, and they first differ at position 3/,
      ],
      [
        { ...replace, fromIds: [9, 4, 6, 7], positions: [1], fromPositions: [4] },
        /fromPositions must be whole numbers from -4 to 3/,
      ],
      [
        { ...replace, fromIds: [9, 4], positions: [1, 2], fromPositions: [1] },
        /one position for each of 2: current number is 1/,
      ],
      [
        { ...replace, fromIds: [9, 4], positions: [1, 1], fromPositions: [1, 0] },
        /position 1 is named twice/,
      ],
      [
        { ...replace, site: "PATTERN", fromIds: RUN.ids, fromPositions: [0] },
        /fromPositions does not map/,
      ],
    ] as const satisfies [InterventionInput, RegExp][]
  ) refused(input, message);
  assert.throws(
    () => of(...new Array(65).fill(Z)),
    /Cannot apply 65 interventions as the limit is 64/,
  );
});

Deno.test("a row of scores that is blocked whole is refused, also where several interventions do it together", () => {
  const block = { site: "SCORES", layer: 1, action: "BLOCK" } as const;
  refused(block, /target 0 in head 0 of layer 1/);
  refused({ ...block, heads: [2], positions: [0] }, /target 0 in head 2 of layer 1/);
  const early = { ...block, heads: [3], positions: [2, 4], sources: [0, 1] };
  assert.equal(of(early).length, 1);
  assert.throws(
    () => of(early, { ...block, sources: [2], positions: [2] }),
    /target 2 in head 3 of layer 1/,
  );
  // Blocked, then put back.
  assert.equal(
    of(early, { ...block, positions: [2], sources: [2] }, { ...block, action: "ZERO" }).length,
    3,
  );
  assert.equal(of({ ...block, positions: [4], sources: [4] }).length, 1);
});
