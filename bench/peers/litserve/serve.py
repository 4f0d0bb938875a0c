"""LitServe with ONNX Runtime: batches of up to 64 within 2 ms, two workers of one thread each.

    python serve.py MODELS PORT
"""

import sys

import litserve
import numpy as np
import onnxruntime as ort


class Beat(litserve.LitAPI):
    def __init__(self, path):
        super().__init__(max_batch_size=64, batch_timeout=0.002)
        self.path = path

    def setup(self, device):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])

    def decode_request(self, request):
        return np.asarray(request["input"], dtype=np.float32)

    def batch(self, inputs):
        self.sizes = [len(one) for one in inputs]
        return np.concatenate(inputs)

    def predict(self, x):
        return self.session.run(None, {"x": x})[0]

    def unbatch(self, output):
        return np.split(output, np.cumsum(self.sizes)[:-1])

    def encode_response(self, output):
        return {"output": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Beat(f"{sys.argv[1]}/beat.onnx"), accelerator="cpu", workers_per_device=2)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
