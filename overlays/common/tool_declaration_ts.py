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
_FIELD_SEPARATOR = ",\n"
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
_ENUM_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "object": (Mapping,),
    "array": (list, tuple),
}


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
    """Renders one function. Text is collected in pieces, so the work is linear in its length."""

    def __init__(self, function: Mapping[str, Any]) -> None:
        self._pieces: list[str] = []
        self._where: list[str] = ["function"]
        self._refers_to_root = False
        self._name = function.get("name")
        if not isinstance(self._name, str):
            raise self._unsupported(f"a name that is {_kind(self._name)}, not a string")
        self._where = [f"function {_short(self._name)}"]
        self._description = self._description_lines(function)
        parameters = function.get("parameters")
        self._parameters = self._object_at({} if parameters is None else parameters)
        self._definitions = self._object_at(self._parameters.get("$defs", {}), "$defs")

    def render(self) -> str:
        for name, schema in self._definitions.items():
            self._interface(name, schema)
        interfaces = self._take()
        self._object(self._parameters, "")
        parameters = self._take()
        if self._refers_to_root:  # known only now that everything has been rendered once
            self._object(self._parameters, "", as_root=True)
            interfaces = f"interface {_ROOT_NAME} {self._take()}\n{interfaces}"
            parameters = _ROOT_NAME
        self._comment(self._description, "")
        return f"{interfaces}{self._take()}type {self._name} = (_: {parameters}) => any;"

    def _interface(self, name: str, schema: Any) -> None:
        self._where.append(f"$defs.{name}")
        if isinstance(schema, Mapping):
            self._comment(self._description_lines(schema), "")
        self._write(f"interface {name} ")
        self._type(schema, "")
        self._write("\n")
        self._where.pop()

    def _type(self, schema: Any, indent: str) -> None:
        """Write what follows ``name: ``; lines after the first start with `indent`."""
        if isinstance(schema, bool):
            self._write("any" if schema else "null")
            return
        if not isinstance(schema, Mapping):
            raise self._unsupported(f"{_kind(schema)}, where a schema belongs")
        rule = _rule(schema)
        if rule == "$ref":
            self._reference(schema["$ref"])
        elif rule == "anyOf":
            self._any_of(self._list_at(schema, "anyOf"), indent)
        elif rule == "enum":
            self._enum(schema)
        elif rule == "type":
            self._typed(schema, indent)
        elif not schema:
            self._write("any")
        else:
            raise self._unsupported(f"a schema with none of {', '.join(_RULES)}")

    def _typed(self, schema: Mapping[str, Any], indent: str) -> None:
        declared = schema["type"]
        if isinstance(declared, list | tuple):
            self._union(self._list_at(schema, "type"))
        elif not isinstance(declared, str):
            raise self._unsupported(f"a type that is {_kind(declared)}, not a name or list")
        elif declared == "object":
            self._object(schema, indent)
        elif declared == "array":
            self._array(schema, indent)
        else:
            self._write("number" if declared == "integer" else declared)

    def _reference(self, target: Any) -> None:
        if target == "#":
            self._refers_to_root = True
            self._write(_ROOT_NAME)
            return
        if isinstance(target, str) and target.startswith(_DEFINITION_PREFIX):
            name = target[len(_DEFINITION_PREFIX) :]
            if name in self._definitions:
                self._write(name)
                return
        shown = _short(target) if isinstance(target, str) else _kind(target)
        raise self._unsupported(f"a $ref to {shown}, which is not among the function's $defs")

    def _any_of(self, members: Sequence[Any], indent: str) -> None:
        for index, member in enumerate(members):
            if index:
                self._write(" | ")
            self._where.append(f"anyOf[{index}]")
            self._type(member, indent)
            self._where.pop()

    def _union(self, members: Sequence[Any]) -> None:
        names = []
        for member in members:
            if not isinstance(member, str) or member not in _UNION_MEMBERS:
                shown = _short(member) if isinstance(member, str) else _kind(member)
                raise self._unsupported(f"a list of types with {shown} in it")
            names.append(_UNION_MEMBERS[member])
        self._write(" | ".join(names))

    def _enum(self, schema: Mapping[str, Any]) -> None:
        values = self._list_at(schema, "enum")
        if "type" in schema:
            declared = self._enum_type(schema["type"])
            for value in values:
                if value is not None and not _fits(value, declared):
                    raise self._unsupported(f"an enum of type {_short(declared)} with {_kind(value)} in it")
        self._write(
            " | ".join(f'"{value}"' if isinstance(value, str) else self._python_text(value) for value in values)
        )

    def _enum_type(self, declared: Any) -> str:
        """The one type besides null that an enum declares."""
        names = declared if isinstance(declared, list | tuple) else [declared]
        if len(names) == 2 and "null" in names:
            names = [names[0] if names[1] == "null" else names[1]]
        if len(names) != 1 or not isinstance(names[0], str):
            raise self._unsupported("an enum whose type is not one name (or one and null)")
        return names[0]

    def _array(self, schema: Mapping[str, Any], indent: str) -> None:
        item = schema.get("items", True)  # no schema for the items: any will do
        self._where.append("items")
        comment = self._comment_lines(item)
        if comment:
            inner = indent + _INDENT
            self._write("Array<\n")
            self._comment(comment, inner)
            self._write(inner)
            self._type(item, inner)
            self._write(f"\n{indent}>")
        else:
            self._write("Array<")
            self._type(item, indent)
            self._write(">")
        self._where.pop()

    def _object(self, schema: Mapping[str, Any], indent: str, *, as_root: bool = False) -> None:
        """`as_root`: as an interface of its own, in the schema's order, no index signature."""
        properties, required = self._properties(schema)
        names = properties if as_root else sorted(properties, key=lambda n: (n not in required, n))
        inner = indent + _INDENT
        self._write("{")
        separator = "\n"
        for name in names:
            self._write(separator)
            separator = _FIELD_SEPARATOR
            self._where.append(f"properties.{name}")
            self._field(f"{name}: " if name in required else f"{name}?: ", properties[name], inner)
            self._where.pop()
        if "additionalProperties" in schema and not as_root:
            self._write(separator)
            separator = _FIELD_SEPARATOR
            self._where.append("additionalProperties")
            self._index_signature(schema["additionalProperties"], inner)
            self._where.pop()
        self._write("}" if separator == "\n" else f"\n{indent}}}")

    def _properties(self, schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], set[str]]:
        properties = self._object_at(schema.get("properties", {}), "properties")
        required = schema.get("required", [])
        if not isinstance(required, list | tuple) or not all(isinstance(name, str) for name in required):
            raise self._unsupported("a `required` that is not a list of strings")
        return properties, set(required)

    def _field(self, label: str, schema: Any, indent: str) -> None:
        comment = self._comment_lines(schema)
        if isinstance(schema, Mapping) and schema.get("default") is not None:
            comment.append(f"// Default: {self._default_text(schema['default'])}")
        self._comment(comment, indent)
        self._write(indent + label)
        self._type(schema, indent)

    def _index_signature(self, schema: Any, indent: str) -> None:
        self._write(f"{indent}[k: string]: ")
        if schema is False:
            self._write("never")
        else:
            self._type(schema, indent)

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
        description = schema.get("description")
        if description is None or description == "":
            return []
        if not isinstance(description, str):
            raise self._unsupported(f"a description that is {_kind(description)}, not a string")
        return [f"// {line}" if line else "" for line in description.split("\n")]

    def _default_text(self, value: Any) -> str:
        if isinstance(value, int | float):  # booleans, too
            return self._python_text(value)
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError):  # no JSON type, cyclic, or an int too long to print
            raise self._unsupported("a default that is not JSON") from None

    def _python_text(self, value: Any) -> str:
        if value is not None and not isinstance(value, str | int | float | list | tuple | Mapping):
            raise self._unsupported(f"{_kind(value)}, which is not JSON")
        try:
            return str(value)
        except ValueError:  # CPython prints no int of more than 4,300 digits
            raise self._unsupported("a number too long to print") from None

    def _list_at(self, schema: Mapping[str, Any], keyword: str) -> Sequence[Any]:
        value = schema[keyword]
        if not isinstance(value, list | tuple) or not value:
            raise self._unsupported(f"{keyword!r} that is not a list with something in it")
        return value

    def _object_at(self, value: Any, keyword: str = "parameters") -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self._unsupported(f"{keyword!r} that is {_kind(value)}, not an object")
        for key in value:
            if not isinstance(key, str):
                raise self._unsupported(f"a key in {keyword!r} that is {_kind(key)}, not a string")
        return value

    def _comment(self, lines: list[str], indent: str) -> None:
        for line in lines:
            self._write(f"{indent}{line}\n" if line else "\n")

    def _write(self, piece: str) -> None:
        self._pieces.append(piece)

    def _take(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        return text

    def _unsupported(self, found: str) -> UnsupportedSchemaError:
        return _unsupported(found, ".".join(self._where))


def _rule(schema: Mapping[str, Any]) -> str | None:
    return next((keyword for keyword in _RULES if keyword in schema), None)


def _fits(value: Any, declared: str) -> bool:
    if isinstance(value, bool):  # Python counts it as an int, JSON does not
        return declared == "boolean"
    return isinstance(value, _ENUM_TYPES.get(declared, ()))


def _unsupported(found: str, where: str) -> UnsupportedSchemaError:
    shown = where if len(where) <= 200 else f"{where[:90]} ... {where[-90:]}"
    return UnsupportedSchemaError(f"found {found} at {shown}; correct the tool, or declare all tools as JSON")


def _kind(value: Any) -> str:
    """`value` by its type: printing a hostile value itself may never end."""
    return "null" if value is None else f"a value of type {type(value).__name__}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
