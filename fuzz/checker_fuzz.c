/* Any text checks; what passes runs: every chunk of every program, on readings that come from the
 * input too. Messages are rendered. */
#include "base/alloc.h"
#include "lang/lang.h"
#include "tests/support/lang_schema.h"

#include <string.h>

struct feed {
    struct lang_host host;
    const struct lang_program *program;
    const uint8_t *data;
    size_t size, at;
    struct str text;
};

static uint64_t feed_u64(struct feed *f)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8 && f->size > 0; i++)
        v = v << 8 | f->data[f->at++ % f->size];
    return v;
}

static void host_read(struct lang_host *h, uint32_t binding, struct lang_sample *out)
{
    struct feed *f = CONTAINER_OF(h, struct feed, host);
    uint64_t v = feed_u64(f);
    *out = (struct lang_sample){.has_value = v & 1, .stale = v & 2};
    switch (f->program->bindings[binding].member_type.kind) {
    case LANG_TYPE_BOOL: out->value.i = (v >> 2) & 1; break;
    case LANG_TYPE_FLOAT: memcpy(&out->value.f, &v, sizeof(v)); break;
    case LANG_TYPE_STR: out->value.s = &f->text; break;
    default: memcpy(&out->value.i, &v, sizeof(v)); break;
    }
}

static enum err host_command(struct lang_host *h, uint32_t binding, uint32_t action,
                             const union lang_slot *args, size_t args_n)
{
    struct feed *f = CONTAINER_OF(h, struct feed, host);
    ASSERT(f->program->bindings[binding].kind == LANG_BIND_OWN ||
           f->program->bindings[binding].kind == LANG_BIND_LEASE);
    ASSERT(action < f->program->bindings[binding].resource->type->commands_n);
    (void)args;
    (void)args_n;
    return ERR_OK;
}

static void host_statement(struct lang_host *h, uint32_t statement, uint32_t level, struct str text)
{
    (void)h;
    (void)text;
    ASSERT(statement == 0 && level < 3);
}

static bool host_slope(struct lang_host *h, uint32_t window, double *out)
{
    struct feed *f = CONTAINER_OF(h, struct feed, host);
    ASSERT(window < f->program->windows_n);
    uint64_t v = feed_u64(f);
    memcpy(out, &v, sizeof(v));
    return v & 1;
}

static int64_t host_now(struct lang_host *h)
{
    (void)h;
    return 0;
}

static void run_chunk(struct lang_vm *vm, uint32_t rule, uint32_t chunk, bool suspends)
{
    struct lang_result out;
    if (chunk == LANG_NO_CHUNK)
        return;
    if (suspends)
        (void)lang_vm_start(vm, chunk, rule);
    else
        (void)lang_vm_call(vm, chunk, &out);
}

static void run_program(const struct lang_program *p, const uint8_t *data, size_t size)
{
    struct feed f = {.host = {.read = host_read,
                              .command = host_command,
                              .statement = host_statement,
                              .slope = host_slope,
                              .now_ms = host_now,
                              .mono_ms = host_now},
                     .program = p,
                     .data = data,
                     .size = size,
                     .text = STR("text")};
    struct lang_limits limits = {.instructions_max = 2000,
                                 .depth_max = 16,
                                 .text_max = 4096,
                                 .heap_max = 1 << 20,
                                 .tasks_max = 16};
    struct lang_vm *vm = lang_vm_new(alloc_system(), p, &f.host, limits);
    ASSERT(vm);
    for (size_t i = 0; i < p->rules_n && i < 64; i++) {
        const struct lang_rule *r = &p->rules[i];
        bool parameter = r->kind == LANG_RULE_MESSAGE;
        run_chunk(vm, (uint32_t)i, r->condition, false);
        run_chunk(vm, (uint32_t)i, parameter ? LANG_NO_CHUNK : r->body, r->suspends);
        run_chunk(vm, (uint32_t)i, r->until_condition, false);
        run_chunk(vm, (uint32_t)i, r->until_body, r->until_suspends);
    }
    struct lang_turn turn;
    for (int i = 0; i < 64 && lang_vm_step(vm, &turn) != LANG_IDLE; i++)
        lang_vm_tick(vm, INT64_MAX);
    lang_vm_free(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 65536)
        return 0;
    struct lang_source sources[2] = {{STR("a.sedge"), {(const char *)data, size}},
                                     {STR("b.sedge"), STR("")}};
    const char *cut = size > 0 ? memchr(data, '\f', size) : NULL; /* two files */
    if (cut) {
        size_t first = (size_t)(cut - (const char *)data);
        sources[0].text.n = first;
        sources[1].text = (struct str){cut + 1, size - first - 1};
    }
    struct lang_site *site;
    if (lang_check(alloc_system(), &test_schema, sources, 2, &site) != ERR_OK)
        return 0;
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    for (size_t i = 0; i < site->diags_n; i++) {
        ASSERT(!str_eq(site->diags[i].code, STR("X1"))); /* the compiler's own mistake */
        lang_diag_render(&out, site, &site->diags[i], i % 2);
    }
    strbuf_fini(&out);
    for (size_t i = 0; i < site->programs_n; i++)
        run_program(site->programs[i], data, size);
    lang_site_free(site);
    return 0;
}
