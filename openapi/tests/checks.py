"""What schemathesis does not know by itself: every refusal is a problem of a type that the operation names."""

import schemathesis


@schemathesis.check
def problem_is_named(ctx, response, case):
    """A problem's type stands in `x-problems` of its answer."""
    if response.status_code < 400:
        return
    kind = response.headers.get("content-type", [""])[0]
    assert kind == "application/problem+json", f"a refusal is {kind or 'nothing'}"
    problem = response.json()
    assert problem["status"] == response.status_code
    if case.method.upper() not in {name.upper() for name in case.operation.schema[case.path]}:
        assert problem["type"] == "/problems/wrong_method"
        return
    answer = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    named = answer.get("x-problems", [])
    assert problem["type"] in named, f"{problem['type']} is none of {named}: {problem['detail']}"
