/* Programs that mean harm, or are only careless: code that the verifier must not let through,
 * instructions whose result goes to the window, work that costs more than it seems. */
#include "lang/vm_fixture.h"

/* What is wrong with it; "" if nothing is. */
static const char *fault_of(const char *text)
{
    struct asm_world w;
    asm_world_init(&w);
    asm_program(&w, text);
    const char *why = code_verify(alloc_system(), &w.program).why;
    asm_world_fini(&w);
    return why ? why : "";
}

TEST(what_is_read_and_written_is_a_register)
{
    CHECK_EQ_STR(fault_of("fn main()\n reg i int\n LOADN i 70000\n MOV w0 i\n HDROP w0\n RETV\n"),
                 "a wrong first register");
    CHECK_EQ_STR(fault_of("fn main()\n reg i int\n LOADN i 3\n@a\n FOR w0 i @a\n RETV\n"),
                 "a wrong first register");
    CHECK_EQ_STR(fault_of("fn main()\n reg l list<int>\n reg i int\n@a\n FORLIST w0 l i @a\n "
                          "RETV\n"),
                 "operands that do not agree");
    CHECK_EQ_STR(fault_of("fn main()\n reg i int\n LOADN i 3\n@a\n FOR i i @a\n RETV\n"), "");
}

TEST(tasks_have_no_result)
{
    CHECK_EQ_STR(fault_of("task main() -> int\n reg i int\n LOADN i 1\n RET i\n"),
                 "an impossible chunk");
}

/* A head that promises more parameters than there are registers, of a chunk that comes later. */
TEST(heads_are_looked_at_before_calls)
{
    struct asm_world w;
    asm_world_init(&w);
    asm_program(&w, "fn main()\n reg i int\n LOADN w0 1\n CALL i f\n RETV\n"
                    "fn f(a: int) -> int\n RET a\n");
    struct lang_chunk *f = (struct lang_chunk *)(uintptr_t)&w.program.code->chunks[1];
    f->params_n = CODE_ARGS_MAX;
    struct code_fault fault = code_verify(alloc_system(), &w.program);
    CHECK_EQ_STR(fault.why ? fault.why : "", "an impossible chunk");
    CHECK_EQ_UINT(fault.chunk, 1);
    asm_world_fini(&w);
}

/* None of what was not found, in the window, whose registers have no types. */
TEST(results_that_are_none_go_to_the_window)
{
    static const char *const bodies[] = {
        "LIST l 0 list<int>\n LOADN i 3\n LAT w0 l i\n",
        "LIST l 0 list<int>\n LLAST w0 l\n",
        "LIST l 0 list<int>\n LPOP w0 l\n",
        "MAP m map<int,int>\n LOADN i 3\n MGET w0 m i\n",
        "MAP m map<int,int>\n LOADN i 3\n MREMOVE w0 m i\n",
    };
    for (size_t n = 0; n < ARRAY_LEN(bodies); n++) {
        char text[600];
        (void)snprintf(text, sizeof(text),
                       "task main()\n reg l list<int>\n reg m map<int,int>\n reg c chan<int>\n "
                       "reg i int\n %s CALLV f\n RETV\n"
                       "fn f(a: int)\n reg s str\n CONCAT s 1\n PART 3 a\n SETV s s\n RETV\n",
                       bodies[n]);
        struct vm_rig r;
        rig_open(&r, text);
        LABEL("body %zu", n);
        CHECK(lang_vm_start(r.vm, 0, 0) != 0);
        CHECK_EQ_STR(rig_steps(&r), "d");
        CHECK_EQ_STR(rig_var(&r, "s"), "no value");
        rig_close(&r);
    }
    struct vm_rig r;
    rig_open(&r, "fn main()\n READ w0 0 temp\n READ w1 0 what\n CALLV f\n RETV\n"
                 "fn f(x: float, t: str)\n reg s str\n CONCAT s 2\n PART 5 x \n PART 1 t\n "
                 "SETV s s\n RETV\n");
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK_EQ_STR(rig_var(&r, "s"), "298.1busy");
    rig_close(&r);
}

/* Code that gives variables their first values may not begin tasks. */
TEST(first_values_begin_nothing)
{
    struct vm_rig r;
    rig_init(&r);
    asm_program(&r.world, "fn main()\n reg i int\n LOADN i 8\n SETV i n\n SPAWN 0 t\n RETV\n"
                          "task t()\n RETV\n");
    ((struct lang_code *)(uintptr_t)r.world.program.code)->init = 0;
    rig_verify(&r);
    r.vm = lang_vm_new(alloc_system(), &r.world.program, &r.host, lang_limits_default());
    CHECK_EQ_STR(rig_var(&r, "n"), "8");
    CHECK_EQ_UINT(lang_vm_stats(r.vm).tasks, 0);
    CHECK_EQ_STR(rig_steps(&r), "");
    rig_close(&r);
}

/* ---- what costs time costs budget -------------------------------------------------------- */

/* Runs `loop` for ever, behind `head`, which makes its data. How often it came around before the
 * budget was used up; n counts it. */
static unsigned rounds(const char *head, const char *loop)
{
    char text[1500];
    (void)snprintf(text, sizeof(text),
                   "fn main()\n reg l list<int>\n reg t list<str>\n reg u list<str>\n "
                   "reg m map<int,int>\n reg c chan<int>\n reg i int\n reg j int\n reg k int\n "
                   "reg s str\n reg r str\n reg q str\n reg b bool\n LOADN k 0\n"
                   " CONCAT s 2\n PART 0 \"                                \"\n"
                   " PART 0 \"                                \"\n LOADN j 0\n LOADN i 8\n"
                   "@d\n CONCAT s 2\n PART 1 s\n PART 1 s\n FOR j i @d\n" /* 16 KiB of blanks */
                   " %s\n@a\n ADDIK k k 1\n LOADN j 1000000\n STATE q 0 0\n %s\n LOOP @a\n",
                   head, loop);
    struct vm_rig r;
    rig_open(&r, text);
    CHECK_EQ_INT(rig_call(&r), LANG_OUT_OF_BUDGET);
    unsigned n = (unsigned)r.log.n / 8;
    rig_close(&r);
    return n;
}

TEST(long_work_uses_up_the_budget)
{
    static const struct {
        const char *label, *head, *loop;
        unsigned most;
    } cases[] = {
        {"searching a list", "LOADN i 20000\n LOADN j 0\n LISTN l i j list<int>\n", "LHAS b l j\n",
         30},
        {"equal texts", "CONCAT r 1\n PART 1 s\n", "EQS b s r\n", 500},
        {"equal texts, jumping", "CONCAT r 1\n PART 1 s\n", "JNES s r @x\n@x\n", 500},
        {"lists of long texts",
         "CONCAT r 1\n PART 1 s\n LOADN i 50\n LISTN t i s list<str>\n LISTN u i r list<str>\n",
         "EQO b t u\n", 12},
        {"empty parts", "LOADS r \" \"\n", "SPLIT t s r\n", 3},
        {"nothing but blanks", "", "SMAKE q s 0\n", 200},
        {"sorting long texts", "CONCAT r 1\n PART 1 s\n LOADN i 100\n LISTN t i s list<str>\n",
         "LSORT t\n", 3},
        {"room in a channel", "LOADN i 60000\n", "CHAN c i chan<int>\n", 40},
    };
    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        LABEL("%s", cases[n].label);
        unsigned came = rounds(cases[n].head, cases[n].loop);
        CHECK(came >= 1 && came <= cases[n].most);
    }
}

/* Each loop over a map begins by stepping over what was removed at its front. */
TEST(gaps_of_a_map_cost)
{
    struct vm_rig r;
    rig_open(&r, "fn main()\n reg m map<int,int>\n reg i int\n reg j int\n reg x int\n reg k int\n"
                 " reg q str\n reg v int\n MAP m map<int,int>\n LOADN i 0\n LOADN j 8000\n"
                 "@a\n MSET i m i\n FOR i j @a\n LOADN i 0\n LOADN j 3900\n"
                 "@b\n MREMOVE x m i\n FOR i j @b\n"
                 "@c\n STATE q 0 0\n LOADN k 0\n JMP @e\n@d\n LOOP @c\n"
                 "@e\n FORMAP k m x @d\n ARG v\n LOOP @c\n");
    CHECK_EQ_INT(rig_call(&r), LANG_OUT_OF_BUDGET);
    CHECK(r.log.n / 8 < 500);
    rig_close(&r);
}

/* Nearly all memory is in use, and every few objects all of it has to be looked at. */
TEST(collections_that_memory_forces_cost)
{
    if (HEAP_STRESS)
        SKIP("each allocation collects");
    struct vm_rig r;
    struct lang_limits limits = lang_limits_default();
    limits.heap_max = 1 << 20;
    rig_open_limits(&r,
                    "fn main()\n reg p Point\n reg i int\n reg n int\n reg s str\n LOADS s \"n\"\n"
                    " LOADN i 0\n LOADN n 30000\n@a\n RECORD p 3 Point\n ARG i\n ARG s\n ARG p\n"
                    " NIL p\n FOR i n @a\n RETV\n"
                    "fn more()\n reg p Point\n reg i int\n reg n int\n reg s str\n GETV p p\n"
                    " LOADN i 0\n LOADN n 100\n@a\n RECORD p 3 Point\n ARG i\n ARG s\n ARG p\n"
                    " FOR i n @a\n SETV p p\n RETV\n",
                    limits);
    uint64_t most = 0;
    while (lang_vm_call(r.vm, 1, &r.result) == LANG_DONE) {
        uint64_t before = r.vm->heap.stats.forced;
        enum lang_outcome o = rig_call(&r);
        CHECK(o != LANG_DONE || r.vm->heap.stats.forced - before < 16);
        most = r.vm->heap.stats.forced - before > most ? r.vm->heap.stats.forced - before : most;
    }
    CHECK_EQ_STR(r.result.why, "the program's data takes too much memory");
    CHECK(most >= 2 && most < 16);
    rig_close(&r);
}

/* ---- a turn ------------------------------------------------------------------------------ */

/* However often and in whatever order words are written: each is logged once, wherever it lies. */
TEST(a_turn_may_write_often_to_a_few_words)
{
    struct vm_rig r;
    struct lang_limits limits = lang_limits_default();
    limits.instructions_max = 10000000;
    rig_open_limits(&r,
                    "fn main()\n reg l list<int>\n reg n int\n reg i int\n reg j int\n reg k int\n"
                    " GETV l items\n LOADN n 600\n LOADN j 0\n LOADN k 300\n"
                    "@a\n LOADN i 0\n@b\n LSET i l i\n FOR i n @b\n FOR j k @a\n RETV\n"
                    "fn begin()\n reg l list<int>\n reg n int\n LOADN n 600\n"
                    " LISTN l n n list<int>\n SETV l items\n RETV\n",
                    limits);
    CHECK_EQ_INT(lang_vm_call(r.vm, 1, &r.result), LANG_DONE);
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK_EQ_STR(r.result.why, "");
    rig_close(&r);
}

/* And all of them are taken back. */
TEST(what_was_written_in_any_order_is_undone)
{
    struct vm_rig r;
    rig_open(&r, "fn main()\n reg l list<int>\n reg n int\n reg i int\n reg j int\n reg k int\n"
                 " GETV l items\n LOADN n 3000\n LOADN k 7\n LOADN i 0\n"
                 "@b\n MULI j i k\n MODI j j n\n LSET i l j\n LSET n l j\n FOR i n @b\n"
                 " LOADN k 0\n DIVI i i k\n RETV\n"
                 "fn begin()\n reg l list<int>\n reg n int\n reg i int\n LOADN n 3000\n"
                 " LISTN l n n list<int>\n LOADN i 0\n@b\n LSET i l i\n FOR i n @b\n"
                 " SETV l items\n RETV\n"
                 "fn check()\n reg l list<int>\n reg n int\n reg i int\n reg j int\n"
                 " GETV l items\n LOADN n 3000\n LOADN i 0\n"
                 "@b\n LGET j l i\n JEQI i j @c\n TRAP \"changed\"\n@c\n FOR i n @b\n RETV\n");
    CHECK_EQ_INT(lang_vm_call(r.vm, 1, &r.result), LANG_DONE);
    CHECK_EQ_INT(rig_call(&r), LANG_TRAP);
    CHECK_EQ_STR(r.result.why, "division by zero");
    CHECK_EQ_INT(lang_vm_call(r.vm, 2, &r.result), LANG_DONE);
    rig_close(&r);
}

/* Turns are numbered with 32 bits; what is of an old turn with a number that comes again is old. */
TEST(the_count_of_turns_may_begin_anew)
{
    struct vm_rig r;
    rig_open(&r, "fn main()\n reg l list<int>\n reg i int\n GETV l items\n LOADN i 9\n SETV i n\n"
                 " LPUSH l i\n LOADN i 0\n DIVI i i i\n RETV\n"
                 "fn begin()\n reg l list<int>\n reg i int\n LIST l 0 list<int>\n SETV l items\n"
                 " LOADN i 1\n SETV i n\n RETV\n");
    r.vm->heap.epoch = 0; /* this turn is the first */
    CHECK_EQ_INT(lang_vm_call(r.vm, 1, &r.result), LANG_DONE);
    r.vm->heap.epoch = UINT32_MAX;
    for (int turn = 0; turn < 3; turn++) {
        CHECK_EQ_INT(rig_call(&r), LANG_TRAP);
        CHECK_EQ_UINT(r.vm->heap.epoch, turn + 1);
        CHECK_EQ_STR(rig_var(&r, "n"), "1");
        CHECK_EQ_STR(rig_var(&r, "items"), "[]");
    }
    rig_close(&r);
}

/* ---- leases ------------------------------------------------------------------------------ */

static const char left_text[] =
    "task main()\n reg d float\n LOADF d 1\n CALLV f\n SLEEP d\n CALLV g\n SLEEP d\n RETV\n"
    "fn f()\n reg h Valve\n reg d float\n LOADF d 60\n LEASE h d d 0\n TO @end\n TO @end\n"
    "@end\n RETV\n"
    "fn g()\n reg d float\n LOADF d 1\n SLEEP d\n RETV\n";

/* A function that returns from within the block of a lease: its lease ends with the turn. */
TEST(a_lease_does_not_outlive_its_frame)
{
    struct vm_rig r;
    rig_init(&r);
    asm_program(&r.world, left_text);
    rig_verify(&r);
    r.vm = lang_vm_new(alloc_system(), &r.world.program, &r.host, lang_limits_default());
    r.lease_answer = LANG_LEASE_GRANTED;
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_STR(rig_log(&r), "lease 60000 60000;release!;");
    struct strbuf image;
    strbuf_init(&image, alloc_system(), 0);
    CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
    lang_vm_adopt(r.vm, &r.world.program);
    lang_vm_free(r.vm);
    r.vm = lang_vm_new(alloc_system(), &r.world.program, &r.host, lang_limits_default());
    struct lang_restored told = {0};
    CHECK_EQ_INT(lang_vm_restore(r.vm, strbuf_str(&image), &told), ERR_OK);
    CHECK_EQ_UINT(told.tasks, 1);
    r.mono_ms = 3000;
    lang_vm_tick(r.vm, r.mono_ms);
    CHECK_EQ_STR(rig_steps(&r), "s");
    strbuf_fini(&image);
    rig_close(&r);
}

/* What is over stays over, whatever its host says then. */
TEST(a_lease_is_revoked_for_good)
{
    struct vm_rig r;
    rig_init(&r);
    asm_program(&r.world, "task main()\n reg h Valve\n reg d float\n reg s str\n LOADF d 60\n"
                          " LEASE h d d 0\n TO s @revoked\n TO s @denied\n SLEEP d\n RELEASE h\n"
                          " RETV\n@revoked\n STATE s 1 0\n RETV\n@denied\n STATE s 2 0\n RETV\n");
    rig_verify(&r);
    r.vm = lang_vm_new(alloc_system(), &r.world.program, &r.host, lang_limits_default());
    r.lease_answer = LANG_LEASE_GRANTED;
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "s");
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_REVOKED, STR("first"));
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_GRANTED, STR("second"));
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_DENIED, STR("third"));
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_log(&r), "lease 60000 60000;say0.1 first;");
    rig_close(&r);
}

/* A lessee that has the handle is not the owner. */
TEST(only_owners_take_back)
{
    struct vm_rig r;
    rig_open(&r, "fn main()\n reg h Valve\n HBIND h v\n REVOKEH h\n HBIND h lent\n REVOKEH h\n"
                 " RETV\n");
    CHECK_EQ_INT(rig_call(&r), LANG_TRAP);
    CHECK_EQ_STR(r.result.why, "only its owner can take this back");
    CHECK_EQ_STR(rig_log(&r), "revoke v;");
    rig_close(&r);
}

/* ---- whole numbers are the same on both sides of zero ------------------------------------ */

TEST(no_whole_number_is_none)
{
    static const char *const bodies[] = {
        "LOADI i -9223372036854775807\n ADDIK i i -1\n",
        "LOADI i -9223372036854775807\n LOADN j 1\n SUBI i i j\n",
        "LOADI i -4611686018427387904\n MULIK i i 2\n",
        "LOADI i 9223372036854775807\n RSUBIK i i -1\n",
    };
    for (size_t n = 0; n < ARRAY_LEN(bodies); n++) {
        char text[200];
        (void)snprintf(text, sizeof(text), "fn main()\n reg i int\n reg j int\n %s RETV\n",
                       bodies[n]);
        struct vm_rig r;
        rig_open(&r, text);
        LABEL("body %zu", n);
        CHECK_EQ_INT(rig_call(&r), LANG_TRAP);
        CHECK_EQ_STR(r.result.why, "a whole number became too large");
        rig_close(&r);
    }
}
