/** What to do about an autoencoder that is published as a pickle. */
export const PICKLE_HELP = `convert it with Python and sae-lens,

from sae_lens import SAE
sae = SAE.from_pretrained("gpt2-small-hook-z-kk", "blocks.5.hook_z", device="cpu")
sae.cfg.metadata.model_from_pretrained_kwargs = {
    "fold_ln": True,
    "center_writing_weights": True,
    "center_unembed": True,
    "fold_value_biases": True,
}
sae.save_model("z-5")

then name the directory`;
