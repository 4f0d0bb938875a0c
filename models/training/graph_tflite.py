"""Writes a trained network as TFLite by hand, with 32-bit floats and any number of beats.

Layers are those of the ONNX graph. TFLite wants samples before channels, so the beat is transposed once and the first
dense layer's columns are reordered.
"""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tfl
from ai_edge_litert.interpreter import Interpreter

from weights import STRIDES

O = tfl.BuiltinOperator
VERSIONS = {O.CONV_2D: 1, O.PAD: 1, O.FULLY_CONNECTED: 1, O.CONCATENATION: 1, O.ADD: 1, O.SOFTMAX: 1, O.RESHAPE: 1,
            O.TRANSPOSE: 1}


class Writer:
    def __init__(self):
        self.tensors, self.operators, self.codes = [], [], []
        self.buffers = [tfl.BufferT()]

    def tensor(self, name, shape, data=None):
        """Index of a new tensor; the number of beats, -1, is stored as 1 and as -1 in the signature."""
        t = tfl.TensorT()
        t.name, t.shape = name, [1 if d == -1 else d for d in shape]
        t.shapeSignature = list(shape) if -1 in shape else None
        t.type = tfl.TensorType.FLOAT32
        t.buffer = 0
        if data is not None:
            t.type = tfl.TensorType.INT32 if data.dtype == np.int32 else tfl.TensorType.FLOAT32
            b = tfl.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.buffers.append(b)
            t.buffer = len(self.buffers) - 1
        self.tensors.append(t)
        return len(self.tensors) - 1

    def weight(self, name, value):
        value = np.asarray(value)
        value = value.astype(np.int32 if value.dtype.kind == "i" else np.float32)
        return self.tensor(name, list(value.shape), value)

    def op(self, code, kind, options, inputs, name, shape):
        if code not in self.codes:
            self.codes.append(code)
        operator = tfl.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs = inputs
        operator.outputs = [self.tensor(name, shape)]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.operators.append(operator)
        return operator.outputs[0]

    def reshape(self, x, name, shape):
        options = tfl.ReshapeOptionsT()
        options.newShape = shape
        return self.op(O.RESHAPE, tfl.BuiltinOptions.ReshapeOptions, options,
                       [x, self.weight(f"{name}.shape", np.array(shape, np.int32))], name, shape)

    def conv(self, x, name, weight, bias, stride, length):
        """Returns (tensor, its length); `weight` is [out, in, taps]."""
        pad = weight.shape[2] // 2
        if pad:
            x = self.op(O.PAD, tfl.BuiltinOptions.PadOptions, tfl.PadOptionsT(),
                        [x, self.weight(f"{name}.pads", np.array([[0, 0], [0, 0], [pad, pad], [0, 0]], np.int32))],
                        f"{name}.padded", [-1, 1, length + 2 * pad, weight.shape[1]])
        options = tfl.Conv2DOptionsT()
        options.padding = tfl.Padding.VALID
        options.strideH, options.strideW = 1, stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = tfl.ActivationFunctionType.RELU
        length = (length + 2 * pad - weight.shape[2]) // stride + 1
        kernel = self.weight(f"{name}.weight", weight.transpose(0, 2, 1)[:, None])
        return self.op(O.CONV_2D, tfl.BuiltinOptions.Conv2DOptions, options, [x, kernel, self.weight(f"{name}.bias", bias)],
                       name, [-1, 1, length, weight.shape[0]]), length

    def dense(self, x, name, weight, bias, relu=True):
        options = tfl.FullyConnectedOptionsT()
        options.fusedActivationFunction = tfl.ActivationFunctionType.RELU if relu else tfl.ActivationFunctionType.NONE
        return self.op(O.FULLY_CONNECTED, tfl.BuiltinOptions.FullyConnectedOptions, options,
                       [x, self.weight(f"{name}.weight", weight), self.weight(f"{name}.bias", bias)], name,
                       [-1, weight.shape[0]])

    def save(self, path, description, inputs, output):
        graph = tfl.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs, graph.name = [i for _, i in inputs], [output], "main"
        signature = tfl.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs, signature.outputs = [entry(*i) for i in inputs], [entry("probabilities", output)]
        model = tfl.ModelT()
        model.version, model.description = 3, description
        model.subgraphs, model.buffers, model.signatureDefs = [graph], self.buffers, [signature]
        model.operatorCodes = []
        for code in self.codes:
            c = tfl.OperatorCodeT()
            c.builtinCode = c.deprecatedBuiltinCode = code
            c.version = VERSIONS[code]
            model.operatorCodes.append(c)
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        path.write_bytes(bytes(builder.Output()))


def entry(name, index):
    m = tfl.TensorMapT()
    m.name, m.tensorIndex = name, index
    return m


def write(path, name, inputs, nets):
    w = Writer()
    given = {n: w.tensor(n, [-1, *dims]) for n, dims in inputs}
    wave, (channels, length) = inputs[0]
    order = w.weight("order", np.array([0, 2, 1], np.int32))
    flipped = w.op(O.TRANSPOSE, tfl.BuiltinOptions.TransposeOptions, tfl.TransposeOptionsT(), [given[wave], order],
                   "samples_first", [-1, length, channels])
    start = w.reshape(flipped, "as_image", [-1, 1, length, channels])
    total = None
    for k, net in enumerate(nets):
        x, n = start, length
        for layer, stride in enumerate(STRIDES):
            x, n = w.conv(x, f"net{k}.conv{layer}", *net[f"conv{layer}"], stride, n)
        weight, bias = net["wave"]
        out = net["conv4"][0].shape[0]
        weight = weight.reshape(-1, out, n).transpose(0, 2, 1).reshape(weight.shape)
        x = w.dense(w.reshape(x, f"net{k}.flat", [-1, n * out]), f"net{k}.wave", weight, bias)
        if "context" in net:
            y = w.dense(given["rr"], f"net{k}.context", *net["context"])
            options = tfl.ConcatenationOptionsT()
            options.axis = 1
            x = w.op(O.CONCATENATION, tfl.BuiltinOptions.ConcatenationOptions, options, [x, y], f"net{k}.both",
                     [-1, len(bias) + len(net["context"][1])])
            x = w.dense(x, f"net{k}.join", *net["join"])
        x = w.dense(x, f"net{k}.out", *net["out"], relu=False)
        total = x if total is None else w.op(O.ADD, tfl.BuiltinOptions.AddOptions, tfl.AddOptionsT(), [total, x],
                                             f"sum{k}", [-1, len(net["out"][1])])
    softmax = tfl.SoftmaxOptionsT()
    softmax.beta = 1.0
    output = w.op(O.SOFTMAX, tfl.BuiltinOptions.SoftmaxOptions, softmax, [total], "probabilities",
                  [-1, len(nets[0]["out"][1])])
    w.save(path, name, list(given.items()), output)


def run(path, inputs):
    interpreter = Interpreter(str(path), num_threads=1)
    for detail in interpreter.get_input_details():
        interpreter.resize_tensor_input(detail["index"], inputs[detail["name"]].shape, strict=True)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], inputs[detail["name"]])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).copy()
