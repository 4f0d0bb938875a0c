"""Writes the graphs every engine is compared on: one small ONNX file each, and `graphs.json` with inputs and outputs.

    python graphs.py        # needs onnx, onnxruntime and numpy as pinned in models/requirements.txt

Outputs are those of ONNX Runtime on the CPU in 32-bit floats, also for the graphs in 16-bit floats and 8-bit integers: how
far such a graph may be from the network it stands for is what its tolerance says.
"""

import json
import pathlib
import re
import tempfile
import zlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization as quant

FOLDER = pathlib.Path(__file__).parent / "graphs"
TYPES = {"float": ("f32", np.float32), "float16": ("f16", np.float16), "int64": ("i64", np.int64),
         "int8": ("i8", np.int8), "uint8": ("u8", np.uint8), "bool": ("bool", np.bool_)}
NAMES = {np.dtype(kind): name for name, kind in TYPES.values()}
F32, F16, INT8 = 1e-4, 5e-3, 0.06
WHY = {F32: "32-bit floats", F16: "16-bit floats: a few units in the last place of values up to 4",
       INT8: "8-bit integers: three steps of the coarsest scale, 0.02"}
graphs = []


def weight(seed, *dims, kind=np.float32, scale=0.5):
    """Values any run of this script makes again."""
    values = np.random.default_rng(zlib.crc32(seed.encode())).standard_normal(dims) * scale
    return values.astype(kind)


def inputs_for(name, declared, sizes):
    """A value for every declared input, with the named dimensions set to `sizes`."""
    values = {}
    for kind, dims, label in declared:
        shape = [sizes[d] if isinstance(d, str) else d for d in dims]
        rng = np.random.default_rng(zlib.crc32(f"{name}/{label}/{shape}".encode()))
        dtype = TYPES[kind][1]
        if dtype == np.bool_:
            values[label] = rng.random(shape) < 0.5
        elif dtype == np.int64:
            values[label] = rng.integers(0, 6, shape, dtype)
        elif dtype in (np.int8, np.uint8):
            values[label] = rng.integers(0 if dtype == np.uint8 else -100, 100, shape, dtype)
        else:
            values[label] = rng.standard_normal(shape).round(3).astype(dtype)
    return values


def parse(inputs):
    """`float[N,2,16] x` to type, dimensions and name."""
    for text in inputs:
        kind, dims, label = re.fullmatch(r"(\w+)\[([^]]*)\] (\w+)", text).groups()
        yield kind, [int(d) if d.isdigit() else d for d in dims.split(",") if d], label


def build(name, inputs, nodes, outputs, weights, opset, halves=True):
    """The model; with `halves` false every 16-bit float in it becomes a 32-bit one, for the reference."""
    lines = [line.strip() for line in nodes.strip().splitlines()]
    if not halves:
        lines = [re.sub(r"\bto *= *10\b", "to = 1", line) for line in lines]
    parsed = [onnx.parser.parse_node(line) for line in lines]
    for index, node in enumerate(parsed):
        node.name = f"{node.op_type.lower()}_{index}"
    full = (lambda kind: TensorProto.FLOAT if not halves and kind == TensorProto.FLOAT16 else kind)
    wide = (lambda a: a.astype(np.float32) if not halves and a.dtype == np.float16 else a)
    graph = helper.make_graph(
        parsed, name,
        [helper.make_tensor_value_info(label, full(getattr(TensorProto, kind.upper())), dims)
         for kind, dims, label in parse(inputs)],
        [onnx.ValueInfoProto(name=label) for label in outputs],
        [numpy_helper.from_array(np.asarray(wide(np.asarray(value)), order="C"), label)
         for label, value in weights.items()])
    domains = [helper.make_opsetid("", opset)]
    if any(node.domain == "com.microsoft" for node in parsed):
        domains.append(helper.make_opsetid("com.microsoft", 1))
    model = helper.make_model(graph, opset_imports=domains, ir_version=8, producer_name="einthoven")
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    for mine, found in zip(model.graph.output, inferred.graph.output):
        mine.CopyFrom(found)
        if not found.type.tensor_type.elem_type:  # inference knows no function bodies; those here keep type and shape
            mine.type.CopyFrom(model.graph.input[0].type)
    return model


def run(model, values):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, values)))


def number(value):
    return bool(value) if isinstance(value, np.bool_) else int(value) if isinstance(value, np.integer) else float(
        f"{float(value):.6g}")


def tensors(values):
    return {label: {"dtype": NAMES[v.dtype], "dims": list(v.shape), "values": [number(x) for x in v.ravel()]}
            for label, v in values.items()}


def save(name, model, runs, tags, tolerance, external=False):
    """Writes a graph and remembers its runs: pairs of inputs and reference outputs."""
    path = FOLDER / f"{name}.onnx"
    files = [path.name]
    if external:
        files.append(f"{name}.weights")
        (FOLDER / files[1]).unlink(missing_ok=True)
        onnx.save_model(model, path, save_as_external_data=True, location=files[1], size_threshold=0)
    else:
        path.write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path))
    graphs.append({"name": name, "files": files, "tags": tags, "tolerance": tolerance, "why": WHY[tolerance],
                   "runs": [{"inputs": tensors(i), "outputs": tensors(o)} for i, o in runs]})


def case(name, inputs, nodes, outputs=("y",), tags=(), tolerance=F32, sizes=({"N": 2},), opset=17,
         external=False, **weights):
    """One graph, in ONNX's text form."""
    model = build(name, inputs, nodes, outputs, weights, opset)
    runs = []
    for size in sizes:
        given = inputs_for(name, list(parse(inputs)), size)
        reference = model
        wanted = given
        if tolerance == F16:
            reference = build(name, inputs, nodes, outputs, weights, opset, halves=False)
            wanted = {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in given.items()}
        got = run(reference.SerializeToString(), wanted)
        kinds = {o.name: helper.tensor_dtype_to_np_dtype(o.type.tensor_type.elem_type) for o in model.graph.output}
        # The reference keeps its 32-bit values and is labelled with the type the graph gives.
        got = {k: v.astype(kinds[k]) if v.dtype != kinds[k] else v for k, v in got.items()}
        runs.append((given, got))
        assert all(np.all(np.isfinite(v)) for v in got.values() if v.dtype.kind == "f"), name
    tags = sorted({*tags, *(node.op_type for node in model.graph.node)})
    save(name, model, runs, tags, tolerance, external)


def ints(*values):
    return np.array(values, np.int64)


X = ["float[N,4,16] x"]
ONCE = ({},)


def convolutions():
    w = lambda *dims: {"w": weight("conv", *dims), "b": weight("bias", dims[0])}
    case("conv-plain", X, "y = Conv <pads=[1,1]> (x, w, b)", **w(6, 4, 3))
    case("conv-stride", X, "y = Conv <strides=[2], pads=[2,2]> (x, w, b)", **w(6, 4, 5))
    case("conv-dilation", X, "y = Conv <dilations=[3], pads=[3,3]> (x, w, b)", **w(6, 4, 3))
    case("conv-groups", X, "y = Conv <group=2> (x, w, b)", **w(6, 2, 3))
    case("conv-depthwise", X, "y = Conv <group=4, pads=[1,1]> (x, w, b)", **w(4, 1, 3))
    case("conv-asymmetric", X, "y = Conv <pads=[0,3], strides=[2]> (x, w, b)", **w(6, 4, 4))
    case("conv-same-upper", X, 'y = Conv <auto_pad="SAME_UPPER", strides=[3]> (x, w, b)', **w(6, 4, 4))
    case("conv-same-lower", X, 'y = Conv <auto_pad="SAME_LOWER", strides=[2]> (x, w, b)', **w(6, 4, 4))
    case("conv-no-bias", X, "y = Conv (x, w)", w=weight("w", 6, 4, 1))
    case("conv-2d-row", ["float[N,4,1,16] x"], "y = Conv <pads=[0,1,0,1]> (x, w, b)", **w(6, 4, 1, 3))
    case("conv-transpose", X, "y = ConvTranspose <strides=[2], pads=[1,1]> (x, w, b)",
         w=weight("w", 4, 3, 4), b=weight("b", 3))
    case("conv-transpose-output-padding", X,
         "y = ConvTranspose <strides=[2], pads=[1,1], output_padding=[1]> (x, w)", w=weight("w", 4, 3, 3))
    case("residual-block", X, """
        a = Conv <pads=[1,1]> (x, w, b)
        n = BatchNormalization (a, scale, shift, mean, var)
        r = Relu (n)
        c = Conv <pads=[1,1]> (r, w2, b)
        s = Add (c, x)
        o = Relu (s)
        p = GlobalAveragePool (o)
        y = Flatten (p)""", w=weight("w", 4, 4, 3), b=weight("b", 4), w2=weight("w2", 4, 4, 3),
         scale=weight("s", 4), shift=weight("h", 4), mean=weight("m", 4), var=np.abs(weight("v", 4)) + 0.5)
    case("squeeze-excite", X, """
        p = GlobalAveragePool (x)
        a = Conv (p, w1)
        r = Relu (a)
        c = Conv (r, w2)
        g = Sigmoid (c)
        y = Mul (x, g)""", w1=weight("w1", 2, 4, 1), w2=weight("w2", 4, 2, 1))


def normalisations():
    four = {"scale": weight("s", 4), "shift": weight("h", 4)}
    case("batch-norm", X, "y = BatchNormalization <epsilon=1e-3> (x, scale, shift, mean, var)", **four,
         mean=weight("m", 4), var=np.abs(weight("v", 4)) + 0.5)
    case("instance-norm", X, "y = InstanceNormalization (x, scale, shift)", **four)
    case("layer-norm", X, "y = LayerNormalization <axis=-1> (x, scale, shift)", scale=weight("s", 16),
         shift=weight("h", 16))
    case("group-norm", X, "y = GroupNormalization <num_groups=2> (x, scale, shift)", opset=21, **four)
    case("group-norm-composed", X, """
        a = Reshape (x, halves)
        n = InstanceNormalization (a, one, zero)
        s = Shape (x)
        r = Reshape (n, s)
        m = Mul (r, scale)
        y = Add (m, shift)""", halves=ints(0, 2, -1), one=np.ones(2, np.float32), zero=np.zeros(2, np.float32),
         scale=weight("s", 4, 1), shift=weight("h", 4, 1), tags=["run-time-shape"])
    case("layer-norm-composed", X, """
        m = ReduceMean <axes=[-1], keepdims=1> (x)
        d = Sub (x, m)
        q = Pow (d, two)
        v = ReduceMean <axes=[-1], keepdims=1> (q)
        e = Add (v, eps)
        r = Sqrt (e)
        y = Div (d, r)""", two=np.float32(2), eps=np.float32(1e-5))


def pools_and_reductions():
    case("max-pool", X, "y = MaxPool <kernel_shape=[3], strides=[2]> (x)")
    case("max-pool-padded", X, "y = MaxPool <kernel_shape=[3], strides=[2], pads=[1,1]> (x)")
    case("max-pool-same", X, 'y = MaxPool <kernel_shape=[4], strides=[3], auto_pad="SAME_UPPER"> (x)')
    case("max-pool-ceil", X, "y = MaxPool <kernel_shape=[3], strides=[2], ceil_mode=1> (x)")
    case("average-pool", X, "y = AveragePool <kernel_shape=[3], strides=[2], pads=[1,1]> (x)")
    case("average-pool-counted", X,
         "y = AveragePool <kernel_shape=[3], strides=[2], pads=[1,1], count_include_pad=1> (x)")
    case("global-average-pool", X, "y = GlobalAveragePool (x)")
    case("global-max-pool", X, "y = GlobalMaxPool (x)")
    for op in ("Mean", "Max"):
        case(f"reduce-{op.lower()}", X, f"y = Reduce{op} <axes=[2], keepdims=0> (x)")
    case("reduce-sum", X, "y = ReduceSum <keepdims=1> (x, axes)", axes=ints(1))
    case("reduce-mean-axes-input", X, "y = ReduceMean <keepdims=0> (x, axes)", axes=ints(-1), opset=18)


def dense_and_activations():
    flat = ["float[N,16] x"]
    case("gemm", flat, "y = Gemm <transB=1, alpha=0.5, beta=2.0> (x, w, b)", w=weight("w", 8, 16), b=weight("b", 8))
    case("matmul", X, "y = MatMul (x, w)", w=weight("w", 16, 5))
    case("matmul-two-inputs", ["float[N,4,6] a", "float[N,6,5] b"], "y = MatMul (a, b)")
    for op, attributes in [("Relu", ""), ("LeakyRelu", "<alpha=0.1>"), ("Elu", "<alpha=0.7>"), ("Selu", ""),
                           ("Sigmoid", ""), ("Tanh", ""), ("HardSwish", ""), ("HardSigmoid", ""), ("Softplus", ""),
                           ("Softsign", ""), ("Erf", ""), ("Exp", ""), ("Abs", ""), ("Neg", ""), ("Floor", ""),
                           ("Softmax", "<axis=1>"), ("LogSoftmax", "<axis=-1>"), ("Identity", "")]:
        case(re.sub("(?<!^)([A-Z])", r"-\1", op).lower(), X, f"y = {op} {attributes} (x)")
    case("gelu", X, "y = Gelu (x)", opset=20)
    case("gelu-composed", X, """
        d = Div (x, root)
        e = Erf (d)
        o = Add (e, one)
        p = Mul (x, o)
        y = Mul (p, half)""", root=np.float32(2**0.5), one=np.float32(1), half=np.float32(0.5))
    case("prelu", X, "y = PRelu (x, slope)", slope=np.abs(weight("slope", 4, 1)))
    case("clip", X, "y = Clip (x, low, high)", low=np.float32(-0.5), high=np.float32(0.8))
    case("swish", X, """
        s = Sigmoid (x)
        y = Mul (x, s)""")
    for op in ("Add", "Sub", "Mul", "Div"):
        case(f"{op.lower()}-broadcast", ["float[N,4,16] x", "float[N,1,16] z"], f"""
            a = {op} (x, row)
            p = Abs (z)
            q = Add (p, one)
            y = {op} (a, q)""", row=np.abs(weight("row", 4, 1)) + 0.5, one=np.float32(1))


def shapes():
    case("concat", ["float[N,2,16] a", "float[N,3,16] b"], "y = Concat <axis=1> (a, b)")
    case("split", X, "y, z = Split <axis=1> (x, parts)", ("y", "z"), parts=ints(1, 3))
    case("split-equal", X, "y, z = Split <axis=2> (x)", ("y", "z"))
    case("slice", X, "y = Slice (x, starts, ends, axes, steps)", starts=ints(1, 14), ends=ints(3, 2), axes=ints(1, 2),
         steps=ints(1, -3))
    case("gather", X, "y = Gather <axis=1> (x, which)", which=ints(2, 0, -1))
    case("transpose", X, "y = Transpose <perm=[0,2,1]> (x)")
    case("reshape", X, "y = Reshape (x, shape)", shape=ints(-1, 2, 32))
    case("reshape-run-time", X, """
        s = Shape (x)
        n = Gather <axis=0> (s, zero)
        u = Unsqueeze (n, axis)
        t = Concat <axis=0> (u, rest)
        y = Reshape (x, t)""", zero=np.int64(0), axis=ints(0), rest=ints(8, 8), tags=["run-time-shape"])
    case("flatten", X, "y = Flatten <axis=1> (x)")
    case("squeeze", ["float[N,1,16] x"], "y = Squeeze (x, axes)", axes=ints(1))
    case("unsqueeze", ["float[N,16] x"], "y = Unsqueeze (x, axes)", axes=ints(1, 3))
    case("expand", ["float[N,1,16] x"], "y = Expand (x, shape)", shape=ints(1, 3, 16))
    case("tile", X, "y = Tile (x, times)", times=ints(1, 2, 1))
    case("pad-constant", X, "y = Pad (x, pads, value)", pads=ints(0, 0, 2, 0, 0, 3), value=np.float32(0.25))
    case("pad-reflect", X, 'y = Pad <mode="reflect"> (x, pads)', pads=ints(0, 0, 2, 0, 0, 3))
    case("pad-edge", X, 'y = Pad <mode="edge"> (x, pads)', pads=ints(0, 0, 2, 0, 0, 3))
    case("resize-nearest", X,
         'y = Resize <mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"> (x,,scales)',
         scales=np.array([1, 1, 2], np.float32))
    case("resize-linear", X, 'y = Resize <mode="linear", coordinate_transformation_mode="half_pixel"> (x,,scales)',
         scales=np.array([1, 1, 1.5], np.float32))
    case("cumsum", X, "y = CumSum (x, axis)", axis=np.int64(2))


def recurrent_and_attention():
    steps = ["float[N,6,3] x"]

    def cells(kind, gates, both):
        d = 2 if both else 1
        return {"w": weight(f"{kind}w", d, gates * 5, 3), "r": weight(f"{kind}r", d, gates * 5, 5),
                "b": weight(f"{kind}b", d, gates * 10)}

    for kind, gates, extra in [("LSTM", 4, ""), ("GRU", 3, ", linear_before_reset=1")]:
        for both in (False, True):
            direction = ', direction="bidirectional"' if both else ""
            case(f"{kind.lower()}{'-bidirectional' if both else ''}", steps, f"""
                t = Transpose <perm=[1,0,2]> (x)
                h, last = {kind} <hidden_size=5{direction}{extra}> (t, w, r, b)
                p = Transpose <perm=[2,0,1,3]> (h)
                y = Reshape (p, join)""", join=ints(0, 0, 10 if both else 5), **cells(kind, gates, both))
    case("lstm-last-state", steps, """
        t = Transpose <perm=[1,0,2]> (x)
        h, last, cell = LSTM <hidden_size=5> (t, w, r, b)
        y = Squeeze (last, axes)""", axes=ints(0), **cells("LSTM", 4, False))
    case("attention", ["float[N,8,6] x"], """
        q = MatMul (x, wq)
        k = MatMul (x, wk)
        v = MatMul (x, wv)
        kt = Transpose <perm=[0,2,1]> (k)
        s = MatMul (q, kt)
        d = Div (s, root)
        a = Softmax <axis=-1> (d)
        y = MatMul (a, v)""", wq=weight("q", 6, 6), wk=weight("k", 6, 6), wv=weight("v", 6, 6), root=np.float32(6**0.5))
    case("einsum", ["float[N,4,6] a", "float[N,5,6] b"], 'y = Einsum <equation="nij,nkj->nik"> (a, b)')
    case("top-k", ["float[N,16] x"], "y, at = TopK <axis=1> (x, k)", ("y", "at"), k=ints(3))
    case("arg-max", X, "y = ArgMax <axis=1, keepdims=0> (x)")


def types():
    case("where-bool-input", ["bool[N,4,16] c", "float[N,4,16] x"], "y = Where (c, x, zero)", zero=np.float32(0))
    case("greater-bool-output", X, "y = Greater (x, level)", level=np.float32(0.2))
    case("logic-bool", ["bool[N,8] a", "bool[N,8] b"], """
        n = Not (b)
        y = And (a, n)
        z = Or (a, b)""", ("y", "z"))
    case("cast-i64", X, """
        s = Mul (x, ten)
        y = Cast <to = 7> (s)""", ten=np.float32(10))
    case("cast-bool", X, "y = Cast <to = 9> (x)")
    case("embedding-i64-input", ["int64[N,7] ids"], "y = Gather <axis=0> (table, ids)", table=weight("table", 6, 4))
    case("i64-arithmetic", ["int64[N,7] x"], """
        d = Mul (x, three)
        y = Add (d, x)""", three=np.int64(3))
    case("u8-input", ["uint8[N,4,16] x"], """
        f = Cast <to = 1> (x)
        y = Mul (f, step)""", step=np.float32(0.01))
    case("i8-input", ["int8[N,4,16] x"], """
        f = Cast <to = 1> (x)
        y = Mul (f, step)""", step=np.float32(0.01))
    case("u8-output", X, "y = QuantizeLinear (x, scale, zero)", scale=np.float32(0.02), zero=np.uint8(128), tags=["quantised"])
    case("i8-dequantise", ["int8[N,4,16] x"], "y = DequantizeLinear (x, scale, zero)", scale=np.float32(0.02),
         zero=np.int8(3), tags=["quantised"])
    half = ["float16[N,4,16] x"]
    case("f16-conv", half, """
        c = Conv <pads=[1,1]> (x, w, b)
        y = Relu (c)""", w=weight("w", 6, 4, 3, kind=np.float16, scale=0.3), b=weight("b", 6, kind=np.float16),
         tolerance=F16)
    case("f16-dense", ["float16[N,16] x"], """
        g = Gemm <transB=1> (x, w, b)
        y = Softmax <axis=1> (g)""", w=weight("w", 5, 16, kind=np.float16), b=weight("b", 5, kind=np.float16),
         tolerance=F16)
    case("f16-add", half, "y = Add (x, x)", tolerance=F16)
    case("f16-inside", X, """
        h = Cast <to = 10> (x)
        c = Conv <pads=[1,1]> (h, w)
        y = Cast <to = 1> (c)""", w=weight("w", 6, 4, 3, kind=np.float16, scale=0.3), tolerance=F16)
    case("several-in-and-out", ["float[N,4] a", "int64[N,4] i", "bool[N,4] c"], """
        f = Cast <to = 1> (i)
        s = Add (a, f)
        p = Where (c, s, a)
        q = Not (c)
        r = ArgMax <axis=1, keepdims=1> (p)""", ("p", "q", "r"))


def dimensions():
    w = {"w": weight("w", 6, 4, 3), "b": weight("b", 6)}
    case("fixed-batch-1", ["float[1,4,16] x"], "y = Conv (x, w, b)", sizes=ONCE, tags=["fixed-batch"], **w)
    case("fixed-batch-4", ["float[4,4,16] x"], "y = Conv (x, w, b)", sizes=ONCE, tags=["fixed-batch"], **w)
    lengths = ({"N": 1, "L": 16}, {"N": 2, "L": 24}, {"N": 1, "L": 7})
    case("dynamic-length-conv", ["float[N,4,L] x"], """
        c = Conv <pads=[1,1]> (x, w, b)
        r = Relu (c)
        p = GlobalAveragePool (r)
        y = Flatten (p)""", sizes=lengths, tags=["dynamic-length"], **w)
    case("dynamic-length-stride", ["float[N,4,L] x"], """
        c = Conv <strides=[2], pads=[1,1]> (x, w, b)
        y = MaxPool <kernel_shape=[2], strides=[2]> (c)""", sizes=lengths, tags=["dynamic-length"], **w)
    case("dynamic-batch", X, "y = Conv (x, w, b)", sizes=({"N": 1}, {"N": 9}), tags=["dynamic-batch"], **w)
    case("external-weights", X, """
        c = Conv <pads=[1,1]> (x, w, b)
        r = Relu (c)
        p = GlobalAveragePool (r)
        y = Flatten (p)""", external=True, tags=["external-weights"], **w)
    case("constant-nodes", X, """
        k = Constant <value_float=0.5> ()
        m = Mul (x, k)
        s = ConstantOfShape (dims)
        a = Add (s, one)
        y = Add (m, a)""", dims=ints(4, 16), one=np.float32(1))
    case("if-subgraph", ["float[N,4] x"], """
        b = Constant <value_int=1> ()
        c = Cast <to = 9> (b)
        y = If (c) <then_branch = then () => (float[N,4] t) {t = Mul(x, two)}, else_branch = other () => (float[N,4] e) {e = Neg(x)}>
        """, two=np.float32(2), tags=["subgraph"])


class Calibration(quant.CalibrationDataReader):
    def __init__(self, rows):
        self.rows = iter(rows)

    def get_next(self):
        return next(self.rows, None)


def quantised(name, inputs, nodes, weights, dynamic=False, **options):
    """The 8-bit form of a graph; the reference is the graph it was made from."""
    declared = list(parse(inputs))
    floats = build(name, inputs, nodes, ["y"], weights, 17)
    with tempfile.TemporaryDirectory() as folder:
        before, after = pathlib.Path(folder, "float.onnx"), pathlib.Path(folder, "int8.onnx")
        before.write_bytes(floats.SerializeToString())
        if dynamic:
            quant.quantize_dynamic(before, after, **options)
        else:
            rows = [inputs_for(name, declared, {"N": n}) for n in (1, 3, 8)]
            quant.quantize_static(before, after, Calibration(rows), reduce_range=True, **options)
        model = onnx.load(after)
    model.producer_name, model.producer_version = "einthoven", ""
    del model.metadata_props[:]
    runs = [(given, run(floats.SerializeToString(), given))
            for given in (inputs_for(name, declared, {"N": n}) for n in (1, 3))]
    for given, wanted in runs:
        worst = np.abs(run(model.SerializeToString(), given)["y"] - wanted["y"]).max()
        assert worst < INT8 * 0.7, (name, worst)
    save(name, model, runs, sorted({"quantised", *(n.op_type for n in model.graph.node)}), INT8)


def eight_bits():
    convolution = """
        c = Conv <pads=[1,1]> (x, w, b)
        r = Relu (c)
        p = GlobalAveragePool (r)
        f = Flatten (p)
        y = Gemm <transB=1> (f, v)"""
    weights = {"w": weight("w", 6, 4, 3, scale=0.2), "b": weight("b", 6, scale=0.2), "v": weight("v", 5, 6, scale=0.3)}
    quantised("int8-qdq-conv", X, convolution, weights)
    quantised("int8-qdq-conv-per-channel", X, convolution, weights, per_channel=True)
    quantised("int8-qdq-conv-signed", X, convolution, weights, activation_type=quant.QuantType.QInt8)
    quantised("int8-qdq-dense", ["float[N,16] x"], """
        g = Gemm <transB=1> (x, w, b)
        y = Sigmoid (g)""", {"w": weight("w", 5, 16, scale=0.2), "b": weight("b", 5)})
    quantised("int8-dynamic-dense", ["float[N,16] x"], "y = MatMul (x, w)", {"w": weight("w", 16, 5, scale=0.2)},
              dynamic=True, reduce_range=True)
    quantised("int8-qoperator-conv", X, convolution, weights, quant_format=quant.QuantFormat.QOperator)


def main():
    FOLDER.mkdir(exist_ok=True)
    for old in (*FOLDER.glob("*.onnx"), *FOLDER.glob("*.weights")):
        old.unlink()
    for group in (convolutions, normalisations, pools_and_reductions, dense_and_activations, shapes,
                  recurrent_and_attention, types, dimensions, eight_bits):
        group()
    document = {"reference": f"ONNX Runtime {ort.__version__}, CPU, 32-bit floats", "graphs": graphs}
    rows = ",\n".join(json.dumps(graph, separators=(",", ":")) for graph in graphs)
    head = json.dumps(document["reference"])
    (FOLDER / "graphs.json").write_text(f'{{"reference":{head},"graphs":[\n{rows}\n]}}\n')
    print(len(graphs), "graphs,", sum(p.stat().st_size for p in FOLDER.iterdir()), "bytes")


if __name__ == "__main__":
    main()
