"""Writes small random GPT-2 checkpoints in the shapes that people's own checkpoints have.

    python tests/make_checkpoints.py OUT

All share one set of weights (2 layers, 2 heads, 16 channels, 64 positions, 300 rows) and one byte-level tokenizer. What
is right for each is in tests/fixtures/checkpoints/expected.json, by transformers 5.24 (eager attention, float32).
tests/checkpoints/real_checkpoints_test.ts holds Infoflow against it.
"""
import json, os, shutil, sys
import numpy as np
from safetensors.numpy import save_file

OUT = sys.argv[1]
L, H, C, P, V = 2, 2, 16, 64, 300
rng = np.random.default_rng(7)
n = lambda *s, std=0.4, mean=0.0: rng.normal(mean, std, s).astype(np.float32)
T = {"transformer.wte.weight": n(V, C), "transformer.wpe.weight": n(P, C),
     "transformer.ln_f.weight": n(C, std=0.2, mean=1), "transformer.ln_f.bias": n(C, std=0.2)}
for i in range(L):
    h = f"transformer.h.{i}."
    for ln in ("ln_1", "ln_2"):
        T[h + ln + ".weight"], T[h + ln + ".bias"] = n(C, std=0.2, mean=1), n(C, std=0.2)
    for name, a, b in (("attn.c_attn", C, 3 * C), ("attn.c_proj", C, C), ("mlp.c_fc", C, 4 * C), ("mlp.c_proj", 4 * C, C)):
        T[h + name + ".weight"], T[h + name + ".bias"] = n(a, b), n(b, std=0.2)
CONFIG = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new", "n_embd": C,
          "n_head": H, "n_layer": L, "n_positions": P, "n_inner": None, "vocab_size": V, "layer_norm_epsilon": 1e-05,
          "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float32"}

# A byte-level tokenizer: <|endoftext|> is 0, then three more specials, the 256 bytes, and a few merges.
printable = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
letters, extra = {b: chr(b) for b in printable}, 0
for b in range(256):
    if b not in letters:
        letters[b] = chr(256 + extra); extra += 1
SPECIALS = ["<|endoftext|>", "<s>", "</s>", "<pad>"]
vocab = {s: i for i, s in enumerate(SPECIALS)}
for b in range(256): vocab[letters[b]] = len(vocab)
merges = [("t", "h"), ("th", "e"), ("a", "t"), ("Ġ", "c"), ("Ġc", "at"), ("Ġ", "s"), ("Ġs", "at"), ("Ġ", "the"), ("o", "n"),
          ("Ġ", "on"), ("Ġ", "m"), ("Ġm", "at")]
for a, b in merges: vocab[a + b] = len(vocab)
plain = lambda c, i, **k: {"id": i, "content": c, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **k}
def tokenizer(added=None, prefix_space=False, vocabulary=vocab, **over):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added or [plain("<|endoftext|>", 0)],
            "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": prefix_space, "trim_offsets": True, "use_regex": True},
            "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                      "fuse_unk": False, "byte_fallback": False, "vocab": vocabulary, "merges": [list(m) for m in merges]}, **over}
TOK_CONFIG = {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}

def write(name, tensors=T, config=CONFIG, tok=True, files={}, meta={"format": "pt"}, shards=None):
    d = os.path.join(OUT, name); shutil.rmtree(d, ignore_errors=True); os.makedirs(d)
    put = lambda f, x: open(os.path.join(d, f), "w", encoding="utf-8").write(x if isinstance(x, str) else json.dumps(x, ensure_ascii=False))
    put("config.json", config)
    if shards is None: save_file(dict(tensors), os.path.join(d, "model.safetensors"), metadata=meta)
    else: shards(d, put)
    if tok is True: put("tokenizer.json", tokenizer())
    elif tok: put("tokenizer.json", tok)
    for f, x in files.items(): put(f, x)

write("plain")
# --- where BOS is said
write("bos_by_tokenizer_only", config={**CONFIG, "bos_token_id": 50256, "eos_token_id": 50256}, files={"tokenizer_config.json": TOK_CONFIG})
write("bos_null", config={**CONFIG, "bos_token_id": None}, files={"tokenizer_config.json": TOK_CONFIG})
write("bos_is_vocab_size", config={**CONFIG, "bos_token_id": V, "eos_token_id": V}, files={"tokenizer_config.json": TOK_CONFIG})
write("bos_names_a_word", config={**CONFIG, "bos_token_id": vocab["Ġcat"], "eos_token_id": vocab["Ġcat"]}, files={"tokenizer_config.json": TOK_CONFIG})
write("bos_startoftext", tok=tokenizer([plain("<|endoftext|>", 0), plain("<|startoftext|>", len(vocab)), plain("<|pad|>", len(vocab) + 1)]),
      files={"tokenizer_config.json": {**TOK_CONFIG, "bos_token": "<|startoftext|>", "pad_token": "<|pad|>"},
             "special_tokens_map.json": {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>"}})
# --- names of tensors
alias = {k: v for k, v in T.items() if k != "transformer.wte.weight"}; alias["lm_head.weight"] = T["transformer.wte.weight"]
write("tied_kept_as_lm_head", alias, meta={"format": "pt", "transformer.wte.weight": "lm_head.weight"})
write("compiled", {"_orig_mod." + k: v for k, v in T.items()})
write("ddp", {"module." + k: v for k, v in T.items()})
# --- what config.json says
rename = {"n_embd": "hidden_size", "n_layer": "num_hidden_layers", "n_head": "num_attention_heads", "n_positions": "max_position_embeddings"}
write("config_common_names", config={rename.get(k, k): v for k, v in CONFIG.items()})
write("untied", {**T, "lm_head.weight": n(V, C)}, {**CONFIG, "tie_word_embeddings": False})
write("no_biases", {k: v for k, v in T.items() if not k.endswith(".bias")})
# --- tokenizers of other GPT-2s; the class takes tokenizer.json as it is
AS_IS = {**TOK_CONFIG, "tokenizer_class": "PreTrainedTokenizerFast"}
write("tok_prefix_space", tok=tokenizer(prefix_space=True), files={"tokenizer_config.json": {**AS_IS, "add_prefix_space": True}})
write("tok_lstrip", tok=tokenizer([plain("<|endoftext|>", 0), plain("<mask>", len(vocab), lstrip=True)]), files={"tokenizer_config.json": AS_IS})
write("tok_empty_normalizer", tok=tokenizer(normalizer={"type": "Sequence", "normalizers": []}), files={"tokenizer_config.json": AS_IS})
write("tok_nfc", tok=tokenizer(normalizer={"type": "NFC"}), files={"tokenizer_config.json": AS_IS})
seen = {c for w in ("the cat sat on the mat",) for c in w.replace(" ", "Ġ")}
few = {k: v for k, v in vocab.items() if len(k) != 1 or k in seen}
write("tok_bytes_missing", tok=tokenizer(vocabulary=few), files={"tokenizer_config.json": AS_IS})
# --- no tokenizer files: nanoGPT's padded vocabulary; an own vocabulary that happens to have GPT-2's size (what a cache
#     holds after AutoModel alone); one of another size
for name, rows in (("padded_50304", 50304), ("cached_without_tokenizer", 50257)):
    write(name, {**T, "transformer.wte.weight": np.random.default_rng(1).normal(0, 0.3, (rows, C)).astype(np.float32)},
          {**CONFIG, "vocab_size": rows, "bos_token_id": 50256}, tok=False)
write("ids_only", tok=False)
# --- shards whose index lists what no shard has, as indices of tied models do
def shards(d, put):
    names = sorted(T); half = len(names) // 2; files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    for file, part in zip(files, (names[:half], names[half:])):
        save_file({n: T[n] for n in part}, os.path.join(d, file), metadata={"format": "pt"})
    where = {n: files[names.index(n) >= half] for n in names}
    put("model.safetensors.index.json", {"metadata": {}, "weight_map": {**where, "lm_head.weight": files[0]}})
write("index_lists_more", shards=shards)
# --- weights in the format of before
write("only_bin", files={"pytorch_model.bin": "PK"}); os.remove(os.path.join(OUT, "only_bin", "model.safetensors"))
