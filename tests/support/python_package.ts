import { join } from "node:path";
import { PYTHON } from "./python.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const CACHE = join(ROOT, ".cache");

let built: Promise<string> | undefined;

/** Builds the wheel of `clients/python`, once in a run. @returns Its path. */
function wheel(): Promise<string> {
  return built ??= build();
}

async function build(): Promise<string> {
  const out = await Deno.makeTempDir({ prefix: "infoflow-wheel" });
  await run(PYTHON, ["clients/python/build.py", out], {
    PATH: `${join(Deno.execPath(), "..")}:${Deno.env.get("PATH")}`,
  });
  const [file] = await Array.fromAsync(Deno.readDir(out));
  return join(out, file!.name);
}

/**
 * The interpreters of a version of Python that are on this machine: on PATH, or pyenv's.
 *
 * @returns One that runs; undefined if there is none.
 */
export async function interpreter(version: string): Promise<string | undefined> {
  const pyenv = join(
    Deno.env.get("PYENV_ROOT") ?? join(Deno.env.get("HOME") ?? "", ".pyenv"),
    "versions",
  );
  const installed = await Array.fromAsync(Deno.readDir(pyenv), ({ name }) => name).catch(() => []);
  const candidates = [
    `python${version}`,
    ...installed.filter((name) => name.startsWith(`${version}.`))
      .map((name) => join(pyenv, name, "bin/python")),
  ];
  for (const python of candidates) {
    const found = await run(python, [
      "-c",
      "import sys, venv; print('%d.%d' % sys.version_info[:2])",
    ], {})
      .catch(() => "");
    if (found.trim() === version) return python;
  }
  return undefined;
}

/**
 * An environment with the wheel and some packages, and nothing else: it is made anew where its packages change.
 *
 * @returns The path of its Python.
 */
export async function environment(
  name: string,
  packages: readonly string[],
  base = "python3",
): Promise<string> {
  const path = join(CACHE, `python-${name}`);
  const python = join(path, "bin/python");
  const kept = join(path, "packages.txt");
  const list = [base, ...packages].join("\n");
  if (await Deno.readTextFile(kept).catch(() => "") !== list) {
    await Deno.remove(path, { recursive: true }).catch(() => {});
    await run(base, ["-m", "venv", path], {});
    await run(
      python,
      ["-m", "pip", "install", "-q", "--disable-pip-version-check", ...packages],
      {},
    );
    await Deno.writeTextFile(kept, list);
  }
  const install = ["-m", "pip", "install", "-q", "--disable-pip-version-check"];
  await run(python, [...install, "--force-reinstall", "--no-deps", await wheel()], {});
  return python;
}

/** Runs a program to its end. @throws {Error} With what it printed, if it fails. */
export async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    env,
  }).output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout) + decoder.decode(stderr);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${said}`);
  return said;
}
