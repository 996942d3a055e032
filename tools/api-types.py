#!/usr/bin/env python3
"""api-types.py [DESCRIPTION [OUT]]: the types of the page's API, from the description that the server serves.

    tools/api-types.py docs/openapi.json web/src/api-types.ts
    tools/api-types.py --check docs/openapi.json web/src/api-types.ts    exit code 1 if they differ

Each schema of the description becomes a TypeScript type of its name, each event of the live feed a member of `Events`. Only
what the description uses is known here; anything else is an error, not an `any`."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = "// Written by tools/api-types.py from docs/openapi.json, which is where to change something.\n"
PRIMITIVES = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}


def comment(schema, indent=""):
    text = schema.get("description")
    return f"{indent}/** {text} */\n" if text else ""


def union(parts):
    return " | ".join(dict.fromkeys(parts))


def array_of(kind):
    return f"({kind})[]" if " " in kind and not kind.startswith("{") else f"{kind}[]"


def tuple_of(schema):
    items = [type_of(item) for item in schema["prefixItems"]]
    least = schema.get("minItems", 0)
    return "[" + ", ".join(kind if at < least else f"{kind}?" for at, kind in enumerate(items)) + "]"


def object_of(schema, indent):
    properties = schema.get("properties")
    if properties is None:
        more = schema.get("additionalProperties")
        return f"Record<string, {type_of(more) if more else ('never' if more is False else 'unknown')}>"
    inner = indent + "  "
    required = set(schema.get("required", ()))
    lines = [f"{comment(value, inner)}{inner}{name}{'' if name in required else '?'}: {type_of(value, inner)};\n"
             for name, value in properties.items()]
    return "{\n" + "".join(lines) + indent + "}"


def type_of(schema, indent=""):
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return union(json.dumps(value) for value in schema["enum"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return union(type_of(part, indent) for part in schema[key])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    out = []
    for kind in kinds:
        if kind == "array":
            out.append(tuple_of(schema) if "prefixItems" in schema else array_of(type_of(schema["items"], indent)))
        elif kind == "object":
            out.append(object_of(schema, indent))
        else:
            out.append(PRIMITIVES[kind])
    return union(out)


def declaration(name, schema):
    text = type_of(schema)
    if text.startswith("{") and schema.get("properties") is not None:
        return f"{comment(schema)}export interface {name} {text}\n"
    return f"{comment(schema)}export type {name} = {text};\n"


def events(document):
    feed = document["paths"]["/api/live"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    lines = [f"  {name}: {type_of(schema)};\n" for name, schema in feed["x-events"].items()]
    return "/** The events of /api/live, by name. */\nexport interface Events {\n" + "".join(lines) + "}\n"


def generate(document):
    parts = [declaration(name, schema) for name, schema in document["components"]["schemas"].items()]
    return HEAD + "\n" + "\n".join([*parts, events(document)])


def main(args):
    check = "--check" in args
    paths = [arg for arg in args if not arg.startswith("-")]
    if len(paths) > 2 or [arg for arg in args if arg.startswith("-") and arg != "--check"]:
        print(__doc__, file=sys.stderr)
        return 2
    source = pathlib.Path(paths[0]) if paths else ROOT / "docs/openapi.json"
    target = pathlib.Path(paths[1]) if len(paths) > 1 else ROOT / "web/src/api-types.ts"
    text = generate(json.loads(source.read_text()))
    if not check:
        target.write_text(text)
    elif not target.exists() or target.read_text() != text:
        print(f"{target} is not what {source} describes: run tools/api-types.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
