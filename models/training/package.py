"""A model's folder: every format, the manifest with digests, and the outputs that a loader checks itself against."""

import hashlib
import json
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from safetensors.numpy import save_file


def run_onnx(path, inputs):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], inputs)[0]


def quantise(path, target, inputs):
    """Static quantisation, 8 bit with a scale per channel, from the values seen on training records."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            n = len(next(iter(inputs.values())))
            self.batches = iter([{k: v[i:i + 64] for k, v in inputs.items()} for i in range(0, n, 64)])

        def get_next(self):
            return next(self.batches, None)

    quantize_static(str(path), str(target), Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QInt8, weight_type=QuantType.QInt8,
                    op_types_to_quantize=["Conv", "Gemm", "MatMul"])


def agreement(a, b):
    """(largest difference of a probability, share of beats with the same class)."""
    return float(np.abs(a - b).max()), float((a.argmax(1) == b.argmax(1)).mean())


def write(folder, name, version, recipe, inputs, labels, graph, nets, calibration, training, calibrate, golden, compare):
    folder = pathlib.Path(folder)
    model = folder / "model.onnx"
    onnx.save(graph, model)
    reference = run_onnx(model, compare)
    quantise(model, folder / "model.int8.onnx", calibrate)
    weights = {f"net{k}.{layer}.{part}": np.ascontiguousarray(value) for k, net in enumerate(nets)
               for layer, pair in net.items() for part, value in zip(("weight", "bias"), pair)}
    save_file(weights, folder / "model.safetensors", {"format": "np"})
    parameters = int(sum(w.size for w in weights.values()))
    config = {"architecture": f"einthoven-{name}", "inputs": [{"name": n, "dims": dims} for n, dims in inputs],
              "output": {"name": "probabilities", "classes": len(labels), "activation": "softmax"},
              "networks": len(nets), "parameters": parameters,
              "convolutions": {"strides": [2, 2, 2, 1, 1], "padding": "half the kernel on both sides"},
              "layers": {k: list(v.shape) for k, v in weights.items()},
              "note": "normalisation and temperature are folded in; logits of the networks are added, then softmax"}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    spread = {"model.int8.onnx": agreement(reference, run_onnx(folder / "model.int8.onnx", compare))}
    try:
        import graph_tflite
        graph_tflite.write(folder / "model.tflite", name, inputs, nets)
        spread["model.tflite"] = agreement(reference, graph_tflite.run(folder / "model.tflite", compare))
    except ModuleNotFoundError as absent:
        print("no TFLite:", absent)
    rounded = {k: np.round(v, 5).astype(np.float32) for k, v in golden.items()}
    expected = run_onnx(model, rounded)
    numbers = lambda a: [float(f"{x:.6g}") for x in a.ravel()]
    (folder / "golden.json").write_text(json.dumps({
        "inputs": {k: {"dims": list(v.shape), "values": numbers(v)} for k, v in rounded.items()},
        "outputs": {"probabilities": {"dims": list(expected.shape), "values": numbers(expected)}},
        "tolerance": 1e-3}) + "\n")
    files = sorted(f.name for f in folder.iterdir() if f.name.startswith(("model.", "config.", "golden.")))
    manifest = {
        "name": name, "version": version, "recipe": recipe,
        "inputs": [{"name": n, "dtype": "f32", "dims": [None, *dims]} for n, dims in inputs],
        "outputs": [{"name": "probabilities", "dtype": "f32", "dims": [None, len(labels)]}],
        "labels": labels, "parameters": parameters, "calibration": calibration, "training": training,
        "agreement_with_onnx": {k: {"largest_difference": float(f"{d:.3g}"), "same_class": s}
                                for k, (d, s) in spread.items()},
        "files": {f: {"sha256": hashlib.sha256((folder / f).read_bytes()).hexdigest(),
                      "bytes": (folder / f).stat().st_size} for f in files},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(json.dumps(manifest["agreement_with_onnx"]), "parameters", parameters)
