"""Arguments that stand together in one list of a call: `{"segment": [4.0, 6.0]}` for a start and an end.

A dialect declares it by keys with an index: `keys={"select_segment.start": "segment[0]", "select_segment.end":
"segment[1]"}`. Depends on JSON values; independent of operations and call syntaxes.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

_ITEM = re.compile(r"(.+)\[(\d+)\]")


def unpacked(given: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """`given`, with each list that `keys` name the items of replaced by its items; any other value as it is."""
    lists = _lists(keys)
    values: dict[str, Any] = {}
    for key, value in given.items():
        items = lists.get(key)
        if items is not None and isinstance(value, list) and len(value) == len(items):
            values |= {items[index]: value[index] for index in range(len(items))}
        else:
            values[key] = value
    return values


def packed(values: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """The inverse of `unpacked`: the items of a list stand in it if all of them are there."""
    lists = {name: items for name, items in _lists(keys).items() if all(item in values for item in items.values())}
    in_lists = {item: name for name, items in lists.items() for item in items.values()}
    written: dict[str, Any] = {}
    for key, value in values.items():
        if key not in in_lists:
            written[key] = value
        elif (name := in_lists[key]) not in written:
            written[name] = [values[lists[name][index]] for index in range(len(lists[name]))]
    return written


def packed_schema(properties: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The properties of a JSON schema, the items of a list as one array with the descriptions of all."""
    schema = packed(properties, properties)
    for name in _lists(properties):
        items = schema[name]
        schema[name] = {
            "type": "array",
            "items": {"type": items[0]["type"]},
            "description": " ".join(item["description"] for item in items),
        }
    return schema


def list_name(key: str) -> str:
    """The key under which a call holds the argument: "segment" for "segment[0]", else the key itself."""
    found = _ITEM.fullmatch(key)
    return key if found is None else found[1]


def _lists(keys: Iterable[str]) -> dict[str, dict[int, str]]:
    """By the name of each list, the keys of its items by index; only lists whose items are all named."""
    lists: dict[str, dict[int, str]] = {}
    for key in keys:
        if key.endswith("]") and (found := _ITEM.fullmatch(key)) is not None:
            lists.setdefault(found[1], {})[int(found[2])] = key
    return {name: items for name, items in lists.items() if set(items) == set(range(len(items)))}
