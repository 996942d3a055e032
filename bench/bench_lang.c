/* bench: helper. bench_lang FILE: checks one source of bench/lang and runs its program, without a
 * site around it; bench/lang.py calls it beside its peers.
 *
 * The statements that run at the program's start are run; then, if the program has a `when`, it is
 * fed EVENTS readings of `temperature`, with the states of a rule as automation keeps them. The
 * value of its variable `result` is printed. Exit code 1 with messages if the source has mistakes
 * or a turn fails. */
#include "lang/lang.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define READINGS 1000u /* as in rule.lua */
#define EVENTS   10000000u

static const struct lang_arg property_args[] = {
    {.kind = LANG_ARG_NAME, .name = "name"},
    {.kind = LANG_ARG_TYPE, .name = "type", .lead = ":"},
};
static const struct lang_clause model_clauses[] = {
    {.word = "property",
     .role = LANG_CLAUSE_READABLE,
     .flags = LANG_CLAUSE_REPEATED,
     .args = property_args,
     .args_n = ARRAY_LEN(property_args),
     .example = "property temperature: K"},
};
static const struct lang_kind kinds[] = {
    {.word = "site", .head = LANG_HEAD_TEXT, .flags = LANG_KIND_ONCE, .example = "site \"s\""},
    {.word = "model",
     .role = LANG_ROLE_TYPE,
     .head = LANG_HEAD_NAME,
     .flags = LANG_KIND_BODY,
     .clauses = model_clauses,
     .clauses_n = ARRAY_LEN(model_clauses),
     .example = "model M { property p: K }"},
    {.word = "device",
     .role = LANG_ROLE_RESOURCE,
     .head = LANG_HEAD_PATH,
     .flags = LANG_KIND_TYPED | LANG_KIND_BODY,
     .example = "device d: M { }"},
};
static const struct lang_schema schema = {.kinds = kinds, .kinds_n = ARRAY_LEN(kinds)};

struct bench {
    struct lang_host host;
    double readings[READINGS];
    size_t at;
};

static void readings_make(struct bench *b)
{
    int64_t x = 42;
    for (int i = 0; i < (int)READINGS; i++) {
        x = (x * 3877 + 29573) % 139968;
        b->readings[i] = 60 + fabs(i % 200 - 100.0) / 5 + 5 * (double)x / 139968;
    }
}

static void host_read(struct lang_host *h, uint32_t binding, struct lang_sample *out)
{
    const struct bench *b = (const struct bench *)h;
    (void)binding;
    *out = (struct lang_sample){.value.f = b->readings[b->at], .has_value = true};
}

static int64_t host_now(struct lang_host *h)
{
    (void)h;
    return 0;
}

static bool source_read(const char *path, struct strbuf *out)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return false;
    }
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof(part), f)) > 0;)
        strbuf_add(out, part, n);
    bool fine = !ferror(f) && !out->failed;
    return fclose(f) == 0 && fine;
}

static bool checked(const struct lang_site *site)
{
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    for (size_t i = 0; i < site->diags_n; i++)
        lang_diag_render(&text, site, &site->diags[i], false);
    fputs(text.p, stderr);
    strbuf_fini(&text);
    return site->errors == 0 && site->programs_n == 1;
}

static bool call(struct lang_vm *vm, uint32_t chunk, struct lang_result *res)
{
    if (lang_vm_call(vm, chunk, res) == LANG_DONE)
        return true;
    fprintf(stderr, "line %u: %s\n", res->line, res->why);
    return false;
}

static bool start(struct lang_vm *vm, const struct lang_program *p)
{
    struct lang_result res;
    for (size_t i = 0; i < p->rules_n; i++)
        if (p->rules[i].kind == LANG_RULE_START && !call(vm, p->rules[i].body, &res))
            return false;
    return true;
}

static bool feed(struct lang_vm *vm, const struct lang_rule *r, struct bench *b)
{
    bool active = false;
    struct lang_result res;
    for (uint32_t i = 0; i < EVENTS; i++) {
        b->at = i % READINGS;
        if (!call(vm, active ? r->until_condition : r->condition, &res))
            return false;
        if (!res.truth)
            continue;
        if (!call(vm, active ? r->until_body : r->body, &res))
            return false;
        active = !active;
    }
    return true;
}

static bool run(const struct lang_program *p, struct bench *b)
{
    struct lang_limits limits = lang_limits_default();
    limits.instructions_max = 1ull << 50;
    limits.heap_max = 1u << 30;
    limits.text_max = 1u << 24;
    struct lang_vm *vm = lang_vm_new(alloc_system(), p, &b->host, limits);
    bool fine = vm && start(vm, p);
    for (size_t i = 0; fine && i < p->rules_n; i++)
        if (p->rules[i].kind == LANG_RULE_WHEN)
            fine = feed(vm, &p->rules[i], b);
    for (uint32_t i = 0; fine && i < p->vars_n; i++)
        if (str_eq(p->vars[i].name, STR("result")))
            printf("%" PRId64 "\n", lang_vm_var(vm, i).i);
    lang_vm_free(vm);
    return fine;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_lang FILE\n");
        return 2;
    }
    static struct bench bench = {.host = {.read = host_read, .now_ms = host_now}};
    readings_make(&bench);
    struct strbuf text;
    strbuf_init(&text, alloc_system(), LANG_SOURCE_SIZE_MAX);
    struct lang_site *site = NULL;
    bool fine = source_read(argv[1], &text);
    if (fine) {
        struct lang_source source = {str_from(argv[1]), strbuf_str(&text)};
        fine = lang_check(alloc_system(), &schema, &source, 1, &site) == ERR_OK && checked(site) &&
               run(site->programs[0], &bench);
    }
    lang_site_free(site);
    strbuf_fini(&text);
    return fine ? 0 : 1;
}
