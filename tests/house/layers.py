"""Holds the sources to layers.txt. check(root) returns a list of findings, one line each."""

import pathlib
import re

SIBLINGS = {"history", "detection", "automation", "alert"}
BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "gets", "atoi", "strtok"]

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
NO_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def read_table(path):
    """{folder: [folders it may use directly]} in the order of the file, and the findings."""
    table, findings = {}, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"([a-z]+):((?: +[a-z]+)*)", line)
        if not match:
            findings.append(f"layers.txt:{number}: not of the form 'folder: folder folder'")
            continue
        folder, used = match.group(1), match.group(2).split()
        if folder in table:
            findings.append(f"layers.txt:{number}: {folder} has a line already")
        for other in used:
            if other not in table:
                findings.append(f"layers.txt:{number}: {folder} uses {other}, which is not above it")
        table[folder] = used
    return table, findings


def closure(table):
    """{folder: every folder that it may use}. The table's order makes one pass enough."""
    may = {}
    for folder, used in table.items():
        may[folder] = set(used).union(*(may.get(u, set()) for u in used))
    return may


def without_text(source):
    """The source with comments and literals blanked, lines kept."""
    return NO_CODE.sub(lambda m: "\n" * m.group().count("\n") + " ", source)


def name_of(where):
    return where.as_posix().removeprefix("src/")


def check_file(root, path, folder, may):
    where = path.relative_to(root)
    source = path.read_text(errors="replace")
    findings = []
    for match in INCLUDE.finditer(source):
        line = source.count("\n", 0, match.start(1)) + 1
        name = match.group(1)
        target = name.split("/")[0]
        if name.startswith("tests/support/") and path.stem.endswith(("_test", "_fixture")):
            if not (root / name).exists():
                findings.append(f'{where}:{line}: there is no {name}')
            continue
        if not (root / "src" / name).exists():
            findings.append(f'{where}:{line}: "{name}" is not a header below src/')
        elif target != folder and target not in may[folder]:
            findings.append(f"{where}:{line}: {folder} may not use {target}")
        elif target != folder and name.endswith("_internal.h"):
            findings.append(f"{where}:{line}: {name} is private to {target}")
    if "<stdatomic.h>" in source and name_of(where) != "base/atomic.h":
        findings.append(f"{where}: <stdatomic.h> comes through base/atomic.h")
    code = without_text(source)
    for match in CALL.finditer(code):
        line = code.count("\n", 0, match.start()) + 1
        findings.append(f"{where}:{line}: {match.group(1)} is banned")
    return findings


def check(root):
    root = pathlib.Path(root)
    table, findings = read_table(root / "layers.txt")
    may = closure(table)
    for a in sorted(SIBLINGS):
        for b in sorted(SIBLINGS & may.get(a, set())):
            findings.append(f"layers.txt: {a} may use {b}, but they meet on the bus only")
    for path in sorted((root / "src").rglob("*.[ch]")):
        folder = path.relative_to(root / "src").parts[0]
        if folder not in table:
            findings.append(f"{path.relative_to(root)}: src/{folder} has no line in layers.txt")
        else:
            findings += check_file(root, path, folder, may)
    return findings
