"""Tool declarations in the TypeScript-like notation that Kimi K2.5 and later read.

Stands alone: the standard library only, because exo executes this file out of a model directory,
as the top-level module ``tool_declaration_ts``. It never sorts tools on its own (pass them through
`deep_sort` first), never changes what it is given, and raises nothing but
`UnsupportedSchemaError`: where one tool cannot be declared, the caller declares all as JSON.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["UnsupportedSchemaError", "deep_sort", "encode_tools_to_typescript_style"]

_INDENT = "  "
_ENTRY_SEPARATOR = ",\n"
_DEFINITION_PREFIX = "#/$defs/"
_ROOT_NAME = "parameters"  # what a reference to the whole schema, "#", is called
_RULES = ("$ref", "anyOf", "enum", "type")  # the first that a schema has decides how it renders

# The keywords that a type's comment lists, already sorted.
_LIMITS = {
    "string": ("maxLength", "minLength", "pattern"),
    "number": ("maximum", "minimum"),
    "integer": ("maximum", "minimum"),
    "array": ("maxItems", "minItems"),
}
_UNION_MEMBERS = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
    "object": "{}",
    "array": "Array<any>",
}
# What the values of an enum are checked for; with any other type they are not checked at all. As
# everywhere in Python, a boolean passes for a number.
_ENUM_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
}

_Field = tuple[bool, str, str]  # is it optional, its name, its text: sorts as it is written


class UnsupportedSchemaError(ValueError):
    """A tool that this notation cannot express; declare all tools as JSON instead."""


def encode_tools_to_typescript_style(tools: Sequence[Mapping[str, Any]]) -> str:
    """Declare `tools` as one TypeScript namespace; the empty string if none is a function.

    `tools` are in OpenAI's form, sorted by key (see `deep_sort`). Entries that are not functions
    are left out. Raises `UnsupportedSchemaError` if any function cannot be declared.
    """
    try:
        declarations = [_FunctionDeclaration(function).render() for function in _functions(tools)]
    except RecursionError:
        raise _unsupported("schemas nested without end, or too deeply", "tools") from None
    if not declarations:
        return ""
    return "\n".join(["# Tools", "", "## functions", "namespace functions {", *declarations, "}", ""])


def deep_sort(value: Any) -> Any:
    """A copy of JSON-like `value` with the keys of every object sorted; lists keep their order.

    Raises `UnsupportedSchemaError` for keys that are not strings and for nesting without end.
    """
    try:
        return _sorted_copy(value)
    except RecursionError:
        raise _unsupported("values nested without end, or too deeply", "tools") from None


def _sorted_copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise _unsupported(f"{_kind(key)}, not a string, as a key", "an object in tools")
        return {key: _sorted_copy(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted_copy(item) for item in value]
    return value


def _functions(tools: Any) -> Iterator[Mapping[str, Any]]:
    """The function of every entry that is one."""
    if not isinstance(tools, Sequence) or isinstance(tools, str | bytes | bytearray):
        raise _unsupported(_kind(tools), "tools, where a list belongs")
    for index, tool in enumerate(tools):
        if not isinstance(tool, Mapping):
            raise _unsupported(_kind(tool), f"tools[{index}], where an object belongs")
        function = tool.get("function")
        if tool.get("type") != "function" or not function:
            continue
        if not isinstance(function, Mapping):
            raise _unsupported(_kind(function), f"tools[{index}].function, where an object belongs")
        yield function


class _FunctionDeclaration:
    """Renders one function.

    The order in which schemas are read matters, and is not the order of the text: reading an object
    registers its definitions, and a reference finds only what has been registered by then.
    """

    def __init__(self, function: Mapping[str, Any]) -> None:
        self._where: list[str] = ["function"]
        self._definitions: dict[str, Mapping[str, Any]] = {}
        self._refers_to_root = False
        self._name = function.get("name", "function")
        if not isinstance(self._name, str):
            raise self._unsupported(f"a name that is {_kind(self._name)}, not a string")
        self._where = [f"function {_short(self._name)}"]
        self._comment = _lines(self._description_lines(function), "")
        parameters = function.get("parameters")
        self._parameters = self._object_at({} if parameters is None else parameters, "parameters")

    def render(self) -> str:
        fields, index_signature = self._fields(self._parameters, _INDENT)
        root, parameters = "", _block([*_in_order(fields), *index_signature], "")
        if self._refers_to_root:
            root = f"interface {_ROOT_NAME} {_block([text for *_, text in fields], '')}\n"
            parameters = _ROOT_NAME
        # A copy: a definition can register others while it is read, and those get no interface.
        definitions = list(self._definitions.items())
        interfaces = "".join(self._interface(name, schema) for name, schema in definitions)
        return f"{root}{interfaces}{self._comment}type {self._name} = (_: {parameters}) => any;"

    def _interface(self, name: str, schema: Mapping[str, Any]) -> str:
        self._where.append(f"$defs.{name}")
        comment = _lines(self._description_lines(schema), "")
        text = f"{comment}interface {name} {self._type(schema, '')}\n"
        self._where.pop()
        return text

    def _type(self, schema: Any, indent: str) -> str:
        """What follows ``name: ``; lines after the first start with `indent`."""
        if isinstance(schema, bool):
            return "any" if schema else "null"
        if not isinstance(schema, Mapping):
            raise self._unsupported(f"{_kind(schema)}, where a schema belongs")
        self._description(schema)  # must be valid even where no comment is written
        rule = _rule(schema)
        if rule == "$ref":
            return self._reference(schema["$ref"])
        if rule == "anyOf":
            return self._any_of(self._list_at(schema, "anyOf"), indent)
        if rule == "enum":
            return self._enum(schema)
        if rule == "type":
            return self._typed(schema, indent)
        if schema:
            raise self._unsupported(f"a schema with none of {', '.join(_RULES)}")
        return "any"

    def _typed(self, schema: Mapping[str, Any], indent: str) -> str:
        declared = schema["type"]
        if isinstance(declared, list | tuple):
            return self._union(declared)
        if not isinstance(declared, str):
            raise self._unsupported(f"a type that is {_kind(declared)}, not a name or list")
        if declared == "object":
            fields, index_signature = self._fields(schema, indent + _INDENT)
            return _block([*_in_order(fields), *index_signature], indent)
        if declared == "array":
            return self._array(schema.get("items"), indent)
        return "number" if declared == "integer" else declared

    def _reference(self, target: Any) -> str:
        if target == "#":
            self._refers_to_root = True
            return _ROOT_NAME
        if isinstance(target, str) and target.startswith(_DEFINITION_PREFIX):
            name = target.rpartition("/")[2]
            if name in self._definitions:
                return name
        shown = _short(target) if isinstance(target, str) else _kind(target)
        raise self._unsupported(f"a $ref to {shown}, which is in none of the $defs read so far")

    def _any_of(self, members: Sequence[Any], indent: str) -> str:
        texts = []
        for index, member in enumerate(members):
            self._where.append(f"anyOf[{index}]")
            texts.append(self._type(member, indent))
            self._where.pop()
        return " | ".join(texts)

    def _union(self, members: Sequence[Any]) -> str:
        for member in members:
            if not isinstance(member, str) or member not in _UNION_MEMBERS:
                shown = _short(member) if isinstance(member, str) else _kind(member)
                raise self._unsupported(f"a list of types with {shown} in it")
        return " | ".join(_UNION_MEMBERS[member] for member in members)

    def _enum(self, schema: Mapping[str, Any]) -> str:
        values = self._list_at(schema, "enum")
        if "type" in schema:
            declared = self._enum_type(schema["type"])
            fitting = _ENUM_TYPES.get(declared, object)
            for value in values:
                if value is not None and not isinstance(value, fitting):
                    raise self._unsupported(f"an enum of type {_short(declared)} with {_kind(value)} in it")
        return " | ".join(f'"{value}"' if isinstance(value, str) else self._python_text(value) for value in values)

    def _enum_type(self, declared: Any) -> str:
        """The one type besides null that an enum declares."""
        names = declared if isinstance(declared, list | tuple) else [declared]
        if len(names) == 2 and "null" in names:
            names = [names[0] if names[1] == "null" else names[1]]
        if len(names) != 1 or not isinstance(names[0], str):
            raise self._unsupported("an enum whose type is not one name (or one and null)")
        return names[0]

    def _array(self, item: Any, indent: str) -> str:
        if item is None or item is False:  # read as if absent, not as the schema that nothing fits
            return "Array<any>"
        self._where.append("items")
        inner = indent + _INDENT
        comment = _lines(self._comment_lines(item), inner)
        if comment:
            text = f"Array<\n{comment}{inner}{self._type(item, inner)}\n{indent}>"
        else:
            text = f"Array<{self._type(item, indent)}>"
        self._where.pop()
        return text

    def _fields(self, schema: Mapping[str, Any], indent: str) -> tuple[list[_Field], list[str]]:
        """The fields of an object in the order of `schema`, and its index signature, if any."""
        definitions = schema.get("$defs")
        if definitions is not None:
            for name, definition in self._object_at(definitions, "$defs").items():
                self._definitions[name] = self._object_at(definition, f"$defs.{name}")
        index_signature = self._index_signature(schema.get("additionalProperties"), indent)
        properties = self._object_at(schema.get("properties", {}), "properties")
        required = schema.get("required", [])
        if not isinstance(required, list | tuple) or not all(isinstance(name, str) for name in required):
            raise self._unsupported("a `required` that is not a list of strings")
        needed = set(required)
        fields = []
        for name, field in properties.items():
            self._where.append(f"properties.{name}")
            optional = name not in needed
            fields.append((optional, name, self._field(f"{name}?: " if optional else f"{name}: ", field, indent)))
            self._where.pop()
        return fields, index_signature

    def _index_signature(self, schema: Any, indent: str) -> list[str]:
        if schema is None:
            return []
        self._where.append("additionalProperties")
        text = "never" if schema is False else self._type(schema, indent)
        self._where.pop()
        return [f"{indent}[k: string]: {text}"]

    def _field(self, label: str, schema: Any, indent: str) -> str:
        comment = self._comment_lines(schema)
        default = schema.get("default") if isinstance(schema, Mapping) else None
        if default is not None:
            text = self._python_text(default) if isinstance(default, int | float) else self._json(default)
            comment.append(f"// Default: {text}")
        return f"{_lines(comment, indent)}{indent}{label}{self._type(schema, indent)}"

    def _comment_lines(self, schema: Any) -> list[str]:
        """The description and the limits of `schema`, not yet indented."""
        if not isinstance(schema, Mapping):
            return []
        lines = self._description_lines(schema)
        declared = schema.get("type")
        if _rule(schema) == "type" and isinstance(declared, str):
            limits = [f"{key}: {self._python_text(schema[key])}" for key in _LIMITS.get(declared, ()) if key in schema]
            if limits:
                lines.append(f"// {', '.join(limits)}")
        return lines

    def _description_lines(self, schema: Mapping[str, Any]) -> list[str]:
        description = self._description(schema)
        return [f"// {line}" if line else "" for line in description.split("\n")] if description else []

    def _description(self, schema: Mapping[str, Any]) -> str:
        description = schema.get("description")
        if description is not None and not isinstance(description, str):
            raise self._unsupported(f"a description that is {_kind(description)}, not a string")
        return description or ""

    def _python_text(self, value: Any) -> str:
        self._json(value)  # Python prints anything; only what is JSON looks the same every time
        return str(value)

    def _json(self, value: Any) -> str:
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):  # no JSON type, cyclic, or an int of more than 4,300 digits
            raise self._unsupported(f"{_kind(value)} that cannot be written as JSON") from None

    def _list_at(self, schema: Mapping[str, Any], keyword: str) -> Sequence[Any]:
        value = schema[keyword]
        if not isinstance(value, list | tuple):
            raise self._unsupported(f"{keyword!r} that is {_kind(value)}, not a list")
        return value

    def _object_at(self, value: Any, keyword: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self._unsupported(f"{_short(keyword)} that is {_kind(value)}, not an object")
        for key in value:
            if not isinstance(key, str):
                raise self._unsupported(f"a key in {_short(keyword)} that is {_kind(key)}, not a string")
        return value

    def _unsupported(self, found: str) -> UnsupportedSchemaError:
        return _unsupported(found, ".".join(self._where))


def _in_order(fields: list[_Field]) -> list[str]:
    """The texts of `fields`, required ones first, and both by name."""
    return [text for *_, text in sorted(fields)]


def _block(entries: list[str], indent: str) -> str:
    return f"{{\n{_ENTRY_SEPARATOR.join(entries)}\n{indent}}}" if entries else "{}"


def _lines(lines: list[str], indent: str) -> str:
    """`lines`, each indented and ended, the blank ones left blank."""
    return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)


def _rule(schema: Mapping[str, Any]) -> str | None:
    return next((keyword for keyword in _RULES if keyword in schema), None)


def _unsupported(found: str, where: str) -> UnsupportedSchemaError:
    shown = where if len(where) <= 200 else f"{where[:90]} ... {where[-90:]}"
    return UnsupportedSchemaError(f"found {found} at {shown}; correct the tool, or declare all tools as JSON")


def _kind(value: Any) -> str:
    """`value` by its type: printing a hostile value itself may never end."""
    return "null" if value is None else f"a value of type {type(value).__name__}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
