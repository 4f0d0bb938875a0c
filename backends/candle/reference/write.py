"""Writes `expected/`: state-dict names and shapes and a few outputs of each network, with weights made by a formula.

    python write.py      # needs PyTorch and numpy

`tests/published.rs` makes the same weights and inputs and compares. Nothing here is trained.
"""

import json
import pathlib

import numpy as np
import torch

import networks

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1
OUTPUT = lambda classes, activation: {"name": "output", "classes": classes, "activation": activation}
SIGNAL = lambda channels, length: {"name": "ecg", "channels": channels, "length": length}
CASES = {
    "ribeiro2020-resnet1d": {
        "architecture": "ribeiro2020-resnet1d", "input": SIGNAL(12, 4096), "output": OUTPUT(6, "sigmoid"),
        "filters": [64, 128, 196, 256, 320], "lengths": [4096, 1024, 256, 64, 16], "kernel_size": 17},
    # Odd lengths, so that the half windows at the end of the pooling layers are seen.
    "xresnet1d101": {
        "architecture": "xresnet1d101", "input": SIGNAL(12, 250), "output": OUTPUT(71, "none"), "kernel_size": 5,
        "hidden": [128]},
    "inception1d": {
        "architecture": "inception1d", "input": SIGNAL(12, 1000), "output": OUTPUT(5, "softmax"), "kernel_size": 40,
        "depth": 6, "bottleneck": 32, "filters": 32, "hidden": [128]},
    # Other sizes: a first stride, a block that only widens, and no hidden layer in the head.
    "ribeiro-small": {
        "architecture": "ribeiro2020-resnet1d", "input": SIGNAL(3, 512), "output": OUTPUT(1, "none"),
        "filters": [8, 12, 12], "lengths": [256, 256, 32], "kernel_size": 9},
    "inception-small": {
        "architecture": "inception1d", "input": SIGNAL(1, 187), "output": OUTPUT(5, "none"), "kernel_size": 41,
        "depth": 3, "bottleneck": 8, "filters": 6, "hidden": []},
}


def uniform(name, count):
    """Numbers in [-1, 1) from the name: FNV-1a as the seed, then splitmix64, 24 bits of each."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1


def value(name, shape):
    """A tensor of a state dict; scaled so that signals neither vanish nor grow through a hundred layers."""
    u = uniform(name, int(np.prod(shape)))
    if name.endswith("running_var"):
        u = 1 + 0.5 * u
    elif name.endswith("running_mean") or name.endswith(".bias"):
        u = 0.1 * u
    elif len(shape) == 1:
        u = 0.6 + 0.2 * u
    else:
        u = u * np.sqrt(6 / np.prod(shape[1:]))
    return u.astype(np.float32).reshape(shape)


def main():
    (HERE / "expected").mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for case, config in CASES.items():
        network = networks.build(config).eval()
        state = network.state_dict()
        real = lambda name: name.replace(".convpath.0.", ".convs.")
        made = {n: torch.from_numpy(value(real(n), tuple(t.shape))) for n, t in state.items() if t.ndim}
        network.load_state_dict({**state, **made})
        signal = config["input"]
        x = torch.from_numpy(uniform("input", 2 * signal["channels"] * signal["length"]).astype(np.float32))
        with torch.no_grad():
            y = network(x.reshape(2, signal["channels"], signal["length"]))
        y = {"none": lambda y: y, "sigmoid": torch.sigmoid, "softmax": lambda y: torch.softmax(y, 1)}[
            config["output"]["activation"]](y)
        # Without the counters, and without the second name that xresnet1d101 has for the convolutions of its blocks.
        listed = {n: t for n, t in state.items() if t.ndim and n == real(n)}
        shapes = "\n  ".join(json.dumps([n, *t.shape]) + "," for n, t in listed.items()).rstrip(",")
        outputs = json.dumps([float(f"{v:.7g}") for v in y.flatten().tolist()])
        (HERE / "expected" / f"{case}.json").write_text(
            f'{{"torch": "{torch.__version__.split("+")[0]}",\n "config": {json.dumps(config)},\n'
            f' "outputs": {outputs},\n "state": [\n  {shapes}]}}\n')
        print(f"{case}: {len(listed)} of {len(state)} tensors, outputs {y.min():.3f} to {y.max():.3f}")


main()
