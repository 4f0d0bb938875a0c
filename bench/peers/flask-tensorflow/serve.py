"""What Einthoven replaces: a Flask application that takes one CSV and asks a Keras network, under gunicorn with two workers.
The network has the layers of `beat.onnx`.

    python serve.py MODELS PORT
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")


def application():
    import pandas as pd
    import tensorflow as tf
    from flask import Flask, jsonify, request

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input((187, 1))])
    for channels, width, pooled in [(32, 7, False), (64, 7, True), (128, 5, True), (64, 5, True), (48, 3, False)]:
        model.add(layers.Conv1D(channels, width, padding="same", activation="relu"))
        if pooled:
            model.add(layers.MaxPooling1D(2))
    model.add(layers.GlobalAveragePooling1D())
    model.add(layers.Dense(5, activation="softmax"))
    app = Flask(__name__)

    @app.get("/")
    def ready():
        return "ready"

    @app.post("/upload")
    def upload():
        rows = pd.read_csv(request.files["file"], header=None).to_numpy(dtype="float32")
        out = model.predict(rows[:, :187, None], verbose=0)
        return jsonify({"predictions": out.argmax(axis=1).tolist()})

    return app


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)
    program = str(Path(sys.executable).with_name("gunicorn"))
    os.execv(program, [program, "serve:application()", "--workers", "2", "--bind", f"127.0.0.1:{sys.argv[2]}"])
