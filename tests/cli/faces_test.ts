import assert from "node:assert/strict";
import { runTask } from "../support/serve.ts";

const RUN = new URL("../../run", import.meta.url).pathname;
const CART = "Mary and John went to the store. John gave the cart to";

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(RUN, { args }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

Deno.test("./run says what there is, in our words", async () => {
  for (const word of ["help", "-h", "--help"]) {
    const { code, stdout } = await run(word);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: \.\/run TASK/);
    assert.doesNotMatch(stdout, /deno/i);
  }
  const bare = await run();
  assert.equal(bare.code, 2);
  assert.match(bare.stderr, /weights NAME/);
  const { stdout } = await run("--version");
  assert.match(stdout, /^infoflow \d+\.\d+\.\d+\n$/);
  const typo = await run("srve");
  assert.equal(typo.code, 2);
  assert.match(typo.stderr, /there is no task srve: did you mean \.\/run serve\?/);
});

Deno.test("every task that ./run knows is one, and every task of users is in its help", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile("deno.json"));
  const script = await Deno.readTextFile(RUN);
  const known = script.match(/^tasks="(.*)"$/m)![1]!.split(" ");
  assert.deepEqual(known.toSorted(), Object.keys(tasks).toSorted());
});

const MISUSES: [args: string[], message: RegExp][] = [
  [["Hello", "--by-layr"], /^error: There is no flag --by-layr: did you mean --by-layer\?/],
  [["Hello", "--model"], /^error: --model needs a value, as in --model NAME\|DIR/],
  [["Hello", "--csv=yes"], /^error: --csv takes no value/],
  [["Hello", "--ablate", "two"], /^error: --ablate must be heads such as 2\.3,5\.1/],
  [["Hello", "--method", "alti"], /^error: --method must be one of ATTENTION, .*ALTI/],
];

for (const [args, message] of MISUSES) {
  Deno.test(`flow ${args.join(" ")} fails with a hint`, async () => {
    const { code, stderr } = await runTask("flow", args);
    assert.match(stderr, message);
    assert.equal(code, 2);
  });
}

Deno.test("help is no wider than a window, and --version is the project's", async () => {
  for (const task of ["flow", "serve"]) {
    const { stdout } = await runTask(task, ["--help"]);
    assert.match(stdout, new RegExp(`^Usage: \\./run ${task}`));
    for (const line of stdout.split("\n")) assert(line.length <= 100, line);
  }
  assert.match((await runTask("serve", ["--version"])).stdout, /^infoflow \d/);
});

Deno.test("flow answers in JSON and CSV, by method, of some layers, without some heads, from a pipe", async () => {
  const options = ["--method", "ALTI", "--ablate", "2.3", "--layers", "1,4", "--by-layer"];
  const { stdout: json } = await runTask("flow", [CART, ...options, "--json"]);
  const { tokens, shape, layers, values } = JSON.parse(json);
  assert.equal(tokens[0], "Mary");
  assert.deepEqual([shape, layers], [[2, 13, 13], [1, 4]]);
  assert.equal(values[1][12].length, 13);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "flow", ...options, "--csv"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${CART}\n`));
  await writer.close();
  const csv = new TextDecoder().decode((await child.output()).stdout).trimEnd().split("\r\n");
  assert.equal(csv[0], "layer,target,target_token,source,source_token,weight");
  assert.equal(csv.length, 1 + 2 * 13 * 14 / 2);
  const [layer, target, , source, , weight] = csv.at(-2)!.split(",");
  assert.deepEqual([layer, target, source], ["4", "12", "11"]);
  assert.equal(Number(weight), values[1][12][11]);
});

Deno.test("layers are drawn side by side where there is room", async () => {
  const { stdout } = await runTask("flow", ["Hello world", "--by-layer"], {
    env: { NO_COLOR: "1" },
  });
  assert.match(stdout, /^layer 0 +layer 1 +layer 2/m);
});
