"""Triton from the wheel of PyTriton, with a model in its Python backend that calls ONNX Runtime: two instances of one thread
each. The wheel carries no native backend for ONNX Runtime.

    python serve.py MODELS PORT
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

CONFIG = """
name: "{name}"
backend: "python"
max_batch_size: 2048
input [{{ name: "x", data_type: TYPE_FP32, dims: [{leads}, {samples}] }}]
output [{{ name: "probabilities", data_type: TYPE_FP32, dims: [{classes}] }}]
dynamic_batching {{ }}
instance_group [{{ kind: KIND_CPU, count: 2 }}]
"""

MODEL = """
import sys

sys.path[:0] = {paths!r}
import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb


class TritonPythonModel:
    def initialize(self, args):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession({path!r}, options, providers=["CPUExecutionProvider"])

    def execute(self, requests):
        inputs = [pb.get_input_tensor_by_name(request, "x").as_numpy() for request in requests]
        whole = inputs[0] if len(inputs) == 1 else np.concatenate(inputs)
        (out,) = self.session.run(None, {{"x": whole}})
        answers, start = [], 0
        for one in inputs:
            rows = out[start : start + len(one)]
            start += len(one)
            answers.append(pb.InferenceResponse([pb.Tensor("probabilities", np.ascontiguousarray(rows))]))
        return answers
"""

SHAPES = {"beat": (1, 187, 5), "ecg12": (12, 4096, 6)}


def main(models, port):
    import pytriton

    home = Path(pytriton.__file__).parent / "tritonserver"
    paths = [path for path in sys.path if path.endswith("site-packages")]
    repository = Path(tempfile.mkdtemp(prefix="triton-models-"))
    for name, (leads, samples, classes) in SHAPES.items():
        version = repository / name / "1"
        version.mkdir(parents=True)
        config = CONFIG.format(name=name, leads=leads, samples=samples, classes=classes)
        (repository / name / "config.pbtxt").write_text(config)
        (version / "model.py").write_text(MODEL.format(path=str(models / f"{name}.onnx"), paths=paths))
    # The stub of this Python lies in a folder of its own in the wheel.
    stubs = home / "python_backend_stubs" / f"{sys.version_info.major}.{sys.version_info.minor}"
    backends = repository.parent / f"{repository.name}-backends"
    shutil.copytree(home / "backends", backends)
    shutil.copy(stubs / "triton_python_backend_stub", backends / "python")
    libraries = [str(home / "external_libs"), str(home / "lib"), str(home.parents[1] / "nvidia_pytriton.libs")]
    libraries.append(os.path.join(sys.base_prefix, "lib"))
    environment = dict(os.environ, LD_LIBRARY_PATH=":".join(libraries))
    arguments = [f"--model-repository={repository}", f"--backend-directory={backends}", f"--http-port={port}"]
    arguments += ["--http-address=127.0.0.1", "--allow-grpc=false", "--allow-metrics=false", "--http-thread-count=4"]
    program = str(home / "bin" / "tritonserver")
    os.execve(program, [program, *arguments, "--log-info=false", "--log-warning=false"], environment)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
