#!/usr/bin/env python3
"""Checks the description itself: every operation says what clients need, and every example satisfies its schema.

    examples.py OPENAPI-JSON
"""

import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)

METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
NAMED = "/db/{db}/named/"
failures = []


def resolve(value):
    while isinstance(value, dict) and "$ref" in value:
        target = document
        for key in value["$ref"].removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        value = target
    return value


def valid(schema, example, where):
    rooted = {**schema, "components": document["components"]}
    errors = list(jsonschema.Draft202012Validator(rooted).iter_errors(example))
    if errors:
        failures.append(f"{where}: {errors[0].message}")


def examples(media):
    if "example" in media:
        yield media["example"]
    for example in media.get("examples", {}).values():
        yield resolve(example)["value"]


def parameters(item, operation):
    return [resolve(parameter) for parameter in item.get("parameters", []) + operation.get("parameters", [])]


def check(path, method, item, operation):
    where = f"{method.upper()} {path}"
    for member in ["operationId", "summary", "description", "tags", "security"]:
        if member not in operation:
            failures.append(f"{where}: has no {member}")
    for parameter in parameters(item, operation):
        if "example" in parameter:
            valid(parameter["schema"], parameter["example"], f"{where}: {parameter['name']}")
    body = resolve(operation.get("requestBody", {})).get("content", {})
    for media_type, media in body.items():
        found = list(examples(media))
        # Whether a named query has an example, its file says.
        if not found and not (path.startswith(NAMED) and path != NAMED + "{name}"):
            failures.append(f"{where}: {media_type} has no example")
        for example in found:
            valid(media["schema"], example, f"{where}: {media_type}")
    for status, response in operation["responses"].items():
        for media_type, media in resolve(response).get("content", {}).items():
            for example in examples(media):
                if not isinstance(example, str):
                    valid(media["schema"], example, f"{where}: {status} {media_type}")


operations = [
    (path, method, item, operation)
    for path, item in document["paths"].items()
    for method, operation in item.items()
    if method in METHODS
]
for case in operations:
    check(*case)
names = [operation["operationId"] for *_, operation in operations if "operationId" in operation]
failures += [f"operationId {name} is not unique" for name in set(names) if names.count(name) > 1]
if failures:
    print("not ok - every operation is complete, and its examples satisfy their schemas")
    print("\n".join(f"# {failure}" for failure in failures))
    sys.exit(1)
print(f"ok - {len(operations)} operations are complete, and their examples satisfy their schemas")
