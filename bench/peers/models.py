"""Writes the networks. Two that every server is measured with: `beat.onnx`, a small convolutional network for one heartbeat
([n, 1, 187] to [n, 5], 106 thousand parameters), and `ecg12.onnx`, a residual network for twelve leads ([n, 12, 4096] to
[n, 6], 6 million). Weights are random and always the same: speed does not depend on what was learnt. And `nothing.onnx`, which
gives the first five of 187 values: what a server costs beside a network. `beat-variants.zip` holds `beat.onnx` and its twin in
8-bit integers, for a server that may choose. `beat-plane.onnx` computes what `beat.onnx` does with convolutions over a plane of
height one, which is how Einthoven has ONNX Runtime compute them: it shows what the bare engine reaches with that.

    python models.py FOLDER
"""

import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static


class Network:
    """A graph that grows layer by layer; `flow` is the tensor that the next layer takes."""

    def __init__(self, name, leads, samples, seed, plane=False):
        self.name, self.flow, self.channels = name, "x", leads
        self.height = [1] if plane else []
        self.nodes, self.weights = [], []
        self.random = np.random.default_rng(seed)
        self.input = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", leads, samples])
        if plane:
            self.weights.append(numpy_helper.from_array(np.array([2], dtype=np.int64), "height"))
            self.flow = self.add("Unsqueeze", "x", "height")

    def weight(self, *shape):
        scale = np.sqrt(2.0 / np.prod(shape[1:])) if len(shape) > 1 else 0.01
        name = f"w{len(self.weights)}"
        values = (self.random.standard_normal(shape) * scale).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def add(self, kind, *inputs, **attributes):
        out = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def conv(self, channels, width, stride=1, source=None):
        source = source or self.flow
        weights, bias = self.weight(channels, self.channels, *self.height, width), self.weight(channels)
        left = (width - 1) // 2
        no_rows = [0] * len(self.height)
        pads = [*no_rows, left, *no_rows, width - 1 - left]
        return self.add("Conv", source, weights, bias, strides=[*self.height, stride], pads=pads)

    def block(self, channels, width, stride):
        """Two convolutions beside a shortcut, as in a residual network."""
        before, channels_before = self.flow, self.channels
        self.flow = self.add("Relu", self.conv(channels, width, stride))
        self.channels = channels
        through = self.conv(channels, width)
        self.channels = channels_before
        beside = self.conv(channels, 1, stride, source=before)
        self.channels = channels
        self.flow = self.add("Relu", self.add("Add", through, beside))

    def head(self, classes):
        pooled = self.add("Flatten", self.add("GlobalAveragePool", self.flow), axis=1)
        scores = self.add("Gemm", pooled, self.weight(classes, self.channels), self.weight(classes), transB=1)
        self.nodes.append(helper.make_node("Softmax", [scores], ["probabilities"], axis=1))
        return self.model(classes)

    def model(self, classes):
        output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", classes])
        graph = helper.make_graph(self.nodes, self.name, [self.input], [output], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model


def beat(plane=False):
    network = Network("beat-plane" if plane else "beat", 1, 187, seed=1, plane=plane)
    for channels, width, pooled in [(32, 7, False), (64, 7, True), (128, 5, True), (64, 5, True)]:
        network.flow = network.add("Relu", network.conv(channels, width))
        network.channels = channels
        if pooled:
            network.flow = network.add(
                "MaxPool", network.flow, kernel_shape=[*network.height, 2], strides=[*network.height, 2]
            )
    network.flow = network.add("Relu", network.conv(48, 3))
    network.channels = 48
    return network.head(5)


def ecg12():
    network = Network("ecg12", 12, 4096, seed=2)
    network.flow = network.add("Relu", network.conv(64, 16))
    network.channels = 64
    for channels in (128, 196, 256, 320):
        network.block(channels, 16, stride=4)
    return network.head(6)


def nothing():
    network = Network("nothing", 1, 187, seed=3)
    for name, values in [("first", [0]), ("end", [5]), ("axis", [2]), ("leads", [1])]:
        network.weights.append(numpy_helper.from_array(np.array(values, dtype=np.int64), name))
    few = network.add("Slice", network.flow, "first", "end", "axis")
    network.nodes.append(helper.make_node("Squeeze", [few, "leads"], ["probabilities"]))
    return network.model(5)


class Beats(CalibrationDataReader):
    """What the ranges of the 8-bit twin are taken from: like the inputs of the measurement."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.batches = iter([random.standard_normal((64, 1, 187)).astype(np.float32) for _ in range(4)])

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {"x": batch}


def variants(folder):
    twin = folder / "beat.int8.onnx"
    quantize_static(
        folder / "beat.onnx",
        twin,
        Beats(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    with zipfile.ZipFile(folder / "beat-variants.zip", "w") as package:
        package.write(folder / "beat.onnx", "model.onnx")
        package.write(twin, "model.int8.onnx")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for model in (beat(), beat(plane=True), ecg12(), nothing()):
        path = folder / f"{model.graph.name}.onnx"
        onnx.save(model, path)
        count = sum(int(np.prod(weight.dims)) for weight in model.graph.initializer)
        print(f"{path}: {count} parameters")
    variants(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
