"""What the engine does without a server: two threads that each call a session of one thread in a loop.

    python limit.py FOLDER SECONDS    -> one line of JSON
"""

import json
import statistics
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def rate(path, shape, rows, callers, seconds):
    """Rows a second and the median seconds of a call."""
    counts, times = [0] * callers, [[] for _ in range(callers)]
    values = np.random.default_rng(0).standard_normal((rows, *shape)).astype(np.float32)
    end = time.perf_counter() + seconds

    def call(caller):
        network = session(path)
        network.run(None, {"x": values})
        while time.perf_counter() < end:
            start = time.perf_counter()
            network.run(None, {"x": values})
            times[caller].append(time.perf_counter() - start)
            counts[caller] += rows

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(callers)]
    started = time.perf_counter()
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return sum(counts) / (time.perf_counter() - started), statistics.median(sum(times, []))


def main(folder, seconds):
    beat, plane, ecg12 = (str(folder / f"{name}.onnx") for name in ("beat", "beat-plane", "ecg12"))
    print(
        json.dumps(
            {
                "beat_two_callers_batch_64": rate(beat, (1, 187), 64, 2, seconds)[0],
                "beat_plane_two_callers_batch_64": rate(plane, (1, 187), 64, 2, seconds)[0],
                "beat_one_call_s": rate(beat, (1, 187), 1, 1, seconds)[1],
                "beat_2000_rows_s": rate(beat, (1, 187), 2000, 1, seconds)[1],
                "ecg12_one_call_s": rate(ecg12, (12, 4096), 1, 1, seconds)[1],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
