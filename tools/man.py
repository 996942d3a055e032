#!/usr/bin/env python3
"""man.py OUT VERSION HEADER...: makes the manual pages of the installed library from its headers.

A header is the manual of its part, so there is nothing to write twice: include/sedge/chan.h becomes
OUT/sedge_chan.3, and each function that it declares a page of its own that leads there. A header is

    /* sedge_chan: one line for NAME.       the opening comment: "Label: text" begins a section of that
     *                                       name, "Why:" and what has no label is the description,
     *     code                              lines indented by four are left as they are
     * Threads: ... */
    SEDGE_BEGIN
    /* About what follows. */                belongs to the next declaration
    SEDGE_API int sedge_f(void);  /* more */ so does a comment behind it
    SEDGE_END
"""

import pathlib
import re
import sys
import textwrap

WIDTH = 78
CODE = "    "
PLUMBING = re.compile(r"\bSEDGE_(?:API|MUST_USE)\s+|__attribute__\(\((?:[^()]|\([^()]*\))*\)\)\s*")
FUNCTION = re.compile(r"\b(sedge_\w+)\s*\(")


class Declaration:
    """A declaration as the page shows it, and what its comments say."""

    def __init__(self, text, comment):
        self.text = text
        self.comment = comment
        named = re.match(r"(struct|enum|union) sedge_\w+(?= \{)|#define (\w+)", text)
        function = FUNCTION.search(text)
        if named:
            self.name, self.function = named.group(2) or named.group(), None
        elif function:
            self.function = function.group(1)
            self.name = self.function + "()"
        else:
            self.name, self.function = text.rstrip(";"), None


def comment_lines(comment):
    """The lines of a C comment without its frame."""
    lines = comment[2:-2].strip("\n").split("\n")
    return [re.sub(r"^ \*? ?", "", line) if i else line[1:] for i, line in enumerate(lines)]


def blocks(lines):
    """[(label or None, [lines])] and code as (CODE, [lines])."""
    out = []
    for line in lines:
        labelled = re.match(r"([A-Z][a-z]+(?: [a-z]+)?): (.*)", line)
        if line.startswith(CODE):
            if not out or out[-1][0] != CODE:
                out.append((CODE, []))
            out[-1][1].append(line[len(CODE):])
        elif labelled:
            out.append((labelled.group(1), [labelled.group(2)]))
        elif not line.strip():
            out.append((None, []))
        else:
            if not out or out[-1][0] == CODE:
                out.append((None, []))
            out[-1][1].append(line)
    return [b for b in out if b[1]]


def end_of(text, at):
    """Where the declaration that begins at `at` ends: behind its ';', or its body."""
    depth = 0
    body = False
    for match in re.compile(r"/\*.*?\*/|[(){};]", re.S).finditer(text, at):
        token = match.group()
        if token in "({":
            body = body or (token == "{" and depth == 0 and text[at:match.start()].rstrip().endswith(")"))
            depth += 1
        elif token in ")}":
            depth -= 1
            if token == "}" and depth == 0 and body:
                return match.end()
        elif token == ";" and depth == 0:
            return match.end()
    raise ValueError(f"a declaration without an end: {text[at:at + 60]!r}")


def prototype(text):
    """One prototype, wrapped behind its bracket."""
    text = " ".join(PLUMBING.sub("", text).split())
    text = re.sub(r"^static inline ", "", text)
    text = re.sub(r"\s*\{.*\}$", ";", text)
    # Breaks come between parameters, not within one.
    head, bracket, parameters = text.partition("(")
    tied = head + bracket + ", ".join(p.replace(" ", "\0") for p in parameters.split(", "))
    lines = textwrap.wrap(tied, WIDTH, subsequent_indent=CODE * 2, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def declarations(body):
    """[Declaration] of what stands between SEDGE_BEGIN and SEDGE_END."""
    out, comment, at = [], [], 0
    while True:
        gap = re.compile(r"\s*").match(body, at)
        at = gap.end()
        if at == len(body):
            return out
        if body.startswith("/*", at):
            end = body.index("*/", at) + 2
            lines = comment_lines(body[at:end])
            if out and "\n" not in gap.group():
                out[-1].comment += lines  # behind a declaration
            else:
                comment = lines
        else:
            if body[at] == "#":
                end = (body + "\n").index("\n", at)
                text = body[at:end]
            else:
                end = end_of(body, at)
                text = body[at:end]
                if FUNCTION.search(text) and not re.match(r"(struct|enum|union) \w+ \{", text):
                    text = prototype(text)
            out.append(Declaration(text, comment))
            comment = []
        at = end


def parse(path):
    """(name, one line, blocks of the opening comment, declarations)."""
    source = path.read_text()
    opening = comment_lines(source[:source.index("*/") + 2])
    match = re.match(r"(sedge\w*): (.*)", opening[0])
    if not match:
        raise ValueError(f"{path}: the opening comment is not '/* sedge_…: …'")
    inside = re.search(r"^SEDGE_BEGIN$(.*)^SEDGE_END$", source, re.M | re.S)
    return (match.group(1), match.group(2).rstrip("."), blocks(opening[1:]),
            declarations(inside.group(1)) if inside else [])


def escape(text):
    """Text as roff takes it literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)
    return "\\&" + text if text.startswith(".") else text


def prose(lines):
    """A paragraph; names of functions and pages are bold."""
    text = " ".join(line.strip() for line in lines)
    if re.match(r"[a-z]+\b(?!_)", text):
        text = text[0].upper() + text[1:]
    text = re.sub(r"`(\w+)`", "\\\\fI\\1\\\\fR", escape(text).replace("\\(ga", "`"))
    return re.sub(r"\b(sedge_\w+|[a-z]+)(\((?:\d)?\))", r"\\fB\1\\fR\2", text)


def literal(lines):
    return [".nf", *("\\&" + escape(line) if line else "" for line in lines), ".fi"]


def example(lines):
    return [".RS 4", *literal(lines), ".RE"]


def text_of(parts):
    """Blocks as the content of a section."""
    out = []
    for i, (label, lines) in enumerate(parts):
        if i:
            out.append(".PP")
        out += example(lines) if label == CODE else [prose(lines)]
    return out


def sections(parts):
    """The opening comment: [(title, blocks)], the description first."""
    found = {"DESCRIPTION": [], "EXAMPLE": []}
    current = "DESCRIPTION"
    for label, lines in parts:
        if label == "Why":
            current = "DESCRIPTION"
        elif label not in (None, CODE):
            current = label.upper()
        to = "EXAMPLE" if label == CODE and current == "DESCRIPTION" else current
        found.setdefault(to, []).append((label, lines))
    return [(title, content) for title, content in found.items() if content]


def reference(entries):
    """What is said about single declarations."""
    out = []
    for entry in entries:
        if not entry.comment:
            continue
        out += [".TP", f"\\fB{escape(entry.name)}\\fR"]
        for i, (label, lines) in enumerate(blocks(entry.comment)):
            said = lines if label in (None, CODE) else [f"{label}: {lines[0]}", *lines[1:]]
            out += [".IP"] if i else []
            out += example(lines) if label == CODE else [prose(said)]
    return out


def page(path, others, version):
    """(name of the page, its text, the functions on it)."""
    name, line, parts, entries = parse(path)
    out = [f".TH {name.upper()} 3 \"\" \"libsedge-rt {version}\" \"sedge\"", ".SH NAME",
           f"{name} \\- {escape(line)}", ".SH SYNOPSIS", ".nf", f".B #include <sedge/{path.name}>"]
    for entry in entries:
        out += ["", *literal(entry.text.split("\n"))[1:-1]]
    out.append(".fi")
    for title, content in sections(parts):
        out += [f".SH {title}", *text_of(content)]
    if any(entry.comment for entry in entries):
        out += [".SH REFERENCE", *reference(entries)]
    see = sorted(other for other in others if other != name)
    out += [".SH SEE ALSO", ",\n".join(f".BR {other} (3)" for other in see)]
    return name, "\n".join(out) + "\n", [e.function for e in entries if e.function]


def main(out, version, *headers):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    paths = [pathlib.Path(h) for h in headers]
    names = [parse(path)[0] for path in paths]
    for path in paths:
        name, text, functions = page(path, names, version)
        (out / f"{name}.3").write_text(text)
        for function in functions:
            if function != name:
                (out / f"{function}.3").write_text(f".so man3/{name}.3\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
