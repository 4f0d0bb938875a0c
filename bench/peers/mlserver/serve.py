"""MLServer with a runtime that calls ONNX Runtime: batches of up to 64 within 2 ms, two workers of one thread each.

    python serve.py MODELS PORT
"""

import json
import os
import sys
import tempfile
from pathlib import Path

RUNTIME = '''
import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class Network(MLModel):
    async def load(self):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = ort.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload):
        (out,) = self.session.run(None, {"x": NumpyCodec.decode_input(payload.inputs[0])})
        outputs = [NumpyCodec.encode_output("probabilities", out)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
'''


def main(models, port):
    folder = Path(tempfile.mkdtemp(prefix="mlserver-"))
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1, "metrics_port": port + 2}
    settings |= {"parallel_workers": 2, "debug": False}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "network.py").write_text(RUNTIME)
    for name in ("beat", "ecg12"):
        (folder / name).mkdir()
        model = {"name": name, "implementation": "network.Network", "max_batch_size": 64, "max_batch_time": 0.002}
        model["parameters"] = {"uri": str(models / f"{name}.onnx")}
        (folder / name / "model-settings.json").write_text(json.dumps(model))
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    program = Path(sys.executable).with_name("mlserver")
    os.execv(program, [str(program), "start", "."])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
