"""Tools become the exact TypeScript text that the models were trained on, or `UnsupportedSchemaError`."""

import ast
import copy
import json
import random
import sys
from collections.abc import Mapping
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

GOLDEN = golden("tools_typescript")
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


@pytest.mark.parametrize("row", GOLDEN, ids=range(len(GOLDEN)))
def test_golden(row: dict[str, Any]) -> None:
    if row["typescript"] is None:
        with pytest.raises(UnsupportedSchemaError):
            declare(*row["tools"])
    else:
        assert declare(*row["tools"]) == row["typescript"]


def test_golden_rows_are_all_there() -> None:
    assert len(GOLDEN) == 60
    assert sum(row["typescript"] is None for row in GOLDEN) == 15


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
        pytest.param({"type": "array", "items": False}, "Array<null>", id="array of nothing"),
        pytest.param({"type": "array", "items": {"type": "integer"}}, "Array<number>", id="array of integers"),
        pytest.param({"type": ["string"]}, "string", id="union of one"),
        pytest.param(
            {"type": ["string", "number", "integer", "boolean", "null", "object", "array"]},
            "string | number | number | boolean | null | {} | Array<any>",
            id="union of all",
        ),
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
        ([True], "integer"),
        ([True], "number"),
        ([1], "boolean"),
        ([0], "null"),
        ([1], ["string", "null"]),
        (["a"], ["string", "integer"]),
        (["a"], ["string", "integer", "null"]),
        (["a"], []),
        (["a"], "no such type"),
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


def test_a_root_reference_from_a_definition_counts() -> None:
    schema = {"type": "object", "$defs": {"Up": {"$ref": "#"}}}
    assert declare(tool(schema)) == FRAME.format(
        "interface parameters {}\ninterface Up parameters\ntype f = (_: parameters) => any;"
    )


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
        pytest.param({"type": []}, id="no types"),
        pytest.param({"type": ["string", 1]}, id="number in types"),
        pytest.param({"type": ["string", ["null"]]}, id="list in types"),
        pytest.param({"type": ["string", "date"]}, id="unknown type in types"),
        pytest.param({"anyOf": []}, id="empty anyOf"),
        pytest.param({"anyOf": None}, id="null anyOf"),
        pytest.param({"anyOf": {"type": "string"}}, id="object as anyOf"),
        pytest.param({"anyOf": [None]}, id="null in anyOf"),
        pytest.param({"enum": []}, id="empty enum"),
        pytest.param({"enum": "abc"}, id="string as enum"),
        pytest.param({"enum": None}, id="null enum"),
        pytest.param({"enum": [object()]}, id="object() in enum"),
        pytest.param({"type": "array", "items": [{}]}, id="list as items"),
        pytest.param({"type": "array", "items": None}, id="null items"),
        pytest.param({"type": "object", "properties": []}, id="list as properties"),
        pytest.param({"type": "object", "properties": None}, id="null properties"),
        pytest.param({"type": "object", "properties": {"a": None}}, id="null property"),
        pytest.param({"type": "object", "required": "ab"}, id="string as required"),
        pytest.param({"type": "object", "required": None}, id="null required"),
        pytest.param({"type": "object", "required": True}, id="true as required"),
        pytest.param({"type": "object", "required": [1]}, id="number in required"),
        pytest.param({"type": "object", "required": [[]]}, id="list in required"),
        pytest.param({"type": "object", "additionalProperties": None}, id="null additionalProperties"),
        pytest.param({"type": "object", "additionalProperties": "any"}, id="string additionalProperties"),
        pytest.param({"type": "string", "description": 1}, id="number as description"),
        pytest.param({"type": "string", "description": ["a"]}, id="list as description"),
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
        pytest.param([{"type": "function", "function": {"description": "d"}}], id="no name"),
        pytest.param([tool(name=None)], id="null name"),
        pytest.param([tool(name=1)], id="number as name"),
        pytest.param([tool(description=1)], id="number as description"),
        pytest.param([tool([])], id="list as parameters"),
        pytest.param([tool("object")], id="string as parameters"),
        pytest.param([tool(parameters=True)], id="true as parameters"),
        pytest.param([tool({"$defs": []})], id="list as $defs"),
        pytest.param([tool({"$defs": None})], id="null $defs"),
        pytest.param([tool({"$defs": {"X": None}})], id="null definition"),
        pytest.param([tool({"$defs": {"X": {"description": 1}}})], id="number as definition's description"),
        pytest.param([tool({"properties": {1: {}}})], id="number as property name"),
        pytest.param([tool({"properties": {"a": {}, None: {}}})], id="null as property name"),
        pytest.param([tool({"$defs": {1: {}}})], id="number as definition name"),
    ],
)
def test_bad_tools_are_unsupported(tools: Any) -> None:
    with pytest.raises(UnsupportedSchemaError):
        encode_tools_to_typescript_style(tools)


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
            "anyOf": st.lists(schemas, min_size=1, max_size=3) | junk,
            "enum": st.lists(JSON, min_size=1, max_size=3) | junk,
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3) | junk,
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
    parameters = {"type": "object", "properties": {"x": schema, "self": {"$ref": "#"}}, "$defs": {"B": schema, "A": {}}}
    assert declare(shuffled(tool(parameters), rng)) == declare(tool(parameters))


@given(JSON)
def test_sorting_changes_the_order_only_and_once(value: Any) -> None:
    once = deep_sort(value)
    assert once == value
    assert json.dumps(once) == json.dumps(value, sort_keys=True)
    assert json.dumps(deep_sort(once)) == json.dumps(once)
