/* A program as bytes. Each structure is described once, for both ways: io->out is NULL when
 * reading.
 *
 * Reading takes any bytes: numbers that are indices of what the reader itself looks up are held to
 * their bounds here, all others are the verifier's business. What only people and automation need
 * (texts of rules, lines of declarations) is left out. */
#include "lang/code_io_internal.h"

#include "base/cursor.h"
#include "base/vec.h"

#include <string.h>

#define IO_MAGIC   0x31434453u /* "SDC1" */
#define IO_VERSION 1u
#define IO_DEEP    16u

struct io {
    struct strbuf *out;
    struct cursor in;
    struct arena *arena;
    bool failed;
    unsigned deep;
    /* what is referred to by number */
    struct lang_decl **models;
    size_t models_n;
    struct lang_decl **resources;
    size_t resources_n;
    struct lang_typedef **defs;
    size_t defs_n;
};

/* ---- plain values ------------------------------------------------------------------------ */

static void io_bytes(struct io *io, void *p, size_t n)
{
    if (io->out) {
        strbuf_add(io->out, p, n);
        return;
    }
    struct bytes b = cursor_take(&io->in, n);
    if (b.p)
        memcpy(p, b.p, n);
}

static uint64_t io_number(struct io *io, uint64_t v, uint64_t max)
{
    if (io->out) {
        strbuf_add_varint(io->out, v);
        return v;
    }
    v = cursor_varint(&io->in);
    if (v <= max && !io->in.failed)
        return v;
    io->failed = true;
    return 0;
}

#define IO_U8(io, x)              ((x) = (uint8_t)io_number(io, (x), UINT8_MAX))
#define IO_U16(io, x)             ((x) = (uint16_t)io_number(io, (x), UINT16_MAX))
#define IO_U32(io, x)             ((x) = (uint32_t)io_number(io, (x), UINT32_MAX))
#define IO_BOOL(io, x)            ((x) = io_number(io, (x), 1) != 0)
#define IO_ENUM(io, x, type, max) ((x) = (type)io_number(io, (uint64_t)(x), (max)))

static void *io_new(struct io *io, size_t n, size_t size)
{
    void *p = arena_array(io->arena, n + 1, size);
    if (!p)
        io->failed = true;
    return p;
}

static void io_text(struct io *io, struct str *s)
{
    size_t n = (size_t)io_number(io, s->n, cursor_left(&io->in));
    if (io->out) {
        strbuf_addstr(io->out, *s);
        return;
    }
    struct bytes b = cursor_take(&io->in, n);
    *s = arena_str(io->arena, (struct str){(const char *)b.p, b.n});
    if (!s->p)
        *s = STR("");
}

/* An array of n elements: read, there is room for them, if its bytes can hold as many. */
#define IO_ARRAY(io, p, n)                                                                         \
    do {                                                                                           \
        (n) = (size_t)io_number(io, (n), cursor_left(&(io)->in));                                  \
        if (!(io)->out)                                                                            \
            (p) = io_new(io, (n), sizeof(*(p)));                                                   \
        if (!(p))                                                                                  \
            (n) = 0;                                                                               \
    } while (0)

/* ---- what is referred to ----------------------------------------------------------------- */

/* The number of p in a table, from 1; 0 for NULL. */
static uint64_t index_of(void *const *table, size_t n, const void *p)
{
    for (size_t i = 0; p && i < n; i++)
        if (table[i] == p)
            return i + 1;
    return 0;
}

static void *io_pointer(struct io *io, void *const *table, size_t n, const void *p)
{
    uint64_t i = io_number(io, io->out ? index_of(table, n, p) : 0, n);
    return i > 0 ? table[i - 1] : NULL;
}

static const struct lang_decl *io_model(struct io *io, const struct lang_decl *d)
{
    return io_pointer(io, (void *const *)io->models, io->models_n, d);
}

static const struct lang_typedef *io_def(struct io *io, const struct lang_typedef *d)
{
    return io_pointer(io, (void *const *)io->defs, io->defs_n, d);
}

static void table_add(struct io *io, void ***table, size_t *n, const void *p)
{
    if (!p || index_of(*table, *n, p))
        return;
    void **more = io_new(io, *n + 1, sizeof(*more));
    if (!more)
        return;
    if (*n > 0)
        memcpy(more, *table, *n * sizeof(*more));
    more[*n] = (void *)(uintptr_t)p;
    *table = more;
    ++*n;
}

static void collect(struct io *io, const struct lang_program *p)
{
    for (size_t i = 0; i < p->bindings_n; i++) {
        table_add(io, (void ***)&io->resources, &io->resources_n, p->bindings[i].resource);
        table_add(io, (void ***)&io->models, &io->models_n, p->bindings[i].resource->type);
    }
    for (size_t i = 0; i < p->code->types_n; i++) {
        table_add(io, (void ***)&io->models, &io->models_n, p->code->types[i].model);
        table_add(io, (void ***)&io->defs, &io->defs_n, p->code->types[i].def);
    }
}

/* ---- types ------------------------------------------------------------------------------- */

static void io_unit(struct io *io, struct lang_unit *u)
{
    io_text(io, &u->symbol);
    io_bytes(io, u->dim, sizeof(u->dim));
    IO_BOOL(io, u->affine);
    IO_BOOL(io, u->ratio);
    IO_BOOL(io, u->either);
    io_bytes(io, &u->scale, sizeof(u->scale));
    io_bytes(io, &u->offset, sizeof(u->offset));
}

static void io_type(struct io *io, struct lang_type *t)
{
    IO_ENUM(io, t->kind, enum lang_type_kind, LANG_TYPE_FN);
    IO_BOOL(io, t->optional);
    IO_BOOL(io, t->own);
    if (t->kind == LANG_TYPE_FLOAT)
        io_unit(io, &t->unit);
    t->model = io_model(io, t->model);
    t->def = io_def(io, t->def);
    bool needs = (t->kind == LANG_TYPE_HANDLE && !t->model) ||
                 ((t->kind == LANG_TYPE_ENUM || t->kind == LANG_TYPE_RECORD) && !t->def);
    size_t n = t->args_n;
    struct lang_type *args = (struct lang_type *)(uintptr_t)t->args;
    IO_ARRAY(io, args, n);
    static const uint8_t wants[LANG_TYPE_FN + 1] = {
        [LANG_TYPE_LIST] = 1, [LANG_TYPE_MAP] = 2, [LANG_TYPE_CHAN] = 1};
    if (needs || n > CODE_ARGS_MAX + 1 || io->deep >= IO_DEEP ||
        (t->kind == LANG_TYPE_FN ? n == 0 : n != wants[t->kind]))
        io->failed = true;
    if (io->failed)
        return;
    io->deep++;
    for (size_t i = 0; i < n && !io->failed; i++)
        io_type(io, &args[i]);
    io->deep--;
    t->args = args;
    t->args_n = (uint8_t)n;
}

static void io_typedef(struct io *io, struct lang_typedef *d)
{
    struct lang_field *fields = (struct lang_field *)(uintptr_t)d->fields;
    io_text(io, &d->name);
    IO_BOOL(io, d->is_enum);
    IO_ARRAY(io, fields, d->fields_n);
    for (size_t i = 0; i < d->fields_n && !io->failed; i++) {
        io_text(io, &fields[i].name);
        if (!d->is_enum)
            io_type(io, &fields[i].type);
    }
    d->fields = fields;
}

static void io_member(struct io *io, struct lang_member *m)
{
    struct lang_param *params = (struct lang_param *)(uintptr_t)m->params;
    IO_ENUM(io, m->role, enum lang_clause_role, LANG_CLAUSE_SIGNAL);
    io_text(io, &m->name);
    IO_U32(io, m->index);
    io_type(io, &m->type);
    IO_ARRAY(io, params, m->params_n);
    for (size_t i = 0; i < m->params_n && !io->failed; i++) {
        io_text(io, &params[i].name);
        io_type(io, &params[i].type);
    }
    m->params = params;
}

static void io_decl(struct io *io, struct lang_decl *d)
{
    struct lang_member *members = (struct lang_member *)(uintptr_t)d->members;
    io_text(io, &d->name);
    IO_ARRAY(io, members, d->members_n);
    for (size_t i = 0; i < d->members_n && !io->failed; i++)
        io_member(io, &members[i]);
    d->members = members;
}

#define IO_TABLE(io, table, n, fn)                                                                 \
    do {                                                                                           \
        IO_ARRAY(io, table, n);                                                                    \
        for (size_t k = 0; k < (n) && !(io)->out; k++)                                             \
            (table)[k] = io_new(io, 1, sizeof(*(table)[k]));                                       \
        for (size_t k = 0; k < (n) && !(io)->failed; k++)                                          \
            fn(io, (table)[k]);                                                                    \
    } while (0)

static void io_resource(struct io *io, struct lang_decl *d)
{
    io_text(io, &d->name);
    d->type = io_model(io, d->type);
    io->failed |= !d->type;
}

/* A definition may name another one, so all of them exist before the first is read. */
static void io_tables(struct io *io)
{
    io->models_n = (size_t)io_number(io, io->models_n, 4096);
    io->defs_n = (size_t)io_number(io, io->defs_n, CODE_TYPES_MAX);
    if (!io->out) {
        io->models = io_new(io, io->models_n, sizeof(*io->models));
        io->defs = io_new(io, io->defs_n, sizeof(*io->defs));
        for (size_t i = 0; i < io->models_n && !io->failed; i++)
            io->models[i] = io_new(io, 1, sizeof(**io->models));
        for (size_t i = 0; i < io->defs_n && !io->failed; i++)
            io->defs[i] = io_new(io, 1, sizeof(**io->defs));
    }
    for (size_t i = 0; i < io->defs_n && !io->failed; i++)
        io_typedef(io, io->defs[i]);
    for (size_t i = 0; i < io->models_n && !io->failed; i++)
        io_decl(io, io->models[i]);
    IO_TABLE(io, io->resources, io->resources_n, io_resource);
}

/* ---- the program ------------------------------------------------------------------------- */

static void io_binding(struct io *io, struct lang_binding *b)
{
    IO_ENUM(io, b->kind, enum lang_binding_kind, LANG_BIND_SIGNAL);
    io_text(io, &b->name);
    io_text(io, &b->path);
    b->resource = io_pointer(io, (void *const *)io->resources, io->resources_n, b->resource);
    io->failed |= !b->resource;
    IO_U32(io, b->member);
    io_text(io, &b->member_name);
    io_type(io, &b->member_type);
}

static void io_var(struct io *io, struct lang_var *v)
{
    io_text(io, &v->name);
    io_text(io, &v->path);
    io_type(io, &v->type);
    io_bytes(io, &v->initial, sizeof(v->initial));
    io_text(io, &v->initial_text);
    if (!io->out && v->type.kind > LANG_TYPE_TIME && v->type.kind != LANG_TYPE_ENUM)
        v->initial = (union lang_slot){0};
}

static void io_rule(struct io *io, struct lang_rule *r)
{
    IO_ENUM(io, r->kind, enum lang_rule_kind, LANG_RULE_IDLE);
    io_text(io, &r->path);
    IO_U32(io, r->condition);
    IO_U32(io, r->body);
    IO_U32(io, r->until_condition);
    IO_U32(io, r->until_body);
    IO_BOOL(io, r->suspends);
    IO_BOOL(io, r->until_suspends);
}

static void io_lease(struct io *io, struct lang_lease *l)
{
    IO_U32(io, l->binding);
    io_text(io, &l->path);
    io_text(io, &l->from);
}

static void io_window(struct io *io, struct lang_window *w)
{
    IO_U32(io, w->binding);
    io_bytes(io, &w->duration_ms, sizeof(w->duration_ms));
}

#define IO_EACH(io, type, field, n, fn)                                                            \
    do {                                                                                           \
        type *all_ = (type *)(uintptr_t)(field);                                                   \
        IO_ARRAY(io, all_, n);                                                                     \
        for (size_t k_ = 0; k_ < (n) && !(io)->failed; k_++)                                       \
            fn(io, &all_[k_]);                                                                     \
        (field) = all_;                                                                            \
    } while (0)

static void io_program(struct io *io, struct lang_program *p)
{
    io_text(io, &p->name);
    io_bytes(io, &p->code_hash, sizeof(p->code_hash));
    IO_EACH(io, struct lang_binding, p->bindings, p->bindings_n, io_binding);
    IO_EACH(io, struct lang_var, p->vars, p->vars_n, io_var);
    IO_EACH(io, struct lang_rule, p->rules, p->rules_n, io_rule);
    IO_EACH(io, struct lang_lease, p->leases, p->leases_n, io_lease);
    IO_EACH(io, struct lang_window, p->windows, p->windows_n, io_window);
}

/* ---- its code ---------------------------------------------------------------------------- */

static void io_code_type(struct io *io, struct code_type *t)
{
    IO_U8(io, t->kind);
    IO_BOOL(io, t->own);
    IO_U8(io, t->args_n);
    IO_U16(io, t->a);
    IO_U16(io, t->b);
    t->model = io_model(io, t->model);
    t->def = io_def(io, t->def);
}

static void io_u16(struct io *io, uint16_t *v)
{
    IO_U16(io, *v);
}

static void io_layout(struct io *io, struct heap_layout *l)
{
    IO_U16(io, l->slots);
    io_bytes(io, &l->refs, sizeof(l->refs));
}

static void io_int(struct io *io, int64_t *v)
{
    io_bytes(io, v, sizeof(*v));
}

static void io_float(struct io *io, double *v)
{
    io_bytes(io, v, sizeof(*v));
}

static void io_line(struct io *io, uint32_t *v)
{
    IO_U32(io, *v);
}

static void io_instr(struct io *io, struct instr *i)
{
    io_bytes(io, i, sizeof(*i));
}

static void io_chunk(struct io *io, struct lang_chunk *c)
{
    size_t code_n = c->code_n, lines_n = c->code_n, regs_n = c->regs_n;
    io_text(io, &c->name);
    IO_EACH(io, struct instr, c->code, code_n, io_instr);
    IO_EACH(io, uint32_t, c->lines, lines_n, io_line);
    IO_EACH(io, uint16_t, c->reg_types, regs_n, io_u16);
    io->failed |= lines_n != code_n || regs_n > CODE_REGS_MAX || code_n > CODE_CHUNK_MAX;
    c->code_n = (uint32_t)code_n;
    c->regs_n = (uint8_t)regs_n;
    IO_U8(io, c->zero_from);
    IO_U8(io, c->params_n);
    IO_U8(io, c->captures_n);
    IO_U16(io, c->result);
    IO_U16(io, c->layout);
    IO_BOOL(io, c->task);
    io_bytes(io, c->refs, sizeof(c->refs));
    io_bytes(io, c->owns, sizeof(c->owns));
}

static void io_code(struct io *io, struct lang_code *c)
{
    IO_EACH(io, struct code_type, c->types, c->types_n, io_code_type);
    IO_EACH(io, uint16_t, c->type_args, c->type_args_n, io_u16);
    IO_EACH(io, struct heap_layout, c->layouts, c->layouts_n, io_layout);
    IO_EACH(io, int64_t, c->ints, c->ints_n, io_int);
    IO_EACH(io, double, c->floats, c->floats_n, io_float);
    IO_EACH(io, struct lang_unit, c->units, c->units_n, io_unit);
    IO_EACH(io, struct str, c->texts, c->texts_n, io_text);
    IO_U32(io, c->init);
    IO_EACH(io, struct lang_chunk, c->chunks, c->chunks_n, io_chunk);
}

/* One for each variable, whatever the bytes say about their number. */
static void io_var_types(struct io *io, const struct lang_program *p, struct lang_code *c)
{
    uint16_t *types = (uint16_t *)(uintptr_t)c->var_types;
    if (!io->out)
        types = io_new(io, p->vars_n, sizeof(*types));
    for (size_t i = 0; i < p->vars_n && !io->failed; i++)
        IO_U16(io, types[i]);
    c->var_types = types;
}

static void io_all(struct io *io, struct lang_program *p, struct lang_code *c)
{
    uint32_t magic = IO_MAGIC, version = IO_VERSION;
    io_bytes(io, &magic, sizeof(magic));
    IO_U32(io, version);
    io->failed |= magic != IO_MAGIC || version != IO_VERSION;
    if (!io->failed)
        io_tables(io);
    if (!io->failed)
        io_program(io, p);
    if (!io->failed)
        io_code(io, c);
    if (!io->failed)
        io_var_types(io, p, c);
}

enum err code_write(struct arena *scratch, const struct lang_program *program, struct strbuf *out)
{
    struct io io = {.out = out, .arena = scratch};
    struct lang_program p = *program;
    struct lang_code c = *program->code;
    collect(&io, program);
    io_all(&io, &p, &c);
    return io.failed || out->failed || scratch->failed ? ERR_NOMEM : ERR_OK;
}

/* What is not written but follows. */
static void complete(struct lang_program *p, struct lang_decl *const *models, size_t models_n)
{
    p->chunks_n = p->code->chunks_n;
    for (size_t i = 0; i < p->chunks_n; i++)
        p->instructions_n += p->code->chunks[i].code_n;
    for (size_t i = 0; i < models_n; i++)
        for (size_t m = 0; m < models[i]->members_n; m++) {
            enum lang_clause_role role = models[i]->members[m].role;
            models[i]->commands_n += role == LANG_CLAUSE_COMMAND;
            models[i]->readables_n += role == LANG_CLAUSE_READABLE;
            models[i]->signals_n += role == LANG_CLAUSE_SIGNAL;
        }
}

enum err code_load(struct arena *a, struct str bytes, struct lang_program **out)
{
    struct io io = {.in = cursor_from(bytes.p, bytes.n), .arena = a};
    struct lang_program *p = arena_new(a, sizeof(*p));
    struct lang_code *c = arena_new(a, sizeof(*c));
    if (!p || !c)
        return ERR_NOMEM;
    io_all(&io, p, c);
    if (a->failed)
        return ERR_NOMEM;
    if (io.failed || io.in.failed || cursor_left(&io.in) > 0)
        return ERR_CORRUPT;
    p->code = c;
    complete(p, io.models, io.models_n);
    *out = p;
    return ERR_OK;
}
