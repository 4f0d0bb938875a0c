"""Writes a trained network as ONNX by hand: convolutions with the normalisation folded in, and nothing exotic."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def folded(weight, bias, norm, eps=1e-4):
    """A layer's weight and bias with the batch normalisation behind it."""
    scale = norm["weight"] / np.sqrt(norm["running_var"] + eps)
    shape = (-1,) + (1,) * (weight.ndim - 1)
    return weight * scale.reshape(shape), (bias - norm["running_mean"]) * scale + norm["bias"]


class Graph:
    """Collects nodes and weights; every method returns the name of its output."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def op(self, kind, *inputs, **attributes):
        name = attributes.pop("output", None) or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name, value):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    def conv(self, name, x, weight, bias, stride):
        k = weight.shape[2]
        return self.op("Relu", self.op("Conv", x, self.constant(f"{name}.weight", weight),
                                       self.constant(f"{name}.bias", bias), kernel_shape=[k], strides=[stride],
                                       pads=[k // 2, k // 2]))

    def dense(self, name, x, weight, bias, relu=True, **attributes):
        y = self.op("Gemm", x, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias), transB=1,
                    **attributes)
        return self.op("Relu", y) if relu else y

    def model(self, name, inputs, output):
        info = lambda n, dims: helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *dims])
        graph = helper.make_graph(self.nodes, name, [info(n, d) for n, d in inputs], [info(*output)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8,
                                  producer_name="einthoven")
        onnx.checker.check_model(model, full_check=True)
        return model
