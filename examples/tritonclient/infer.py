"""Classes of single beats by Triton's client: `infer.py HOST:PORT`, with the key in EINTHOVEN_KEY. Needs tritonclient[http]."""

import os
import sys

import numpy as np
import tritonclient.http as triton

MODEL = "heartbeat-row"
headers = {"x-api-key": os.environ["EINTHOVEN_KEY"]}
client = triton.InferenceServerClient(sys.argv[1])
metadata = client.get_model_metadata(MODEL, headers=dict(headers))
print([(one["name"], one["datatype"], one["shape"]) for one in metadata["inputs"] + metadata["outputs"]])

# A row of the public heartbeat tables: a beat from its R peak on, scaled to 0..1, zeros behind. Here a spike and a T wave.
time = np.arange(187) / 125
row = np.exp(-((time / 0.02) ** 2)) + 0.3 * np.exp(-(((time - 0.3) / 0.05) ** 2))
rows = np.stack([row, np.roll(row, 5)]).astype(np.float32)[:, None, :]
wanted = triton.InferInput("row", list(rows.shape), "FP32")
wanted.set_data_from_numpy(rows)
answer = client.infer(MODEL, [wanted], headers=dict(headers))
labels = ["N", "S", "V", "F", "Q"]
for probabilities in answer.as_numpy("probabilities"):
    print({label: round(float(value), 3) for label, value in zip(labels, probabilities, strict=True)})
