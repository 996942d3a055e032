/* asm_fixture: for tests of the machine: a small world (models, records, bindings, variables), and
 * an assembler that makes a program for it out of text.
 *
 *   fn fib(n: int) -> int           or `task …`; the first one is chunk 0
 *     reg x int                     registers beside the parameters
 *     JGEIK n 2 @big                operands in the order a b c d, as the table of instructions
 * says RET n
 *   @big
 *     ADDIK w0 n -1                 w0, w1 …: the window
 *     CALL x fib
 *
 * Operand words stand on lines of their own. `PART kind …`, `ARM kind …` begin with their kind's
 * number, `TO why @label` or `TO @label`. Texts are "quoted", without escapes. */
#pragma once

#include "lang/code_internal.h"
#include "lang/program.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASM_NAMES_MAX 64u
#define ASM_BINDINGS  7
#define ASM_VARS      7

struct asm_world {
    struct ctx_alone alone;
    struct lang_schema schema;
    struct lang_source source;
    struct code *code;
    struct lang_program program;
    struct lang_decl valve, station, resources[4];
    struct lang_member valve_members[4], station_members[4];
    struct lang_param set_params[3];
    struct lang_typedef point, mode;
    struct lang_field point_fields[3], mode_values[3];
    struct lang_binding bindings[ASM_BINDINGS + 1]; /* room for one of a test */
    struct lang_var vars[ASM_VARS + 1];
    struct lang_lease leases[2];
    struct lang_window windows[1];
    struct lang_rule rules[2];
    struct lang_type args[4];
};

static inline struct lang_type asm_celsius(void)
{
    struct lang_unit celsius = {.symbol = STR("°C"), .affine = true, .scale = 1, .offset = 273.15};
    celsius.dim[LANG_DIM_TEMPERATURE] = 1;
    return (struct lang_type){.kind = LANG_TYPE_FLOAT, .unit = celsius};
}

/* Two models and three resources. */
static inline void asm_world_site(struct asm_world *w)
{
    struct lang_unit percent = {.symbol = STR("%"), .ratio = true, .scale = 0.01};
    struct lang_type f_percent = {.kind = LANG_TYPE_FLOAT, .unit = percent};
    w->set_params[0] = (struct lang_param){.name = STR("to"), .type = f_percent};
    w->set_params[1] = (struct lang_param){.name = STR("why"), .type = {.kind = LANG_TYPE_STR}};
    w->valve_members[0] = (struct lang_member){.role = LANG_CLAUSE_COMMAND, .name = STR("open")};
    w->valve_members[1] = (struct lang_member){.role = LANG_CLAUSE_COMMAND,
                                               .name = STR("set"),
                                               .index = 1,
                                               .params = w->set_params,
                                               .params_n = 2};
    w->valve_members[2] = (struct lang_member){
        .role = LANG_CLAUSE_READABLE, .name = STR("position"), .type = f_percent};
    w->valve = (struct lang_decl){.name = STR("Valve"),
                                  .members = w->valve_members,
                                  .members_n = 3,
                                  .commands_n = 2,
                                  .readables_n = 1};
    w->station_members[0] = (struct lang_member){
        .role = LANG_CLAUSE_READABLE, .name = STR("temperature"), .type = asm_celsius()};
    w->station = (struct lang_decl){
        .name = STR("Station"), .members = w->station_members, .members_n = 1, .readables_n = 1};
    w->resources[0] = (struct lang_decl){.name = STR("gate"), .type = &w->valve};
    w->resources[1] = (struct lang_decl){.name = STR("flap"), .type = &w->valve, .resource = 1};
    w->resources[2] = (struct lang_decl){.name = STR("press"), .type = &w->station, .resource = 2};
}

static inline void asm_world_bindings(struct asm_world *w)
{
    const struct lang_decl *gate = &w->resources[0], *flap = &w->resources[1],
                           *press = &w->resources[2];
    const struct lang_binding bindings[ASM_BINDINGS] = {
        {.kind = LANG_BIND_OWN, .name = STR("v"), .resource = gate},
        {.kind = LANG_BIND_OWN, .name = STR("w"), .resource = flap},
        {.kind = LANG_BIND_LEASE, .name = STR("lent"), .resource = flap},
        {.kind = LANG_BIND_READ,
         .name = STR("temp"),
         .resource = press,
         .member_type = asm_celsius()},
        {.kind = LANG_BIND_READ,
         .name = STR("on"),
         .resource = press,
         .member_type = {.kind = LANG_TYPE_BOOL}},
        {.kind = LANG_BIND_READ,
         .name = STR("what"),
         .resource = press,
         .member_type = {.kind = LANG_TYPE_STR}},
        {.kind = LANG_BIND_SIGNAL, .name = STR("jam"), .resource = press},
    };
    memcpy(w->bindings, bindings, sizeof(bindings));
    for (size_t i = 0; i < ASM_BINDINGS; i++)
        w->bindings[i].path = w->bindings[i].name;
}

static inline void asm_world_types(struct asm_world *w)
{
    w->point_fields[0] = (struct lang_field){STR("x"), {.kind = LANG_TYPE_INT}};
    w->point_fields[1] = (struct lang_field){STR("name"), {.kind = LANG_TYPE_STR}};
    w->point_fields[2] =
        (struct lang_field){STR("next"), {.kind = LANG_TYPE_RECORD, .def = &w->point}};
    w->point =
        (struct lang_typedef){.name = STR("Point"), .fields = w->point_fields, .fields_n = 3};
    w->mode_values[0].name = STR("eco");
    w->mode_values[1].name = STR("boost");
    w->mode = (struct lang_typedef){
        .name = STR("Mode"), .is_enum = true, .fields = w->mode_values, .fields_n = 2};
}

static inline void asm_world_vars(struct asm_world *w)
{
    w->args[0] = (struct lang_type){.kind = LANG_TYPE_INT};
    w->args[1] = (struct lang_type){.kind = LANG_TYPE_STR};
    w->args[2] = (struct lang_type){.kind = LANG_TYPE_INT};
    const struct lang_var vars[ASM_VARS] = {
        {.name = STR("n"), .type = {.kind = LANG_TYPE_INT}, .initial.i = 5},
        {.name = STR("x"), .type = {.kind = LANG_TYPE_FLOAT}, .initial.f = 1.5},
        {.name = STR("s"), .type = {.kind = LANG_TYPE_STR}, .initial_text = STR("first")},
        {.name = STR("items"), .type = {.kind = LANG_TYPE_LIST, .args = w->args, .args_n = 1}},
        {.name = STR("p"), .type = {.kind = LANG_TYPE_RECORD, .def = &w->point}},
        {.name = STR("seen"), .type = {.kind = LANG_TYPE_MAP, .args = w->args + 1, .args_n = 2}},
        {.name = STR("flag"), .type = {.kind = LANG_TYPE_BOOL}},
    };
    memcpy(w->vars, vars, sizeof(vars));
    for (size_t i = 0; i < ASM_VARS; i++)
        w->vars[i].path = w->vars[i].name;
}

/* Bindings: v, w own valves; lent a leased one; temp, on, what: readings; jam: a signal.
 * Variables: n int, x float, s str, items list<int>, p Point, seen map<str, int>, flag bool. */
static inline void asm_world_init(struct asm_world *w)
{
    *w = (struct asm_world){0};
    asm_world_site(w);
    asm_world_bindings(w);
    asm_world_types(w);
    asm_world_vars(w);
    w->leases[0] = (struct lang_lease){.binding = 2, .path = STR("lease#1"), .from = STR("other")};
    w->windows[0] = (struct lang_window){.binding = 3, .duration_ms = 1000};
    w->program = (struct lang_program){.name = STR("asm"),
                                       .bindings = w->bindings,
                                       .bindings_n = ASM_BINDINGS,
                                       .vars = w->vars,
                                       .vars_n = ASM_VARS,
                                       .leases = w->leases,
                                       .leases_n = 1,
                                       .windows = w->windows,
                                       .windows_n = 1};
    w->code = code_new(ctx_alone_init(&w->alone, &w->schema, &w->source));
}

static inline void asm_world_fini(struct asm_world *w)
{
    ctx_alone_fini(&w->alone);
}

/* ---- the assembler ----------------------------------------------------------------------- */

struct assembler {
    struct asm_world *w;
    struct chunk_builder b;
    const char *at;                  /* the line */
    struct str names[ASM_NAMES_MAX]; /* of registers */
    size_t names_n;
    struct str chunks[ASM_NAMES_MAX];
    size_t chunks_n;
    struct {
        struct str name;
        size_t at;
    } labels[ASM_NAMES_MAX], uses[ASM_NAMES_MAX];
    size_t labels_n, uses_n;
    uint32_t owner; /* the instruction that words belong to */
    uint32_t words;
};

static inline void asm_skip(struct assembler *a)
{
    while (*a->at == ' ' || *a->at == ',')
        a->at++;
}

static inline struct str asm_token(struct assembler *a)
{
    asm_skip(a);
    const char *from = a->at;
    if (*a->at == '"') {
        a->at = strchr(a->at + 1, '"') + 1;
        return (struct str){from + 1, (size_t)(a->at - from) - 2};
    }
    for (size_t deep = 0; *a->at && (!strchr(" ,\n():", *a->at) || (deep && *a->at == ','));
         a->at++)
        deep += (size_t)(*a->at == '<') - (size_t)(*a->at == '>');
    return (struct str){from, (size_t)(a->at - from)};
}

static inline double asm_number(struct assembler *a)
{
    asm_skip(a);
    char *end;
    double v = strtod(a->at, &end);
    REQUIRE(end != a->at);
    a->at = end;
    return v;
}

static inline bool asm_is(struct str s, const char *word)
{
    return str_eq(s, str_from(word));
}

/* Types without spaces: list<int>, map<str,int>, chan<Valve> (of own handles), fn<int,bool> (the
 * last is the result), Valve, own-Valve, Point, Mode. */
static inline uint16_t asm_type(struct assembler *a, struct str s);

static inline struct str asm_inner(struct str s)
{
    size_t open = 0;
    while (s.p[open] != '<')
        open++;
    return (struct str){s.p + open + 1, s.n - open - 2};
}

static inline struct lang_type asm_lang_type(struct assembler *a, struct str s)
{
    static const struct {
        const char *name;
        enum lang_type_kind kind;
    } plain[] = {{"int", LANG_TYPE_INT},
                 {"bool", LANG_TYPE_BOOL},
                 {"float", LANG_TYPE_FLOAT},
                 {"str", LANG_TYPE_STR}};
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        if (asm_is(s, plain[i].name))
            return (struct lang_type){.kind = plain[i].kind};
    if (asm_is(s, "Point"))
        return (struct lang_type){.kind = LANG_TYPE_RECORD, .def = &a->w->point};
    if (asm_is(s, "Mode"))
        return (struct lang_type){.kind = LANG_TYPE_ENUM, .def = &a->w->mode};
    if (asm_is(s, "Valve"))
        return (struct lang_type){.kind = LANG_TYPE_HANDLE, .model = &a->w->valve};
    struct lang_type *args = ctx_array(a->w->code->c, 8, sizeof(*args));
    struct lang_type t = {.args = args};
    t.kind = s.p[0] == 'l'   ? LANG_TYPE_LIST
             : s.p[0] == 'm' ? LANG_TYPE_MAP
             : s.p[0] == 'c' ? LANG_TYPE_CHAN
                             : LANG_TYPE_FN;
    struct str in = asm_inner(s);
    size_t from = 0, deep = 0;
    for (size_t i = 0; i <= in.n; i++) {
        deep += i < in.n && in.p[i] == '<';
        deep -= i < in.n && in.p[i] == '>';
        if (i < in.n && (in.p[i] != ',' || deep > 0))
            continue;
        args[t.args_n++] = asm_lang_type(a, (struct str){in.p + from, i - from});
        from = i + 1;
    }
    t.own = t.kind == LANG_TYPE_CHAN && args[0].kind == LANG_TYPE_HANDLE;
    return t;
}

static inline uint16_t asm_type(struct assembler *a, struct str s)
{
    if (asm_is(s, "own-Valve"))
        return code_type_handle(a->w->code, &a->w->valve, true);
    struct lang_type t = asm_lang_type(a, s);
    return code_type(a->w->code, &t);
}

static inline void asm_reg_add(struct assembler *a, struct str name, uint16_t type)
{
    REQUIRE(a->names_n < ASM_NAMES_MAX);
    (void)reg_take(&a->b, type);
    a->names[a->names_n++] = name;
}

static inline uint8_t asm_reg(struct assembler *a)
{
    struct str s = asm_token(a);
    for (size_t i = 0; i < a->names_n; i++)
        if (str_eq(a->names[i], s))
            return (uint8_t)i;
    LABEL("no register %.*s", STR_FMT(s));
    REQUIRE(s.n >= 2 && s.p[0] == 'w');
    return CODE_WINDOW(strtoul(s.p + 1, NULL, 10));
}

static inline uint32_t asm_chunk(struct assembler *a, struct str name)
{
    for (uint32_t i = 0; i < a->chunks_n; i++)
        if (str_eq(a->chunks[i], name))
            return i;
    a->chunks[a->chunks_n++] = name;
    uint32_t chunk = chunk_reserve(a->w->code);
    CHECK_EQ_UINT(chunk + 1, a->chunks_n);
    return chunk;
}

static inline int32_t asm_named(struct assembler *a, char letter)
{
    struct str s = asm_token(a);
    const struct lang_program *p = &a->w->program;
    for (size_t i = 0; letter == 'v' && i < p->vars_n; i++)
        if (str_eq(p->vars[i].name, s))
            return (int32_t)i;
    for (size_t i = 0; letter != 'v' && i < p->bindings_n; i++)
        if (str_eq(p->bindings[i].name, s))
            return (int32_t)i;
    LABEL("nothing is named %.*s", STR_FMT(s));
    REQUIRE(false);
    return 0;
}

static inline int32_t asm_unit(struct assembler *a)
{
    struct lang_unit u = {.scale = 1};
    struct str s = asm_token(a);
    if (s.n > 0)
        REQUIRE(lang_unit_parse(s, &u) == ERR_OK);
    return const_unit(a->w->code, &u);
}

static inline int32_t asm_d(struct assembler *a, char letter)
{
    struct code *code = a->w->code;
    switch (letter) {
    case '-': return 0;
    case 'j':
    case 'l': {
        struct str name = asm_token(a);
        a->uses[a->uses_n].name = name;
        a->uses[a->uses_n++].at = chunk_here(&a->b);
        return 0;
    }
    case 'k': return const_int(code, (int64_t)strtoll(asm_token(a).p, NULL, 10));
    case 'K': return const_float(code, asm_number(a));
    case 't': return const_text(code, asm_token(a));
    case 'u': return asm_unit(a);
    case 'v':
    case 'r':
    case 'o': return asm_named(a, letter);
    case 'O': {
        int32_t binding = asm_named(a, 'o');
        return binding | (int32_t)asm_number(a) << 16;
    }
    case 'c': return (int32_t)asm_chunk(a, asm_token(a));
    case 'y': return asm_type(a, asm_token(a));
    case 'i': return asm_reg(a);
    default: return (int32_t)asm_number(a);
    }
}

static inline void asm_operands(struct assembler *a, struct instr i, const char *sig)
{
    uint8_t *const abc[] = {&i.a, &i.b, &i.c};
    for (unsigned n = 0; n < 3; n++) {
        if (code_is_reg(sig[n]))
            *abc[n] = asm_reg(a);
        else if (sig[n] == 'n')
            *abc[n] = (uint8_t)asm_number(a);
    }
    if (sig[1] == 'p' || sig[1] == 'q') {
        double v = asm_number(a);
        uint16_t bc = sig[1] == 'p' ? (uint16_t)(int16_t)v : (uint16_t)const_float(a->w->code, v);
        i.b = (uint8_t)(bc & 0xFF);
        i.c = (uint8_t)(bc >> 8);
    }
    i.d = asm_d(a, sig[3]);
    (void)emit(&a->b, (enum code_op)i.op, i.a, i.b, i.c, i.d);
}

/* A word's own kind comes first; then what its signature says, without the kind. */
static inline void asm_word(struct assembler *a, struct instr i)
{
    struct instr owner = a->b.all.v[a->owner];
    char sig[5];
    if (i.op == CODE_PART)
        i.b = (uint8_t)asm_number(a);
    if (i.op == CODE_ARM)
        i.c = (uint8_t)asm_number(a);
    if (i.op == CODE_ARM && i.c == CODE_ARM_SIGNAL)
        i.a = (uint8_t)asm_named(a, 'o');
    asm_skip(a);
    i.b = i.op == CODE_TO && owner.op == CODE_LEASE ? *a->at != '@' : i.b;
    if (i.op == CODE_ARG && owner.op == CODE_FORMAP)
        i.b = 1;
    const char *known = code_word_sig(&owner, &i);
    REQUIRE(known != NULL);
    memcpy(sig, known, sizeof(sig));
    for (unsigned n = 1; n < 3; n++)
        if (sig[n] == 'n')
            sig[n] = '-';
    asm_operands(a, i, sig);
}

static inline void asm_instr(struct assembler *a, struct str name)
{
    struct instr i = {0};
    while (i.op < CODE_OPS_N - 1 && !asm_is(name, code_ops[i.op].name))
        i.op++;
    LABEL("instruction %.*s", STR_FMT(name));
    REQUIRE(asm_is(name, code_ops[i.op].name));
    if (i.op == CODE_ARG || i.op == CODE_PART || i.op == CODE_ARM || i.op == CODE_TO) {
        asm_word(a, i);
        return;
    }
    a->owner = (uint32_t)chunk_here(&a->b);
    asm_operands(a, i, code_ops[i.op].sig);
}

static inline void asm_chunk_end(struct assembler *a)
{
    if (a->b.name.n == 0)
        return;
    for (size_t u = 0; u < a->uses_n; u++) {
        size_t l = 0;
        while (l < a->labels_n && !str_eq(a->labels[l].name, a->uses[u].name))
            l++;
        LABEL("label %.*s", STR_FMT(a->uses[u].name));
        REQUIRE(l < a->labels_n);
        patch(&a->b, a->uses[u].at, a->labels[l].at);
    }
    chunk_finish(&a->b, asm_chunk(a, a->b.name));
    a->names_n = a->labels_n = a->uses_n = 0;
}

/* fn name(a: int, b: str | captured: int) -> type */
static inline void asm_head(struct assembler *a, bool task)
{
    struct str name = asm_token(a);
    (void)asm_chunk(a, name);
    a->b = (struct chunk_builder){.code = a->w->code, .task = task, .name = name};
    bool captures = false;
    a->at++; /* ( */
    for (asm_skip(a); *a->at != ')'; asm_skip(a)) {
        struct str param = asm_token(a);
        if (asm_is(param, "|")) {
            captures = true;
            continue;
        }
        a->at++; /* : */
        asm_reg_add(a, param, asm_type(a, asm_token(a)));
        a->b.params_n++;
        a->b.captures_n = (uint8_t)(a->b.captures_n + captures);
    }
    a->at++;
    asm_skip(a);
    if (*a->at == '-') {
        a->at += 2;
        a->b.result = asm_type(a, asm_token(a));
    }
}

static inline void asm_line(struct assembler *a)
{
    struct str word = asm_token(a);
    if (word.n == 0)
        return;
    if (asm_is(word, "fn") || asm_is(word, "task")) {
        asm_chunk_end(a);
        asm_head(a, asm_is(word, "task"));
    } else if (asm_is(word, "reg")) {
        struct str name = asm_token(a);
        asm_reg_add(a, name, asm_type(a, asm_token(a)));
    } else if (word.p[0] == '@') {
        a->labels[a->labels_n].name = word;
        a->labels[a->labels_n++].at = chunk_here(&a->b);
    } else {
        asm_instr(a, word);
    }
}

/* Finishes w->program; the test ends if the text is wrong. */
static inline void asm_program(struct asm_world *w, const char *text)
{
    struct assembler a = {.w = w, .at = text};
    if (setjmp(w->alone.ctx.nomem))
        REQUIRE(!"no memory");
    for (uint32_t line = 1; *a.at; line++) {
        a.b.line = line;
        asm_line(&a);
        asm_skip(&a);
        while (*a.at && *a.at != '\n')
            a.at++;
        a.at += *a.at == '\n';
    }
    asm_chunk_end(&a);
    code_finish(w->code, &w->program);
    LABEL(" ");
}
