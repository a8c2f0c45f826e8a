import { isOtherFormat } from "../weight_files.ts";
import { CONFIG, TOKENIZER_FILES, WEIGHTS, WEIGHTS_INDEX } from "../model_files.ts";
import { HubError } from "./error.ts";
import { checkFileName } from "./repository.ts";
import type { RemoteFile, Revision } from "./revision.ts";

/** The files that are fetched first: they decide whether the model is refused. */
export function firstFiles(revision: Revision): RemoteFile[] {
  const { files, repository } = revision;
  const config = files.get(CONFIG);
  if (!config) throw lacking(repository, CONFIG);
  const tokenizer = TOKENIZER_FILES.flatMap((name) => files.get(name) ?? []);
  if (files.has(WEIGHTS)) return [config, ...tokenizer];
  const index = files.get(WEIGHTS_INDEX);
  if (index) return [config, index, ...tokenizer];
  const has = [...files.keys()].filter(isOtherFormat);
  throw lacking(
    repository,
    WEIGHTS,
    has.length > 0 ? `; ${has[0]} is in a format that is not read: save it as safetensors` : "",
  );
}

/**
 * The files of the weights.
 *
 * @param shards The names in the index, where there is one.
 */
export function weightFiles(revision: Revision, shards: readonly string[]): RemoteFile[] {
  const { files, repository } = revision;
  const names = files.has(WEIGHTS) ? [WEIGHTS] : shards;
  return names.map((name) => {
    checkFileName(name);
    const file = files.get(name);
    if (!file) throw lacking(repository, name);
    return file;
  });
}

function lacking(repository: string, name: string, hint = ""): HubError {
  return new HubError(`Cannot download ${repository} as it has no ${name}${hint}`);
}
