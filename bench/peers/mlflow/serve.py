"""MLflow's own scoring server on a model logged as ONNX: two workers.

    python serve.py MODELS PORT
"""

import os
import sys
import tempfile
from pathlib import Path

import mlflow.onnx
import onnx


def main(models, port):
    folder = Path(tempfile.mkdtemp(prefix="mlflow-")) / "beat"
    options = {"intra_op_num_threads": 1, "inter_op_num_threads": 1}
    network = onnx.load(models / "beat.onnx")
    mlflow.onnx.save_model(network, folder, onnx_session_options=options, save_as_external_data=False)
    python = Path(sys.executable)
    os.environ["PATH"] = f"{python.parent}:{os.environ['PATH']}"
    arguments = ["-m", "mlflow", "models", "serve", "-m", str(folder), "-p", str(port), "-h", "127.0.0.1"]
    os.execv(python, [str(python), *arguments, "--env-manager", "local", "--workers", "2"])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
