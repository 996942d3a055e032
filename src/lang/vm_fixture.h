/* vm_fixture: for tests of the machine: a host that answers from a table and writes down what it is
 * told, around a program of asm_fixture.h. */
#pragma once

#include "lang/asm_fixture.h"
#include "lang/vm_internal.h"

struct vm_rig {
    struct asm_world world;
    struct lang_host host;
    struct lang_vm *vm;
    struct strbuf log;
    struct lang_sample readings[8];
    struct str texts[8];
    enum err command_result;
    int64_t mono_ms;
    uint32_t lease_id; /* the latest that was asked for */
    int lease_answer;  /* at once: an enum lang_lease_news; -1: none */
    struct lang_result result;
    struct lang_turn turn;
};

static inline struct vm_rig *rig_of(struct lang_host *h)
{
    return CONTAINER_OF(h, struct vm_rig, host);
}

static inline void rig_read(struct lang_host *h, uint32_t binding, struct lang_sample *out)
{
    *out = rig_of(h)->readings[binding];
}

static inline void rig_read_handle(struct lang_host *h, uint32_t binding, uint32_t member,
                                   struct lang_sample *out)
{
    (void)h;
    CHECK_EQ_UINT(member, 0);
    *out = (struct lang_sample){.value.f = 10.0 * (binding + 1), .has_value = true};
}

static inline enum err rig_command(struct lang_host *h, uint32_t binding, uint32_t action,
                                   const union lang_slot *args, size_t args_n)
{
    struct vm_rig *r = rig_of(h);
    strbuf_addf(&r->log, "%.*s.%u(", STR_FMT(r->world.bindings[binding].name), action);
    if (args_n == 2)
        strbuf_addf(&r->log, "%g, %.*s", args[0].f, STR_FMT(*args[1].s));
    strbuf_adds(&r->log, ");");
    return r->command_result;
}

static inline void rig_statement(struct lang_host *h, uint32_t statement, uint32_t level,
                                 struct str text)
{
    strbuf_addf(&rig_of(h)->log, "say%u.%u %.*s;", statement, level, STR_FMT(text));
}

static inline bool rig_slope(struct lang_host *h, uint32_t window, double *out)
{
    (void)h;
    *out = 2;
    return window == 0;
}

static inline int64_t rig_now(struct lang_host *h)
{
    return 1000000 + rig_of(h)->mono_ms;
}

static inline int64_t rig_mono(struct lang_host *h)
{
    return rig_of(h)->mono_ms;
}

static inline double rig_random(struct lang_host *h)
{
    (void)h;
    return 0.25;
}

static inline void rig_lease(struct lang_host *h, uint32_t id, uint32_t lease, int64_t for_ms,
                             int64_t wait_ms)
{
    struct vm_rig *r = rig_of(h);
    CHECK_EQ_UINT(lease, 0);
    strbuf_addf(&r->log, "lease %d %d;", (int)for_ms, (int)wait_ms);
    r->lease_id = id;
    if (r->lease_answer >= 0)
        lang_vm_lease(r->vm, id, (enum lang_lease_news)r->lease_answer, STR("at once"));
}

static inline void rig_release(struct lang_host *h, uint32_t id, bool crashed)
{
    (void)id;
    strbuf_addf(&rig_of(h)->log, "release%s;", crashed ? "!" : "");
}

static inline enum err rig_revoke(struct lang_host *h, uint32_t binding)
{
    struct vm_rig *r = rig_of(h);
    strbuf_addf(&r->log, "revoke %.*s;", STR_FMT(r->world.bindings[binding].name));
    return ERR_OK;
}

static inline void rig_safe(struct lang_host *h, uint32_t binding)
{
    struct vm_rig *r = rig_of(h);
    strbuf_addf(&r->log, "safe %.*s;", STR_FMT(r->world.bindings[binding].name));
}

static inline void rig_publish(struct lang_host *h, struct str subject, struct str value)
{
    strbuf_addf(&rig_of(h)->log, "publish %.*s %zu;", STR_FMT(subject), value.n);
}

/* A host with readings: 25 °C, true, "busy". */
static inline void rig_init(struct vm_rig *r)
{
    *r = (struct vm_rig){.lease_answer = -1};
    r->host = (struct lang_host){.read = rig_read,
                                 .command = rig_command,
                                 .statement = rig_statement,
                                 .slope = rig_slope,
                                 .now_ms = rig_now,
                                 .random = rig_random,
                                 .mono_ms = rig_mono,
                                 .read_handle = rig_read_handle,
                                 .lease = rig_lease,
                                 .release = rig_release,
                                 .revoke = rig_revoke,
                                 .safe = rig_safe,
                                 .publish = rig_publish};
    r->texts[5] = STR("busy");
    r->readings[3] = (struct lang_sample){.value.f = 25, .has_value = true};
    r->readings[4] = (struct lang_sample){.value.i = 1, .has_value = true};
    r->readings[5] = (struct lang_sample){.value.s = &r->texts[5], .has_value = true};
    strbuf_init(&r->log, alloc_system(), 0);
    asm_world_init(&r->world);
}

static inline void rig_verify(struct vm_rig *r)
{
    struct code_fault f = code_verify(alloc_system(), &r->world.program);
    if (f.why)
        LABEL("chunk %u at %u", f.chunk, f.at);
    REQUIRE(CHECK_EQ_STR(f.why ? f.why : "", ""));
}

static inline void rig_open_limits(struct vm_rig *r, const char *text, struct lang_limits limits)
{
    rig_init(r);
    asm_program(&r->world, text);
    rig_verify(r);
    r->vm = lang_vm_new(alloc_system(), &r->world.program, &r->host, limits);
    REQUIRE(r->vm != NULL);
}

static inline void rig_open(struct vm_rig *r, const char *text)
{
    rig_open_limits(r, text, lang_limits_default());
}

static inline void rig_close(struct vm_rig *r)
{
    lang_vm_free(r->vm);
    strbuf_fini(&r->log);
    asm_world_fini(&r->world);
}

static inline enum lang_outcome rig_call(struct vm_rig *r)
{
    return lang_vm_call(r->vm, 0, &r->result);
}

/* All turns until none is ready; their outcomes: d one, t rap, s uspended, o ut of budget. */
static inline const char *rig_steps(struct vm_rig *r)
{
    static char seen[64];
    size_t n = 0;
    while (n + 1 < sizeof(seen) && lang_vm_step(r->vm, &r->turn) != LANG_IDLE)
        seen[n++] = "dotsi"[r->turn.result.outcome];
    seen[n] = '\0';
    return seen;
}

/* A variable by name, as text; until the next call. */
static inline const char *rig_var(struct vm_rig *r, const char *name)
{
    static char text[512];
    struct strbuf out;
    strbuf_init(&out, alloc_system(), sizeof(text));
    for (uint32_t i = 0; i < r->world.program.vars_n; i++)
        if (asm_is(r->world.vars[i].name, name))
            lang_vm_var_print(r->vm, i, &out);
    (void)snprintf(text, sizeof(text), "%s", out.p);
    strbuf_fini(&out);
    return text;
}

/* What was written down since the last look. */
static inline const char *rig_log(struct vm_rig *r)
{
    static char text[1024];
    (void)snprintf(text, sizeof(text), "%s", r->log.p);
    strbuf_reset(&r->log);
    return text;
}
