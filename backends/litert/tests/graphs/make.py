"""Writes the small graphs that the tests run: one property each.

    pip install ai-edge-litert==2.3.0 numpy && python make.py
"""

import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tfl

HERE = pathlib.Path(__file__).parent
O, T, B = tfl.BuiltinOperator, tfl.TensorType, tfl.BuiltinOptions
TYPES = {"float32": T.FLOAT32, "float16": T.FLOAT16, "int8": T.INT8, "uint8": T.UINT8, "int32": T.INT32,
         "int64": T.INT64, "bool": T.BOOL}


class Graph:
    def __init__(self):
        self.tensors, self.operators, self.codes, self.buffers = [], [], [], [tfl.BufferT()]

    def tensor(self, name, shape, dtype="float32", data=None, scale=None, zero=0):
        """Index of a new tensor; a dimension of -1 is open."""
        t = tfl.TensorT()
        t.name, t.type, t.buffer = name, TYPES[dtype], 0
        t.shape = [1 if d == -1 else d for d in shape]
        t.shapeSignature = list(shape) if -1 in shape else None
        if data is not None:
            b = tfl.BufferT()
            b.data = np.frombuffer(np.asarray(data, dtype).tobytes(), np.uint8)
            self.buffers.append(b)
            t.buffer = len(self.buffers) - 1
        if scale is not None:
            t.quantization = tfl.QuantizationParametersT()
            t.quantization.scale, t.quantization.zeroPoint = [scale], [zero]
        self.tensors.append(t)
        return len(self.tensors) - 1

    def op(self, code, inputs, outputs, kind=B.NONE, options=None, version=1, custom=None):
        c = tfl.OperatorCodeT()
        c.builtinCode, c.deprecatedBuiltinCode, c.version, c.customCode = code, min(code, 127), version, custom
        self.codes.append(c)
        o = tfl.OperatorT()
        o.opcodeIndex, o.inputs, o.outputs = len(self.codes) - 1, inputs, outputs
        o.builtinOptionsType, o.builtinOptions = kind, options
        self.operators.append(o)

    def dense(self, x, y, weights, bias):
        options = tfl.FullyConnectedOptionsT()
        options.keepNumDims = True
        self.op(O.FULLY_CONNECTED, [x, weights, bias], [y], B.FullyConnectedOptions, options, version=5)

    def reshape(self, x, y, shape):
        options = tfl.ReshapeOptionsT()
        options.newShape = shape
        self.op(O.RESHAPE, [x, self.tensor("shape", [len(shape)], "int32", shape)], [y], B.ReshapeOptions, options)

    def write(self, name, inputs, outputs):
        subgraph = tfl.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs, subgraph.name = inputs, outputs, "main"
        model = tfl.ModelT()
        model.version, model.description = 3, name
        model.operatorCodes, model.subgraphs, model.buffers = self.codes, [subgraph], self.buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        (HERE / f"{name}.tflite").write_bytes(builder.Output())


WEIGHTS = [[1, -2, 3], [64, 32, -16]]


def int8():
    """i8 in and out: 2x3 dense, all scales 1 but the weights' 0.5."""
    g = Graph()
    x, y = g.tensor("x", [-1, 3], "int8", scale=1.0), g.tensor("y", [-1, 2], "int8", scale=1.0, zero=-1)
    w = g.tensor("w", [2, 3], "int8", WEIGHTS, scale=0.5)
    g.dense(x, y, w, g.tensor("b", [2], "int32", [4, -8], scale=0.5))
    g.write("int8", [x], [y])


def dynamic_range():
    """f32 in and out, i8 weights."""
    g = Graph()
    x, y = g.tensor("x", [-1, 3]), g.tensor("y", [-1, 2])
    w = g.tensor("w", [2, 3], "int8", WEIGHTS, scale=0.5)
    g.dense(x, y, w, g.tensor("b", [2], data=[2, -4]))
    g.write("dynamic_range", [x], [y])


def fixed_shape_inside():
    """One row, and a reshape that says so: it cannot be resized. Two outputs."""
    g = Graph()
    x, y, z = g.tensor("x", [1, 2, 3]), g.tensor("y", [1, 6]), g.tensor("z", [1, 6])
    g.reshape(x, y, [1, 6])
    g.op(O.NEG, [y], [z], B.NegOptions, tfl.NegOptionsT())
    g.write("fixed_shape_inside", [x], [y, z])


def rows_mixed():
    """Takes an open batch but subtracts the mean over it."""
    g = Graph()
    x, m, y = g.tensor("x", [-1, 3]), g.tensor("m", [1, 3]), g.tensor("y", [-1, 3])
    options = tfl.ReducerOptionsT()
    options.keepDims = True
    g.op(O.MEAN, [x, g.tensor("axis", [1], "int32", [0])], [m], B.ReducerOptions, options)
    g.op(O.SUB, [x, m], [y], B.SubOptions, tfl.SubOptionsT())
    g.write("rows_mixed", [x], [y])


def batch_of_four():
    g = Graph()
    x, y = g.tensor("x", [4, 3]), g.tensor("y", [4, 3])
    g.op(O.NEG, [x], [y], B.NegOptions, tfl.NegOptionsT())
    g.write("batch_of_four", [x], [y])


def types():
    """Every element type, as many rows of two as come, reversed within the row."""
    g = Graph()
    inputs, outputs = [], []
    axis = g.tensor("axis", [1], "int32", [1])
    for dtype in ["float32", "int64", "uint8", "bool", "int8"]:
        quantised = {"scale": 1.0} if dtype in ("uint8", "int8") else {}
        inputs.append(g.tensor(f"in_{dtype}", [-1, 2], dtype, **quantised))
        outputs.append(g.tensor(f"out_{dtype}", [-1, 2], dtype, **quantised))
        g.op(O.REVERSE_V2, inputs[-1:] + [axis], outputs[-1:], B.ReverseV2Options, tfl.ReverseV2OptionsT(), version=3)
    inputs.append(g.tensor("in_float16", [-1, 2], "float16"))
    outputs.append(g.tensor("out_float16", [-1, 2], "float32"))
    g.op(O.DEQUANTIZE, inputs[-1:], outputs[-1:], B.DequantizeOptions, tfl.DequantizeOptionsT(), version=3)
    g.write("types", inputs, outputs)


def int32_input():
    g = Graph()
    x, y = g.tensor("x", [-1, 2], "int32"), g.tensor("y", [-1, 2], "float32")
    g.op(O.CAST, [x], [y], B.CastOptions, tfl.CastOptionsT())
    g.write("int32_input", [x], [y])


def lacking():
    """A custom operator and one of the schema's without a kernel."""
    g = Graph()
    x, y, z = g.tensor("x", [-1, 2]), g.tensor("hidden", [-1, 2]), g.tensor("y", [-1, 2])
    g.op(O.CUSTOM, [x], [y], custom="FlexErf")
    g.op(O.STABLEHLO_COSINE, [y], [z])
    g.write("lacking", [x], [z])


for make in [int8, dynamic_range, fixed_shape_inside, rows_mixed, batch_of_four, types, int32_input, lacking]:
    make()
