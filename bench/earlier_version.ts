/** Checks out a version of the project beside this one for as long as `use` runs. */
export async function withVersion(
  ref: string,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-bench-" });
  await git("worktree", "add", "--detach", "--force", directory, ref);
  try {
    await use(directory);
  } finally {
    await git("worktree", "remove", "--force", directory);
  }
}

async function git(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("git", {
    args,
    cwd: new URL("..", import.meta.url),
  }).output();
  if (!success) throw new Error(`git ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
