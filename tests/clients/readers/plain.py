"""Typed JSON, and what plain formats are to show of it: said once more, independently of the gateway."""

import json
import math


def plain(value):
    """The plain value of a typed one."""
    kind, inner = value["$type"], value["_value"]
    if kind == "Integer":
        return int(inner)
    if kind == "Float":
        number = float(inner)
        return number if math.isfinite(number) else inner
    if kind in ("List", "Path"):
        return [plain(item) for item in inner]
    if kind == "Map":
        return {key: plain(item) for key, item in inner.items()}
    if kind == "Node":
        properties = {key: plain(item) for key, item in inner["_properties"].items()}
        return {"elementId": inner["_element_id"], "labels": inner["_labels"], "properties": properties}
    if kind == "Relationship":
        return {
            "elementId": inner["_element_id"],
            "startNodeElementId": inner["_start_node_element_id"],
            "endNodeElementId": inner["_end_node_element_id"],
            "type": inner["_type"],
            "properties": {key: plain(item) for key, item in inner["_properties"].items()},
        }
    if kind == "Vector":
        number = int if inner["coordinatesType"].startswith("INT") else float
        return [number(coordinate) for coordinate in inner["coordinates"]]
    if kind == "ZonedDateTime":
        return inner.partition("[")[0]
    return inner


def elements(value, nodes, relationships):
    """Collects the nodes and relationships of a typed value, by element id."""
    kind, inner = value["$type"], value["_value"]
    if kind == "Node":
        nodes.setdefault(inner["_element_id"], plain(value))
    elif kind == "Relationship":
        relationships.setdefault(inner["_element_id"], plain(value))
    elif kind in ("List", "Path"):
        for item in inner:
            elements(item, nodes, relationships)
    elif kind == "Map":
        for item in inner.values():
            elements(item, nodes, relationships)


def rounded(value):
    """The value as a reader has it whose only numbers are doubles."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return value


def is_cell(text, value):
    """Whether the text of a CSV cell stands for the value."""
    if value is None:
        return text == ""
    if isinstance(value, str):
        return text == value
    if isinstance(value, float):
        return float(text) == value
    return json.loads(text) == value
