#!/usr/bin/python3
"""units.py: writes the units of src/lang/unit_table.c into sedge.tmLanguage.json, where they stand behind numbers
and as types. To be run when the table has changed; tests/house/editor_test.py says so.

A grammar for editors has no names for parts of its expressions, so the list of units would have to be kept
by hand in several places."""

import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
GRAMMAR = HERE / "sedge.tmLanguage.json"
TABLE = HERE.parents[1] / "src/lang/unit_table.c"
NUMBER = r"(?<![A-Za-z0-9_])([0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?)"


def flag_sets(source):
    """PRE_ALL -> {PRE_K, PRE_M, PRE_MILLI}"""
    sets = {name: {name} for name in re.findall(r"#define (PRE_\w+)\s+0x", source)}
    for name, value in re.findall(r"#define (PRE_\w+)\s+\((.+)\)", source):
        sets[name] = set().union(*(sets[part] for part in re.findall(r"PRE_\w+", value)))
    return sets


def table(source=None):
    """(name, prefixes) of each row."""
    source = source or TABLE.read_text()
    sets = flag_sets(source)
    prefixes = re.findall(r'\{"([^"]+)", 1e-?\d+, (PRE_\w+)\}', source)
    rows = re.findall(r'^    \{"([^"]+)",\s+([A-Z_0-9 |]+), (?:NULL|"[^"]*"),', source, re.M)
    for name, flags in rows:
        has = set().union(*(sets.get(flag, set()) for flag in re.findall(r"\w+", flags)))
        yield name.encode().decode("unicode_escape") if "\\u" in name else name, [p for p, f in prefixes if f in has]


def names():
    for name, prefixes in table():
        yield name
        for prefix in prefixes:
            yield prefix + name


def unit_expression():
    groups = {}
    for name, prefixes in table():
        groups.setdefault("".join(prefixes), []).append(re.escape(name))
    atoms = "|".join((f"[{p}]?" if p else "") + "(?:" + "|".join(sorted(n, key=len, reverse=True)) + ")"
                     for p, n in sorted(groups.items()))
    factor = f"(?:{atoms})(?:[²³]|\\^-?[1-3]|[23](?![0-9_]))?"
    return f"{factor}(?:[/*·]{factor})*(?![A-Za-z0-9_%°²³µμΩ])"


def expressions():
    """Name in the repository: its match."""
    unit = unit_expression()
    return {
        "quantity": f"{NUMBER}( ?)({unit})",
        "unit-type": rf"(:|->)([ \t]*)({unit})(\?)?(?=[ \t]*(?:[,)=;{{}}]|$|//|range\b|stale\b|by\b))",
        "unit-in-type": f"({unit})",
        "unit-of-source": rf"\b(as)([ \t]+)({unit})(?=[ \t]*(?:[;}}]|$|//|[a-z]))",
    }


def main():
    grammar = json.loads(GRAMMAR.read_text())
    for name, match in expressions().items():
        grammar["repository"][name]["match"] = match
    GRAMMAR.write_text(json.dumps(grammar, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
