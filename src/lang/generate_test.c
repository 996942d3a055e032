/* Programs from bytes. */
#include "lang/generate_test.h"

#include "base/alloc.h"

#include <stdarg.h>

#define VARS_MAX  48u
#define FNS_MAX   4u
#define RULES_MAX 8u
#define DEPTH_MAX 3
#define NO_FOCUS  UINT32_MAX

enum gen_type {
    G_INT,
    G_BOOL,
    G_FLOAT,
    G_STR,
    G_INTS,
    G_STRS,
    G_MAP,
    G_OPT,
    G_REC,
    G_ENUM,
    G_FN,
    G_TYPES,
};
static const char *const type_names[] = {
    "int",           "bool", "float", "str", "list<int>",      "list<str>",
    "map<str, int>", "int?", "R",     "E",   "fn(int) -> int",
};

struct gen_var {
    uint32_t name;
    enum gen_type type;
    bool mutable;
};

struct gen {
    struct strbuf *out;
    const uint8_t *at, *end;
    struct gen_var vars[VARS_MAX];
    size_t vars_n;
    uint32_t self;
    uint32_t names, last;       /* last: of the variable that was put last */
    enum gen_type fns[FNS_MAX]; /* what each gives; all take an int and a str */
    size_t fns_n;
    uint32_t loops, texts, budget;
    bool speaks;    /* alerts are allowed */
    uint32_t focus; /* the variable that is assigned to: what is stored often depends on it */
    enum gen_type focus_type;
};

static uint32_t choose(struct gen *g, uint32_t n)
{
    return g->at < g->end ? *g->at++ % n : 0;
}

static void put(struct gen *g, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void put(struct gen *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    strbuf_vaddf(g->out, fmt, ap);
    va_end(ap);
}

static void expr(struct gen *g, enum gen_type t, int depth);

/* A format in which %x stands for an expression of type x, i b f s I S M o r e, and # for the
 * number of the variable that was put last by self_assign(). */
static void form(struct gen *g, const char *f, int depth)
{
    static const char letters[] = "ibfsISMore";
    for (; *f; f++) {
        if (*f == '#') {
            put(g, "%u", g->self);
            continue;
        }
        if (*f != '%') {
            put(g, "%c", *f);
            continue;
        }
        f++;
        for (size_t i = 0; letters[i]; i++)
            if (letters[i] == *f)
                expr(g, (enum gen_type)i, depth - 1);
    }
}

/* ---- leaves ----------------------------------------------------------------------------- */

static bool variable(struct gen *g, enum gen_type t, bool mutable)
{
    size_t n = 0, pick[VARS_MAX];
    for (size_t i = 0; i < g->vars_n; i++)
        if (g->vars[i].type == t && (g->vars[i].mutable || !mutable))
            pick[n++] = i;
    if (n == 0)
        return false;
    size_t at = pick[choose(g, (uint32_t)n)];
    if (n > 1 && choose(g, 2) == 1) /* the newer half: locals rather than the program's */
        at = pick[n - 1 - choose(g, (uint32_t)(n + 1) / 2)];
    put(g, "v%u", g->vars[at].name);
    g->last = g->vars[at].name;
    return true;
}

static void literal(struct gen *g, enum gen_type t)
{
    static const char *const literals[][8] = {
        [G_INT] = {"1", "3", "0", "7", "(-1)", "2", "(-3)", "4611686018427387904"},
        [G_BOOL] = {"true", "false", "true", "false"},
        [G_FLOAT] = {"1.5", "0.25", "2.0", "100.125"},
        [G_STR] = {"\"a\"", "\"b c\"", "\"\"", "\"A,b,12\""},
        [G_INTS] = {"[1, 2]", "[3]", "list(0, 0)", "[5, 1, 4, 1]"},
        [G_STRS] = {"[\"a\"]", "[\"b\", \"a\"]", "\"x,y\".split(\",\")", "[\"\", \"q\"]"},
        [G_MAP] = {"[\"a\": 1]", "[\"b\": 2, \"a\": 3]", "[\"x\": 0]", "[\"q\": 1, \"r\": 2]"},
        [G_OPT] = {"[1].first()", "list(0, 0).first()", "\"5\".to_int()", "\"x\".to_int()"},
        [G_REC] = {"(R{1, \"a\", 0.5, none})", "(R{a: 2, b: \"\", c: 1.5, d: 3})",
                   "(R{0, \"\", 0.0, 1})", "(R{a: 9, b: \"z\", c: 2.5, d: none})"},
        [G_ENUM] = {"E.red", "E.green", "E.blue", "E.red"},
        [G_FN] = {"fn(x: int) -> int { return x }", "fn(x: int) -> int { return x * 2 }",
                  "fn(x: int) -> int { return 0 - x }", "fn(x: int) -> int { return x mod 3 }"},
    };
    put(g, "%s", literals[t][choose(g, t == G_INT ? 8 : 4)]);
}

static void leaf(struct gen *g, enum gen_type t)
{
    if (g->focus != NO_FOCUS && g->focus_type == t && choose(g, 2) == 1) {
        put(g, "v%u", g->focus);
        return;
    }
    if (choose(g, 4) == 0 || !variable(g, t, false))
        literal(g, t);
}

/* ---- expressions ------------------------------------------------------------------------ */

static const char *const forms[G_TYPES][40] = {
    [G_INT] = {"(%i + %i)",
               "(%i - %i)",
               "(%i * %i)",
               "(%i / %i)",
               "(%i mod %i)",
               "(-%i)",
               "(if %b { %i } else { %i })",
               "%I.len()",
               "(%I)[%i]",
               "(%o ?? %i)",
               "%s.len()",
               "%M.len()",
               "min(%i, %i)",
               "max(%i, %i)",
               "abs(%i)",
               "%r.a",
               "(%M[%s] ?? %i)",
               "(%I.first() ?? %i)",
               "(%r.d ?? %i)",
               "(%s.to_int() ?? %i)",
               "(%I.last() ?? %i)"},
    [G_BOOL] = {"(%i < %i)",         "(%i <= %i)",      "(%i > %i)",
                "(%i != %i)",        "(%f <= %f)",      "(%f > %f)",
                "(2 <= %i)",         "(1.5 <= %f)",     "(%f == %f)",
                "(%i == %i)",        "(%i >= %i)",      "(%f < %f)",
                "(%f >= %i)",        "(%s == %s)",      "(%b and %b)",
                "(%b or %b)",        "(not %b)",        "(%i in %I)",
                "%M.has(%s)",        "%s.contains(%s)", "(%o == none)",
                "(%o != none)",      "(%e == %e)",      "(%I == %I)",
                "%I.contains(%i)",   "(%s in %M)",      "%s.starts_with(%s)",
                "((%o ?? 1) == %i)", "(%M == %M)",      "(if %b { %b } else { %b })",
                "%s.ends_with(%s)"},
    [G_FLOAT] = {"(%f + %f)", "(%f - %i)", "(%f * %f)", "(%i / %f)", "(-%f)", "float(%i)", "%r.c",
                 "(if %b { %f } else { %f })", "abs(%f)", "(%f mod %f)"},
    [G_STR] = {"%s.upper()", "%s.lower()", "%s.slice(%i, %i)", "(if %b { %s } else { %s })",
               "(%S.first() ?? %s)", "(%S.get(%i) ?? %s)", "%r.b", "(%S)[%i]"},
    [G_INTS] = {"[%i, %i]", "list(%i mod 4, %i)", "%M.values()", "(if %b { %I } else { %I })",
                "[%i, %i, %i]"},
    [G_STRS] = {"[%s, %s]", "%s.split(%s)", "%M.keys()", "(if %b { %S } else { %S })"},
    [G_MAP] = {"(if %b { %M } else { %M })", "[%s: %i]"},
    [G_OPT] = {"%I.first()", "%I.get(%i)", "%M[%s]", "%M.get(%s)", "%s.to_int()", "%r.d",
               "(if %b { %o } else { %o })", "%I.last()"},
    [G_REC] = {"(R{%i, %s, %f, %o})", "(R{b: %s, a: %i, d: %i, c: %f})",
               "(if %b { %r } else { %r })", "(R{%i, %s, %i, none})"},
    [G_ENUM] = {"(if %b { %e } else { %e })"},
};

/* A value as a text can show it. */
static void shown(struct gen *g, int depth)
{
    static const char *const ways[] = {"%i",         "%s",         "%b",         "%f",
                                       "%e",         "show_o(%o)", "show_i(%I)", "show_s(%S)",
                                       "show_m(%M)", "show_r(%r)"};
    form(g, ways[choose(g, ARRAY_LEN(ways))], depth);
}

/* "{e}…", cut so that texts do not grow without end */
static void text(struct gen *g, int depth)
{
    if (g->texts >= 2) {
        leaf(g, G_STR);
        return;
    }
    g->texts++;
    put(g, "\"<{");
    shown(g, depth < 2 ? depth : 2);
    put(g, "}{");
    form(g, "%s", 1);
    put(g, "}\".slice(0, 12)");
    g->texts--;
}

static uint32_t declare(struct gen *g, enum gen_type t, bool mutable)
{
    if (g->vars_n < VARS_MAX)
        g->vars[g->vars_n++] = (struct gen_var){g->names, t, mutable};
    return g->names++;
}

/* x => e, with a new name for x */
static void lambda(struct gen *g, enum gen_type of, enum gen_type result, int depth)
{
    size_t scope = g->vars_n;
    put(g, "v%u => ", declare(g, of, false));
    expr(g, result, depth - 1);
    g->vars_n = scope;
}

static void applied(struct gen *g, const char *method, enum gen_type result, int depth)
{
    expr(g, G_INTS, depth - 1);
    put(g, ".%s(", method);
    lambda(g, G_INT, result, depth);
    put(g, ")");
}

static bool fn_call(struct gen *g, enum gen_type t, int depth)
{
    for (size_t i = 0; i < g->fns_n; i++)
        if (g->fns[i] == t) {
            put(g, "f%zu(", i);
            form(g, "%i, %s)", depth);
            return true;
        }
    return false;
}

/* What is made in other ways than by a form. */
static bool special(struct gen *g, enum gen_type t, int depth)
{
    uint32_t how = choose(g, 8);
    if (how == 1 && fn_call(g, t, depth))
        return true;
    if (t == G_STR && how < 5) {
        text(g, depth);
        return true;
    }
    if (t == G_INT && how == 2) {
        if (!variable(g, G_FN, false))
            return false;
        form(g, "(%i)", depth);
        return true;
    }
    if (t == G_INTS && how < 4) {
        applied(g, how == 3 ? "filter" : "map", how == 3 ? G_BOOL : G_INT, depth);
        return true;
    }
    if (t == G_BOOL && (how == 2 || how == 3)) {
        applied(g, how == 2 ? "any" : "all", G_BOOL, depth);
        return true;
    }
    return false;
}

static void expr(struct gen *g, enum gen_type t, int depth)
{
    if (g->budget > 0)
        g->budget--;
    if (depth <= 0 || g->budget == 0 || choose(g, 4) == 0) {
        leaf(g, t);
        return;
    }
    if (t == G_FN) {
        size_t scope = g->vars_n;
        put(g, "fn(v%u: int) -> int { return ", declare(g, G_INT, false));
        expr(g, G_INT, depth - 1);
        put(g, " }");
        g->vars_n = scope;
        return;
    }
    if (special(g, t, depth))
        return;
    uint32_t n = 0;
    while (n < ARRAY_LEN(forms[t]) && forms[t][n])
        n++;
    form(g, forms[t][choose(g, n)], depth);
}

/* ---- statements ------------------------------------------------------------------------- */

static void block(struct gen *g, int depth);

static void let(struct gen *g)
{
    enum gen_type t = (enum gen_type)choose(g, G_TYPES);
    bool mutable = choose(g, 2) == 0;
    uint32_t name = g->names++;
    put(g, "%s v%u: %s = ", mutable ? "var" : "let", name, type_names[t]);
    expr(g, t, DEPTH_MAX);
    if (g->vars_n < VARS_MAX)
        g->vars[g->vars_n++] = (struct gen_var){name, t, mutable};
}

/* A form whose first part is a variable that can be changed. */
static bool change(struct gen *g, enum gen_type t, bool mutable, const char *rest)
{
    if (!variable(g, t, mutable))
        return false;
    g->focus = g->last;
    g->focus_type = t;
    form(g, rest, DEPTH_MAX);
    g->focus = NO_FOCUS;
    return true;
}

static bool assign(struct gen *g)
{
    static const struct {
        enum gen_type type;
        bool mutable;
        const char *rest;
    } ways[] = {
        {G_INT, true, " = %i"},         {G_INT, true, " += %i"},
        {G_INT, true, " -= %i"},        {G_INT, true, " *= %i"},
        {G_INT, true, " /= %i"},        {G_BOOL, true, " = %b"},
        {G_FLOAT, true, " = %f"},       {G_FLOAT, true, " += %i"},
        {G_FLOAT, true, " -= %f"},      {G_FLOAT, true, " /= %f"},
        {G_INT, true, " = (%o ?? %i)"}, {G_OPT, true, " = (if %b { %o } else { %o })"},
        {G_STR, true, " = %s"},         {G_INTS, true, " = %I"},
        {G_INTS, false, "[%i] = %i"},   {G_INTS, false, "[%i] += %i"},
        {G_INTS, false, ".push(%i)"},   {G_INTS, false, ".sort()"},
        {G_INTS, false, ".reverse()"},  {G_INTS, false, ".insert(%i, %i)"},
        {G_INTS, false, ".clear()"},    {G_STRS, false, ".push(%s)"},
        {G_STRS, false, ".sort()"},     {G_MAP, false, "[%s] = %i"},
        {G_MAP, true, " = %M"},         {G_OPT, true, " = %o"},
        {G_OPT, true, " = none"},       {G_REC, false, ".a = %i"},
        {G_REC, false, ".b = %s"},      {G_REC, false, ".c = %f"},
        {G_REC, false, ".d = %o"},      {G_REC, false, ".a *= %i"},
        {G_ENUM, true, " = %e"},        {G_REC, true, " = %r"},
        {G_REC, false, ".d = none"},    {G_OPT, true, " = %i"},
    };
    uint32_t i = choose(g, ARRAY_LEN(ways));
    return change(g, ways[i].type, ways[i].mutable, ways[i].rest);
}

/* A local and what is assigned to it from itself: where registers are shared too eagerly. */
static void self_assign(struct gen *g)
{
    static const struct {
        enum gen_type type;
        const char *value;
    } ways[] = {
        {G_INT, "(%o ?? (v# + %i))"},
        {G_INT, "(%i - (v# / (1 + v# * v# mod 5)))"},
        {G_INT, "(if (v# < %i) { (%i + v#) } else { v# })"},
        {G_OPT, "(if %b { %o } else { v# })"},
        {G_FLOAT, "(%f - (v# * v#))"},
        {G_STR, "(%S.first() ?? v#)"},
        {G_STR, "\"{%i}{v#}{v#}\".slice(1, 12)"},
        {G_INTS, "v#.map(w# => w# + v#.len())"},
        {G_INTS, "v#.filter(w# => w# != (v#.first() ?? 0))"},
        {G_INTS, "[%i, v#.len()]"},
        {G_BOOL, "(%b or not v#)"},
        {G_BOOL, "(%i < 3 and v#)"},
        {G_REC, "(R{(v#.a + 1), v#.b, v#.c, (v#.d ?? %i)})"},
    };
    uint32_t i = choose(g, ARRAY_LEN(ways)), name = g->names++;
    put(g, "var v%u: %s = ", name, type_names[ways[i].type]);
    expr(g, ways[i].type, 2);
    put(g, "\nv%u = ", name);
    g->self = name;
    form(g, ways[i].value, 2);
    if (g->vars_n < VARS_MAX)
        g->vars[g->vars_n++] = (struct gen_var){name, ways[i].type, true};
}

static void branch(struct gen *g, int depth)
{
    size_t scope = g->vars_n;
    if (choose(g, 3) == 1) {
        uint32_t name = g->names++;
        put(g, "if let v%u = ", name);
        expr(g, G_OPT, 2);
        if (g->vars_n < VARS_MAX)
            g->vars[g->vars_n++] = (struct gen_var){name, G_INT, false};
    } else {
        put(g, "if ");
        expr(g, G_BOOL, DEPTH_MAX);
    }
    block(g, depth);
    g->vars_n = scope;
    if (choose(g, 2) == 1) {
        put(g, " else");
        block(g, depth);
    }
}

static void loop(struct gen *g, int depth)
{
    size_t scope = g->vars_n;
    uint32_t name = g->names++, second = g->names++;
    static const enum gen_type walked[] = {G_INTS, G_INTS, G_STRS, G_MAP};
    uint32_t how = choose(g, 5);
    if (how == 0) {
        put(g, "for v%u in 0..%u", name, choose(g, 5));
        g->vars[g->vars_n++] = (struct gen_var){name, G_INT, false};
    } else {
        enum gen_type t = walked[how - 1];
        put(g, how == 1 ? "for v%u in (" : "for v%u, v%u in (", name, second);
        expr(g, t, 2);
        put(g, ")");
        g->vars[g->vars_n++] = (struct gen_var){name, how == 4 ? G_STR : G_INT, false};
        if (how > 1)
            g->vars[g->vars_n++] = (struct gen_var){second, t == G_STRS ? G_STR : G_INT, false};
    }
    g->loops++;
    block(g, depth);
    g->loops--;
    g->vars_n = scope;
}

/* Counted by a variable that nothing else knows. */
static void while_loop(struct gen *g, int depth)
{
    uint32_t name = g->names++;
    put(g, "var v%u = 0; while v%u < %u and ", name, name, choose(g, 6));
    expr(g, G_BOOL, 2);
    put(g, " {\nv%u += 1\nif true", name);
    g->loops++;
    block(g, depth);
    g->loops--;
    put(g, "\n}");
}

static void match(struct gen *g, int depth)
{
    uint32_t how = choose(g, 4);
    size_t scope = g->vars_n;
    static const enum gen_type of[] = {G_INT, G_ENUM, G_OPT, G_STR};
    put(g, "match ");
    expr(g, of[how], 2);
    put(g, how == 0   ? " {\n0 or 1 =>"
           : how == 1 ? " {\nred or blue =>"
           : how == 2 ? " {\nnone =>"
                      : " {\n\"a\" or \"\" =>");
    block(g, depth);
    if (how == 2) {
        put(g, "\nsome v%u =>", declare(g, G_INT, false));
    } else {
        put(g, how == 0 ? "\n2..9 =>" : how == 1 ? "\ngreen =>" : "\n\"b c\" =>");
        block(g, depth);
        put(g, how == 1 ? "" : "\n_ =>");
    }
    if (how != 1)
        block(g, depth);
    g->vars_n = scope;
    put(g, "\n}");
}

static void say(struct gen *g)
{
    put(g, "alert info \"{");
    g->texts++;
    shown(g, DEPTH_MAX);
    g->texts--;
    put(g, "}\"");
}

static void leave(struct gen *g)
{
    put(g, "if ");
    expr(g, G_BOOL, 2);
    put(g, choose(g, 2) == 1 ? " { continue }" : " { break }");
}

static void stmt(struct gen *g, int depth)
{
    uint32_t how = choose(g, 12);
    if (how == 1 && depth > 0)
        branch(g, depth - 1);
    else if (how == 2 && depth > 0)
        loop(g, depth - 1);
    else if (how == 3 && depth > 0)
        while_loop(g, depth - 1);
    else if (how == 4 && depth > 0)
        match(g, depth - 1);
    else if (how == 5 && g->loops > 0)
        leave(g);
    else if ((how == 6 || how == 0) && g->speaks)
        say(g);
    else if (how == 10)
        self_assign(g);
    else if (how > 7 || !assign(g))
        let(g);
    put(g, "\n");
}

static void stmts(struct gen *g, int depth)
{
    uint32_t n = 1 + choose(g, 4);
    for (uint32_t i = 0; i < n && g->at < g->end; i++)
        stmt(g, depth);
}

static void block(struct gen *g, int depth)
{
    size_t scope = g->vars_n;
    put(g, " {\n");
    stmts(g, depth);
    put(g, "}");
    g->vars_n = scope;
}

/* ---- programs --------------------------------------------------------------------------- */

static void function(struct gen *g)
{
    static const enum gen_type results[] = {G_INT, G_STR, G_BOOL, G_INTS};
    enum gen_type t = results[choose(g, 4)];
    g->vars_n = 0;
    g->loops = 0;
    uint32_t a = declare(g, G_INT, false), b = declare(g, G_STR, false);
    put(g, "fn f%zu(v%u: int, v%u: str) -> %s {\n", g->fns_n, a, b, type_names[t]);
    stmts(g, 2);
    put(g, "return ");
    expr(g, t, DEPTH_MAX);
    put(g, "\n}\n");
    g->fns[g->fns_n++] = t;
}

/* Each is a turn: what one leaves behind, the next one finds. */
static void rule(struct gen *g)
{
    size_t scope = g->vars_n;
    put(g, "every 1h {\n");
    for (uint32_t n = 1 + choose(g, 10); n > 0 && g->at < g->end; n--)
        stmt(g, 3);
    put(g, "}\n");
    g->vars_n = scope;
}

static const char prelude[] =
    "record R { a: int; b: str; c: float; d: int? }\nenum E { red, green, blue }\n"
    "fn show_o(x: int?) -> str { return if let y = x { \"{y}\" } else { \"none\" } }\n"
    "fn show_i(xs: list<int>) -> str { var s = \"\"; for x in xs { s = \"{s}{x},\" }; return s }\n"
    "fn show_s(xs: list<str>) -> str { var s = \"\"; for x in xs { s = \"{s}{x},\" }; return s }\n"
    "fn show_m(m: map<str, int>) -> str {\n"
    "  var s = \"\"; for k, v in m { s = \"{s}{k}:{v},\" }; return s\n}\n"
    "fn show_r(r: R) -> str { return \"{r.a} {r.b} {r.c} {show_o(r.d)}\" }\n";

void generate_program(struct strbuf *out, const uint8_t *bytes, size_t n)
{
    struct gen g = {.out = out, .at = bytes, .end = bytes + n, .budget = 3000, .focus = NO_FOCUS};
    put(&g, "%s", prelude);
    for (uint32_t i = choose(&g, FNS_MAX); i > 0; i--)
        function(&g);
    put(&g, "program p {\n");
    g.vars_n = 0;
    uint32_t vars = g.names;
    for (enum gen_type t = G_INT; t < G_FN; t++) {
        put(&g, "var v%u: %s = ", declare(&g, t, true), type_names[t]);
        literal(&g, t);
        put(&g, "\n");
    }
    g.speaks = true;
    for (uint32_t i = 0; i < RULES_MAX && g.at < g.end; i++)
        rule(&g);
    put(&g,
        "every 2h { alert info \"{v%u} {v%u} {v%u} {v%u} {show_i(v%u)} {show_s(v%u)} "
        "{show_m(v%u)} {show_o(v%u)} {show_r(v%u)} {v%u}\" }\n}\n",
        vars, vars + 1, vars + 2, vars + 3, vars + 4, vars + 5, vars + 6, vars + 7, vars + 8,
        vars + 9);
}
