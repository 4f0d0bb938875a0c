"""FastAPI with ONNX Runtime: two worker processes, one session of one thread in each.

    python serve.py MODELS PORT
"""

import os
import sys

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI, Request, Response

app = FastAPI()
sessions = {}


def session(name):
    if name not in sessions:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = os.path.join(os.environ["BENCH_MODELS"], f"{name}.onnx")
        sessions[name] = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return sessions[name]


@app.get("/v2/health/ready")
def ready():
    return {}


@app.post("/v2/models/{name}/infer")
async def infer(name: str, request: Request):
    tensor = (await request.json())["inputs"][0]
    values = np.asarray(tensor["data"], dtype=np.float32).reshape(tensor["shape"])
    (out,) = session(name).run(None, {"x": values})
    output = {"name": "probabilities", "datatype": "FP32", "shape": out.shape, "data": out.ravel().tolist()}
    return {"model_name": name, "outputs": [output]}


@app.post("/raw/{name}/{leads}/{samples}")
async def raw(name: str, leads: int, samples: int, request: Request):
    values = np.frombuffer(await request.body(), dtype=np.float32).reshape(-1, leads, samples)
    (out,) = session(name).run(None, {"x": values})
    return Response(out.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    os.environ["BENCH_MODELS"] = sys.argv[1]
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    uvicorn.run("serve:app", port=int(sys.argv[2]), workers=2, access_log=False, log_level="warning")
