import { CachedRepository } from "../checkpoints/hub/cache.ts";
import { hubCache } from "../checkpoints/hub/environment.ts";
import { FAMILY, named } from "../checkpoints/hub/family.ts";
import { type Listed, listModels } from "../checkpoints/hub/list.ts";
import { inBytes } from "../sizes.ts";
import { checkSnapshot } from "../checkpoints/hub/snapshot.ts";
import { VerifiedFiles } from "../checkpoints/hub/verified.ts";
import { showBytesBar } from "./bytes_bar.ts";
import { fetchModel } from "./fetch_model.ts";
import { type Flag, helpOf, parseFlags, UsageError } from "./flags.ts";
import { ownFile } from "./own_file.ts";
import { goToCaller } from "./go_to_caller.ts";
import { runCommand } from "./run_command.ts";

const FLAGS = {
  revision: {
    type: "string",
    value: "REVISION",
    help: "a branch, a tag or a commit; by default the pinned commit, else main",
  },
  dir: {
    type: "string",
    value: "DIR",
    help: "put the files into this directory, not into the hub's cache",
  },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, Flag>;

const USAGE = `./run weights NAME [flags]   download a model
       ./run weights list           what is in the hub's cache
       ./run weights verify [NAME]  check its files against their hashes
       ./run weights remove NAME    take it off the disk

NAME is one of ${Object.keys(FAMILY).join(", ")}, or owner/repo on the hub`;

/** Downloads models, and looks after those that are there. */
async function weights(): Promise<void> {
  const { values, positionals } = parseFlags(Deno.args, FLAGS);
  if (values.get("help")) return console.log(helpOf(USAGE, FLAGS));
  const [command, name, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`weights takes one name, not ${others.join(" ")}`);
  const model = (): string => {
    if (name !== undefined) return named(name).name;
    throw new UsageError(`weights ${command} takes the name of a model: weights list shows them`);
  };
  switch (command) {
    case undefined:
      throw new UsageError(
        `weights takes the name of a model: ${Object.keys(FAMILY).join(", ")}, or owner/repo`,
      );
    case "list":
      return await list();
    case "verify":
      return await verify(name === undefined ? undefined : model());
    case "remove":
      return await remove(model());
    default:
      if (name !== undefined) {
        throw new UsageError(`weights takes one name, not ${command} ${name}`);
      }
      return await download(command, values as ReadonlyMap<string, string>);
  }
}

async function download(name: string, values: ReadonlyMap<string, string>): Promise<void> {
  const [revision, directory] = [values.get("revision"), values.get("dir")];
  const downloaded = await fetchModel(named(name), { revision, directory });
  const { commit, wasThere } = downloaded;
  console.log(
    `${name} at ${commit.slice(0, 8)} is ${
      wasThere ? "already " : ""
    }in ${downloaded.directory}, ` +
      "every file checked",
  );
  console.log(`start it with: ./run serve --model ${directory ?? name}`);
}

async function list(): Promise<void> {
  const cache = hubCache();
  const models = await listModels(cache, verifiedFiles());
  if (models.length === 0) return console.log(`no GPT-2 in ${cache}`);
  const rows = models.map(({ name, size, commit, refs, state, snapshot: { missing } }) => [
    name,
    inBytes(size),
    [commit.slice(0, 8), ...refs].join(" "),
    missing.length > 0 ? `${state}: ${missing.join(", ")} missing` : state,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  }
}

async function verify(name: string | undefined): Promise<void> {
  const models = await inCache(name);
  let wrong = 0;
  for (const { name, commit, size, snapshot } of models) {
    const bar = showBytesBar(`checking ${name}`);
    let done = 0;
    const onProgress = (bytes: number): void => bar.onProgress(done += bytes, size);
    const checked = await checkSnapshot(snapshot, {
      verified: verifiedFiles(),
      again: true,
      onProgress,
    });
    bar.stop();
    const findings = [
      ...checked.damaged.map((file) => `${file} is not what its hash says`),
      ...checked.unknown.map((file) => `${file} has no hash`),
      ...snapshot.missing.map((file) => `${file} is missing`),
    ];
    console.log(`${name} ${commit.slice(0, 8)}  ${findings.join(", ") || "every file is right"}`);
    if (checked.damaged.length > 0 || snapshot.missing.length > 0) {
      wrong++;
      console.log(`  fetch it again with: ./run weights ${name} --revision ${commit}`);
    }
  }
  if (wrong > 0) throw new Error(`Cannot use ${wrong} of ${models.length} models as they stand`);
}

async function remove(name: string): Promise<void> {
  const cache = hubCache();
  let bytes: number | undefined;
  for (const repository of named(name).repositories) {
    const cached = new CachedRepository(cache, repository);
    const size = await cached.size();
    if (size === undefined) continue;
    bytes = (bytes ?? 0) + size;
    await cached.remove();
  }
  if (bytes === undefined) throw absent(name, cache);
  console.log(`removed ${name}, ${inBytes(bytes)}`);
}

async function inCache(name: string | undefined): Promise<Listed[]> {
  const cache = hubCache();
  const models = await listModels(cache, verifiedFiles());
  if (name === undefined) return models;
  const { repositories } = named(name);
  const found = models.filter(({ repository }) => repositories.includes(repository));
  if (found.length > 0) return found;
  throw absent(name, cache);
}

function absent(name: string, cache: string): Error {
  return new Error(`Cannot find ${name} as it is not in ${cache}: weights list shows what is`);
}

function verifiedFiles(): VerifiedFiles {
  return new VerifiedFiles(ownFile("verified.json"));
}

if (import.meta.main) {
  goToCaller();
  await runCommand(weights);
}
