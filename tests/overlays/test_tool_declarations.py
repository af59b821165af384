"""Tools become the exact TypeScript text that the models were trained on, or `UnsupportedSchemaError`."""

import ast
import copy
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import golden
from hypothesis import given
from hypothesis import strategies as st

from kimi_tokenizers.overlays.common import tool_declaration_ts
from kimi_tokenizers.overlays.common.tool_declaration_ts import (
    UnsupportedSchemaError,
    deep_sort,
    encode_tools_to_typescript_style,
)


def rows(name: str) -> list[Any]:
    return [pytest.param(row, id=f"{name}-{number}") for number, row in enumerate(golden(name))]


GOLDEN = rows("tools_typescript")
CORNERS = rows("tools_typescript_corners")
FRAME = "# Tools\n\n## functions\nnamespace functions {{\n{}\n}}\n"


def tool(parameters: Any = None, **function: Any) -> dict[str, Any]:
    function = {"name": "f", **function}
    if parameters is not None:
        function["parameters"] = parameters
    return {"type": "function", "function": function}


def declare(*tools: Any) -> str:
    return encode_tools_to_typescript_style(deep_sort(list(tools)))


def declare_field(schema: Any, **parameters: Any) -> str:
    """The text of one optional field `x`, comments and all, without its indentation by two."""
    text = declare(tool({"type": "object", "properties": {"x": schema}, **parameters}))
    start = text.index("type f = (_: {\n") + len("type f = (_: {\n")
    body = text[start : text.index("\n}) => any;")]
    return "\n".join(line.removeprefix("  ") for line in body.split("\n"))


# Golden data


@pytest.mark.parametrize("row", GOLDEN + CORNERS)
def test_golden(row: dict[str, Any]) -> None:
    if row["typescript"] is None:
        with pytest.raises(UnsupportedSchemaError):
            declare(*row["tools"])
    else:
        assert declare(*row["tools"]) == row["typescript"]


def test_golden_rows_are_all_there() -> None:
    assert [len(GOLDEN), len(CORNERS)] == [60, 120]
    unsupported = [sum(row.values[0]["typescript"] is None for row in rows) for rows in (GOLDEN, CORNERS)]
    assert unsupported == [15, 34]


# Frame and function


@pytest.mark.parametrize(
    "tools",
    [
        [],
        [{}],
        [{"type": "_plugin", "name": "web"}],
        [{"type": "function"}],
        [{"type": "function", "function": {}}],
        [{"type": "function", "function": None}],
        [{"function": {"name": "f"}}],
    ],
)
def test_without_functions_the_declaration_is_empty(tools: list[Any]) -> None:
    assert declare(*tools) == ""


def test_other_entries_are_left_out_and_functions_keep_their_order() -> None:
    text = declare(tool(name="b"), {"type": "_plugin", "name": "web"}, tool(name="a"))
    assert text == FRAME.format("type b = (_: {}) => any;\ntype a = (_: {}) => any;")


@pytest.mark.parametrize("parameters", [None, {}, {"type": "object"}, {"type": "object", "properties": {}}])
def test_parameters_without_fields_are_an_empty_object(parameters: Any) -> None:
    assert declare(tool(parameters)) == FRAME.format("type f = (_: {}) => any;")


def test_null_parameters_are_missing_ones() -> None:
    function = {"name": "f", "parameters": None, "description": None}
    assert declare({"type": "function", "function": function}) == declare(tool())


def test_description_is_a_comment_whose_blank_lines_stay_blank() -> None:
    text = declare(tool(description="One.\n\nTwo.\n 三"))
    assert text == FRAME.format("// One.\n\n// Two.\n//  三\ntype f = (_: {}) => any;")


def test_empty_description_is_no_comment() -> None:
    assert declare(tool(description="")) == declare(tool())


def test_blank_lines_inside_an_object_are_not_indented() -> None:
    assert declare_field({"type": "string", "description": "a\n\nb"}) == "// a\n\n// b\nx?: string"


# Types


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param(True, "any", id="true"),
        pytest.param(False, "null", id="false"),
        pytest.param({}, "any", id="empty schema"),
        pytest.param({"type": "string"}, "string", id="string"),
        pytest.param({"type": "integer"}, "number", id="integer"),
        pytest.param({"type": "number"}, "number", id="number"),
        pytest.param({"type": "boolean"}, "boolean", id="boolean"),
        pytest.param({"type": "null"}, "null", id="null"),
        pytest.param({"type": "object"}, "{}", id="object"),
        pytest.param({"type": "array"}, "Array<any>", id="array"),
        pytest.param({"type": "array", "items": {}}, "Array<any>", id="array of any"),
        pytest.param({"type": "array", "items": False}, "Array<any>", id="array of false"),
        pytest.param({"type": "array", "items": True}, "Array<any>", id="array of true"),
        pytest.param({"type": "array", "items": None}, "Array<any>", id="array of null"),
        pytest.param({"type": "array", "items": {"type": []}}, "Array<>", id="array of no types"),
        pytest.param({"type": "array", "items": {"type": "integer"}}, "Array<number>", id="array of integers"),
        pytest.param({"type": ["string"]}, "string", id="union of one"),
        pytest.param(
            {"type": ["string", "number", "integer", "boolean", "null", "object", "array"]},
            "string | number | number | boolean | null | {} | Array<any>",
            id="union of all",
        ),
        pytest.param({"type": []}, "", id="union of none"),
        pytest.param({"type": "any"}, "any", id="unknown type"),
        pytest.param({"type": "Date-Time!"}, "Date-Time!", id="type that is no word"),
        pytest.param({"anyOf": []}, "", id="anyOf of nothing"),
        pytest.param({"anyOf": [{"anyOf": []}, {"type": "null"}]}, " | null", id="nothing inside anyOf"),
        pytest.param({"anyOf": [{"type": "integer"}, {"enum": ["a"]}, {}]}, 'number | "a" | any', id="anyOf"),
        pytest.param({"anyOf": [{"type": "string"}], "type": "integer"}, "string", id="anyOf before type"),
        pytest.param({"anyOf": [{"type": "string"}], "enum": [1]}, "string", id="anyOf before enum"),
        pytest.param({"enum": ["a"], "type": "string"}, '"a"', id="enum before type"),
    ],
)
def test_type(schema: Any, expected: str) -> None:
    assert declare_field(schema) == f"x?: {expected}"


def test_members_of_a_union_have_no_comments() -> None:
    schema = {"anyOf": [{"type": "string", "description": "no", "maxLength": 1}, {"type": "null"}]}
    assert declare_field(schema) == "x?: string | null"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"enum": ["a", 1, 1.5, True, None]}, '"a" | 1 | 1.5 | True | None', id="as Python prints them"),
        pytest.param({"enum": ['say "hi"\\', "é"]}, '"say "hi"\\" | "é"', id="strings unescaped"),
        pytest.param({"enum": [[1, "a"]]}, "[1, 'a']", id="list"),
        pytest.param({"enum": ["a", None], "type": "string"}, '"a" | None', id="null fits any type"),
        pytest.param({"enum": [1, 2.5], "type": "number"}, "1 | 2.5", id="integers fit number"),
        pytest.param({"enum": [None], "type": "null"}, "None", id="null"),
        pytest.param({"enum": ["a"], "type": ["string"]}, '"a"', id="list of one type"),
        pytest.param({"enum": ["a"], "type": ["string", "null"]}, '"a"', id="type and null"),
        pytest.param({"enum": [1], "type": ["null", "integer"]}, "1", id="null and type"),
        pytest.param({"enum": [{"a": 1}], "type": "object"}, "{'a': 1}", id="object"),
        pytest.param({"enum": []}, "", id="empty"),
        pytest.param({"enum": [], "type": "integer"}, "", id="empty with a type"),
        pytest.param({"enum": [True, 1], "type": "integer"}, "True | 1", id="true passes as an integer"),
        pytest.param({"enum": [False, 1.5], "type": ["number", "null"]}, "False | 1.5", id="false passes as a number"),
        pytest.param({"enum": [0], "type": "null"}, "0", id="null checks nothing"),
        pytest.param({"enum": ["a", 1], "type": "object"}, '"a" | 1', id="object checks nothing"),
        pytest.param({"enum": ["a", {}], "type": "array"}, '"a" | {}', id="array checks nothing"),
        pytest.param({"enum": ["a", True], "type": "date"}, '"a" | True', id="an unknown type checks nothing"),
        pytest.param({"enum": [1], "type": ["date", "null"]}, "1", id="an unknown type and null check nothing"),
        pytest.param({"enum": [1], "type": ["null"]}, "1", id="a list of null checks nothing"),
        pytest.param({"enum": [1], "type": ["null", "null"]}, "1", id="null twice checks nothing"),
    ],
)
def test_enum(schema: Any, expected: str) -> None:
    assert declare_field(schema) == f"x?: {expected}"


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        ([1], "string"),
        (["a"], "integer"),
        ([1.5], "integer"),
        ([1.0], "integer"),
        ([[1]], "number"),
        (["1"], "number"),
        ([1], "boolean"),
        ([0.0], "boolean"),
        ([True], "string"),
        ([None, {"a": 1}], "string"),
        ([1], ["string", "null"]),
        (["a"], ["string", "integer"]),
        (["a"], ["string", "integer", "null"]),
        ([None], ["string", "integer"]),
        ([None], ["string", "string"]),
        ([], ["string", "integer"]),
        (["a"], []),
        ([], []),
        (["a"], [1]),
        (["a"], [None, "string"]),
        (["a"], None),
        (["a"], {}),
    ],
)
def test_enum_that_contradicts_its_type_is_unsupported(values: list[Any], declared: Any) -> None:
    with pytest.raises(UnsupportedSchemaError):
        declare_field({"enum": values, "type": declared})


# Comments


@pytest.mark.parametrize(
    ("schema", "comment"),
    [
        (
            {"type": "string", "pattern": "^a$", "minLength": 0, "maxLength": 9},
            "maxLength: 9, minLength: 0, pattern: ^a$",
        ),
        ({"type": "integer", "minimum": -1, "maximum": 2.5}, "maximum: 2.5, minimum: -1"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 3}, "minimum: 0"),
        ({"type": "array", "minItems": 1, "maxItems": 2}, "maxItems: 2, minItems: 1"),
    ],
)
def test_limits_are_a_comment(schema: dict[str, Any], comment: str) -> None:
    assert declare_field(schema).split("\n")[0] == f"// {comment}"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "minimum": 1},
        {"type": "boolean", "maxLength": 1},
        {"type": "integer", "maxLength": 1},
        {"type": ["string", "null"], "maxLength": 1},
        {"enum": ["a"], "type": "string", "maxLength": 1},
        {"type": "object", "maxItems": 1},
    ],
)
def test_limits_of_another_type_are_no_comment(schema: dict[str, Any]) -> None:
    assert "//" not in declare_field(schema)


@pytest.mark.parametrize(
    ("default", "text"),
    [
        (True, "True"),
        (0, "0"),
        (1.5, "1.5"),
        (1e30, "1e+30"),
        ("", '""'),
        ('é "', '"é \\""'),
        ([1, None, "中"], '[1, null, "中"]'),
        ({"b": False, "a": 1}, '{"a": 1, "b": false}'),
    ],
)
def test_default_comes_last_in_the_comment(default: Any, text: str) -> None:
    schema = {"type": "string", "description": "d", "maxLength": 1, "default": default}
    assert declare_field(schema) == f"// d\n// maxLength: 1\n// Default: {text}\nx?: string"


def test_null_default_is_no_comment() -> None:
    assert declare_field({"type": "string", "default": None}) == "x?: string"


def test_item_with_a_comment_gets_lines_of_its_own() -> None:
    item = {"type": "array", "maxItems": 3, "items": {"type": "string", "description": "d", "default": "x"}}
    schema = {"type": "array", "description": "outer", "items": item}
    assert declare_field(schema) == (
        "// outer\n"
        "x?: Array<\n"
        "  // maxItems: 3\n"
        "  Array<\n"
        "    // d\n"
        "    string\n"
        "  >\n"
        ">"
    )  # fmt: skip


def test_item_without_a_comment_stays_on_the_line() -> None:
    schema = {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}
    assert declare_field(schema) == "x?: Array<{\n  a?: string\n}>"


# Objects


def test_required_fields_come_first_and_both_groups_are_sorted() -> None:
    properties = {name: {"type": "string"} for name in ("d", "B", "中", "a", "c")}
    schema = {"type": "object", "properties": properties, "required": ["d", "B", "not a field"]}
    assert declare_field(schema) == "x?: {\n  B: string,\n  d: string,\n  a?: string,\n  c?: string,\n  中?: string\n}"


@pytest.mark.parametrize(
    ("additional", "text"),
    [(True, "any"), (False, "never"), ({}, "any"), ({"type": "array", "items": {"type": "integer"}}, "Array<number>")],
)
def test_additional_properties_are_an_index_signature(additional: Any, text: str) -> None:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": additional}
    assert declare_field(schema) == f"x?: {{\n  [k: string]: {text}\n}}"
    schema["properties"] = {"a": {"type": "string"}}
    assert declare_field(schema) == f"x?: {{\n  a?: string,\n  [k: string]: {text}\n}}"


def test_null_additional_properties_are_absent_ones() -> None:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": None}
    assert declare_field(schema) == "x?: {}"
    schema["properties"] = {"a": {"type": "string"}}
    assert declare_field(schema) == "x?: {\n  a?: string\n}"


def test_additional_properties_have_no_comment() -> None:
    additional = {"type": "string", "description": "d", "maxLength": 1, "default": "x"}
    assert declare_field({"type": "object", "additionalProperties": additional}) == "x?: {\n  [k: string]: string\n}"


@pytest.mark.parametrize("declared", ["object", "string", "array", ["null"], [], None, 1])
def test_parameters_are_an_object_whatever_their_type(declared: Any) -> None:
    fields = {"properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    ignored = {"description": 1, "enum": 1, "anyOf": None, "$ref": "#", "items": 1, "default": 1, "maxItems": 1}
    assert declare(tool({"type": declared, **fields, **ignored})) == FRAME.format(
        "type f = (_: {\n  a: string,\n  [k: string]: never\n}) => any;"
    )


def test_a_function_without_a_name_is_called_function() -> None:
    assert declare({"type": "function", "function": {"description": "d"}}) == FRAME.format(
        "// d\ntype function = (_: {}) => any;"
    )


# References

NODE = {
    "type": "object",
    "description": "A node\nof a list",
    "properties": {"next": {"$ref": "#/$defs/Node"}, "value": {"type": "string"}},
    "required": ["value"],
}
NODE_INTERFACE = "// A node\n// of a list\ninterface Node {\n  value: string,\n  next?: Node\n}\n"


def test_definitions_become_interfaces_before_the_description() -> None:
    schema = {
        "type": "object",
        "properties": {"node": {"$ref": "#/$defs/Node", "description": "first"}, "size": {"$ref": "#/$defs/Size"}},
        "$defs": {"Size": {"enum": [1, 2]}, "Node": NODE},
    }
    assert declare(tool(schema, description="Lists.")) == FRAME.format(
        NODE_INTERFACE + "interface Size 1 | 2\n"
        "// Lists.\n"
        "type f = (_: {\n"
        "  // first\n"
        "  node?: Node,\n"
        "  size?: Size\n"
        "}) => any;"
    )  # fmt: skip


def test_a_reference_to_the_root_names_the_parameters() -> None:
    schema = {
        "type": "object",
        "properties": {"self": {"$ref": "#"}, "node": {"$ref": "#/$defs/Node"}, "zeta": {"type": "string"}},
        "required": ["zeta"],
        "additionalProperties": False,
        "$defs": {"Node": NODE},
    }
    assert declare(tool(schema, description="Walks.")) == FRAME.format(
        "interface parameters {\n"
        "  node?: Node,\n"
        "  self?: parameters,\n"
        "  zeta: string\n"
        "}\n" + NODE_INTERFACE + "// Walks.\n"
        "type f = (_: parameters) => any;"
    )  # fmt: skip


def test_a_root_reference_from_a_definition_causes_no_interface() -> None:
    schema = {"properties": {"up": {"$ref": "#/$defs/Up"}}, "$defs": {"Up": {"$ref": "#"}}}
    assert declare(tool(schema)) == FRAME.format("interface Up parameters\ntype f = (_: {\n  up?: Up\n}) => any;")


@pytest.mark.parametrize(
    "properties",
    [
        {"a": {"type": "object", "properties": {"b": {"type": "array", "items": {"anyOf": [{"$ref": "#"}]}}}}},
        {"a": {"type": "object", "additionalProperties": {"$ref": "#"}}},
    ],
)
def test_a_root_reference_counts_at_any_depth(properties: Any) -> None:
    assert declare(tool({"properties": properties})).endswith("\n}\ntype f = (_: parameters) => any;\n}\n")


def test_a_root_reference_in_additional_properties_counts_though_they_are_not_written() -> None:
    schema = {"additionalProperties": {"type": "array", "items": {"$ref": "#"}}}
    assert declare(tool(schema)) == FRAME.format("interface parameters {}\ntype f = (_: parameters) => any;")


def test_additional_properties_that_are_not_written_must_still_be_right() -> None:
    with pytest.raises(UnsupportedSchemaError):
        declare(tool({"properties": {"up": {"$ref": "#"}}, "additionalProperties": {"const": 1}}))


def test_a_reference_to_the_root_concerns_its_own_function_only() -> None:
    text = declare(tool({"properties": {"self": {"$ref": "#"}}}), tool({"properties": {"a": True}}, name="g"))
    assert text.endswith("type f = (_: parameters) => any;\ntype g = (_: {\n  a?: any\n}) => any;\n}\n")


def test_definitions_that_refer_to_each_other_end() -> None:
    definitions = {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}
    assert declare(tool({"$defs": definitions})) == FRAME.format(
        "interface A B\ninterface B A\ntype f = (_: {}) => any;"
    )


@pytest.mark.parametrize(
    "target", ["#/definitions/X", "#/$defs/Y", "#/$defs/", "#/", "", "X", "http://x/y", 1, None, [], {}]
)
def test_a_reference_that_cannot_be_found_is_unsupported(target: Any) -> None:
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare_field({"$ref": target}, **{"$defs": {"X": {}}})


@pytest.mark.parametrize("target", ["#/$defs/X", "#/$defs/a/X", "#/$defs//X", "#/$defs/X/properties/X"])
def test_the_last_part_of_a_reference_is_the_name(target: str) -> None:
    assert declare_field({"$ref": target}, **{"$defs": {"X": {}}}) == "x?: X"


def test_a_reference_into_a_definition_is_not_found_by_the_definition() -> None:
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare_field({"$ref": "#/$defs/X/properties/a"}, **{"$defs": {"X": {"properties": {"a": True}}}})


def test_a_reference_counts_before_everything_else() -> None:
    schema = {"$ref": "#/$defs/X", "anyOf": 1, "enum": 1, "type": 1, "properties": None, "$defs": 1}
    assert declare_field(schema, **{"$defs": {"X": {}}}) == "x?: X"


# Definitions: where they may be, and in which order they are found


def with_definitions(*names: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "$defs": {name: {"type": "string"} for name in names}, **more}


def interfaces(text: str) -> list[str]:
    """The names of the interfaces in the order in which they are written."""
    return re.findall(r"^interface (\S+)", text, re.MULTILINE)


DEEP: dict[str, Any] = {
    "field": {"properties": {"a": with_definitions("X")}},
    "field of a field": {"properties": {"a": {"type": "object", "properties": {"b": with_definitions("X")}}}},
    "item": {"properties": {"a": {"type": "array", "items": with_definitions("X")}}},
    "item with a comment": {"properties": {"a": {"type": "array", "items": with_definitions("X", description="d")}}},
    "member": {"properties": {"a": {"anyOf": [{"type": "null"}, with_definitions("X")]}}},
    "additional properties": {"additionalProperties": with_definitions("X")},
    "additional properties of a field": {
        "properties": {"a": {"type": "object", "additionalProperties": with_definitions("X")}}
    },
}


@pytest.mark.parametrize("parameters", DEEP.values(), ids=DEEP)
def test_definitions_of_an_object_at_any_depth_become_interfaces(parameters: Any) -> None:
    later = {**parameters.get("properties", {}), "z": {"$ref": "#/$defs/X"}}
    text = declare(tool({**parameters, "properties": later}))
    assert text.startswith("# Tools\n\n## functions\nnamespace functions {\ninterface X string\ntype f = (_: {\n")
    assert interfaces(text) == ["X"]
    assert "\n  z?: X" in text


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "$defs": {"X": {}}},
        {"type": ["object"], "$defs": {"X": {}}},
        {"type": "string", "$defs": {"X": {}}},
        {"anyOf": [], "type": "object", "$defs": {"X": {}}},
        {"enum": [], "type": "object", "$defs": {"X": {}}},
        {"type": "array", "default": {"type": "object", "$defs": {"X": {}}}},
    ],
)
def test_definitions_of_what_is_no_object_are_nothing(schema: Any) -> None:
    assert interfaces(declare(tool({"properties": {"a": schema}}))) == []
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare(tool({"properties": {"a": schema, "b": {"$ref": "#/$defs/X"}}}))


@pytest.mark.parametrize("definitions", [None, {}])
def test_null_or_empty_definitions_are_nothing(definitions: Any) -> None:
    schema = {"$defs": definitions, "properties": {"a": {"type": "object", "$defs": definitions}}}
    assert declare(tool(schema)) == FRAME.format("type f = (_: {\n  a?: {}\n}) => any;")


def test_definitions_come_before_additional_properties_and_those_before_fields() -> None:
    deep = with_definitions(
        "H", "G", additionalProperties=with_definitions("I"), properties={"a": with_definitions("J")}
    )
    schema = with_definitions(
        "Z",
        "Y",
        additionalProperties=with_definitions("X", additionalProperties=with_definitions("W")),
        properties={
            "b": with_definitions("V"),
            "a": deep,
            "c": {"anyOf": [with_definitions("U"), with_definitions("T")]},
        },
        required=["c"],
    )
    assert interfaces(declare(tool(schema))) == ["Y", "Z", "X", "W", "G", "H", "I", "J", "V", "U", "T"]


def test_required_fields_are_written_first_but_not_read_first() -> None:
    early = {"a": with_definitions("X"), "b": {"$ref": "#/$defs/X"}}
    assert "{\n  b: X,\n  a?: {}\n}" in declare(tool({"properties": early, "required": ["b"]}))
    late = {"a": {"$ref": "#/$defs/X"}, "b": with_definitions("X")}
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare(tool({"properties": late, "required": ["b"]}))


@pytest.mark.parametrize(
    "parameters",
    [
        {"properties": {"a": {"$ref": "#/$defs/X"}, "b": with_definitions("X")}},
        {"properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/X"}}, "b": with_definitions("X")}},
        {"properties": {"a": {"anyOf": [{"$ref": "#/$defs/X"}, with_definitions("X")]}}},
        {"additionalProperties": {"$ref": "#/$defs/X"}, "properties": {"a": with_definitions("X")}},
    ],
)
def test_a_reference_to_a_definition_found_later_is_unsupported(parameters: Any) -> None:
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare(tool(parameters))


def test_a_definition_may_refer_to_one_found_later() -> None:
    late = {"type": "object", "$defs": {"B": {"type": "array", "items": {"$ref": "#/$defs/A"}}}}
    assert declare(tool({"$defs": {"A": {"$ref": "#/$defs/B"}}, "properties": {"x": late}})) == FRAME.format(
        "interface A B\ninterface B Array<A>\ntype f = (_: {\n  x?: {}\n}) => any;"
    )


def test_a_name_found_again_keeps_its_place_and_gets_the_new_schema() -> None:
    again = {"type": "object", "$defs": {"A": {"type": "integer", "description": "new"}, "C": {}}}
    unused = {"$ref": "#/$defs/nowhere", "description": "old"}
    schema = {
        "$defs": {"A": unused, "B": {"$ref": "#/$defs/A"}},
        "properties": {"x": again, "y": {"$ref": "#/$defs/A"}},
    }
    assert declare(tool(schema)) == FRAME.format(
        "// new\ninterface A number\ninterface B A\ninterface C any\ntype f = (_: {\n  x?: {},\n  y?: A\n}) => any;"
    )


def test_definitions_inside_a_definition_can_be_referred_to_from_then_on() -> None:
    inner = {"type": "object", "$defs": {"In": {}}, "properties": {"i": {"$ref": "#/$defs/In"}}}
    schema = {"$defs": {"A": inner, "B": {"$ref": "#/$defs/In"}}}
    assert declare(tool(schema)) == FRAME.format("interface A {\n  i?: In\n}\ninterface B In\ntype f = (_: {}) => any;")
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare(tool({"$defs": {"A": {"$ref": "#/$defs/In"}, "B": inner}}))
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare(tool({"$defs": {"A": inner}, "properties": {"x": {"$ref": "#/$defs/In"}}}))


def test_a_definition_inside_a_definition_replaces_no_interface() -> None:
    inner = {"type": "object", "$defs": {"A": {"type": "integer"}, "B": {"type": "integer"}}}
    assert declare(tool({"$defs": {"A": inner, "B": {"type": "string"}}})) == FRAME.format(
        "interface A {}\ninterface B string\ntype f = (_: {}) => any;"
    )


def test_what_a_definition_inside_a_definition_says_is_not_read() -> None:
    inner = {"type": "object", "$defs": {"In": {"$ref": "#/$defs/nowhere"}}}
    assert interfaces(declare(tool({"$defs": {"A": inner}}))) == ["A"]


def test_definitions_belong_to_their_function() -> None:
    first = tool({"$defs": {"X": {}}})
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare(first, tool({"properties": {"a": {"$ref": "#/$defs/X"}}}, name="g"))
    with pytest.raises(UnsupportedSchemaError, match="ref"):
        declare(tool({"properties": {"a": {"$ref": "#/$defs/X"}}}, name="g"), first)


def test_interfaces_come_root_first_with_deep_definitions_written_once() -> None:
    schema = {
        "$defs": {"A": {"type": "string"}},
        "properties": {"a": {"type": "object", "$defs": {"A": {"$ref": "#"}, "B": {}}}, "b": {"$ref": "#"}},
        "required": ["b"],
    }
    assert declare(tool(schema, description="d")) == FRAME.format(
        "interface parameters {\n  a?: {},\n  b: parameters\n}\n"
        "interface A parameters\ninterface B any\n// d\ntype f = (_: parameters) => any;"
    )


@pytest.mark.parametrize("definition", [True, False, None, [], "string", 1])
@pytest.mark.parametrize("place", ["parameters", "field"])
def test_a_definition_that_is_no_object_is_unsupported(definition: Any, place: str) -> None:
    schema: dict[str, Any] = {"type": "object", "$defs": {"X": definition}}
    with pytest.raises(UnsupportedSchemaError):
        declare(tool(schema if place == "parameters" else {"properties": {"a": schema}}))


@pytest.mark.parametrize(
    "bad",
    [
        {"const": 1},
        {"description": "d"},
        {"type": ["date"]},
        {"$ref": "#/definitions/X"},
        {"type": "object", "required": None},
        {"enum": ["a"], "type": "integer"},
    ],
)
def test_a_definition_that_nobody_uses_must_be_right(bad: Any) -> None:
    with pytest.raises(UnsupportedSchemaError):
        declare(tool({"$defs": {"X": bad}}))


# Bad input

CYCLIC: dict[str, Any] = {"type": "object", "properties": {}}
CYCLIC["properties"]["again"] = CYCLIC


def nested(depth: int, keyword: str, *, listed: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", keyword: [schema] if listed else schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"description": "only"}, id="no rule"),
        pytest.param({"const": 1}, id="const"),
        pytest.param({"oneOf": [{}]}, id="oneOf"),
        pytest.param({"allOf": [{}]}, id="allOf"),
        pytest.param(None, id="null schema"),
        pytest.param("string", id="string schema"),
        pytest.param(1, id="number schema"),
        pytest.param([], id="list schema"),
        pytest.param({"type": None}, id="null type"),
        pytest.param({"type": 1}, id="number as type"),
        pytest.param({"type": {}}, id="object as type"),
        pytest.param({"type": ["string", 1]}, id="number in types"),
        pytest.param({"type": ["string", ["null"]]}, id="list in types"),
        pytest.param({"type": ["string", "date"]}, id="unknown type in types"),
        pytest.param({"anyOf": None}, id="null anyOf"),
        pytest.param({"anyOf": {"type": "string"}}, id="object as anyOf"),
        pytest.param({"anyOf": [None]}, id="null in anyOf"),
        pytest.param({"enum": "abc"}, id="string as enum"),
        pytest.param({"enum": None}, id="null enum"),
        pytest.param({"enum": [object()]}, id="object() in enum"),
        pytest.param({"enum": [[object()]]}, id="object() in a list in enum"),
        pytest.param({"enum": [[10**5000]]}, id="number in a list in enum too long to print"),
        pytest.param({"type": "array", "items": [{}]}, id="list as items"),
        pytest.param({"type": "object", "properties": []}, id="list as properties"),
        pytest.param({"type": "object", "properties": None}, id="null properties"),
        pytest.param({"type": "object", "properties": {"a": None}}, id="null property"),
        pytest.param({"type": "object", "required": "ab"}, id="string as required"),
        pytest.param({"type": "object", "required": None}, id="null required"),
        pytest.param({"type": "object", "required": True}, id="true as required"),
        pytest.param({"type": "object", "required": [1]}, id="number in required"),
        pytest.param({"type": "object", "required": [[]]}, id="list in required"),
        pytest.param({"type": "object", "additionalProperties": "any"}, id="string additionalProperties"),
        pytest.param({"type": "object", "additionalProperties": ""}, id="empty string additionalProperties"),
        pytest.param({"type": "object", "additionalProperties": []}, id="list additionalProperties"),
        pytest.param({"type": "object", "additionalProperties": 0}, id="number additionalProperties"),
        pytest.param({"type": "string", "description": 1}, id="number as description"),
        pytest.param({"type": "string", "description": ["a"]}, id="list as description"),
        pytest.param({"type": "string", "description": False}, id="false as description"),
        pytest.param({"anyOf": [{"type": "string", "description": 1}]}, id="number as a member's description"),
        pytest.param({"$ref": "#", "description": 1}, id="number as a reference's description"),
        pytest.param(
            {"type": "object", "additionalProperties": {"type": "string", "description": 1}},
            id="number as additionalProperties' description",
        ),
        pytest.param({"type": "string", "default": object()}, id="object() as default"),
        pytest.param({"type": "string", "default": {1, 2}}, id="set as default"),
        pytest.param({"type": "integer", "default": 10**5000}, id="default too long to print"),
        pytest.param({"type": "integer", "maximum": 10**5000}, id="limit too long to print"),
        pytest.param({"enum": [10**5000]}, id="enum value too long to print"),
        pytest.param({"type": "integer", "default": [10**5000]}, id="number in default too long to print"),
        pytest.param({"type": "string", "maxLength": object()}, id="object() as limit"),
        pytest.param(CYCLIC, id="contains itself"),
        pytest.param(nested(100_000, "items"), id="deep items"),
        pytest.param(nested(100_000, "anyOf", listed=True), id="deep anyOf"),
        pytest.param(nested(100_000, "default"), id="deep default"),
        pytest.param(nested(100_000, "enum", listed=True), id="deep enum"),
    ],
)
def test_bad_schema_is_unsupported_sorted_or_not(schema: Any) -> None:
    bad = tool({"type": "object", "properties": {"x": schema}})
    with pytest.raises(UnsupportedSchemaError):
        encode_tools_to_typescript_style([bad])
    with pytest.raises(UnsupportedSchemaError):
        declare(tool(name="fine"), bad)


@pytest.mark.parametrize(
    "tools",
    [
        pytest.param(None, id="null"),
        pytest.param(1, id="number"),
        pytest.param("tools", id="string"),
        pytest.param(b"tools", id="bytes"),
        pytest.param({"type": "function"}, id="an object"),
        pytest.param([None], id="null entry"),
        pytest.param(["f"], id="string entry"),
        pytest.param([[]], id="list entry"),
        pytest.param([{"type": "function", "function": "f"}], id="string as function"),
        pytest.param([{"type": "function", "function": ["f"]}], id="list as function"),
        pytest.param([tool(name=None)], id="null name"),
        pytest.param([tool(name=1)], id="number as name"),
        pytest.param([tool(description=1)], id="number as description"),
        pytest.param([tool([])], id="list as parameters"),
        pytest.param([tool("object")], id="string as parameters"),
        pytest.param([tool(parameters=True)], id="true as parameters"),
        pytest.param([tool({"$defs": []})], id="list as $defs"),
        pytest.param([tool({"properties": None})], id="null properties"),
        pytest.param([tool({"required": None})], id="null required"),
        pytest.param([tool({"additionalProperties": "any"})], id="string additionalProperties"),
        pytest.param([tool({"$defs": {"X": {"description": 1}}})], id="number as definition's description"),
        pytest.param([tool({"properties": {1: {}}})], id="number as property name"),
        pytest.param([tool({"properties": {"a": {}, None: {}}})], id="null as property name"),
        pytest.param([tool({"$defs": {1: {}}})], id="number as definition name"),
    ],
)
def test_bad_tools_are_unsupported(tools: Any) -> None:
    with pytest.raises(UnsupportedSchemaError):
        encode_tools_to_typescript_style(tools)


@pytest.mark.parametrize(
    ("default", "text"),
    [
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ([float("nan")], "[NaN]"),
        ("\ud800", '"\ud800"'),
        (-0.0, "-0.0"),
        (10**20, "100000000000000000000"),
    ],
)
def test_odd_but_harmless_defaults_are_written(default: Any, text: str) -> None:
    assert declare_field({"type": "string", "default": default}) == f"// Default: {text}\nx?: string"


def test_lone_surrogates_are_left_as_they_are() -> None:
    schema = {"enum": ["\udfff"], "description": "\ud800"}
    assert declare(tool({"properties": {"\udc00": schema}}, name="\ud801")) == FRAME.format(
        'type \ud801 = (_: {\n  // \ud800\n  \udc00?: "\udfff"\n}) => any;'
    )


def test_a_definition_that_contains_itself_is_unsupported() -> None:
    with pytest.raises(UnsupportedSchemaError, match="too deeply"):
        encode_tools_to_typescript_style([tool({"$defs": {"X": CYCLIC}})])


def test_a_cycle_in_the_tools_cannot_be_sorted() -> None:
    tools: list[Any] = []
    tools.append(tools)
    with pytest.raises(UnsupportedSchemaError):
        deep_sort(tools)


@pytest.mark.parametrize("value", [{1: 2}, {None: 1}, {"a": {("b",): 1}}, [{"a": 1, 2: 2}]])
def test_keys_that_are_not_strings_cannot_be_sorted(value: Any) -> None:
    with pytest.raises(UnsupportedSchemaError, match="not a string"):
        deep_sort(value)


def test_the_error_says_what_was_found_where_and_what_to_do() -> None:
    inner = {"type": "array", "items": {"type": "object", "properties": {"b": {"const": 1}}}}
    with pytest.raises(UnsupportedSchemaError) as error:
        declare(tool({"properties": {"a": {"anyOf": [{"type": "null"}, inner]}}}, name="search"))
    assert str(error.value) == (
        "found a schema with none of $ref, anyOf, enum, type at function 'search'.properties.a.anyOf[1].items."
        "properties.b; correct the tool, or declare all tools as JSON"
    )


def test_the_error_is_short_whatever_the_tool_holds() -> None:
    name = "x" * 100_000
    with pytest.raises(UnsupportedSchemaError) as error:
        declare(tool({"properties": {name: {"$ref": name}}}, name=name))
    assert len(str(error.value)) < 500


def test_the_error_is_a_value_error() -> None:
    assert issubclass(UnsupportedSchemaError, ValueError)


# The whole


def test_the_module_stands_alone() -> None:
    source = Path(tool_declaration_ts.__file__).read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).split(".")[0])
    assert imported <= sys.stdlib_module_names


def test_a_very_large_tool_list_is_declared_whole() -> None:
    properties = {f"field{i:05}": {"type": "string", "description": "d"} for i in range(20_000)}
    text = declare(tool({"type": "object", "properties": properties, "required": list(properties)}))
    assert text.count("\n  // d\n  field") == 20_000


NAMES = st.sampled_from(["a", "b", "items", "Node", "$ref", "名称"]) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(NAMES, values, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array", "date"])


def keywords(schemas: st.SearchStrategy[Any], junk: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas that use any keywords together, each with a fitting value or `junk`."""
    return st.fixed_dictionaries(
        {},
        optional={
            "$ref": st.sampled_from(["#", "#/$defs/Node", "#/$defs/a"]) | junk,
            "anyOf": st.lists(schemas, max_size=3) | junk,
            "enum": st.lists(JSON, max_size=3) | junk,
            "type": TYPES | st.lists(TYPES, max_size=3) | junk,
            "items": schemas | junk,
            "properties": st.dictionaries(NAMES, schemas, max_size=3) | junk,
            "required": st.lists(NAMES, max_size=3) | junk,
            "additionalProperties": schemas | junk,
            "$defs": st.dictionaries(NAMES, schemas, max_size=2) | junk,
            "description": st.text(max_size=8) | junk,
            "default": JSON,
            "maxLength": st.integers(0, 9) | junk,
            "minimum": st.integers(0, 9) | junk,
        },
    )


def simple(name: str) -> dict[str, Any]:
    return {"type": name}


LEAVES: st.SearchStrategy[Any] = st.booleans() | st.builds(simple, TYPES)
VALID = st.recursive(
    LEAVES,
    lambda schemas: (
        LEAVES
        | st.builds(lambda item: {"type": "array", "items": item}, schemas)
        | st.builds(lambda members: {"anyOf": members}, st.lists(schemas, min_size=1, max_size=3))
        | st.builds(
            lambda fields, needed, more: {
                "type": "object",
                "properties": fields,
                "required": needed,
                "additionalProperties": more,
                "default": dict.fromkeys(fields, 0),
            },
            st.dictionaries(NAMES, schemas, max_size=4),
            st.lists(NAMES, max_size=3),
            schemas,
        )
    ),
    max_leaves=10,
)
NESTED_LEAVES = st.builds(simple, st.sampled_from(["string", "integer", "boolean", "null", "any"]))
DEFINITIONS = st.none() | st.dictionaries(st.sampled_from("ABCDE"), NESTED_LEAVES, max_size=3)


def nested_object(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {
            "type": st.just("object"),
            "$defs": DEFINITIONS,
            "additionalProperties": st.none() | schemas,
            "properties": st.dictionaries(st.sampled_from("abcde"), schemas, max_size=3),
            "required": st.lists(st.sampled_from("abcde"), max_size=3),
        }
    )


# Objects in objects and arrays, with definitions at any depth.
NESTED = nested_object(
    st.recursive(
        NESTED_LEAVES,
        lambda schemas: nested_object(schemas) | st.builds(lambda item: {"type": "array", "items": item}, schemas),
        max_leaves=6,
    )
)
ANY_SCHEMA = st.recursive(LEAVES | JSON, lambda schemas: keywords(schemas, JSON), max_leaves=6)


def shuffled(value: Any, rng: random.Random) -> Any:
    """`value` with the keys of every object in another order."""
    if isinstance(value, Mapping):
        names = list(value)
        rng.shuffle(names)
        return {name: shuffled(value[name], rng) for name in names}
    if isinstance(value, list):
        return [shuffled(item, rng) for item in value]
    return value


@given(ANY_SCHEMA, st.booleans())
def test_any_schema_is_declared_or_unsupported_and_left_as_it_was(schema: Any, as_root: bool) -> None:
    tools = [tool(schema if as_root else {"type": "object", "properties": {"x": schema}})]
    before = copy.deepcopy(tools)
    try:
        text = encode_tools_to_typescript_style(tools)
    except UnsupportedSchemaError:
        pass
    else:
        assert text.startswith("# Tools\n\n## functions\nnamespace functions {\n")
        assert text.endswith(") => any;\n}\n")
    assert tools == before


@given(JSON)
def test_any_json_as_tools_is_declared_or_unsupported(tools: Any) -> None:
    try:
        assert isinstance(encode_tools_to_typescript_style(tools), str)
    except UnsupportedSchemaError:
        assert tools != []


@given(VALID, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter_once_sorted(schema: Any, rng: random.Random) -> None:
    definitions = {"B": {"anyOf": [schema]}, "A": {}}
    parameters = {"type": "object", "properties": {"x": schema, "self": {"$ref": "#"}}, "$defs": definitions}
    assert declare(shuffled(tool(parameters), rng)) == declare(tool(parameters))


@given(st.lists(NESTED, min_size=1, max_size=3))
def test_each_function_is_declared_as_if_it_were_alone(schemas: list[Any]) -> None:
    def body(*tools: Any) -> str:
        return declare(*tools).removeprefix(FRAME.split("{}")[0].format()).removesuffix("\n}\n")

    tools = [tool(schema, name=f"f{number}") for number, schema in enumerate(schemas)]
    assert body(*tools) == "\n".join(body(one) for one in tools)


def found(schema: Any) -> Iterator[tuple[str, Any]]:
    """The definitions of `schema` in the order in which they are found."""
    if schema["type"] == "array":
        yield from found(schema["items"])
    elif schema["type"] == "object":
        yield from sorted((schema["$defs"] or {}).items())
        if schema["additionalProperties"]:
            yield from found(schema["additionalProperties"])
        for _, field in sorted(schema["properties"].items()):
            yield from found(field)


@given(NESTED)
def test_every_definition_found_becomes_one_interface_in_the_order_of_finding(schema: Any) -> None:
    text = declare(tool(schema))
    expected = dict(found(schema))  # a name found again keeps its place and gets the new schema
    assert interfaces(text) == list(expected)
    for name, definition in expected.items():
        alone = declare_field(definition).removeprefix("x?: ")
        assert f"\ninterface {name} {alone}\n" in text


@given(JSON)
def test_sorting_changes_the_order_only_and_once(value: Any) -> None:
    once = deep_sort(value)
    assert once == value
    assert json.dumps(once) == json.dumps(value, sort_keys=True)
    assert json.dumps(deep_sort(once)) == json.dumps(once)
