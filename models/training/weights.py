"""A trained network's layers as plain arrays with the batch normalisation folded in."""

import numpy as np

from graph_onnx import folded


def layers(state, gain):
    """{layer: (weight, bias)} of one `Net`; `gain` multiplies the logits (one over temperature and count)."""
    s = {k: v.numpy().astype(np.float64) for k, v in state.items()}
    part = lambda prefix: {k: s[f"{prefix}.{k}"] for k in ("weight", "bias", "running_var", "running_mean")}
    with_norm = lambda a, b: folded(s[f"{a}.weight"], s[f"{a}.bias"], part(b))
    out = {f"conv{k}": with_norm(f"wave.{3 * k}", f"wave.{3 * k + 1}") for k in range(5)}
    out["wave"] = with_norm("wave.17", "wave.18")
    if "context.0.weight" in s:
        out["context"] = with_norm("context.0", "context.1")
        out["join"] = with_norm("head.1", "head.2")
        out["out"] = (s["head.5.weight"] * gain, s["head.5.bias"] * gain)
    else:
        out["out"] = (s["head.1.weight"] * gain, s["head.1.bias"] * gain)
    return {k: (w.astype(np.float32), b.astype(np.float32)) for k, (w, b) in out.items()}


STRIDES = (2, 2, 2, 1, 1)
