"""A bundle from standard input against the models of FHIR: R4B, whose observations, reports and devices are R4's.

That nothing is missing, unknown or of another type is what they say; that every reference leads somewhere is looked at here.
"""

import copy
import json
import sys

from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


def is_refused(bundle):
    try:
        Bundle.model_validate(bundle)
    except ValidationError:
        return True
    return False


bundle = json.load(sys.stdin)
read = Bundle.model_validate(bundle)
kinds = [entry.resource.get_resource_type() for entry in read.entry]
addresses = {entry.fullUrl for entry in read.entry}
lost = set(references(bundle)) - addresses
if lost or len(addresses) != len(kinds):
    sys.exit(f"these lead nowhere, or two have one address: {lost}")

# What would be wrong is found.
for path, wrong in [
    (("status",), None),
    (("statement",), "final"),
    (("issued",), "yesterday"),
    (("code", "coding"), "663552"),
]:
    broken = copy.deepcopy(bundle)
    at = next(one["resource"] for one in broken["entry"] if one["resource"]["resourceType"] == "Observation")
    for step in path[:-1]:
        at = at[step]
    if wrong is None:
        del at[path[-1]]
    else:
        at[path[-1]] = wrong
    if not is_refused(broken):
        sys.exit(f"a wrong {'.'.join(path)} is not found")

print("valid:", ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))))
