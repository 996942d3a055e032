"""textmate: reads a TextMate grammar as an editor does, with Python's expressions in place of Oniguruma's.

A rule is a match, or begin and end with patterns between them; of the rules that may come, the one that
begins first counts, then the end of the rule around, then the order in the file. scopes() gives each
character of a text the names of the rules around it."""

import re


class Grammar:
    def __init__(self, grammar):
        self.repository = grammar["repository"]
        self.root = {"name": grammar["scopeName"], "patterns": grammar["patterns"]}
        self.compiled = {}

    def expression(self, text):
        if text not in self.compiled:
            self.compiled[text] = re.compile(text)
        return self.compiled[text]

    def expressions(self):
        """Every expression of the grammar."""
        def walk(rule):
            for key in ("match", "begin", "end"):
                if key in rule:
                    yield rule[key]
            for inner in rule.get("patterns", []):
                yield from walk(inner)
        for rule in [self.root, *self.repository.values()]:
            yield from walk(rule)

    def rules(self, patterns, seen=()):
        """Those that may come, with includes put in their places."""
        for rule in patterns:
            name = rule.get("include")
            if name == "$self":
                yield from self.rules(self.root["patterns"], seen)
            elif name:
                if name not in seen:
                    yield from self.rules([self.repository[name[1:]]], (*seen, name))
            elif "match" in rule or "begin" in rule:
                yield rule
            else:
                yield from self.rules(rule["patterns"], seen)

    def candidates(self, top):
        if "end" in top:
            yield top, "end"
        for rule in self.rules(top.get("patterns", [])):
            yield rule, "match" if "match" in rule else "begin"

    def next(self, line, at, top):
        best = None
        for rule, kind in self.candidates(top):
            found = self.expression(rule[kind]).search(line, at)
            if found and (best is None or found.start() < best[0].start()):
                best = found, rule, kind
        return best

    def scopes(self, text):
        """A list of names for each character, and the rules that are still open at the end."""
        out, stack = [], [self.root]
        for line in text.splitlines(keepends=True):
            names, at, opened = [[] for _ in line], 0, set()

            def paint(start, end, extra=()):
                for i in range(start, end):
                    names[i].extend(extra or [s["name"] for s in stack if "name" in s])

            while True:
                best = self.next(line, at, stack[-1])
                if not best:
                    paint(at, len(line))
                    break
                found, rule, kind = best
                paint(at, found.start())
                if kind == "begin":
                    if (found.end(), id(rule)) in opened and found.start() == found.end():
                        raise ValueError(f"{rule['begin']} begins without end in {line!r}")
                    opened.add((found.end(), id(rule)))
                    stack.append(rule)
                paint(found.start(), found.end())
                if kind == "match" and "name" in rule:
                    paint(found.start(), found.end(), [rule["name"]])
                for group, scope in rule.get({"match": "captures"}.get(kind, kind + "Captures"), {}).items():
                    start, end = found.span(int(group))
                    if start >= 0:
                        paint(start, end, [scope["name"]])
                if kind == "end":
                    stack.pop()
                elif kind == "match" and found.start() == found.end():
                    raise ValueError(f"{rule['match']} matches nothing in {line!r}")
                at = found.end()
                if at >= len(line) and kind != "end":
                    break
            out.extend(names)
        return out, stack[1:]
