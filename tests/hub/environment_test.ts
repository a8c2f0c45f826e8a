import assert from "node:assert/strict";
import { join } from "node:path";
import { HUB_VARIABLES, readHubEnvironment } from "../../src/checkpoints/hub/environment.ts";
import { python } from "../support/python.ts";

const SHOW = `
import json
from huggingface_hub import constants, get_token
print(json.dumps([constants.ENDPOINT, constants.HF_HUB_CACHE, constants.HF_HUB_OFFLINE, get_token()]))`;

const ENVIRONMENTS: Record<string, Record<string, string>> = {
  "nothing": {},
  "XDG_CACHE_HOME": { XDG_CACHE_HOME: "/x/caches" },
  "HF_HOME": { HF_HOME: "/x/hf", XDG_CACHE_HOME: "/x/caches" },
  "HF_HOME with ~": { HF_HOME: "~/hf" },
  "HF_HOME with $HOME": { HF_HOME: "$HOME/a" },
  "HF_HOME with ${HOME}": { HF_HOME: "${HOME}/a" },
  "HF_HUB_CACHE": { HF_HUB_CACHE: "~/cache", HUGGINGFACE_HUB_CACHE: "/x/old", HF_HOME: "/x/hf" },
  "HUGGINGFACE_HUB_CACHE": { HUGGINGFACE_HUB_CACHE: "/x/old", HF_HOME: "/x/hf" },
  "HF_ENDPOINT": { HF_ENDPOINT: "https://mirror.example/hf//" },
  "HF_TOKEN": { HF_TOKEN: " hf_a\r\n", HUGGING_FACE_HUB_TOKEN: "hf_b" },
  "HUGGING_FACE_HUB_TOKEN": { HUGGING_FACE_HUB_TOKEN: "hf_b" },
  "HF_TOKEN_PATH": { HF_TOKEN_PATH: "$HOME/elsewhere" },
  "HF_HUB_OFFLINE=1": { HF_HUB_OFFLINE: "1" },
  "HF_HUB_OFFLINE=yes": { HF_HUB_OFFLINE: "yes" },
  "HF_HUB_OFFLINE=on": { HF_HUB_OFFLINE: "On" },
  "HF_HUB_OFFLINE=0": { HF_HUB_OFFLINE: "0" },
  "HF_HUB_OFFLINE=2": { HF_HUB_OFFLINE: "2" },
  "TRANSFORMERS_OFFLINE": { TRANSFORMERS_OFFLINE: "true" },
};

for (const [name, variables] of Object.entries(ENVIRONMENTS)) {
  Deno.test(`readHubEnvironment() reads ${name} as huggingface_hub does`, async () => {
    const home = await Deno.makeTempDir();
    try {
      await Deno.mkdir(join(home, ".cache/huggingface"), { recursive: true });
      await Deno.writeTextFile(join(home, ".cache/huggingface/token"), "hf_file\n");
      await Deno.writeTextFile(join(home, "elsewhere"), "hf_elsewhere");
      const set: Record<string, string> = { HOME: home, ...variables };
      const unset = Object.fromEntries(HUB_VARIABLES.map((variable) => [variable, ""]));
      // An unset variable is not one that is set to nothing, to Python: `env -u` is what unsets it.
      const expected = await python(
        `import os\nfor k in [k for k, v in os.environ.items() if v == ""]: del os.environ[k]\n${SHOW}`,
        { env: { ...unset, ...set } },
      );
      const { endpoint, cache, isOffline, token } = await readHubEnvironment((it) => set[it]);
      assert.deepEqual([endpoint, cache, isOffline, token ?? null], expected);
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}

Deno.test("readHubEnvironment() sends no token where none is to be sent unasked", async () => {
  const set: Record<string, string> = {
    HOME: "/x",
    HF_TOKEN: "hf_a",
    HF_HUB_DISABLE_IMPLICIT_TOKEN: "1",
  };
  assert.equal((await readHubEnvironment((it) => set[it])).token, undefined);
});

Deno.test("readHubEnvironment() says what it can't tell", async () => {
  await assert.rejects(() => readHubEnvironment(() => undefined), {
    message: /HOME is not set: set HF_HOME/,
  });
  const set: Record<string, string> = { HOME: "/x", HF_HOME: "$SCRATCH/hf" };
  await assert.rejects(() => readHubEnvironment((it) => set[it]), {
    message: /HF_HOME .* no variable but \$HOME/,
  });
});
