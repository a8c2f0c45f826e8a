import assert from "node:assert/strict";
import { cardsIn, LIST_CARDS } from "../../src/cli/cards.ts";
import { findAdapter, pciAddressesOf } from "../../src/engine/gpu/find_adapter.ts";

Deno.test("an adapter is found by what WebGPU can be asked for, or by a part of its name; else it is said what there is", async () => {
  const usual = await findAdapter({});
  const name = usual!.info.description;
  for (const asked of ["high-performance", "low-power", name, name.slice(1, 6).toUpperCase()]) {
    assert.equal((await findAdapter({ adapter: asked }))!.info.description, name, asked);
  }
  await assert.rejects(findAdapter({ adapter: "voodoo" }), {
    code: "BAD_USER_INPUT",
    message: `Cannot open the adapter voodoo as WebGPU offers ${name}`,
  });
});

Deno.test("cards of an adapter's kind are told by their PCI addresses, all of them where there are several", () => {
  const text = " 0000:01:00.0=0x10de:0x2330 0000:02:00.0=0x1002:0x73bf 0000:c1:00.0=0x10de:0x2330";
  const cards = cardsIn(text);
  assert.deepEqual(cards[1], { address: "0000:02:00.0", vendor: 0x1002, device: 0x73bf });
  const of = (vendor: string, device: string): string[] =>
    pciAddressesOf({ vendor, device }, cards);
  assert.deepEqual(of("4318", "9008"), ["0000:01:00.0", "0000:c1:00.0"]);
  assert.deepEqual(of("4098", "29631"), ["0000:02:00.0"]);
  assert.deepEqual(of("65541", "0"), []);
  assert.deepEqual(pciAddressesOf({ vendor: "4318", device: "9008" }), []);
  assert.deepEqual(cardsIn(undefined), []);
});

Deno.test("the shell lists this machine's cards as they are read", async () => {
  const { success, stdout } = await new Deno.Command("sh", {
    args: ["-c", `${LIST_CARDS}\nprintf %s "$INFOFLOW_CARDS"`],
  }).output();
  assert(success);
  const text = new TextDecoder().decode(stdout);
  assert.equal(cardsIn(text).length, text.split(" ").filter(Boolean).length);
});
