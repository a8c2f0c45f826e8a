import assert from "node:assert/strict";
import { VIEW_NAMES } from "../../web/page_state.ts";
import { VIEWS } from "../../web/views/list.ts";
import { firefoxPath, withFirefox } from "../support/firefox.ts";
import { withServer } from "../support/serve.ts";

const path = await firefoxPath();
const SETTLED = `document.querySelector("#picture[aria-busy=false]:not(.stale)")`;

Deno.test("the page in Firefox: every view is drawn, by keyboard too, and nothing is complained of", async () => {
  assert(path, "there is no Firefox: ./run test installs Debian's");
  await withServer(({ origin }) =>
    withFirefox(path, `${origin}/`, async ({ until, read, go, press, complaints }) => {
      await until(SETTLED);
      assert.equal(await read(`document.querySelectorAll(".targets text").length`), 13);
      for (const view of VIEW_NAMES) {
        await read(`(location.hash = "#view=${view}", 1)`);
        await until(`document.querySelector("#main").dataset.view === "${view}"`);
        await until(SETTLED);
        assert.equal(
          await read(`document.querySelector("[aria-selected=true]").textContent`),
          VIEWS[view].tab,
        );
        const width = await read("document.documentElement.scrollWidth");
        assert(Number(width) <= 1280, `${view}: ${width}`);
      }
      await read(`(location.hash = "#view=flow", 1)`);
      await until(`document.querySelector("#main").dataset.view === "flow"`);
      await until(SETTLED);
      await read(`(document.querySelector("#heatmap").focus(), 1)`);
      const [left, right] = ["\uE012", "\uE014"];
      await press(right, right, left);
      await until(`/takes .* from/.test(document.querySelector("#live").textContent)`);

      await go(`${origin}/features`);
      await until(`document.querySelector(".rows tbody a")`);
      await read(`(document.querySelector(".rows tbody a").focus(), 1)`);
      const [down, enter] = ["\uE015", "\uE007"];
      await press(down);
      const second = await read(`document.querySelectorAll(".rows tbody a")[1].textContent`);
      assert.equal(await read("document.activeElement.textContent"), second);
      await press(enter);
      await until(`document.querySelector(".places .token.from")`);
      assert.equal(await read(`document.querySelectorAll(".histogram rect").length`), 50);
      await read(`(document.querySelector(".places .token.from").focus(), 1)`);
      await press(left);
      await until(`/: /.test(document.querySelector(".tip").textContent)`);
      await press(right, enter);
      await until(`document.querySelector(".places .sources td")`);
      await read(`(document.querySelector("#try").focus(), 1)`);
      await press("a", "b");
      await until(`/off|argest/.test(document.querySelector(".try .note").textContent)`);
      assert(Number(await read("document.documentElement.scrollWidth")) <= 1280);
      assert.deepEqual(complaints, []);
    })
  );
});
