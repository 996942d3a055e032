/* Images: a program that is saved and restored between any two of its turns goes on as if nothing
 * had happened; other code takes what fits; damaged images are errors. */
#include "lang/vm_fixture.h"

#include "base/map.h"

/* Sleeps, channels of data and of handles, select, leases, calls that are interrupted, closures,
 * maps, a ring of records. */
static const char busy_text[] =
    "task main()\n reg c chan<Point>\n reg d chan<Valve>\n reg i int\n reg x float\n reg v "
    "own-Valve\n"
    " reg f fn<int,int>\n reg p Point\n reg s str\n reg m map<str,int>\n"
    " LOADN i 2\n CHAN c i chan<Point>\n CHAN d i chan<Valve>\n SPAWN 2 reader\n ARG c\n ARG d\n"
    " LOADN i 10\n CLOSURE f 1 add\n ARG i\n LOADS s \"p\"\n RECORD p 3 Point\n ARG i\n ARG s\n "
    "ARG p\n SETF p p 2\n"
    " SETV p p\n MAP m map<str,int>\n SETV m seen\n HBIND v v\n LOADF x 0.5\n SLEEP x\n SEND d v\n"
    " LOADN i 0\n@a\n MOV w0 i\n CALLC i f\n CONCAT s 2\n PART 0 \"k\"\n PART 3 i\n MSET i m s\n "
    "RECORD p 3 Point\n"
    " ARG i\n ARG s\n ARG p\n SEND c p\n SLEEP x\n LOOPLTIK i 50 @a\n CCLOSE c\n SPAWN 0 lessee\n "
    "SPAWN 0 cruncher\n"
    " SETV p p\n RETV\n"
    "fn add(a: int, | k: int) -> int\n reg r int\n ADDI r a k\n RET r\n"
    "task reader(c: chan<Point>, d: chan<Valve>)\n reg p Point\n reg v own-Valve\n reg s str\n reg "
    "x float\n"
    " RECV v d\n LOADF x 0.7\n@a\n SELECT 3\n ARM 0 p c @got\n ARM 2 jam @jam\n ARM 3 x "
    "@late\n@got\n JNONEO p @end\n"
    " GETF s p 1\n STATE s 0 0\n COMMANDH v 0 0 0\n LOOP @a\n@jam\n LOADS s \"jam\"\n STATE s 0 "
    "0\n LOOP @a\n@late\n"
    " LOADS s \"late\"\n STATE s 0 0\n JMP @end\n@end\n HDROP v\n RETV\n"
    "task lessee()\n reg h Valve\n reg d float\n reg s str\n LOADF d 1\n LEASE h d d 0\n TO s "
    "@revoked\n TO s @denied\n"
    " COMMANDH h 0 0 0\n SLEEP d\n COMMANDH h 0 0 0\n SLEEP d\n RELEASE h\n@revoked\n LOADS s "
    "\"revoked\"\n STATE s 0 0\n"
    "@denied\n RETV\n"
    "task cruncher()\n reg i int\n reg s str\n LOADN w0 20\n CALL i fib\n CONCAT s 1\n PART 3 i\n "
    "SETV s s\n RETV\n"
    "fn fib(n: int) -> int\n reg x int\n reg y int\n JGEIK n 2 @big\n RET n\n@big\n ADDIK w0 n "
    "-1\n CALL x fib\n"
    " ADDIK w0 n -2\n CALL y fib\n ADDI x x y\n RET x\n";

/* Up to so many turns; time goes on, leases are granted, when nobody else can. False: all is done.
 */
static bool play(struct vm_rig *r, unsigned turns)
{
    while (turns > 0) {
        if (lang_vm_step(r->vm, &r->turn) != LANG_IDLE) {
            turns--;
            continue;
        }
        int64_t next = lang_vm_next_ms(r->vm);
        if (r->lease_id != 0) {
            lang_vm_lease(r->vm, r->lease_id, LANG_LEASE_GRANTED, STR(""));
            r->lease_id = 0;
        } else if (next != INT64_MAX) {
            r->mono_ms = next;
            lang_vm_tick(r->vm, next);
        } else {
            return false;
        }
    }
    return true;
}

/* Until the first one that sleeps goes on; -1: none does. */
static int64_t time_left(const struct vm_rig *r)
{
    int64_t next = lang_vm_next_ms(r->vm);
    return next == INT64_MAX ? -1 : next - r->mono_ms;
}

static struct lang_vm *new_vm(struct vm_rig *r)
{
    struct lang_vm *vm =
        lang_vm_new(alloc_system(), &r->world.program, &r->host, lang_limits_default());
    REQUIRE(vm != NULL);
    return vm;
}

static void note_lease(void *ctx, uint32_t id, uint32_t lease)
{
    (void)id;
    (void)lease;
    ++*(unsigned *)ctx;
}

TEST(a_restored_program_goes_on)
{
    struct vm_rig r;
    rig_open(&r, busy_text);
    CHECK(lang_vm_start(r.vm, 0, 3) != 0);
    (void)play(&r, UINT32_MAX);
    char all[1024], before[1024];
    (void)snprintf(all, sizeof(all), "%s", rig_log(&r));
    CHECK_HAS_STR(all, "say0.0 k10;v.0();");
    CHECK_HAS_STR(all, "safe v;");
    CHECK_HAS_STR(all, "release;");
    CHECK_EQ_STR(rig_var(&r, "s"), "6765");
    for (unsigned turns = 0;; turns++) {
        struct strbuf image;
        strbuf_init(&image, alloc_system(), 0);
        lang_vm_free(r.vm);
        r.vm = new_vm(&r);
        r.mono_ms = 0;
        CHECK(lang_vm_start(r.vm, 0, 3) != 0);
        bool more = play(&r, turns);
        LABEL("after %u turns", turns);
        CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
        CHECK(!lang_vm_dirty(r.vm));
        (void)snprintf(before, sizeof(before), "%s", rig_log(&r));
        uint32_t tasks = lang_vm_stats(r.vm).tasks;
        int64_t left = time_left(&r);
        lang_vm_free(r.vm);
        r.vm = new_vm(&r);
        r.mono_ms += 100000; /* another clock */
        r.lease_id = 0;
        unsigned leases = 0;
        struct lang_restored told = {.lease = note_lease, .ctx = &leases};
        CHECK_EQ_INT(lang_vm_restore(r.vm, strbuf_str(&image), &told), ERR_OK);
        CHECK_EQ_UINT(told.tasks, tasks);
        CHECK_EQ_INT(time_left(&r), left);
        CHECK_EQ_UINT(told.vars, r.world.program.vars_n);
        heap_check(&r.vm->heap);
        (void)play(&r, UINT32_MAX);
        heap_check(&r.vm->heap);
        /* A lease that was only asked for is asked for again. */
        char joined[2048];
        (void)snprintf(joined, sizeof(joined), "%s%s", before, rig_log(&r));
        char *twice = strstr(joined, "lease 1000 1000;");
        char *again = twice ? strstr(twice + 1, "lease 1000 1000;") : NULL;
        if (again)
            memmove(again, again + 16, strlen(again + 16) + 1);
        CHECK_EQ_STR(joined, all);
        CHECK_EQ_STR(rig_var(&r, "s"), "6765");
        CHECK_HAS_STR(rig_var(&r, "seen"),
                      "[\"k10\": 10, \"k20\": 20, \"k30\": 30, \"k40\": 40, \"k50\": 50]");
        strbuf_fini(&image);
        if (!more)
            break;
    }
    rig_close(&r);
}

static void note_held(void *ctx, struct str path, bool lease)
{
    strbuf_addf(ctx, "%.*s%s;", STR_FMT(path), lease ? " lent" : "");
}

TEST(other_code_takes_what_fits)
{
    struct vm_rig r, other;
    struct strbuf image, held;
    strbuf_init(&image, alloc_system(), 0);
    strbuf_init(&held, alloc_system(), 0);
    rig_open(&r, busy_text);
    CHECK(lang_vm_start(r.vm, 0, 3) != 0);
    lang_vm_var_set(r.vm, 0, (union lang_slot){.i = 77});
    (void)play(&r, 9);
    CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
    rig_init(&other);
    other.world.vars[1].type = (struct lang_type){.kind = LANG_TYPE_INT}; /* x: another type */
    other.world.vars[6].path = STR("renamed");
    asm_program(&other.world, "fn main()\n RETV\n");
    other.vm = new_vm(&other);
    struct lang_restored told = {.held = note_held, .ctx = &held};
    CHECK_EQ_INT(lang_vm_restore(other.vm, strbuf_str(&image), &told), ERR_OK);
    CHECK_EQ_UINT(told.tasks, 0);
    CHECK_EQ_UINT(told.tasks_dropped, 2);
    CHECK_EQ_UINT(told.vars, r.world.program.vars_n - 2);
    CHECK_EQ_STR(rig_var(&other, "n"), "77");
    CHECK_HAS_STR(rig_var(&other, "seen"), "[\"k10\": 10");
    CHECK_EQ_STR(held.p, "v;");
    rig_close(&other);
    rig_close(&r);
    strbuf_fini(&image);
    strbuf_fini(&held);
}

TEST(what_hangs_together_stays_so)
{
    struct vm_rig r;
    struct strbuf image;
    strbuf_init(&image, alloc_system(), 0);
    rig_open(&r, "fn main()\n reg p Point\n reg q Point\n reg i int\n reg s str\n LOADN i 1\n "
                 "LOADS s \"ring\"\n"
                 " RECORD p 3 Point\n ARG i\n ARG s\n ARG q\n RECORD q 3 Point\n ARG i\n ARG s\n "
                 "ARG p\n SETF q p 2\n"
                 " SETV p p\n RETV\n"
                 "fn look()\n reg p Point\n reg i int\n LOADN i 9\n GETV p p\n SETF i p 0\n GETF p "
                 "p 2\n GETF p p 2\n"
                 " GETF i p 0\n SETV i n\n RETV\n");
    CHECK_EQ_INT(rig_call(&r), LANG_DONE);
    CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
    lang_vm_free(r.vm);
    r.vm = new_vm(&r);
    struct lang_restored told = {0};
    CHECK_EQ_INT(lang_vm_restore(r.vm, strbuf_str(&image), &told), ERR_OK);
    CHECK_EQ_INT(lang_vm_call(r.vm, 1, &r.result), LANG_DONE);
    CHECK_EQ_STR(rig_var(&r, "n"), "9"); /* it is a ring of two */
    rig_close(&r);
    strbuf_fini(&image);
}

static void reseal(struct strbuf *image)
{
    uint32_t crc = crc32c(0, image->p, image->n - 4);
    for (unsigned i = 0; i < 4; i++)
        image->p[image->n - 4 + i] = (char)(crc >> 8 * i);
}

/* Each byte changed, each length cut: an error, or a machine that runs. */
TEST(damaged_images_do_no_harm)
{
    struct vm_rig r;
    struct strbuf image, bad;
    strbuf_init(&image, alloc_system(), 0);
    strbuf_init(&bad, alloc_system(), 0);
    rig_open(&r, busy_text);
    CHECK(lang_vm_start(r.vm, 0, 3) != 0);
    (void)play(&r, 9);
    CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
    struct lang_restored told = {0};
    size_t refused = 0;
    for (size_t at = 0; at < image.n; at++)
        for (unsigned change = 0; change < 4; change++) {
            static const uint8_t flips[] = {1, 0x80, 0x7F, 0xFF};
            strbuf_reset(&bad);
            strbuf_add(&bad, image.p, change == 3 && at >= 4 ? at : image.n);
            if (change < 3)
                bad.p[at] = (char)(bad.p[at] ^ flips[change]);
            if (bad.n >= 4 && at < image.n - 4)
                reseal(&bad);
            lang_vm_free(r.vm);
            r.vm = new_vm(&r);
            if (lang_vm_restore(r.vm, strbuf_str(&bad), &told) != ERR_OK) {
                refused++;
                CHECK_EQ_UINT(lang_vm_stats(r.vm).tasks, 0);
                CHECK_EQ_STR(rig_var(&r, "n"), "5");
                continue;
            }
            (void)play(&r, 40);
            lang_vm_stop_all(r.vm);
            heap_check(&r.vm->heap);
            strbuf_reset(&r.log);
        }
    CHECK(refused > image.n);
    bad.p[0] = 'x';
    CHECK_EQ_INT(lang_vm_restore(r.vm, strbuf_str(&bad), &told), ERR_CORRUPT);
    rig_close(&r);
    strbuf_fini(&image);
    strbuf_fini(&bad);
}

TEST(saving_and_restoring_without_memory)
{
    struct vm_rig r;
    struct strbuf image;
    strbuf_init(&image, alloc_system(), 0);
    rig_open(&r, busy_text);
    CHECK(lang_vm_start(r.vm, 0, 3) != 0);
    (void)play(&r, 9);
    CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
    bool done = false;
    for (uint64_t fail_at = 0; !done; fail_at++) {
        struct alloc_faulty faulty;
        struct strbuf again;
        alloc_faulty_init(&faulty, fail_at);
        LABEL("allocation %d", (int)fail_at);
        struct lang_vm *vm =
            lang_vm_new(&faulty.alloc, &r.world.program, &r.host, lang_limits_default());
        strbuf_init(&again, alloc_system(), 0);
        if (vm) {
            struct lang_restored told = {0};
            enum err e = lang_vm_restore(vm, strbuf_str(&image), &told);
            CHECK(e == ERR_OK || (e == ERR_NOMEM && faulty.failed));
            CHECK(e == ERR_OK || lang_vm_stats(vm).tasks == 0);
            enum err saved = lang_vm_save(vm, &again);
            CHECK(saved == ERR_OK || (saved == ERR_NOMEM && faulty.failed));
            done = !faulty.failed;
        }
        lang_vm_free(vm);
        strbuf_fini(&again);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
    }
    rig_close(&r);
    strbuf_fini(&image);
}

/* ---- handles in a channel ------------------------------------------------------------------ */

/* Two of them end up in the channel of a variable, around the end of its ring; then it is closed.
 */
static const char way_text[] =
    "task main()\n reg c chan<Valve>\n reg i int\n reg v own-Valve\n reg w own-Valve\n LOADN i 2\n"
    " CHAN c i chan<Valve>\n SETV c way\n HBIND v v\n HBIND w w\n SEND c w\n RECV w c\n SEND c w\n"
    " SEND c v\n CCLOSE c\n RETV\n"
    "task user()\n reg c chan<Valve>\n reg v own-Valve\n GETV c way\n@a\n RECV v c\n"
    " COMMANDH v 0 0 0\n HDROP v\n LOOP @a\n";

static void way_open(struct vm_rig *r, const char *text)
{
    struct asm_world *w = &r->world;
    rig_init(r);
    w->args[3] = (struct lang_type){.kind = LANG_TYPE_HANDLE, .model = &w->valve};
    w->vars[ASM_VARS] = (struct lang_var){
        .name = STR("way"),
        .path = STR("way"),
        .type = {.kind = LANG_TYPE_CHAN, .own = true, .args = w->args + 3, .args_n = 1}};
    w->program.vars_n = ASM_VARS + 1;
    asm_program(w, text);
    rig_verify(r);
    r->vm = new_vm(r);
}

TEST(handles_in_a_channel_become_safe_when_the_program_stops)
{
    struct vm_rig r;
    struct strbuf image;
    strbuf_init(&image, alloc_system(), 0);
    way_open(&r, way_text);
    lang_vm_stop_all(r.vm); /* there is no channel yet */
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_STR(rig_log(&r), "");
    CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
    lang_vm_stop_all(r.vm);
    CHECK_EQ_STR(rig_log(&r), "safe w;safe v;");
    CHECK(lang_vm_dirty(r.vm));
    lang_vm_stop_all(r.vm);
    CHECK_EQ_STR(rig_log(&r), "");
    CHECK(lang_vm_start(r.vm, 1, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "d"); /* closed and empty */
    CHECK_EQ_STR(rig_log(&r), "");
    rig_close(&r);
    strbuf_fini(&image);
}

TEST(handles_in_a_channel_stay_there_in_an_image_of_the_same_code)
{
    struct vm_rig r, other;
    struct strbuf image, held;
    strbuf_init(&image, alloc_system(), 0);
    strbuf_init(&held, alloc_system(), 0);
    struct lang_restored told = {.held = note_held, .ctx = &held};
    way_open(&r, way_text);
    CHECK(lang_vm_start(r.vm, 0, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "d");
    CHECK_EQ_INT(lang_vm_save(r.vm, &image), ERR_OK);
    lang_vm_free(r.vm);
    r.vm = new_vm(&r);
    CHECK_EQ_INT(lang_vm_restore(r.vm, strbuf_str(&image), &told), ERR_OK);
    CHECK_EQ_UINT(held.n, 0);
    CHECK(lang_vm_start(r.vm, 1, 0) != 0);
    CHECK_EQ_STR(rig_steps(&r), "d"); /* both, though it is closed */
    CHECK_EQ_STR(rig_log(&r), "w.0();safe w;v.0();safe v;");
    way_open(&other, "fn main()\n RETV\n");
    CHECK_EQ_INT(lang_vm_restore(other.vm, strbuf_str(&image), &told), ERR_OK);
    CHECK_EQ_STR(held.p, "w;v;");
    lang_vm_stop_all(other.vm); /* its own channel has none of them */
    CHECK_EQ_STR(rig_log(&other), "");
    rig_close(&other);
    rig_close(&r);
    strbuf_fini(&image);
    strbuf_fini(&held);
}
