"""What programs written for Triton do, with Triton's own client, over HTTP and gRPC: `triton.py HOST:PORT KEY`."""

import gzip
import json
import queue
import sys
import threading
import time
import urllib.request
import zlib

import grpc
import numpy as np
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

URL, KEY = sys.argv[1:3]
# Copied for each call: the client adds to what it is given.
HEADERS = {"x-api-key": KEY}
A = np.arange(16, dtype=np.float32).reshape(1, 16)
B = np.full((1, 16), 1.5, dtype=np.float32)


def refused(call, *texts):
    try:
        call()
    except InferenceServerException as cause:
        said = f"{cause.status()} {cause.message()}"
        assert any(text in said for text in texts), said
        return said
    raise AssertionError(f"not refused: {texts}")


def pair(module, a=A, b=B, **how):
    inputs = [module.InferInput("INPUT0", list(a.shape), "FP32"), module.InferInput("INPUT1", list(b.shape), "FP32")]
    inputs[0].set_data_from_numpy(a, **how)
    inputs[1].set_data_from_numpy(b, **how)
    return inputs


def right(result, a=A, b=B):
    assert np.array_equal(result.as_numpy("OUTPUT0"), a + b)
    assert np.array_equal(result.as_numpy("OUTPUT1"), a - b)


def common(client, module):
    """What both clients do."""
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("simple", headers=dict(HEADERS))
    assert client.is_model_ready("simple", "1", headers=dict(HEADERS))
    right(client.infer("simple", pair(module), headers=dict(HEADERS)))
    right(client.infer("simple", pair(module), model_version="1", headers=dict(HEADERS)))
    a = np.random.default_rng(1).normal(size=(300, 16)).astype(np.float32)
    right(client.infer("simple", pair(module, a, -a), headers=dict(HEADERS)), a, -a)
    one = client.infer(
        "simple", pair(module), outputs=[module.InferRequestedOutput("OUTPUT1")], request_id="id 7", headers=dict(HEADERS)
    )
    assert one.as_numpy("OUTPUT0") is None and np.array_equal(one.as_numpy("OUTPUT1"), A - B)
    response = one.get_response()
    assert (response["id"] if isinstance(response, dict) else response.id) == "id 7"
    # Shapes of any size, numbers that are none.
    for length in (1, 7, 4000):
        x = np.random.default_rng(length).normal(size=(2, length)).astype(np.float32)
        x[0, 0] = np.nan
        x[1, 0] = np.inf
        ask = module.InferInput("IN", list(x.shape), "FP32")
        ask.set_data_from_numpy(x)
        assert np.array_equal(client.infer("identity", [ask], headers=dict(HEADERS)).as_numpy("OUT"), x, equal_nan=True)
    # What is wrong is said.
    refused(lambda: client.infer("nowhere", pair(module), headers=dict(HEADERS)), "404", "NOT_FOUND")
    refused(lambda: client.infer("simple", pair(module)[:1], headers=dict(HEADERS)), "input `INPUT1` is missing")
    refused(lambda: client.infer("simple", pair(module, A[:, :3], B[:, :3]), headers=dict(HEADERS)), "has shape [1, 3]")
    refused(lambda: client.infer("simple", pair(module), headers={"x-api-key": "no"}), "401", "UNAUTHENTICATED")
    wrong = module.InferInput("IN", [1, 1], "INT32")
    wrong.set_data_from_numpy(np.ones((1, 1), dtype=np.int32))
    refused(lambda: client.infer("identity", [wrong], headers=dict(HEADERS)), "is INT32; the model takes FP32")
    text = module.InferInput("IN", [1, 1], "BYTES")
    text.set_data_from_numpy(np.array([["a"]], dtype=np.object_))
    refused(lambda: client.infer("identity", [text], headers=dict(HEADERS)), "is BYTES; the model takes FP32")
    unknown = [module.InferRequestedOutput("OTHER")]
    refused(lambda: client.infer("simple", pair(module), outputs=unknown, headers=dict(HEADERS)), "no output `OTHER`")
    classes = [module.InferRequestedOutput("OUTPUT0", class_count=3)]
    refused(lambda: client.infer("simple", pair(module), outputs=classes, headers=dict(HEADERS)), "classification")
    large = np.zeros((20000, 16), dtype=np.float32)
    refused(
        lambda: client.infer("simple", pair(module, large, large), timeout=1, headers=dict(HEADERS)), "504", "DEADLINE", "deadline", "passed"
    )
    # Unloading lets nothing answer; loading lets it answer again.
    client.unload_model("identity", headers=dict(HEADERS))
    assert not client.is_model_ready("identity", headers=dict(HEADERS))
    refused(lambda: client.infer("identity", [ask], headers=dict(HEADERS)), "409", "503", "UNAVAILABLE")
    client.load_model("identity", headers=dict(HEADERS))
    assert client.is_model_ready("identity", headers=dict(HEADERS))
    assert client.infer("identity", [ask], headers=dict(HEADERS)).as_numpy("OUT") is not None
    refused(lambda: client.load_model("nowhere", headers=dict(HEADERS)), "404", "NOT_FOUND")
    refused(lambda: client.load_model("simple", config="{}", headers=dict(HEADERS)), "/v1/models")


def http():
    client = over_http.InferenceServerClient(URL, concurrency=4)
    common(client, over_http)
    assert client.get_server_metadata(headers=dict(HEADERS))["name"] == "einthoven"
    metadata = client.get_model_metadata("simple", headers=dict(HEADERS))
    assert metadata["versions"] == ["1"]
    assert metadata["inputs"][0] == {"name": "INPUT0", "datatype": "FP32", "shape": [-1, 16]}, metadata
    config = client.get_model_config("simple", headers=dict(HEADERS))
    assert config["max_batch_size"] > 0 and config["input"][0]["dims"] == [16], config
    assert config["input"][0]["data_type"] == "TYPE_FP32"
    index = client.get_model_repository_index(headers=dict(HEADERS))
    assert {"name": "simple", "version": "1", "state": "READY", "reason": ""} in index, index
    before = client.get_inference_statistics("simple", headers=dict(HEADERS))["model_stats"][0]
    # JSON both ways, bytes both ways, and mixed.
    for in_bytes in (True, False):
        for out_bytes in (True, False):
            outputs = [over_http.InferRequestedOutput(name, binary_data=out_bytes) for name in ("OUTPUT0", "OUTPUT1")]
            right(client.infer("simple", pair(over_http, binary_data=in_bytes), outputs=outputs, headers=dict(HEADERS)))
    for sent in ("gzip", "deflate"):
        for back in ("gzip", "deflate"):
            result = client.infer(
                "simple",
                pair(over_http),
                request_compression_algorithm=sent,
                response_compression_algorithm=back,
                headers=dict(HEADERS),
            )
            right(result)
    waiting = [client.async_infer("simple", pair(over_http, A + i, B), headers=dict(HEADERS)) for i in range(20)]
    for i, each in enumerate(waiting):
        right(each.get_result(), A + i, B)
    after = client.get_inference_statistics("simple", headers=dict(HEADERS))["model_stats"][0]
    assert after["name"] == "simple" and after["version"] == "1"
    counted = after["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"]
    assert counted == 28, counted
    assert any(each["name"] == "identity" for each in client.get_inference_statistics(headers=dict(HEADERS))["model_stats"])


def packed():
    """An answer that is asked for packed comes packed."""
    inputs = [{"name": name, "shape": [1, 16], "datatype": "FP32", "data": A[0].tolist()} for name in ("INPUT0", "INPUT1")]
    for way, unpacked in (("gzip", gzip.decompress), ("deflate", zlib.decompress)):
        headers = {**HEADERS, "Accept-Encoding": way, "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{URL}/v2/models/simple/infer", json.dumps({"inputs": inputs}).encode(), headers)
        with urllib.request.urlopen(request) as response:
            assert response.headers["Content-Encoding"] == way, response.headers
            assert json.loads(unpacked(response.read()))["outputs"][0]["data"] == (2 * A[0]).tolist()


def grpc_():
    client = over_grpc.InferenceServerClient(URL)
    common(client, over_grpc)
    assert client.get_server_metadata(headers=dict(HEADERS)).name == "einthoven"
    metadata = client.get_model_metadata("simple", headers=dict(HEADERS))
    assert list(metadata.versions) == ["1"] and list(metadata.inputs[1].shape) == [-1, 16]
    config = client.get_model_config("simple", headers=dict(HEADERS)).config
    assert config.max_batch_size > 0 and list(config.output[0].dims) == [16]
    index = client.get_model_repository_index(headers=dict(HEADERS)).models
    assert any(row.name == "simple" and row.version == "1" and row.state == "READY" for row in index)
    assert client.get_inference_statistics("simple", headers=dict(HEADERS)).model_stats[0].name == "simple"
    refused(lambda: client.get_server_metadata(), "UNAUTHENTICATED")
    for algorithm in ("gzip", "deflate"):
        right(client.infer("simple", pair(over_grpc), compression_algorithm=algorithm, headers=dict(HEADERS)))
    done = queue.Queue()
    for i in range(20):
        client.async_infer(
            "simple", pair(over_grpc, A + i, B), lambda result, error, i=i: done.put((i, result, error)), headers=dict(HEADERS)
        )
    for _ in range(20):
        i, result, error = done.get(timeout=30)
        assert error is None, error
        right(result, A + i, B)
    # A stream answers in order; what fails in it is said and ends nothing.
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)), headers=dict(HEADERS))
    for i in range(50):
        client.async_stream_infer("simple", pair(over_grpc, A + i, B), request_id=str(i))
    client.async_stream_infer("nowhere", pair(over_grpc), request_id="wrong")
    client.async_stream_infer("simple", pair(over_grpc), request_id="after")
    for i in range(50):
        result, error = answers.get(timeout=30)
        assert error is None and result.get_response().id == str(i), error
        right(result, A + i, B)
    _, error = answers.get(timeout=30)
    assert "nowhere" in error.message(), error
    result, error = answers.get(timeout=30)
    assert error is None and result.get_response().id == "after"
    client.stop_stream()
    # Whoever gives up is let go.
    large = np.zeros((40000, 16), dtype=np.float32)
    ended = threading.Event()
    call = client.async_infer("simple", pair(over_grpc, large, large), lambda result, error: ended.set(), headers=dict(HEADERS))
    call.cancel()
    assert ended.wait(10)
    refused(lambda: client.infer("simple", pair(over_grpc, large, large), client_timeout=0.0005, headers=dict(HEADERS)), "DEADLINE")
    right(client.infer("simple", pair(over_grpc), headers=dict(HEADERS)))
    channel()


def remembered():
    """An answer names its entry in the journal, as a parameter and in the metadata."""
    asked = service_pb2.ModelInferRequest(model_name="simple")
    for name, values in (("INPUT0", A), ("INPUT1", B)):
        asked.inputs.add(name=name, datatype="FP32", shape=[1, 16])
        asked.raw_input_contents.append(values.tobytes())
    stub = service_pb2_grpc.GRPCInferenceServiceStub(grpc.insecure_channel(URL))
    answer, call = stub.ModelInfer.with_call(asked, metadata=list(HEADERS.items()))
    ids = [value for name, value in call.initial_metadata() if name == "x-einthoven-prediction"]
    assert ids == [answer.parameters["prediction"].string_param], ids
    request = urllib.request.Request(f"http://{URL}/v1/predictions/{ids[0]}", headers=dict(HEADERS))
    with urllib.request.urlopen(request) as response:
        entry = json.load(response)
    assert entry["unit"] == "tensors" and entry["parameters"]["protocol"] == "grpc", entry


def channel():
    """Methods that the client has no words for."""
    bare = grpc.insecure_channel(URL)
    check = bare.unary_unary("/grpc.health.v1.Health/Check", lambda message: message, lambda message: message)
    assert check(b"") == b"\x08\x01"
    watch = bare.unary_stream("/grpc.health.v1.Health/Watch", lambda message: message, lambda message: message)(b"")
    assert next(watch) == b"\x08\x01"
    watch.cancel()
    listed = bare.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", lambda message: message, lambda message: message
    )
    names = next(listed(iter([b"\x3a\x00"]), metadata=[("authorization", f"Bearer {KEY}")]))
    assert b"inference.GRPCInferenceService" in names and b"grpc.health.v1.Health" in names
    for path, code in (("/inference.GRPCInferenceService/Nothing", "UNIMPLEMENTED"), ("/other.Service/X", "UNIMPLEMENTED")):
        try:
            bare.unary_unary(path, lambda message: message, lambda message: message)(b"")
            raise AssertionError(path)
        except grpc.RpcError as cause:
            assert cause.code().name == code, cause


began = time.time()
http()
packed()
grpc_()
remembered()
print(f"all of them, in {time.time() - began:.1f} s")
