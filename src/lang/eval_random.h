/* eval_random: random programs for the differential tests; decided by a seed, or by a fuzzer's
 * bytes. Typed, with names of their own; mostly they neither trap nor run for ever. */
#pragma once

#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum gen_type { GEN_INT, GEN_FLOAT, GEN_BOOL, GEN_OPT, GEN_LIST, GEN_REC, GEN_TYPES };
static const char *const gen_names[GEN_TYPES] = {"int", "float", "bool", "int?", "list<int>", "R"};

#define GEN_SCOPE 24u
struct gen_name {
    enum gen_type type;
    unsigned number;
    bool mutable;
};
struct gen {
    struct strbuf out;
    uint64_t state;
    const uint8_t *data; /* decides first, while it lasts */
    size_t data_n;
    struct gen_name names[GEN_SCOPE];
    size_t names_n;
    unsigned next, fns, depth, loops, size;
};

static inline unsigned gen_pick(struct gen *g, unsigned n)
{
    if (g->data_n > 0) {
        g->data_n--;
        return *g->data++ % n;
    }
    g->state = g->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(g->state >> 33) % n;
}

static inline void gen_expr(struct gen *g, enum gen_type t, unsigned depth);
static inline void gen_block(struct gen *g, unsigned depth, enum gen_type result);

static inline void gen_say(struct gen *g, const char *text)
{
    strbuf_adds(&g->out, text);
}

/* A name of that type; false if there is none. */
static inline bool gen_name(struct gen *g, enum gen_type t, bool mutable)
{
    size_t found[GEN_SCOPE], n = 0;
    for (size_t i = 0; i < g->names_n; i++)
        if (g->names[i].type == t && (!mutable || g->names[i].mutable))
            found[n++] = i;
    if (n == 0)
        return false;
    strbuf_addf(&g->out, "v%u", g->names[found[gen_pick(g, (unsigned)n)]].number);
    return true;
}

static inline void gen_declare(struct gen *g, enum gen_type t, unsigned number, bool mutable)
{
    if (g->names_n < GEN_SCOPE)
        g->names[g->names_n++] = (struct gen_name){t, number, mutable};
}

/* text with %i %f %b %o %l %r for expressions, deeper by one. */
static inline void gen_form(struct gen *g, const char *form, unsigned depth)
{
    static const char letters[] = "ifbolr";
    for (const char *p = form; *p; p++) {
        const char *at = p[0] == '%' && p[1] ? strchr(letters, p[1]) : NULL;
        if (!at) {
            strbuf_addc(&g->out, *p);
            continue;
        }
        gen_expr(g, (enum gen_type)(at - letters), depth + 1);
        p++;
    }
}

/* A function of one more name, in one of its two forms. What is around it can't be assigned to. */
static inline void gen_lambda(struct gen *g, enum gen_type result, unsigned depth)
{
    struct gen_name names[GEN_SCOPE];
    size_t names_n = g->names_n;
    memcpy(names, g->names, sizeof(names));
    for (size_t i = 0; i < names_n; i++)
        g->names[i].mutable = false;
    unsigned number = g->next++;
    bool block = gen_pick(g, 4) == 0;
    strbuf_addf(&g->out, block ? "fn(v%u: int) -> %s {\n" : "v%u => ", number, gen_names[result]);
    gen_declare(g, GEN_INT, number, false);
    if (block) {
        gen_block(g, 3, result);
        gen_say(g, "return ");
    }
    gen_expr(g, result, depth + 1);
    gen_say(g, block ? "\n}" : "");
    memcpy(g->names, names, sizeof(names));
    g->names_n = names_n;
}

static inline void gen_literal(struct gen *g, enum gen_type t)
{
    static const char *const ints[] = {"0", "1", "2", "3", "7", "-1", "100", "70000", "-40000"};
    static const char *const floats[] = {"0.0", "1.0", "0.5", "-2.5", "3.25", "1e9"};
    switch (t) {
    case GEN_INT: gen_say(g, ints[gen_pick(g, 9)]); return;
    case GEN_FLOAT: gen_say(g, floats[gen_pick(g, 6)]); return;
    case GEN_BOOL: gen_say(g, gen_pick(g, 2) ? "true" : "false"); return;
    case GEN_OPT: strbuf_addf(&g->out, "[1, 2].get(%u)", gen_pick(g, 4)); return;
    case GEN_LIST: strbuf_addf(&g->out, "[%u, 2, %u]", gen_pick(g, 9), gen_pick(g, 9)); return;
    default: strbuf_addf(&g->out, "(R{%u, 0.5, true})", gen_pick(g, 9)); return;
    }
}

static const char *const int_forms[] = {
    "(%i + %i)",
    "(%i - %i)",
    "(%i * %i)",
    "(%i / %i)",
    "(%i mod %i)",
    "(%i + 3)",
    "(5 - %i)",
    "(%i / 3)",
    "(%i mod 7)",
    "(%i * 2)",
    "-(%i)",
    "abs(%i)",
    "min(%i, %i, %i)",
    "max(%i, 4)",
    "(%o ?? %i)",
    "%l.len()",
    "(%l.get(%i) ?? %i)",
    "(if %b { %i } else { %i })",
    "(if let w%n = %o { w%n + %i } else { %i })",
    "%r.a",
    "%l[abs(%i) mod 3]",
    "int(%f)",
};
static const char *const float_forms[] = {
    "(%f + %f)",     "(%f - %f)",
    "(%f * %f)",     "(%f / %f)",
    "(%f mod %f)",   "(%i + %f)",
    "(%f * %i)",     "(2.5 - %f)",
    "(1.0 / %f)",    "float(%i)",
    "sqrt(abs(%f))", "min(%f, %f)",
    "max(%i, %f)",   "(if %b { %f } else { %i })",
    "%r.b",          "-(%f)",
    "(%f * 1.0)",
};
static const char *const bool_forms[] = {
    "(%i < %i)",
    "(%i <= %i)",
    "(%i == %i)",
    "(%i != 3)",
    "(%i > 2)",
    "(%i >= %i)",
    "(%f < %f)",
    "(%f >= %f)",
    "(%f == %f)",
    "(%f > 0.5)",
    "(%i < %f)",
    "(%b and %b)",
    "(%b or %b)",
    "(not %b)",
    "(%b == %b)",
    "(%b != true)",
    "(%o == none)",
    "(%o != none)",
    "(%i in %l)",
    "%l.contains(%i)",
    "(%l == %l)",
    "%r.c",
    "(if %b { %b } else { %b })",
};
static const char *const opt_forms[] = {
    "%l.first()", "%l.last()", "%l.pop()", "%l.get(%i)", "(if %b { %o } else { none })",
};
static const char *const list_forms[] = {
    "[%i, %i]",
    "list(abs(%i) mod 5, %i)",
    "(if %b { %l } else { %l })",
    "[%i, %i, %i]",
};

static inline void gen_numbered(struct gen *g, const char *form, unsigned depth)
{
    char with[96];
    size_t n = 0;
    unsigned number = g->next++;
    for (const char *p = form; *p && n + 12 < sizeof(with); p++) {
        if (p[0] == '%' && p[1] == 'n') {
            n += (size_t)snprintf(with + n, sizeof(with) - n, "%u", number);
            p++;
        } else {
            with[n++] = *p;
        }
    }
    with[n] = '\0';
    gen_form(g, with, depth);
}

static inline void gen_special(struct gen *g, enum gen_type t, unsigned depth)
{
    switch (t) {
    case GEN_BOOL:
        gen_form(g, "%l", depth);
        gen_say(g, gen_pick(g, 2) ? ".any(" : ".all(");
        gen_lambda(g, GEN_BOOL, depth);
        gen_say(g, ")");
        return;
    case GEN_LIST:
        gen_form(g, "%l", depth);
        if (gen_pick(g, 2)) {
            gen_say(g, ".map(");
            gen_lambda(g, GEN_INT, depth);
        } else {
            gen_say(g, ".filter(");
            gen_lambda(g, GEN_BOOL, depth);
        }
        gen_say(g, ")");
        return;
    case GEN_REC: gen_form(g, "(R{%i, %f, %b})", depth); return;
    default: /* a function: each has the same parameters */
        if (t == GEN_INT && gen_pick(g, 2)) {
            gen_say(g, "twice(");
            gen_lambda(g, GEN_INT, depth);
            gen_form(g, ", %i)", depth);
            return;
        }
        if (g->fns == 0 || t == GEN_OPT || g->loops > 1) {
            gen_literal(g, t);
            return;
        }
        strbuf_addf(&g->out, "%s%u", t == GEN_INT ? "fi" : "ff", gen_pick(g, g->fns));
        gen_form(g, "(%i, %f, %b, %l, %r)", depth);
        return;
    }
}

static inline void gen_expr(struct gen *g, enum gen_type t, unsigned depth)
{
    static const struct {
        const char *const *forms;
        unsigned n;
    } of[GEN_TYPES] = {
        {int_forms, ARRAY_LEN(int_forms)},   {float_forms, ARRAY_LEN(float_forms)},
        {bool_forms, ARRAY_LEN(bool_forms)}, {opt_forms, ARRAY_LEN(opt_forms)},
        {list_forms, ARRAY_LEN(list_forms)}, {NULL, 0},
    };
    unsigned what = gen_pick(g, 10);
    if (g->size++ > 1500 || depth > 4 || what < 3) {
        if (what == 0 || !gen_name(g, t, false))
            gen_literal(g, t);
    } else if (what == 3 || !of[t].forms) {
        gen_special(g, t, depth);
    } else {
        gen_numbered(g, of[t].forms[gen_pick(g, of[t].n)], depth);
    }
}

/* ---- statements --------------------------------------------------------------------------- */

static inline void gen_let(struct gen *g)
{
    enum gen_type t = (enum gen_type)gen_pick(g, GEN_TYPES);
    bool mutable = gen_pick(g, 3) > 0;
    unsigned number = g->next++;
    strbuf_addf(&g->out, "%s v%u: %s = ", mutable ? "var" : "let", number, gen_names[t]);
    gen_expr(g, t, 1);
    gen_say(g, "\n");
    gen_declare(g, t, number, mutable);
}

static inline void gen_assign(struct gen *g)
{
    enum gen_type t = (enum gen_type)gen_pick(g, GEN_TYPES);
    unsigned how = gen_pick(g, 6);
    if (how == 0 && gen_name(g, GEN_LIST, false)) {
        gen_form(g, ".push(%i)\n", 1);
    } else if (how == 1 && gen_name(g, GEN_REC, false)) {
        gen_form(g, gen_pick(g, 2) ? ".a += %i\n" : ".b = %f\n", 1);
    } else if (how == 2 && gen_name(g, GEN_LIST, false)) {
        gen_form(g, gen_pick(g, 2) ? "[abs(%i) mod 2] = %i\n" : "[0] -= %i\n", 1);
    } else if (gen_name(g, t, true)) {
        bool number = t == GEN_INT || t == GEN_FLOAT;
        static const char *const ops[] = {" = ", " += ", " -= ", " *= ", " /= "};
        gen_say(g, ops[number ? gen_pick(g, 5) : 0]);
        gen_expr(g, t, 1);
        gen_say(g, "\n");
    }
}

static inline void gen_loop(struct gen *g, unsigned depth, enum gen_type result)
{
    size_t names = g->names_n;
    unsigned number = g->next++, how = gen_pick(g, 4);
    g->loops++;
    if (how == 0) {
        strbuf_addf(&g->out, "var v%u = 0\nwhile v%u < %u", number, number, 1 + gen_pick(g, 5));
        gen_form(g, gen_pick(g, 2) ? " and %b" : "", 2);
        strbuf_addf(&g->out, " {\nv%u += 1\n", number);
    } else if (how == 1) {
        strbuf_addf(&g->out, "for v%u in ", number);
        gen_form(g, "%l {\n", 2);
    } else if (how == 2) {
        unsigned second = g->next++;
        strbuf_addf(&g->out, "for v%u, v%u in ", number, second);
        gen_form(g, "%l {\n", 2);
        gen_declare(g, GEN_INT, second, false);
    } else {
        strbuf_addf(&g->out, "for v%u in ", number);
        gen_form(g, "%i mod 4 .. %i mod 6 {\n", 2);
    }
    gen_declare(g, GEN_INT, number, false);
    gen_block(g, depth + 1, result);
    if (gen_pick(g, 3) == 0)
        gen_form(g, gen_pick(g, 2) ? "if %b { break }\n" : "if %b { continue }\n", 1);
    gen_block(g, depth + 1, result);
    gen_say(g, "}\n");
    g->loops--;
    g->names_n = names;
}

static inline void gen_match(struct gen *g, unsigned depth, enum gen_type result)
{
    bool opt = gen_pick(g, 2);
    size_t names = g->names_n;
    unsigned number = g->next++;
    gen_form(g, opt ? "match %o {\nnone => {\n" : "match %i {\n0 or 3 => {\n", 1);
    gen_block(g, depth + 1, result);
    gen_say(g, opt ? "}\n2 => {\n" : "}\n1 .. 3 => {\n");
    gen_block(g, depth + 1, result);
    if (opt) {
        strbuf_addf(&g->out, "}\nsome v%u => {\n", number);
        gen_declare(g, GEN_INT, number, false);
    } else {
        gen_say(g, "}\n_ => {\n");
    }
    gen_block(g, depth + 1, result);
    gen_say(g, "}\n}\n");
    g->names_n = names;
}

static inline void gen_stmt(struct gen *g, unsigned depth, enum gen_type result)
{
    unsigned what = gen_pick(g, 12);
    if (depth < 3 && what < 2) {
        gen_loop(g, depth, result);
    } else if (depth < 3 && what < 4) {
        gen_form(g, "if %b {\n", 1);
        gen_block(g, depth + 1, result);
        gen_say(g, "} else {\n");
        gen_block(g, depth + 1, result);
        gen_say(g, "}\n");
    } else if (depth < 3 && what == 4) {
        gen_match(g, depth, result);
    } else if (what == 5) {
        gen_form(g, "if %b { return ", 1);
        gen_expr(g, result, 2);
        gen_say(g, " }\n");
    } else if (what < 9) {
        gen_let(g);
    } else {
        gen_assign(g);
    }
}

static inline void gen_block(struct gen *g, unsigned depth, enum gen_type result)
{
    size_t names = g->names_n;
    for (unsigned n = gen_pick(g, 4); n > 0 && g->size < 1500; n--)
        gen_stmt(g, depth, result);
    g->names_n = names;
}

static inline void gen_fn(struct gen *g, const char *name, enum gen_type result)
{
    unsigned first = g->next;
    g->next += 5;
    g->names_n = 0;
    strbuf_addf(&g->out, "fn %s(v%u: int, v%u: float, v%u: bool, v%u: list<int>, v%u: R) -> %s {\n",
                name, first, first + 1, first + 2, first + 3, first + 4, gen_names[result]);
    gen_declare(g, GEN_INT, first, false);
    gen_declare(g, GEN_FLOAT, first + 1, false);
    gen_declare(g, GEN_BOOL, first + 2, false);
    gen_declare(g, GEN_LIST, first + 3, false);
    gen_declare(g, GEN_REC, first + 4, false);
    for (unsigned n = 1 + gen_pick(g, 5); n > 0; n--)
        gen_stmt(g, 0, result);
    gen_say(g, "return ");
    gen_expr(g, result, 1);
    gen_say(g, "\n}\n");
}

static inline void gen_program(struct gen *g)
{
    strbuf_reset(&g->out);
    g->next = g->fns = g->size = g->loops = 0;
    gen_say(g, "record R { a: int; b: float; c: bool }\n"
               "fn twice(f: fn(int) -> int, x: int) -> int { return f(f(x) + 1) }\n");
    for (; g->fns < 3; g->fns++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "fi%u", g->fns);
        gen_fn(g, name, GEN_INT);
        (void)snprintf(name, sizeof(name), "ff%u", g->fns);
        gen_fn(g, name, GEN_FLOAT);
    }
    gen_say(g, "program p {\nvar i = 7\nvar f = 0.5\nvar b = true\nevery 1s {\n"
               "let r = R{i, f, b}; let xs = [i, 2, 3]\n"
               "i = fi2(i, f, b, xs, r); f = ff2(i, f, b, xs, r); b = r.c and xs.len() > 3\n"
               "i = (i + r.a + xs.len()) mod 100000; f += r.b\n}\n}\n");
}
