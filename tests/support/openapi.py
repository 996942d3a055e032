"""Holds answers of a running sedge to the description that it serves (docs/openapi.json).

    description = Description(site.get("/api/openapi.json"))
    description.check("GET", "/api/alerts?state=all", 200, "application/json", body)    AssertionError if it is not as described
    description.answered                       the operations that have had an answer of success

Stricter than the description: members that it does not name are an error here, though clients ignore them."""

import copy
import re
import urllib.parse

import jsonschema

PROBLEM = "#/components/responses/Http"


def closed(schema):
    """The same with no other members than those that are named."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: closed(value) for key, value in schema.items()}
    if isinstance(out.get("properties"), dict) and out.get("type") == "object":
        out.setdefault("additionalProperties", False)
    return out


class Description:
    def __init__(self, document):
        self.document = document
        self.strict = copy.deepcopy(document)
        self.strict["components"]["schemas"] = closed(document["components"]["schemas"])
        self.resolver = jsonschema.RefResolver("", self.strict)
        self.answered = set()
        self.paths = [(re.compile("^" + re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$"), path)
                      for path in document["paths"]]

    def operations(self):
        return {(method.upper(), path) for path, item in self.document["paths"].items() for method in item}

    def follow(self, part):
        return self.resolver.resolve(part["$ref"])[1] if "$ref" in part else part

    def validate(self, value, schema, what):
        """Raises with the place of the first thing that is not as the schema says."""
        validator = jsonschema.Draft202012Validator(closed(schema), resolver=self.resolver)
        error = jsonschema.exceptions.best_match(validator.iter_errors(value))
        if error:
            raise AssertionError(f"{what}: at {error.json_path}: {error.message[:600]}")

    def named(self, name, value, what=""):
        self.validate(value, {"$ref": f"#/components/schemas/{name}"}, what or name)

    def event(self, name, data):
        feed = self.document["paths"]["/api/live"]["get"]["responses"]["200"]["content"]["text/event-stream"]
        assert name in feed["x-events"], f"the live feed has an event '{name}' that is not described"
        self.validate(data, feed["x-events"][name], f"event {name}")

    def operation(self, method, path):
        """(template, operation); the operation is None if the path has no such method; None if there is no such path."""
        for pattern, template in self.paths:
            if pattern.match(urllib.parse.urlsplit(path).path):
                return template, self.document["paths"][template].get(method.lower())
        return None

    def check(self, method, path, status, kind, body):
        what = f"{method} {path}: {status}"
        found = self.operation(method, path)
        if status >= 400:
            responses = found[1]["responses"] if found and found[1] else {"default": {"$ref": PROBLEM}}
            response = self.follow(responses.get(str(status), responses["default"]))
        elif found and found[1]:
            assert str(status) in found[1]["responses"], f"{what} is not described"
            response = self.follow(found[1]["responses"][str(status)])
            self.answered.add((method, found[0]))
        else:
            assert not path.startswith("/api/"), f"{what}: this path is not described"
            return
        content = response.get("content")
        if content is None:
            assert not body, f"{what} has a body"
            return
        assert kind in content, f"{what}: {kind} is not described"
        if kind.endswith("json") and not kind.endswith("ndjson"):
            self.validate(body, content[kind]["schema"], what)

    def check_schemas(self):
        """Every schema is one (JSON Schema 2020-12), and every reference leads somewhere. How many there are."""
        count = 0
        stack = [self.document]
        while stack:
            part = stack.pop()
            if isinstance(part, list):
                stack += part
            elif isinstance(part, dict):
                if isinstance(part.get("$ref"), str):
                    self.resolver.resolve(part["$ref"])
                    count += 1
                stack += part.values()
        for schema in self.document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        return count + len(self.document["components"]["schemas"])

    def check_examples(self):
        """Every example of the description is what its schema says."""
        count = 0
        stack = [("", self.document)]
        while stack:
            at, part = stack.pop()
            if isinstance(part, list):
                stack += [(f"{at}/{i}", value) for i, value in enumerate(part)]
            elif isinstance(part, dict):
                if "schema" in part:
                    examples = [part["example"]] if "example" in part else []
                    examples += [e["value"] for e in part.get("examples", {}).values()]
                    for example in examples:
                        self.validate(example, part["schema"], f"the example at {at}")
                        count += 1
                stack += [(f"{at}/{key}", value) for key, value in part.items()]
        return count
