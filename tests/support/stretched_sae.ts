/**
 * Writes the bundled model's res-4 with a normalisation that is not its own, which is as wrong as a wrong conversion.
 *
 * @returns Its directory.
 */
export async function stretchedSae(): Promise<string> {
  const directory = await Deno.makeTempDir();
  const source = new URL("../../weights/bundled/sae/res-4/", import.meta.url);
  const config = JSON.parse(await Deno.readTextFile(new URL("cfg.json", source)));
  await Deno.writeTextFile(
    `${directory}/cfg.json`,
    JSON.stringify({ ...config, normalize_activations: "constant_norm_rescale" }),
  );
  await Deno.copyFile(
    new URL("sae_weights.safetensors", source),
    `${directory}/sae_weights.safetensors`,
  );
  return directory;
}
