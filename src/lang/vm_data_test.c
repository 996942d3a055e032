/* Data written in place: a turn that fails takes it back, and the collector's snapshot holds. */
#include "lang/heap_internal.h"
#include "lang/lang_fixture.h"
#include "lang/vm_internal.h"

#include <stdio.h>

struct rig {
    struct lang_host host;
    struct lang_site *site;
    struct lang_vm *vm;
    struct lang_result result;
};

/* The collector begins in the midst of a turn: what was made before in this turn is not new. */
static double on_random(struct lang_host *h)
{
    struct rig *r = CONTAINER_OF(h, struct rig, host);
    if (r->vm->heap.phase == HEAP_IDLE)
        heap_mark_begin(&r->vm->heap);
    return 0.5;
}

struct data_case {
    const char *label, *type, *value, *var, *write, *made, *written;
};

/* fill() is no part of its caller, whose registers would hold what it makes. */
static void rig_open(struct rig *r, const struct data_case *c)
{
    char text[1024];
    (void)snprintf(
        text, sizeof(text),
        "record Box { held: list<int> }\n"
        "fn fill(deep: int) -> %s { if deep > 0 { return fill(deep - 1) }\n return %s }\n"
        "program p {\n"
        "  var zero = 0\n"
        "  var kept: list<int> = []\n"
        "  var boxes: list<list<int>> = []\n"
        "  var named: map<str, list<int>> = [:]\n"
        "  var numbered: map<int, list<int>> = [:]\n"
        "  var box = Box{[]}\n"
        "  every 1s { %s = fill(3) }\n"
        "  every 1s { %s\n zero = 1 / zero }\n"
        "  every 1s { %s = fill(3)\n let chance = random()\n %s }\n"
        "}",
        c->type, c->value, c->var, c->write, c->var, c->write);
    *r = (struct rig){.host = {.random = on_random}};
    r->site = fixture_check(text, true);
    REQUIRE(r->site && r->site->errors == 0 && r->site->programs_n == 1);
    r->vm = lang_vm_new(alloc_system(), r->site->programs[0], &r->host, lang_limits_default());
    REQUIRE(r->vm != NULL);
}

static void rig_close(struct rig *r)
{
    lang_vm_free(r->vm);
    lang_site_free(r->site);
}

static void check_vars(struct rig *r, uint32_t from, const char *want)
{
    struct strbuf all;
    strbuf_init(&all, alloc_system(), 0);
    for (uint32_t i = from; i < r->site->programs[0]->vars_n; i++) {
        lang_vm_var_print(r->vm, i, &all);
        strbuf_adds(&all, " ");
    }
    CHECK_EQ_STR(all.p, want);
    strbuf_fini(&all);
}

static const struct data_case cases[] = {
    {"an element", "list<list<int>>", "[[1]]", "boxes", "kept = boxes[0]; boxes[0] = [2]",
     "[] [[1]] [:] [:] Box{held: []} ", "[1] [[2]] [:] [:] Box{held: []} "},
    {"a value under a text", "map<str, list<int>>", "[\"a\": [1]]", "named",
     "kept = named[\"a\"] ?? []; named[\"a\"] = [2]", "[] [] [\"a\": [1]] [:] Box{held: []} ",
     "[1] [] [\"a\": [2]] [:] Box{held: []} "},
    {"a value under a number", "map<int, list<int>>", "[7: [1]]", "numbered",
     "kept = numbered[7] ?? []; numbered[7] = [2]", "[] [] [:] [7: [1]] Box{held: []} ",
     "[1] [] [:] [7: [2]] Box{held: []} "},
    {"a field", "Box", "Box{[1]}", "box", "kept = box.held; box.held = [2]",
     "[] [] [:] [:] Box{held: [1]} ", "[1] [] [:] [:] Box{held: [2]} "},
};

TEST(data_is_taken_back_with_its_turn)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct rig r;
        rig_open(&r, &cases[i]);
        const struct lang_rule *rules = r.site->programs[0]->rules;
        CHECK_EQ_INT(lang_vm_call(r.vm, rules[0].body, &r.result), LANG_DONE);
        CHECK_EQ_INT(lang_vm_call(r.vm, rules[1].body, &r.result), LANG_TRAP);
        check_vars(&r, 1, cases[i].made);
        rig_close(&r);
    }
}

TEST(data_written_while_the_collector_marks_is_kept)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        LABEL("%s", cases[i].label);
        struct rig r;
        rig_open(&r, &cases[i]);
        const struct lang_rule *rules = r.site->programs[0]->rules;
        CHECK_EQ_INT(lang_vm_call(r.vm, rules[2].body, &r.result), LANG_DONE);
        heap_check(&r.vm->heap);
        heap_collect(&r.vm->heap);
        heap_check(&r.vm->heap);
        check_vars(&r, 1, cases[i].written);
        rig_close(&r);
    }
}

TEST(turns_are_told_apart_when_their_count_begins_anew)
{
    struct rig r;
    rig_open(&r, &cases[0]);
    const struct lang_rule *rules = r.site->programs[0]->rules;
    r.vm->heap.epoch = 0;
    CHECK_EQ_INT(lang_vm_call(r.vm, rules[2].body, &r.result), LANG_DONE);
    r.vm->heap.epoch = UINT32_MAX;
    CHECK_EQ_INT(lang_vm_call(r.vm, rules[1].body, &r.result), LANG_TRAP);
    CHECK_EQ_UINT(r.vm->heap.epoch, 1);
    check_vars(&r, 1, cases[0].written);
    rig_close(&r);
}
