#!/usr/bin/env python3
"""An ONNX graph of GPT-2's attention patterns, straight from the safetensors (no torch).

  export_onnx.py --model DIR --out WORK/model.onnx

Inputs: ids int64 [T], mask f32 [T,T] (0 / -1e30, additive). Output: patterns f32 [L,H,T,T].
Weights go to an external data file beside it (model.onnx_data, the name transformers.js looks for).
What the patterns do not need (last layer's V, output projection and MLP, ln_f, logits) is not in the
graph. T is left open.
"""
import argparse
import json
import os

import numpy as np
import onnx
from onnx import TensorProto as TP
from onnx import helper as h
from onnx import numpy_helper
from safetensors.numpy import load_file


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--out", required=True)
    a = p.parse_args()
    c = json.load(open(os.path.join(a.model, "config.json")))
    w = load_file(os.path.join(a.model, "model.safetensors"))
    L, H, D, eps = c["n_layer"], c["n_head"], c["n_embd"], c["layer_norm_epsilon"]
    dh = D // H
    nodes, inits = [], []

    def const(name, x):
        inits.append(numpy_helper.from_array(np.ascontiguousarray(x), name))
        return name

    def op(kind, inputs, out, **attrs):
        nodes.append(h.make_node(kind, inputs, [out], name=out, **attrs))
        return out

    def linear(x, name, W, b):
        y = op("MatMul", [x, const(name + ".weight", W)], name + "/mm")
        return op("Add", [y, const(name + ".bias", b)], name + "/y")

    def norm(x, name):
        g, b = const(name + ".weight", w[name + ".weight"]), const(name + ".bias", w[name + ".bias"])
        return op("LayerNormalization", [x, g, b], name + "/y", axis=-1, epsilon=eps)

    to_heads = const("to_heads", np.array([0, H, dh], np.int64))
    from_heads = const("from_heads", np.array([0, D], np.int64))
    axis0 = const("axis0", np.array([0], np.int64))
    scale = np.float32(1 / np.sqrt(dh))

    # wpe rows 0..T-1: slice by the length of ids
    T = op("Shape", ["ids"], "T")
    pos = op("Slice", [const("wpe", w["wpe.weight"]), const("zero", np.array([0], np.int64)), T, axis0], "pos")
    x = op("Add", [op("Gather", [const("wte", w["wte.weight"]), "ids"], "tok"), pos], "x0")
    outs = []
    for l in range(L):
        n = f"h.{l}."
        y = norm(x, n + "ln_1")
        W, b = np.split(w[n + "attn.c_attn.weight"], 3, 1), np.split(w[n + "attn.c_attn.bias"], 3)
        q, k, v = (
            op("Reshape", [linear(y, n + s, Ws, bs), to_heads], n + s + "/h") if s != "v" or l < L - 1 else None
            for s, Ws, bs in zip("qkv", (W[0] * scale, W[1], W[2]), (b[0] * scale, b[1], b[2]))
        )
        q = op("Transpose", [q], n + "q/t", perm=[1, 0, 2])
        k = op("Transpose", [k], n + "k/t", perm=[1, 2, 0])
        s = op("Add", [op("MatMul", [q, k], n + "qk"), "mask"], n + "scores")
        att = op("Softmax", [s], n + "pattern", axis=-1)
        outs.append(op("Unsqueeze", [att, axis0], n + "pattern/1"))
        if l == L - 1:
            break
        v = op("Transpose", [v], n + "v/t", perm=[1, 0, 2])
        z = op("Transpose", [op("MatMul", [att, v], n + "av")], n + "z", perm=[1, 0, 2])
        z = op("Reshape", [z, from_heads], n + "z/r")
        o = linear(z, n + "attn.c_proj", w[n + "attn.c_proj.weight"], w[n + "attn.c_proj.bias"])
        x = op("Add", [x, o], n + "mid")
        m = linear(norm(x, n + "ln_2"), n + "mlp.c_fc", w[n + "mlp.c_fc.weight"], w[n + "mlp.c_fc.bias"])
        m = op("Gelu", [m], n + "gelu", approximate="tanh")
        m = linear(m, n + "mlp.c_proj", w[n + "mlp.c_proj.weight"], w[n + "mlp.c_proj.bias"])
        x = op("Add", [x, m], n + "out")
    op("Concat", outs, "patterns", axis=0)

    graph = h.make_graph(
        nodes, "gpt2_patterns",
        [h.make_tensor_value_info("ids", TP.INT64, ["T"]), h.make_tensor_value_info("mask", TP.FLOAT, ["T", "T"])],
        [h.make_tensor_value_info("patterns", TP.FLOAT, [L, H, "T", "T"])], inits,
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 20)], ir_version=9)
    data = os.path.basename(a.out) + "_data"
    for f in (a.out, a.out + "_data"):
        if os.path.exists(f):
            os.remove(f)
    os.makedirs(os.path.dirname(os.path.abspath(a.out)), exist_ok=True)
    onnx.save_model(model, a.out, save_as_external_data=True, all_tensors_to_one_file=True, location=data, size_threshold=1024)
    onnx.checker.check_model(a.out)


if __name__ == "__main__":
    main()
