"""BentoML with ONNX Runtime: batches of up to 64 within 2 ms, two workers of one thread each.

    python serve.py MODELS PORT
"""

import os
import sys
from pathlib import Path

import bentoml
import numpy as np
import onnxruntime as ort


@bentoml.service(workers=2, traffic={"timeout": 60})
class Beat:
    def __init__(self):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = os.path.join(os.environ["BENCH_MODELS"], "beat.onnx")
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=60_000)
    def predict(self, input: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"x": input.astype(np.float32)})[0]


if __name__ == "__main__":
    os.environ["BENCH_MODELS"] = sys.argv[1]
    os.chdir(Path(__file__).parent)
    program = str(Path(sys.executable).with_name("bentoml"))
    os.execv(program, [program, "serve", "serve:Beat", "--host", "127.0.0.1", "--port", sys.argv[2]])
