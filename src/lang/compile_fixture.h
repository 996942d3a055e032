/* compile_fixture: a program from source, and a host that answers from tables and writes down what
 * it is told; time passes only when nothing is ready. */
#pragma once

#include "lang/lang_fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STAGE_BINDINGS 24u
#define STAGE_TURNS    400u

struct stage {
    struct lang_host host;
    struct lang_site *site;
    const struct lang_program *program;
    struct lang_vm *vm;
    struct lang_sample readings[STAGE_BINDINGS];
    bool busy[STAGE_BINDINGS]; /* out on lease: a command is ERR_BUSY */
    bool deny;                 /* leases are denied */
    int64_t revoke_at;         /* when the leases are taken back; 0: never */
    uint32_t leases[8];
    size_t leases_n;
    int64_t signal_at;     /* when the event of the first binding comes; 0: never */
    struct strbuf message; /* the last one that was published, for the program itself */
    struct str subject;
    int64_t mono, until; /* time now; when it ends */
    struct strbuf log;   /* "what is said;gate.open();" */
    struct lang_result result;
};

static inline struct stage *stage_of(struct lang_host *h)
{
    return CONTAINER_OF(h, struct stage, host);
}

static inline struct str stage_device(const struct stage *s, uint32_t binding)
{
    return s->program->bindings[binding].resource->name;
}

static inline void stage_read(struct lang_host *h, uint32_t binding, struct lang_sample *out)
{
    *out = stage_of(h)->readings[binding];
}

static inline void stage_read_handle(struct lang_host *h, uint32_t binding, uint32_t member,
                                     struct lang_sample *out)
{
    /* "device 3, member 1" as 31 */
    (void)h;
    *out = (struct lang_sample){.value.f = (double)(binding * 10 + member), .has_value = true};
}

static inline enum err stage_command(struct lang_host *h, uint32_t binding, uint32_t action,
                                     const union lang_slot *args, size_t args_n)
{
    struct stage *s = stage_of(h);
    const struct lang_binding *b = &s->program->bindings[binding];
    const struct lang_member *m =
        lang_decl_member_at(b->resource->type, LANG_CLAUSE_COMMAND, action);
    if (s->busy[binding])
        return ERR_BUSY;
    strbuf_addf(&s->log, "%.*s.%.*s(", STR_FMT(b->resource->name), STR_FMT(m->name));
    for (size_t i = 0; i < args_n; i++)
        strbuf_addf(&s->log, "%s%g", i ? ", " : "", args[i].f);
    strbuf_adds(&s->log, ");");
    return ERR_OK;
}

static inline void stage_statement(struct lang_host *h, uint32_t statement, uint32_t level,
                                   struct str text)
{
    struct stage *s = stage_of(h);
    CHECK_EQ_UINT(statement, 0);
    if (level > 0)
        strbuf_addf(&s->log, "%s: ", t_levels[level]);
    strbuf_addf(&s->log, "%.*s;", STR_FMT(text));
}

static inline bool stage_slope(struct lang_host *h, uint32_t window, double *out)
{
    (void)h;
    (void)window;
    *out = 0.5;
    return true;
}

static inline int64_t stage_now(struct lang_host *h)
{
    return 1764000000000 + stage_of(h)->mono;
}

static inline int64_t stage_mono(struct lang_host *h)
{
    return stage_of(h)->mono;
}

static inline double stage_random(struct lang_host *h)
{
    (void)h;
    return 0.25;
}

static inline void stage_lease(struct lang_host *h, uint32_t id, uint32_t lease, int64_t for_ms,
                               int64_t wait_ms)
{
    struct stage *s = stage_of(h);
    const struct lang_lease *l = &s->program->leases[lease];
    strbuf_addf(&s->log, "lease %.*s %lld %lld;", STR_FMT(stage_device(s, l->binding)),
                (long long)for_ms, (long long)wait_ms);
    if (s->leases_n < ARRAY_LEN(s->leases))
        s->leases[s->leases_n++] = id;
    lang_vm_lease(s->vm, id, s->deny ? LANG_LEASE_DENIED : LANG_LEASE_GRANTED, STR(""));
}

static inline void stage_release(struct lang_host *h, uint32_t id, bool crashed)
{
    struct stage *s = stage_of(h);
    for (size_t i = 0; i < s->leases_n; i++)
        if (s->leases[i] == id)
            s->leases[i] = s->leases[--s->leases_n];
    strbuf_adds(&s->log, crashed ? "crashed;" : "release;");
}

static inline enum err stage_revoke(struct lang_host *h, uint32_t binding)
{
    struct stage *s = stage_of(h);
    s->busy[binding] = false;
    strbuf_addf(&s->log, "revoke %.*s;", STR_FMT(stage_device(s, binding)));
    return ERR_OK;
}

static inline void stage_safe(struct lang_host *h, uint32_t binding)
{
    struct stage *s = stage_of(h);
    strbuf_addf(&s->log, "safe %.*s;", STR_FMT(stage_device(s, binding)));
}

static inline void stage_publish(struct lang_host *h, struct str subject, struct str value)
{
    struct stage *s = stage_of(h);
    strbuf_addf(&s->log, "publish %.*s;", STR_FMT(subject));
    strbuf_reset(&s->message);
    strbuf_addstr(&s->message, value);
    s->subject = STR("");
    for (size_t i = 0; i < s->program->rules_n; i++)
        if (s->program->rules[i].kind == LANG_RULE_MESSAGE &&
            str_eq(s->program->rules[i].subject, subject))
            s->subject = s->program->rules[i].subject;
}

/* What lists are shown with. */
#define STAGE_SHOW(name, type)                                                                     \
    "fn " name "(xs: list<" type ">) -> str { var s = \"[\"\n"                                     \
    "  for i, x in xs { if i > 0 { s = \"{s}, \" }; s = \"{s}{x}\" }; return \"{s}]\" }\n"
static const char stage_decls[] =
    STAGE_SHOW("sh", "int") STAGE_SHOW("shs", "str") STAGE_SHOW("shf", "float");

/* False, with what the check said, if the program is not accepted. */
static inline bool stage_open_limits(struct stage *s, const char *decls, const char *items,
                                     struct lang_limits limits)
{
    *s = (struct stage){.host = {.read = stage_read,
                                 .command = stage_command,
                                 .statement = stage_statement,
                                 .slope = stage_slope,
                                 .now_ms = stage_now,
                                 .random = stage_random,
                                 .mono_ms = stage_mono,
                                 .read_handle = stage_read_handle,
                                 .lease = stage_lease,
                                 .release = stage_release,
                                 .revoke = stage_revoke,
                                 .safe = stage_safe,
                                 .publish = stage_publish},
                        .mono = 1000,
                        .until = 3600 * 1000};
    strbuf_init(&s->log, alloc_system(), 0);
    strbuf_init(&s->message, alloc_system(), 0);
    struct strbuf text, said;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_init(&said, alloc_system(), 0);
    strbuf_addf(&text, "%s%s\nprogram p {\n%s\n}\n", stage_decls, decls, items);
    s->site = fixture_check(text.p, false);
    REQUIRE(s->site != NULL);
    for (size_t i = 0; i < s->site->diags_n; i++)
        if (s->site->diags[i].severity == LANG_ERROR)
            lang_diag_render(&said, s->site, &s->site->diags[i], false);
    CHECK_EQ_STR(said.n > 0 ? said.p : "", "");
    strbuf_fini(&said);
    strbuf_fini(&text);
    for (size_t i = 0; i < s->site->programs_n; i++)
        if (str_eq(s->site->programs[i]->name, STR("p")))
            s->program = s->site->programs[i];
    if (!s->program)
        return false;
    REQUIRE(s->program->bindings_n <= STAGE_BINDINGS);
    s->vm = lang_vm_new(alloc_system(), s->program, &s->host, limits);
    REQUIRE(s->vm != NULL);
    return true;
}

static inline bool stage_open(struct stage *s, const char *decls, const char *items)
{
    return stage_open_limits(s, decls, items, lang_limits_default());
}

static inline void stage_close(struct stage *s)
{
    lang_vm_free(s->vm);
    lang_site_free(s->site);
    strbuf_fini(&s->log);
    strbuf_fini(&s->message);
}

static inline const char *stage_said(const struct stage *s)
{
    return s->log.n > 0 ? s->log.p : "";
}

static inline void stage_outcome(struct stage *s, const struct lang_result *r)
{
    if (r->outcome == LANG_TRAP)
        strbuf_addf(&s->log, "trap %s;", r->why);
    else if (r->outcome == LANG_OUT_OF_BUDGET)
        strbuf_adds(&s->log, "out of budget;");
    s->result = *r;
}

/* All turns that are ready now. */
static inline void stage_turns(struct stage *s)
{
    struct lang_turn turn;
    for (size_t i = 0; i < STAGE_TURNS; i++) {
        if (lang_vm_step(s->vm, &turn) == LANG_IDLE)
            return;
        stage_outcome(s, &turn.result);
    }
    strbuf_adds(&s->log, "for ever;");
}

/* Hands the message that was published to the rules that wait for it. */
static inline bool stage_hand(struct stage *s)
{
    struct str subject = s->subject;
    s->subject = STR("");
    for (uint32_t i = 0; subject.n > 0 && i < s->program->rules_n; i++)
        if (s->program->rules[i].kind == LANG_RULE_MESSAGE &&
            str_eq(s->program->rules[i].subject, subject))
            CHECK(lang_vm_message(s->vm, i, strbuf_str(&s->message)) != 0);
    return subject.n > 0;
}

/* What happens next: a message, an event, a time that has come, leases that are taken back. False
 * if nothing will. */
static inline bool stage_pass(struct stage *s)
{
    if (stage_hand(s))
        return true;
    if (s->signal_at > 0 && s->signal_at <= lang_vm_next_ms(s->vm)) {
        s->mono = s->signal_at;
        s->signal_at = 0;
        for (uint32_t i = 0; i < s->program->bindings_n; i++)
            if (s->program->bindings[i].kind == LANG_BIND_SIGNAL) {
                lang_vm_signal(s->vm, i);
                return true;
            }
        return true;
    }
    int64_t next = lang_vm_next_ms(s->vm);
    bool revokes = s->revoke_at > s->mono && s->leases_n > 0 && s->revoke_at <= next;
    if (revokes)
        next = s->revoke_at;
    if (next > s->until)
        return false;
    s->mono = next > s->mono ? next : s->mono;
    if (revokes)
        lang_vm_lease(s->vm, s->leases[0], LANG_LEASE_REVOKED, STR("wanted back"));
    lang_vm_tick(s->vm, s->mono);
    return true;
}

static inline void stage_rule(struct stage *s, uint32_t rule)
{
    const struct lang_rule *r = &s->program->rules[rule];
    struct lang_result result;
    if (r->suspends) {
        CHECK(lang_vm_start(s->vm, r->body, rule) != 0);
    } else {
        (void)lang_vm_call(s->vm, r->body, &result);
        stage_outcome(s, &result);
    }
    stage_turns(s);
}

/* Runs what starts with the program and what comes again, once, until nothing more happens. */
static inline void stage_run(struct stage *s)
{
    for (uint32_t i = 0; i < s->program->rules_n; i++)
        if (s->program->rules[i].kind == LANG_RULE_START ||
            s->program->rules[i].kind == LANG_RULE_EVERY)
            stage_rule(s, i);
    while (stage_pass(s))
        stage_turns(s);
}

/* "true", "false" or "unknown". */
static inline const char *stage_condition(struct stage *s, uint32_t rule)
{
    struct lang_result r;
    CHECK_EQ_INT(lang_vm_call(s->vm, s->program->rules[rule].condition, &r), LANG_DONE);
    return r.unknown ? "unknown" : r.truth ? "true" : "false";
}

static inline void stage_set(struct stage *s, uint32_t binding, double v)
{
    s->readings[binding] = (struct lang_sample){.value.f = v, .has_value = true};
}
