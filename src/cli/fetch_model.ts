import { type Downloaded, downloadModel } from "../checkpoints/hub/download.ts";
import { readHubEnvironment } from "../checkpoints/hub/environment.ts";
import type { Named } from "../checkpoints/hub/family.ts";
import { VerifiedFiles } from "../checkpoints/hub/verified.ts";
import { showBytesBar } from "./bytes_bar.ts";
import { ownFile } from "./own_file.ts";

/**
 * Downloads a model for a command, with a progress bar.
 *
 * @throws {HubError} As {@linkcode downloadModel} does.
 */
export async function fetchModel(
  model: Named,
  options: { readonly revision?: string | undefined; readonly directory?: string | undefined } = {},
): Promise<Downloaded> {
  const bar = showBytesBar(model.name);
  try {
    return await downloadModel({
      ...options,
      model,
      environment: await readHubEnvironment(),
      verified: new VerifiedFiles(ownFile("verified.json")),
      onProgress: bar.onProgress,
      say: bar.say,
    });
  } finally {
    bar.stop();
  }
}
