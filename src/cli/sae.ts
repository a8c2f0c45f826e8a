import { downloadSae } from "../checkpoints/hub/download_sae.ts";
import { hubCache, readHubEnvironment } from "../checkpoints/hub/environment.ts";
import { findSaeInCache } from "../checkpoints/hub/locate_sae.ts";
import { findNamedSae, namedSae } from "../checkpoints/hub/named_sae.ts";
import { VerifiedFiles } from "../checkpoints/hub/verified.ts";
import { readSaeConfig } from "../checkpoints/sae/open_sae.ts";
import { RELEASED_SAES } from "../checkpoints/sae/sae_releases.ts";
import { conversionInWords } from "../requests/sae/conversion_in_words.ts";
import { showBytesBar } from "./bytes_bar.ts";
import { type Flag, helpOf, parseFlags, UsageError } from "./flags.ts";
import { ownFile } from "./own_file.ts";
import { goToCaller } from "./go_to_caller.ts";
import { runCommand } from "./run_command.ts";

const FLAGS = {
  revision: {
    type: "string",
    value: "REVISION",
    help: "a branch, a tag or a commit; main by default",
  },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, Flag>;

const USAGE = `./run sae NAME [flags]   download a sparse autoencoder
       ./run sae list [TEXT]     the public releases for GPT-2 small, and which are here

NAME is one of the list, or owner/repo:folder on the hub. A directory in SAELens' format
needs no download: ./run serve --sae DIR`;

/** Downloads sparse autoencoders. */
async function sae(): Promise<void> {
  const { values, positionals } = parseFlags(Deno.args, FLAGS);
  if (values.get("help")) return console.log(helpOf(USAGE, FLAGS));
  const [command, text, ...others] = positionals;
  if (others.length > 0 || (command !== "list" && text !== undefined)) {
    throw new UsageError(`sae takes one name, not ${positionals.join(" ")}`);
  }
  if (command === undefined) {
    throw new UsageError("sae takes the name of an autoencoder: `./run sae list` shows them");
  }
  if (command === "list") return await list(text ?? "");
  return await download(command, values.get("revision") as string | undefined);
}

async function download(name: string, revision: string | undefined): Promise<void> {
  const named = namedSae(name);
  const bar = showBytesBar(name);
  try {
    const { directory } = await downloadSae({
      sae: named,
      revision,
      environment: await readHubEnvironment(),
      verified: new VerifiedFiles(ownFile("verified.json")),
      onProgress: bar.onProgress,
      say: bar.say,
    });
    bar.stop();
    const config = await readSaeConfig(directory, named.overrides);
    console.log(`${name} is in ${directory}, every file checked`);
    console.log(`${config.features} features of ${conversionInWords(config)}`);
    console.log(`serve it with: ./run serve --model gpt2 --sae ${name}`);
  } finally {
    bar.stop();
  }
}

async function list(text: string): Promise<void> {
  const cache = hubCache();
  const names = [...RELEASED_SAES.keys()].filter((name) => name.includes(text));
  if (names.length === 0) throw new UsageError(`no autoencoder has ${text} in its name`);
  for (const name of names) {
    const named = findNamedSae(name)!;
    const isHere = await findSaeInCache(cache, named) !== undefined;
    console.log(`${name}${isHere ? "  here" : named.isPickle ? "  a pickle: convert it" : ""}`);
  }
}

if (import.meta.main) {
  goToCaller();
  await runCommand(sae);
}
