/* Turns and tasks: what a failed turn leaves, what waits for what, in which order, and what ends
 * when a task does. */
#include "lang/vm_fixture.h"

/* ---- turns ------------------------------------------------------------------------------- */

TEST(a_failed_call_changes_nothing)
{
    struct vm_rig r;
    rig_open(
        &r,
        "fn fill()\n reg l list<int>\n reg i int\n reg m map<str,int>\n reg s str\n reg p Point\n"
        " LOADN i 1\n LIST l 1 list<int>\n ARG i\n SETV l items\n MAP m map<str,int>\n LOADS s "
        "\"a\"\n"
        " MSET i m s\n SETV m seen\n RECORD p 3 Point\n ARG i\n ARG s\n ARG p\n SETV p p\n RETV\n"
        "fn fail()\n reg l list<int>\n reg i int\n reg m map<str,int>\n reg s str\n reg p Point\n"
        " LOADN i 2\n SETV i n\n GETV l items\n LPUSH l i\n LOADN i 0\n LSET i l i\n GETV m seen\n"
        " LOADS s \"b\"\n MSET i m s\n SETV s s\n GETV p p\n SETF i p 0\n NIL l\n SETV l items\n"
        " SPAWN 0 child\n TRAP \"on purpose\"\n"
        "task child()\n RETV\n");
    CHECK_EQ_INT(lang_vm_call(r.vm, 0, &r.result), LANG_DONE);
    CHECK(lang_vm_var_changed(r.vm, 3) && lang_vm_var_changed(r.vm, 4));
    (void)lang_vm_var_changed(r.vm, 5);
    CHECK_EQ_INT(lang_vm_call(r.vm, 1, &r.result), LANG_TRAP);
    CHECK_EQ_STR(r.result.why, "on purpose");
    CHECK_EQ_UINT(r.result.line, 42);
    CHECK_EQ_STR(rig_var(&r, "n"), "5");
    CHECK_EQ_STR(rig_var(&r, "s"), "first");
    CHECK_EQ_STR(rig_var(&r, "items"), "[1]");
    CHECK_EQ_STR(rig_var(&r, "seen"), "[\"a\": 1]");
    CHECK_EQ_STR(rig_var(&r, "p"), "Point{x: 1, name: \"a\", next: none}");
    for (uint32_t i = 0; i < r.world.program.vars_n; i++)
        CHECK(!lang_vm_var_changed(r.vm, i));
    CHECK_EQ_STR(rig_steps(&r), ""); /* the child never was */
    heap_check(&r.vm->heap);
    rig_close(&r);
}

TEST(changes_of_variables_are_seen)
{
    struct vm_rig r;
    rig_open(
        &r,
        "fn same()\n reg i int\n reg s str\n LOADN i 5\n SETV i n\n CONCAT s 2\n PART 0 \"fir\"\n"
        " PART 0 \"st\"\n SETV s s\n RETV\n"
        "fn other()\n reg i int\n reg l list<int>\n LOADN i 6\n SETV i n\n LIST l 0 list<int>\n "
        "SETV l items\n"
        " RETV\n"
        "fn inside()\n reg i int\n reg l list<int>\n GETV l items\n LOADN i 1\n LPUSH l i\n "
        "RETV\n");
    CHECK_EQ_INT(lang_vm_call(r.vm, 0, &r.result), LANG_DONE);
    CHECK(!lang_vm_var_changed(r.vm, 0) && !lang_vm_var_changed(r.vm, 2));
    CHECK_EQ_INT(lang_vm_call(r.vm, 1, &r.result), LANG_DONE);
    CHECK(lang_vm_var_changed(r.vm, 0));
    CHECK(!lang_vm_var_changed(r.vm, 0));
    CHECK(lang_vm_var_changed(r.vm, 3));
    CHECK_EQ_INT(lang_vm_call(r.vm, 2, &r.result), LANG_DONE);
    CHECK(lang_vm_var_changed(r.vm, 3)); /* what hangs below it */
    CHECK(!lang_vm_var_changed(r.vm, 0));
    rig_close(&r);
}

TEST(budgets)
{
    static const char *const bodies[] = {
        "@a\n LOOP @a\n",
        "LOADN i 0\n LOADN j 2000000000\n@a\n SETV i n\n FOR i j @a\n RETV\n",
        "@a\n CALLV leaf\n LOOP @a\n",
        "LOADN i 1\n@a\n LOOPGTIK i 0 @a\n RETV\n",
    };
    for (size_t n = 0; n < ARRAY_LEN(bodies); n++) {
        char text[400];
        (void)snprintf(text, sizeof(text),
                       "fn main()\n reg i int\n reg j int\n %sfn leaf()\n RETV\n", bodies[n]);
        struct vm_rig r;
        rig_open(&r, text);
        LABEL("body %zu", n);
        CHECK_EQ_INT(rig_call(&r), LANG_OUT_OF_BUDGET);
        CHECK_EQ_STR(r.result.why, "more than 100000 instructions in one turn");
        CHECK(r.result.instructions >= 100000 && r.result.instructions < 101000);
        CHECK_EQ_STR(rig_var(&r, "n"), "5");
        CHECK_EQ_UINT(lang_vm_stats(r.vm).overruns, 1);
        rig_close(&r);
    }
}

/* Long work is charged by what it handles, not by the number of instructions. */
TEST(long_data_costs_more)
{
    struct vm_rig r;
    rig_open(&r, "fn main()\n reg l list<int>\n reg i int\n reg j int\n LOADN i 20000\n LOADN j 0\n"
                 " LISTN l i j list<int>\n@a\n LREVERSE l\n LOOP @a\n");
    CHECK_EQ_INT(rig_call(&r), LANG_OUT_OF_BUDGET);
    CHECK(r.result.instructions < 110000);
    rig_close(&r);
    rig_open(
        &r,
        "fn main()\n reg s str\n LOADS s \"x\"\n@a\n CONCAT s 2\n PART 1 s\n PART 1 s\n LOOP @a\n");
    CHECK_EQ_INT(rig_call(&r), LANG_TRAP);
    CHECK_EQ_STR(r.result.why, "the texts of one turn take too much memory");
    rig_close(&r);
}

TEST(memory_is_limited)
{
    struct vm_rig r;
    struct lang_limits limits = lang_limits_default();
    limits.heap_max = 256 << 10;
    rig_open_limits(&r,
                    "fn main()\n reg p Point\n reg i int\n reg s str\n LOADN i 1\n LOADS s "
                    "\"n\"\n@a\n RECORD p 3 Point\n"
                    " ARG i\n ARG s\n ARG p\n LOOP @a\n",
                    limits);
    CHECK_EQ_INT(rig_call(&r), LANG_TRAP);
    CHECK_EQ_STR(r.result.why, "the program's data takes too much memory");
    CHECK(lang_vm_stats(r.vm).heap_bytes <= limits.heap_max);
    rig_close(&r);
}

/* ---- tasks ------------------------------------------------------------------------------- */

static void start(struct vm_rig *r, const char *text)
{
    rig_open(r, text);
    REQUIRE(lang_vm_start(r->vm, 0, 7) != 0);
}

#define SAY(text) " LOADS s \"" text "\"\n STATE s 0 0\n"

TEST(tasks_sleep)
{
    struct vm_rig r;
    start(&r, "task main()\n reg x float\n reg s str\n" SAY("a") " LOADF x 1.5\n SLEEP x\n" SAY(
                  "b") " RETV\n");
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_UINT(r.turn.rule, 7);
    CHECK(!r.turn.ended);
    CHECK_EQ_INT(lang_vm_next_ms(r.vm), 1500);
    lang_vm_tick(r.vm, 1499);
    CHECK_EQ_STR(rig_steps(&r), "");
    r.mono_ms = 1500;
    lang_vm_tick(r.vm, 1500);
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK(r.turn.ended);
    CHECK_EQ_STR(rig_log(&r), "say0.0 a;say0.0 b;");
    CHECK_EQ_INT(lang_vm_next_ms(r.vm), INT64_MAX);
    CHECK_EQ_UINT(lang_vm_stats(r.vm).tasks, 0);
    rig_close(&r);
}

static const char pipe_text[] = "task main()\n reg c chan<str>\n reg i int\n reg s str\n LOADN i "
                                "1\n CHAN c i chan<str>\n SPAWN 1 reader\n ARG c\n"
                                " LOADN i 0\n@a\n CONCAT s 2\n PART 0 \"m\"\n PART 3 i\n SEND c "
                                "s\n ADDIK i i 1\n LOOPLTIK i 4 @a\n CCLOSE c\n"
                                " RETV\n"
                                "task reader(c: chan<str>)\n reg s str\n@a\n RECV s c\n "
                                "STATE s 0 0\n SETV s s\n LOOP @a\n";

TEST(channels_hand_on_in_order)
{
    struct vm_rig r;
    start(&r, pipe_text);
    CHECK_EQ_STR(rig_steps(&r), "ssssssdd");
    CHECK_EQ_STR(rig_log(&r), "say0.0 m0;say0.0 m1;say0.0 m2;say0.0 m3;");
    CHECK_EQ_STR(rig_var(&r, "s"), "m3"); /* a closed channel ends the task, not its work */
    CHECK_EQ_UINT(lang_vm_stats(r.vm).tasks, 0);
    rig_close(&r);
}

TEST(full_channels_can_be_passed_by)
{
    struct vm_rig r;
    rig_open(
        &r,
        "fn main()\n reg c chan<int>\n reg i int\n reg j int\n reg s str\n LOADN i 1\n CHAN c i "
        "chan<int>\n"
        " TRYSEND c i @full\n TRYSEND c i @full\n RETV\n@full\n CLEN j c\n CONCAT s 2\n PART 0 "
        "\"full \"\n"
        " PART 3 j\n SETV s s\n RETV\n"
        "fn closed()\n reg c chan<int>\n reg i int\n LOADN i 1\n CHAN c i chan<int>\n CCLOSE c\n"
        " TRYSEND c i @no\n TRAP \"sent\"\n@no\n RETV\n"
        "fn narrow()\n reg c chan<int>\n reg i int\n LOADN i 0\n CHAN c i chan<int>\n RETV\n");
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK_EQ_STR(rig_var(&r, "s"), "full 1");
    CHECK_EQ_INT(lang_vm_call(r.vm, 1, &r.result), LANG_DONE);
    CHECK_EQ_INT(lang_vm_call(r.vm, 2, &r.result), LANG_TRAP);
    CHECK_EQ_STR(r.result.why, "a channel can't have room for 0");
    rig_close(&r);
}

static const char select_text[] =
    "task main()\n reg c chan<str>\n reg i int\n reg s str\n reg x float\n LOADN i 2\n CHAN c i "
    "chan<str>\n"
    " SPAWN 1 feeder\n ARG c\n@a\n LOADF x 1\n SELECT 3\n ARM 0 s c @got\n ARM 2 jam @jam\n ARM 3 "
    "x @late\n@got\n"
    " STATE s 0 0\n LOOP @a\n@jam\n" SAY("jam") " LOOP @a\n@late\n" SAY(
        "late") " LOOP @a\n"
                "task feeder(c: chan<str>)\n reg s str\n reg x float\n LOADS s \"one\"\n SEND c "
                "s\n LOADF x 2.5\n SLEEP x\n"
                " CCLOSE c\n RETV\n";

TEST(select_takes_what_is_ready)
{
    struct vm_rig r;
    start(&r, select_text);
    CHECK_EQ_STR(rig_steps(&r), "sss");
    CHECK_EQ_STR(rig_log(&r), "say0.0 one;");
    lang_vm_signal(r.vm, 6);
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_STR(rig_log(&r), "say0.0 jam;");
    r.mono_ms = 500; /* the timer goes on, whatever wakes it */
    CHECK_EQ_INT(lang_vm_next_ms(r.vm), 1000);
    r.mono_ms = 1000;
    lang_vm_tick(r.vm, 1000);
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_STR(rig_log(&r), "say0.0 late;");
    CHECK_EQ_INT(lang_vm_next_ms(r.vm), 2000);
    lang_vm_tick(r.vm, 2500);
    r.mono_ms = 2500;
    CHECK_EQ_STR(rig_steps(&r), "sds"); /* closed: its arm is out, the others are not */
    lang_vm_signal(r.vm, 6);
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_STR(rig_log(&r), "say0.0 late;say0.0 jam;");
    rig_close(&r);
}

TEST(select_of_closed_channels_ends_the_task)
{
    struct vm_rig r;
    start(&r,
          "task main()\n reg c chan<int>\n reg i int\n reg j int\n reg v own-Valve\n HBIND v v\n"
          " LOADN i 1\n CHAN c i chan<int>\n LOADN j 7\n SEND c j\n CCLOSE c\n@a\n SELECT 2\n"
          " ARM 0 j c @got\n ARM 1 c i @sent\n@got\n SETV j n\n LOOP @a\n@sent\n LOOP @a\n");
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_var(&r, "n"), "7");
    CHECK_EQ_STR(rig_log(&r), "safe v;");
    rig_close(&r);
}

TEST(select_with_else_does_not_wait)
{
    struct vm_rig r;
    rig_open(&r, "fn main()\n reg c chan<int>\n reg i int\n reg s str\n LOADN i 1\n CHAN c i "
                 "chan<int>\n SELECT 2\n"
                 " ARM 0 i c @got\n ARM 4 @none\n@got\n LOADS s \"got\"\n SETV s s\n RETV\n@none\n "
                 "SELECT 2\n"
                 " ARM 1 c i @sent\n ARM 4 @none2\n@sent\n LOADS s \"sent\"\n SETV s s\n "
                 "RETV\n@none2\n RETV\n");
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK_EQ_STR(rig_var(&r, "s"), "sent");
    rig_close(&r);
}

TEST(an_event_that_comes_before_the_turn_is_kept)
{
    struct vm_rig r;
    start(&r, select_text);
    CHECK_EQ_STR(rig_steps(&r), "sss");
    (void)rig_log(&r);
    lang_vm_tick(r.vm, 1000); /* ready, for the time */
    lang_vm_signal(r.vm, 6);
    CHECK_EQ_INT(lang_vm_step(r.vm, &r.turn), LANG_SUSPENDED);
    CHECK_EQ_STR(rig_log(&r), "say0.0 jam;");
    rig_close(&r);
}

TEST(long_tasks_are_interrupted)
{
    struct vm_rig r;
    start(&r, "task main()\n reg i int\n reg j int\n LOADN i 0\n LOADN j 100000\n@a\n SETV i n\n "
              "FOR i j @a\n RETV\n");
    CHECK_EQ_STR(rig_steps(&r), "ood");
    CHECK_EQ_STR(rig_var(&r, "n"), "99999");
    CHECK_EQ_UINT(lang_vm_stats(r.vm).overruns, 2);
    rig_close(&r);
    start(&r, "task main()\n reg s own-Valve\n HBIND s v\n@a\n LOOP @a\n");
    unsigned n = 0;
    while (lang_vm_step(r.vm, &r.turn) == LANG_OUT_OF_BUDGET)
        n++;
    CHECK_EQ_UINT(n, VM_OVERRUNS_MAX);
    CHECK_EQ_INT(r.turn.result.outcome, LANG_TRAP);
    CHECK_EQ_STR(r.turn.result.why, "it ran for 1000 turns without waiting for anything");
    CHECK_EQ_STR(rig_log(&r), "safe v;");
    rig_close(&r);
}

TEST(calls_within_tasks_are_interrupted)
{
    struct vm_rig r;
    start(&r, "task main()\n reg i int\n reg s str\n LOADN w0 19\n CALL i fib\n CONCAT s 1\n PART "
              "3 i\n SETV s s\n"
              " RETV\n"
              "fn fib(n: int) -> int\n reg x int\n reg y int\n JGEIK n 2 @big\n RET n\n@big\n "
              "ADDIK w0 n -1\n"
              " CALL x fib\n ADDIK w0 n -2\n CALL y fib\n ADDI x x y\n RET x\n");
    CHECK_EQ_STR(rig_steps(&r), "od");
    CHECK_EQ_STR(rig_var(&r, "s"), "4181");
    rig_close(&r);
}

TEST(there_are_only_so_many_tasks)
{
    struct vm_rig r;
    struct lang_limits limits = lang_limits_default();
    limits.tasks_max = 3;
    rig_open_limits(&r, "task main()\n@a\n SPAWN 0 child\n LOOP @a\ntask child()\n RETV\n", limits);
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "t");
    CHECK_EQ_STR(r.turn.result.why, "there are too many tasks");
    CHECK_EQ_UINT(lang_vm_stats(r.vm).tasks, 0); /* its children never were */
    CHECK(lang_vm_start(r.vm, 1, 0) && lang_vm_start(r.vm, 1, 0) && lang_vm_start(r.vm, 1, 0));
    CHECK_EQ_UINT(lang_vm_start(r.vm, 1, 0), 0);
    rig_close(&r);
}

/* ---- handles ----------------------------------------------------------------------------- */

static const char keeper_text[] =
    "task main()\n reg v own-Valve\n reg w own-Valve\n reg i int\n reg x float\n HBIND v v\n HBIND "
    "w w\n"
    " HMOVE w0 w\n CALLV inner\n RETV\n"
    "fn inner(w: own-Valve)\n reg i int\n reg j int\n LOADN i 1\n JGTIK i 1 @wait\n SPAWN 1 "
    "keeper\n ARG w\n"
    " LOADN j 0\n DIVI i i j\n@wait\n HDROP w\n RETV\n"
    "task keeper(h: own-Valve)\n reg x float\n LOADF x 1\n SLEEP x\n RETV\n";

TEST(a_task_that_traps_makes_safe_what_it_had)
{
    struct vm_rig r;
    /* All of it in one turn: the handles were still the program's when that began. */
    start(&r, keeper_text);
    CHECK_EQ_STR(rig_steps(&r), "t");
    CHECK_EQ_STR(rig_log(&r), "");
    rig_close(&r);
    /* After a suspension they are the task's: the inner one is safe first, though it was moved on.
     */
    start(&r, "task main()\n reg v own-Valve\n reg w own-Valve\n reg i int\n reg x float\n HBIND v "
              "v\n HBIND w w\n"
              " LOADF x 1\n SLEEP x\n SPAWN 1 keeper\n ARG w\n LOADN i 0\n DIVI i i i\n RETV\n"
              "task keeper(h: own-Valve)\n reg x float\n LOADF x 1\n SLEEP x\n RETV\n");
    CHECK_EQ_STR(rig_steps(&r), "s");
    lang_vm_tick(r.vm, 1000);
    CHECK_EQ_STR(rig_steps(&r), "t");
    CHECK_EQ_STR(rig_log(&r), "safe w;safe v;");
    CHECK_EQ_UINT(lang_vm_stats(r.vm).tasks, 0);
    rig_close(&r);
}

TEST(handles_end_with_their_task)
{
    struct vm_rig r;
    start(
        &r,
        "task main()\n reg v own-Valve\n reg x float\n HBIND v v\n SPAWN 1 keeper\n ARG v\n RETV\n"
        "task keeper(h: own-Valve)\n reg x float\n LOADF x 1\n SLEEP x\n COMMANDH h 0 0 0\n "
        "RETV\n");
    CHECK_EQ_STR(rig_steps(&r), "ds");
    CHECK_EQ_STR(rig_log(&r), ""); /* it was moved */
    lang_vm_tick(r.vm, 1000);
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_log(&r), "v.0();safe v;");
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "ds");
    lang_vm_stop_all(r.vm);
    CHECK_EQ_STR(rig_log(&r), "safe v;");
    rig_close(&r);
}

TEST(handles_go_through_channels)
{
    struct vm_rig r;
    start(&r,
          "task main()\n reg c chan<Valve>\n reg i int\n reg v own-Valve\n LOADN i 1\n CHAN c i "
          "chan<Valve>\n"
          " SPAWN 1 user\n ARG c\n HBIND v v\n SEND c v\n JSOMEH v @kept\n CCLOSE c\n@kept\n RETV\n"
          "task user(c: chan<Valve>)\n reg v own-Valve\n@a\n RECV v c\n JNONEH v @end\n COMMANDH v "
          "0 0 0\n HDROP v\n"
          " LOOP @a\n@end\n RETV\n");
    CHECK_EQ_STR(rig_steps(&r), "dd");
    CHECK_EQ_STR(rig_log(&r), "v.0();safe v;");
    rig_close(&r);
}

/* ---- leases ------------------------------------------------------------------------------ */

static const char lease_text[] =
    "task main()\n reg h Valve\n reg d float\n reg n float\n reg s str\n LOADF d 60\n LOADF n 5\n"
    " LEASE h d n 0\n TO s @revoked\n TO s @denied\n COMMANDH h 0 0 0\n SLEEP n\n COMMANDH h 0 0 "
    "0\n RELEASE h\n"
    " RETV\n@revoked\n STATE s 1 0\n RETV\n@denied\n STATE s 2 0\n RETV\n";

TEST(leases_are_granted_and_released)
{
    struct vm_rig r;
    start(&r, lease_text);
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_STR(rig_log(&r), "lease 60000 5000;");
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_GRANTED, STR(""));
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_STR(rig_log(&r), "lent.0();");
    lang_vm_tick(r.vm, 5000);
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_log(&r), "lent.0();release;");
    rig_close(&r);
    rig_init(&r);
    asm_program(&r.world, lease_text);
    r.vm = lang_vm_new(alloc_system(), &r.world.program, &r.host, lang_limits_default());
    r.lease_answer = LANG_LEASE_GRANTED; /* before host->lease() returns */
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "s");
    CHECK_EQ_STR(rig_log(&r), "lease 60000 5000;lent.0();");
    rig_close(&r);
}

TEST(leases_are_denied_and_revoked)
{
    struct vm_rig r;
    start(&r, lease_text);
    CHECK_EQ_STR(rig_steps(&r), "s");
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_DENIED, STR("busy"));
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_log(&r), "lease 60000 5000;say0.2 busy;");
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "s");
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_GRANTED, STR(""));
    CHECK_EQ_STR(rig_steps(&r), "s");
    (void)rig_log(&r);
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_REVOKED, STR("the fire pump needs it"));
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_log(&r), "say0.1 the fire pump needs it;"); /* no release: it is over */
    rig_close(&r);
}

static const char nested_text[] =
    "task main()\n reg h Valve\n reg k Valve\n reg d float\n reg s str\n LOADF d 60\n LEASE h d d "
    "0\n TO s @outer\n"
    " TO @denied\n LEASE k d d 0\n TO s @inner\n TO @denied\n MOV s s\n HLEND w0 k\n CALLV use\n "
    "RELEASE k\n RELEASE h\n"
    " RETV\n@outer\n STATE s 1 0\n RETV\n@inner\n STATE s 2 0\n RELEASE h\n RETV\n@denied\n RETV\n"
    "fn use(k: Valve)\n reg v own-Valve\n reg i int\n reg j int\n HBIND v v\n LOADN i 0\n LOADN j "
    "100000\n@a\n FOR i j @a\n"
    " COMMANDH k 0 0 0\n HDROP v\n RETV\n";

TEST(revocation_leaves_what_was_entered)
{
    /* Both are granted at once; the task is interrupted inside use(), which owns v. */
    for (int outer = 0; outer < 2; outer++) {
        struct vm_rig r;
        rig_init(&r);
        asm_program(&r.world, nested_text);
        rig_verify(&r);
        r.vm = lang_vm_new(alloc_system(), &r.world.program, &r.host, lang_limits_default());
        r.lease_answer = LANG_LEASE_GRANTED;
        CHECK(lang_vm_start(r.vm, 0, 0) != 0);
        CHECK_EQ_INT(lang_vm_step(r.vm, &r.turn), LANG_OUT_OF_BUDGET);
        (void)rig_log(&r);
        lang_vm_lease(r.vm, r.lease_id - (uint32_t)outer, LANG_LEASE_REVOKED, STR("why"));
        LABEL("outer %d", outer);
        CHECK_EQ_STR(rig_steps(&r), "d");
        CHECK_EQ_STR(rig_log(&r),
                     outer ? "safe v;release!;say0.1 why;" : "safe v;say0.2 why;release;");
        rig_close(&r);
    }
}

TEST(a_crash_gives_leases_back)
{
    struct vm_rig r;
    start(&r, "task main()\n reg h Valve\n reg d float\n reg i int\n reg s str\n LOADF d 1\n LEASE "
              "h d d 0\n TO @end\n"
              " TO @end\n LOADN i 0\n DIVI i i i\n@end\n RETV\n");
    CHECK_EQ_STR(rig_steps(&r), "s");
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_GRANTED, STR(""));
    CHECK_EQ_STR(rig_steps(&r), "t");
    CHECK_EQ_STR(rig_log(&r), "lease 1000 1000;release!;");
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "s");
    lang_vm_stop(r.vm, r.turn.task); /* while it waits for it */
    CHECK_EQ_STR(rig_log(&r), "lease 1000 1000;release!;");
    lang_vm_lease(r.vm, r.lease_id, LANG_LEASE_GRANTED, STR("")); /* too late: nobody */
    rig_close(&r);
}

/* ---- messages ---------------------------------------------------------------------------- */

static struct strbuf packed;

static void keep_message(struct lang_host *h, struct str subject, struct str value)
{
    (void)h;
    CHECK(str_eq(subject, STR("news")));
    strbuf_reset(&packed);
    strbuf_addstr(&packed, value);
}

TEST(messages_are_copies)
{
    struct vm_rig r;
    strbuf_init(&packed, alloc_system(), 0);
    rig_open(&r, "fn main()\n reg p Point\n reg q Point\n reg i int\n reg s str\n LOADN i 4\n "
                 "LOADS s \"four\"\n"
                 " RECORD p 3 Point\n ARG i\n ARG s\n ARG q\n RECORD q 3 Point\n ARG i\n ARG s\n "
                 "ARG p\n LOADS s \"news\"\n"
                 " PUBLISH s q\n RETV\n"
                 "task got(p: Point)\n SETV p p\n RETV\n");
    r.world.rules[0] = (struct lang_rule){.kind = LANG_RULE_MESSAGE, .body = 1, .suspends = true};
    r.world.program.rules = r.world.rules;
    r.world.program.rules_n = 1;
    r.host.publish = keep_message;
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK(lang_vm_message(r.vm, 0, strbuf_str(&packed)) != 0);
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_var(&r, "p"),
                 "Point{x: 4, name: \"four\", next: Point{x: 4, name: \"four\", next: none}}");
    for (size_t n = 0; n < packed.n; n++) /* what was cut is no message */
        CHECK_EQ_UINT(lang_vm_message(r.vm, 0, (struct str){packed.p, n}), 0);
    CHECK_EQ_UINT(lang_vm_stats(r.vm).tasks, 0);
    strbuf_fini(&packed);
    rig_close(&r);
}

TEST(the_latest_turns_are_kept)
{
    struct vm_rig r;
    start(&r, pipe_text);
    (void)rig_steps(&r);
    struct lang_turn_note notes[32];
    CHECK_EQ_UINT(lang_vm_notes(r.vm, notes, 32), 8);
    CHECK_EQ_UINT(notes[0].number, 1);
    CHECK_EQ_UINT(notes[0].task, 1);
    CHECK_EQ_UINT(notes[0].rule, 7);
    CHECK_EQ_INT(notes[7].outcome, LANG_DONE);
    CHECK_EQ_UINT(lang_vm_notes(r.vm, notes, 2), 2);
    CHECK_EQ_UINT(notes[1].number, 8);
    rig_close(&r);
}

/* ---- memory ------------------------------------------------------------------------------ */

/* With each allocation failing in turn: a refusal, a trap, or the same result; and nothing is lost.
 */
TEST(without_memory_nothing_is_half_done)
{
    struct vm_rig r;
    rig_init(&r);
    asm_program(&r.world, pipe_text);
    rig_verify(&r);
    for (uint64_t fail_at = 0;; fail_at++) {
        struct alloc_faulty faulty;
        alloc_faulty_init(&faulty, fail_at);
        LABEL("allocation %d", (int)fail_at);
        strbuf_reset(&r.log);
        r.vm = lang_vm_new(&faulty.alloc, &r.world.program, &r.host, lang_limits_default());
        if (r.vm) {
            uint32_t task = lang_vm_start(r.vm, 0, 0);
            const char *steps = rig_steps(&r);
            if (!faulty.failed)
                CHECK_EQ_STR(steps, "ssssssdd");
            else
                CHECK(!task || strchr(steps, 't') || strcmp(steps, "ssssssdd") == 0);
            lang_vm_stop_all(r.vm);
        }
        lang_vm_free(r.vm);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
        if (!faulty.failed)
            break;
    }
    r.vm = NULL;
    rig_close(&r);
}
