/* The builder of bytecode: types, constants, registers, chunks. */
#include "base/map.h"
#include "lang/code_internal.h"
#include "lang/heap.h"

#include <string.h>

struct code *code_new(struct lang_ctx *c)
{
    struct code *code = ctx_tree_new(c, sizeof(*code));
    code->c = c;
    code->init = LANG_NO_CHUNK;
    static const uint8_t first[] = {[CODE_TYPE_NONE] = CODE_KIND_NONE,
                                    [CODE_TYPE_BOOL] = CODE_KIND_BOOL,
                                    [CODE_TYPE_INT] = CODE_KIND_INT,
                                    [CODE_TYPE_FLOAT] = CODE_KIND_FLOAT,
                                    [CODE_TYPE_STR] = CODE_KIND_STR};
    for (size_t i = 0; i < sizeof(first); i++)
        ctx_tree_push(c, &code->types, (struct code_type){.kind = first[i]});
    return code;
}

/* ---- types ------------------------------------------------------------------------------- */

static bool type_equal(const struct code *code, const struct code_type *x,
                       const struct code_type *y)
{
    if (x->kind != y->kind || x->own != y->own || x->model != y->model || x->def != y->def)
        return false;
    if (x->kind == CODE_KIND_RECORD)
        return true; /* there is one for each definition */
    if (x->kind == CODE_KIND_FN)
        return x->args_n == y->args_n && x->b == y->b &&
               (x->args_n == 0 || memcmp(&code->type_args.v[x->a], &code->type_args.v[y->a],
                                         x->args_n * sizeof(uint16_t)) == 0);
    return x->a == y->a && x->b == y->b;
}

static uint16_t type_add(struct code *code, struct code_type t)
{
    for (size_t i = 0; i < code->types.n; i++)
        if (type_equal(code, &code->types.v[i], &t))
            return (uint16_t)i;
    if (code->types.n >= CODE_TYPES_MAX)
        return CODE_TYPE_NONE; /* code_finish() says so */
    ctx_tree_push(code->c, &code->types, t);
    return (uint16_t)(code->types.n - 1);
}

static uint16_t layout_add(struct code *code, struct heap_layout l)
{
    for (size_t i = 0; i < code->layouts.n; i++)
        if (code->layouts.v[i].slots == l.slots && code->layouts.v[i].refs == l.refs)
            return (uint16_t)i;
    ctx_tree_push(code->c, &code->layouts, l);
    return (uint16_t)(code->layouts.n - 1);
}

static bool is_ref(const struct code *code, uint16_t type)
{
    return code_kind_ref(code->types.v[type].kind);
}

/* A record may contain itself: its number is known before its fields are looked at. */
static uint16_t record_type(struct code *code, const struct lang_typedef *def)
{
    for (size_t i = 0; i < code->types.n; i++)
        if (code->types.v[i].kind == CODE_KIND_RECORD && code->types.v[i].def == def)
            return (uint16_t)i;
    size_t first = code->type_args.n;
    for (size_t i = 0; i < def->fields_n; i++)
        ctx_tree_push(code->c, &code->type_args, CODE_TYPE_NONE);
    uint16_t t = type_add(code, (struct code_type){.kind = CODE_KIND_RECORD,
                                                   .def = def,
                                                   .args_n = (uint8_t)def->fields_n,
                                                   .a = (uint16_t)first});
    struct heap_layout l = {.slots = (uint16_t)def->fields_n};
    for (size_t i = 0; i < def->fields_n && t != CODE_TYPE_NONE; i++) {
        uint16_t field = code_type(code, &def->fields[i].type);
        code->type_args.v[first + i] = field;
        if (is_ref(code, field))
            l.refs |= UINT64_C(1) << i;
    }
    if (t != CODE_TYPE_NONE)
        code->types.v[t].b = layout_add(code, l);
    return t;
}

static uint16_t fn_type(struct code *code, const struct lang_type *t)
{
    uint16_t args[CODE_ARGS_MAX + 1];
    ASSERT(t->args_n >= 1 && t->args_n <= CODE_ARGS_MAX + 1);
    for (size_t i = 0; i < t->args_n; i++)
        args[i] = code_type(code, &t->args[i]);
    size_t first = code->type_args.n;
    for (size_t i = 0; i + 1 < t->args_n; i++)
        ctx_tree_push(code->c, &code->type_args, args[i]);
    return type_add(code, (struct code_type){.kind = CODE_KIND_FN,
                                             .args_n = (uint8_t)(t->args_n - 1),
                                             .a = (uint16_t)first,
                                             .b = args[t->args_n - 1]});
}

uint16_t code_type(struct code *code, const struct lang_type *t)
{
    switch (t->kind) {
    case LANG_TYPE_NONE: return CODE_TYPE_NONE;
    case LANG_TYPE_BOOL: return CODE_TYPE_BOOL;
    case LANG_TYPE_INT:
    case LANG_TYPE_TIME: return CODE_TYPE_INT;
    case LANG_TYPE_FLOAT: return CODE_TYPE_FLOAT;
    case LANG_TYPE_STR: return CODE_TYPE_STR;
    case LANG_TYPE_HANDLE: return code_type_handle(code, t->model, false);
    case LANG_TYPE_ENUM:
        return type_add(code, (struct code_type){.kind = CODE_KIND_ENUM, .def = t->def});
    case LANG_TYPE_RECORD: return record_type(code, t->def);
    case LANG_TYPE_LIST:
        return type_add(
            code, (struct code_type){.kind = CODE_KIND_LIST, .a = code_type(code, &t->args[0])});
    case LANG_TYPE_MAP: {
        uint16_t key = code_type(code, &t->args[0]);
        return type_add(
            code,
            (struct code_type){.kind = CODE_KIND_MAP, .a = key, .b = code_type(code, &t->args[1])});
    }
    case LANG_TYPE_CHAN: {
        uint16_t of =
            t->own ? code_type_handle(code, t->args[0].model, true) : code_type(code, &t->args[0]);
        return type_add(code, (struct code_type){.kind = CODE_KIND_CHAN, .a = of});
    }
    case LANG_TYPE_FN: return fn_type(code, t);
    }
    return CODE_TYPE_NONE;
}

uint16_t code_type_handle(struct code *code, const struct lang_decl *model, bool own)
{
    return type_add(code, (struct code_type){.kind = CODE_KIND_HANDLE, .own = own, .model = model});
}

/* ---- constants: equal ones among the latest are shared ----------------------------------- */

#define SHARE_LOOK_BACK 32u

int32_t const_int(struct code *code, int64_t v)
{
    for (size_t i = code->ints.n; i > 0 && i + SHARE_LOOK_BACK > code->ints.n; i--)
        if (code->ints.v[i - 1] == v)
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->ints, v);
    return (int32_t)(code->ints.n - 1);
}

/* Bit for bit, so that 0.0 is not -0.0 and a NaN is itself. */
static bool same_bits(double a, double b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return x == y;
}

int32_t const_float(struct code *code, double v)
{
    for (size_t i = code->floats.n; i > 0 && i + SHARE_LOOK_BACK > code->floats.n; i--)
        if (same_bits(code->floats.v[i - 1], v))
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->floats, v);
    return (int32_t)(code->floats.n - 1);
}

int32_t const_text(struct code *code, struct str v)
{
    for (size_t i = code->texts.n; i > 0 && i + SHARE_LOOK_BACK > code->texts.n; i--)
        if (str_eq(code->texts.v[i - 1], v))
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->texts, ctx_str(code->c, v));
    return (int32_t)(code->texts.n - 1);
}

static bool unit_equal(const struct lang_unit *a, const struct lang_unit *b)
{
    return lang_unit_same_dim(a, b) && str_eq(a->symbol, b->symbol) &&
           same_bits(a->scale, b->scale) && same_bits(a->offset, b->offset);
}

int32_t const_unit(struct code *code, const struct lang_unit *u)
{
    for (size_t i = code->units.n; i > 0 && i + SHARE_LOOK_BACK > code->units.n; i--)
        if (unit_equal(&code->units.v[i - 1], u))
            return (int32_t)(i - 1);
    ctx_tree_push(code->c, &code->units, *u);
    return (int32_t)(code->units.n - 1);
}

/* ---- registers and instructions ---------------------------------------------------------- */

static void too_large(struct chunk_builder *b)
{
    if (!b->full)
        (void)diag_error(b->code->c, "P1", b->span, "too large",
                         "this is too large: move parts of it into functions");
    b->full = true;
}

uint8_t reg_take(struct chunk_builder *b, uint16_t type)
{
    for (size_t i = 0; i < b->reg_types.n; i++)
        if (b->reg_types.v[i] == type && !b->reg_used[i]) {
            b->reg_used[i] = true;
            return (uint8_t)i;
        }
    if (b->reg_types.n >= CODE_REGS_MAX) {
        too_large(b);
        return 0;
    }
    ctx_tree_push(b->code->c, &b->reg_types, type);
    b->reg_used[b->reg_types.n - 1] = true;
    return (uint8_t)(b->reg_types.n - 1);
}

void reg_give(struct chunk_builder *b, uint8_t reg)
{
    if (reg < CODE_REGS_MAX)
        b->reg_used[reg] = false;
}

size_t emit(struct chunk_builder *b, enum code_op op, uint8_t ra, uint8_t rb, uint8_t rc, int32_t d)
{
    if (b->all.n >= CODE_CHUNK_MAX)
        too_large(b);
    if (b->full)
        return 0;
    ctx_tree_push(b->code->c, &b->all, (struct instr){(uint8_t)op, ra, rb, rc, d});
    ctx_tree_push(b->code->c, &b->lines, b->line);
    return b->all.n - 1;
}

void patch(struct chunk_builder *b, size_t jump, size_t target)
{
    if (!b->full)
        b->all.v[jump].d = (int32_t)target;
}

void patch_here(struct chunk_builder *b, size_t jump)
{
    patch(b, jump, b->all.n);
}

/* ---- chunks ------------------------------------------------------------------------------ */

uint32_t chunk_reserve(struct code *code)
{
    ctx_tree_push(code->c, &code->chunks, (struct lang_chunk){0});
    return (uint32_t)(code->chunks.n - 1);
}

/* The builder's numbers to those of the finished chunk. */
struct numbering {
    uint8_t to[256];
};

static bool is_scalar(const struct code *code, uint16_t type)
{
    return code->types.v[type].kind < CODE_KIND_HANDLE;
}

static struct numbering number_registers(const struct chunk_builder *b, struct lang_chunk *c)
{
    struct numbering n = {{0}};
    uint16_t *types = ctx_array(b->code->c, b->reg_types.n + 1, sizeof(*types));
    uint8_t next = 0;
    for (int pass = 0; pass < 3; pass++) {
        if (pass == 2)
            c->zero_from = next;
        for (size_t i = 0; i < b->reg_types.n; i++) {
            bool param = i < b->params_n, scalar = is_scalar(b->code, b->reg_types.v[i]);
            if (pass != (param ? 0 : scalar ? 1 : 2))
                continue;
            types[next] = b->reg_types.v[i];
            n.to[i] = next++;
        }
    }
    c->regs_n = next;
    c->reg_types = types;
    for (unsigned i = 0; i < CODE_ARGS_MAX; i++)
        n.to[CODE_WINDOW(i)] = (uint8_t)(next + i);
    return n;
}

static bool is_call(const struct instr *i)
{
    return i->op == CODE_CALL || i->op == CODE_CALLV || i->op == CODE_CALLC || i->op == CODE_CALLCV;
}

static void finish_instr(struct instr *i, const char *sig, size_t at, const struct numbering *n)
{
    if (is_call(i))
        i->c = n->to[CODE_WINDOW(0)]; /* where the callee's registers begin */
    if (code_is_reg(sig[0]))
        i->a = n->to[i->a];
    if (code_is_reg(sig[1]))
        i->b = n->to[i->b];
    if (code_is_reg(sig[2]))
        i->c = n->to[i->c];
    if (sig[3] == 'i')
        i->d = n->to[i->d];
    if (sig[3] == 'j' || sig[3] == 'l')
        i->d -= (int32_t)at + 1;
}

static void finish_code(struct chunk_builder *b, const struct numbering *n)
{
    for (size_t at = 0; at < b->all.n;) {
        struct instr *i = &b->all.v[at];
        unsigned words = code_words(i);
        for (unsigned w = 1; w <= words && at + w < b->all.n; w++) {
            const char *sig = code_word_sig(i, &i[w]);
            ASSERT(i[w].op == code_word_op(i, w - 1) && sig);
            finish_instr(&i[w], sig, at + w, n);
        }
        finish_instr(i, code_ops[i->op].sig, at, n);
        at += 1 + words;
    }
}

void code_chunk_masks(struct lang_chunk *c, const struct code_type *types)
{
    memset(c->refs, 0, sizeof(c->refs));
    memset(c->owns, 0, sizeof(c->owns));
    for (unsigned i = 0; i < c->regs_n; i++) {
        const struct code_type *t = &types[c->reg_types[i]];
        if (code_kind_ref(t->kind))
            c->refs[i / 64] |= UINT64_C(1) << i % 64;
        if (t->kind == CODE_KIND_HANDLE && t->own)
            c->owns[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static uint16_t closure_layout(struct code *code, const struct lang_chunk *c)
{
    struct heap_layout l = {.slots = (uint16_t)(1 + c->captures_n)};
    for (unsigned i = 0; i < c->captures_n; i++)
        if (is_ref(code, c->reg_types[c->params_n - c->captures_n + i]))
            l.refs |= UINT64_C(2) << i;
    return layout_add(code, l);
}

void chunk_finish(struct chunk_builder *b, uint32_t chunk)
{
    struct lang_chunk c = {.params_n = b->params_n,
                           .captures_n = b->captures_n,
                           .result = b->result,
                           .task = b->task,
                           .name = b->name};
    if (!b->full) {
        struct numbering n = number_registers(b, &c);
        finish_code(b, &n);
        code_chunk_masks(&c, b->code->types.v);
        c.layout = closure_layout(b->code, &c);
    }
    struct lang_ctx *x = b->code->c;
    c.code = ctx_kept(x, &b->all);
    c.code_n = (uint32_t)b->all.n;
    c.lines = ctx_kept(x, &b->lines);
    c.places = ctx_kept(x, &b->places);
    c.places_n = (uint32_t)b->places.n;
    c.source = b->span.source;
    b->code->chunks.v[chunk] = c;
    vec_fini(&x->tree_alloc, &b->all);
    vec_fini(&x->tree_alloc, &b->lines);
    vec_fini(&x->tree_alloc, &b->places);
    vec_fini(&x->tree_alloc, &b->reg_types);
}

/* ---- the finished program ---------------------------------------------------------------- */

static uint64_t hash_str(uint64_t h, struct str s)
{
    h = hash_bytes(&s.n, sizeof(s.n), h);
    return hash_bytes(s.p, s.n, h);
}

static uint64_t hash_i64(uint64_t h, int64_t v)
{
    return hash_bytes(&v, sizeof(v), h);
}

static uint64_t hash_type(uint64_t h, const struct lang_type *t)
{
    return hash_str(h, lang_type_name(t));
}

static uint64_t hash_rules(uint64_t h, const struct lang_program *p)
{
    for (size_t i = 0; i < p->rules_n; i++) {
        const struct lang_rule *r = &p->rules[i];
        const int64_t numbers[] = {r->kind,       r->hold_ms, r->until_hold_ms,   r->every_ms,
                                   r->condition,  r->body,    r->until_condition, r->until_body,
                                   r->mode,       r->at_s,    r->at_days,         r->missed,
                                   r->queued_max, r->signal};
        h = hash_str(h, r->path);
        h = hash_bytes(numbers, sizeof(numbers), h);
        h = hash_str(h, r->subject);
    }
    return h;
}

static uint64_t hash_code(uint64_t h, const struct lang_code *c)
{
    for (size_t i = 0; i < c->chunks_n; i++) {
        const struct lang_chunk *k = &c->chunks[i];
        h = hash_bytes(k->code, k->code_n * sizeof(struct instr), h);
        h = hash_bytes(k->reg_types, k->regs_n * sizeof(*k->reg_types), h);
        const int64_t head[] = {k->zero_from, k->params_n, k->captures_n,
                                k->result,    k->layout,   k->task};
        h = hash_bytes(head, sizeof(head), h);
    }
    for (size_t i = 0; i < c->types_n; i++) {
        const struct code_type *t = &c->types[i];
        const int64_t numbers[] = {t->kind, t->own, t->args_n, t->a, t->b};
        h = hash_bytes(numbers, sizeof(numbers), h);
        for (size_t f = 0; t->def && f < t->def->fields_n; f++)
            h = hash_str(h, t->def->fields[f].name);
    }
    h = hash_bytes(c->ints, c->ints_n * sizeof(*c->ints), h);
    h = hash_bytes(c->floats, c->floats_n * sizeof(*c->floats), h);
    for (size_t i = 0; i < c->texts_n; i++)
        h = hash_str(h, c->texts[i]);
    for (size_t i = 0; i < c->units_n; i++)
        h = hash_str(h, c->units[i].symbol);
    return h;
}

static uint64_t program_hash(const struct lang_program *p)
{
    uint64_t h = hash_code(hash_str(1, p->name), p->code);
    for (size_t i = 0; i < p->bindings_n; i++) {
        h = hash_i64(h, p->bindings[i].kind);
        h = hash_str(h, p->bindings[i].resource->name);
        h = hash_str(h, p->bindings[i].member_name);
        h = hash_i64(h, p->bindings[i].stale_ms);
    }
    for (size_t i = 0; i < p->vars_n; i++) {
        h = hash_str(h, p->vars[i].path);
        h = hash_type(h, &p->vars[i].type);
    }
    for (size_t i = 0; i < p->windows_n; i++)
        h = hash_i64(h, p->windows[i].duration_ms);
    for (size_t i = 0; i < p->leases_n; i++) {
        h = hash_str(h, p->leases[i].path);
        h = hash_i64(h, p->leases[i].for_ms);
        h = hash_i64(h, p->leases[i].wait_ms);
    }
    for (size_t i = 0; i < p->lends_n; i++) {
        h = hash_str(h, p->lends[i].to);
        h = hash_i64(h, p->lends[i].binding);
        h = hash_i64(h, p->lends[i].priority);
        h = hash_i64(h, p->lends[i].max_ms);
    }
    return hash_rules(h, p);
}

void code_finish(struct code *code, struct lang_program *program)
{
    struct lang_code *c = ctx_new(code->c, sizeof(*c));
    uint16_t *var_types = ctx_array(code->c, program->vars_n + 1, sizeof(*var_types));
    for (size_t i = 0; i < program->vars_n; i++)
        var_types[i] = code_type(code, &program->vars[i].type);
    *c = (struct lang_code){.chunks = ctx_kept(code->c, &code->chunks),
                            .chunks_n = code->chunks.n,
                            .types = ctx_kept(code->c, &code->types),
                            .types_n = code->types.n,
                            .type_args = ctx_kept(code->c, &code->type_args),
                            .type_args_n = code->type_args.n,
                            .layouts = ctx_kept(code->c, &code->layouts),
                            .layouts_n = code->layouts.n,
                            .var_types = var_types,
                            .ints = ctx_kept(code->c, &code->ints),
                            .ints_n = code->ints.n,
                            .floats = ctx_kept(code->c, &code->floats),
                            .floats_n = code->floats.n,
                            .texts = ctx_kept(code->c, &code->texts),
                            .texts_n = code->texts.n,
                            .units = ctx_kept(code->c, &code->units),
                            .units_n = code->units.n,
                            .init = code->init};
    program->code = c;
    program->chunks_n = c->chunks_n;
    program->instructions_n = 0;
    for (size_t i = 0; i < c->chunks_n; i++)
        program->instructions_n += c->chunks[i].code_n;
    program->code_hash = program_hash(program);
    vec_fini(&code->c->tree_alloc, &code->chunks);
    vec_fini(&code->c->tree_alloc, &code->types);
}
