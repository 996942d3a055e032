/* The verifier: what the assembler of the tests makes passes; every damage to it that could lead
 * the machine astray is refused, for its own reason. */
#include "lang/code_io_internal.h"
#include "lang/vm_fixture.h"

struct verify_case {
    const char *label, *text, *why;
};

static void expect(const struct verify_case *c)
{
    struct asm_world w;
    asm_world_init(&w);
    asm_program(&w, c->text);
    LABEL("%s", c->label);
    struct code_fault f = code_verify(alloc_system(), &w.program);
    CHECK_EQ_STR(f.why ? f.why : "", c->why);
    asm_world_fini(&w);
}

static void expect_each(const struct verify_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(&cases[i]);
}

TEST(registers_are_held_to_the_rules)
{
    static const struct verify_case cases[] = {
        {"fine", "fn f() -> int\n reg i int\n LOADN i 1\n RET i\n", ""},
        {"types", "fn f() -> int\n reg i int\n reg x float\n LOADN x 1\n RET i\n",
         "a wrong first register"},
        {"second", "fn f()\n reg i int\n reg x float\n LOADN i 1\n ITOF x x\n RETV\n",
         "a wrong second register"},
        {"result", "fn f() -> int\n reg x float\n LOADF x 1\n RET x\n", "a result of another type"},
        {"no result", "fn f() -> int\n RETV\n", "no result"},
        {"the end", "fn f()\n reg i int\n LOADN i 1\n", "code that runs over its end"},
        {"a branch at the end", "fn f()\n reg b bool\n@a\n LOADB b 1\n LOOPT b @a\n",
         "code that runs over its end"},
        {"back without charge", "fn f()\n@a\n JMP @a\n", "a jump in the wrong direction"},
        {"forward as a loop", "fn f()\n LOOP @a\n@a\n RETV\n", "a jump in the wrong direction"},
        {"into operands",
         "fn f()\n reg l list<int>\n reg i int\n LOADN i 1\n JMP @a\n LIST l 1 list<int>\n@a\n ARG "
         "i\n"
         " RETV\n",
         "a jump to where no instruction is"},
        {"not written", "fn f() -> int\n reg i int\n RET i\n",
         "a register that is read before it is written"},
        {"written on one way",
         "fn f(b: bool) -> int\n reg i int\n JT b @a\n LOADN i 1\n@a\n RET i\n",
         "a register that is read before it is written"},
        {"written on both ways",
         "fn f(b: bool) -> int\n reg i int\n JT b @a\n LOADN i 1\n JMP @e\n@a\n LOADN i 2\n@e\n "
         "RET i\n",
         ""},
        {"written in a loop that may not run",
         "fn f(n: int) -> int\n reg i int\n reg k int\n LOADN i 0\n JLEI n i @e\n@a\n LOADN k 1\n "
         "FOR i n @a\n@e\n"
         " RET k\n",
         "a register that is read before it is written"},
        {"entered in the middle of a loop",
         "fn f(n: int) -> int\n reg i int\n reg k int\n LOADN i 0\n JMP @c\n@a\n ADDI i i k\n "
         "LOADN k 1\n@c\n"
         " LOOPLTI i n @a\n RET i\n",
         "a register that is read before it is written"},
        {"references are none at first", "fn f() -> str\n reg s str\n RET s\n", ""},
    };
    expect_each(cases, ARRAY_LEN(cases));
}

TEST(operands_are_held_to_the_rules)
{
    static const struct verify_case cases[] = {
        {"an element of a list",
         "fn f()\n reg l list<int>\n reg s str\n reg i int\n LOADN i 0\n LOADS s \"x\"\n LSET s l "
         "i\n RETV\n",
         "operands that do not agree"},
        {"another list", "fn f()\n reg l list<int>\n reg k list<str>\n MOV l k\n RETV\n",
         "operands that do not agree"},
        {"no such field", "fn f()\n reg p Point\n reg i int\n GETF i p 3\n RETV\n",
         "operands that do not agree"},
        {"a field's type", "fn f()\n reg p Point\n reg i int\n GETF i p 1\n RETV\n",
         "operands that do not agree"},
        {"fields of a record",
         "fn f()\n reg p Point\n reg i int\n LOADN i 1\n RECORD p 1 Point\n ARG i\n RETV\n",
         "operands that do not agree"},
        {"a key", "fn f()\n reg m map<str,int>\n reg i int\n LOADN i 0\n MGET i m i\n RETV\n",
         "operands that do not agree"},
        {"keys", "fn f()\n reg m map<str,int>\n reg l list<int>\n MKEYS l m\n RETV\n",
         "operands that do not agree"},
        {"by zero", "fn f()\n reg i int\n LOADN i 1\n DIVIK i i 0\n RETV\n",
         "operands that do not agree"},
        {"a bool of 3", "fn f()\n reg b bool\n LOADB b 3\n RETV\n", "operands that do not agree"},
        {"an enum's text",
         "fn f()\n reg i int\n reg s str\n LOADN i 1\n CONCAT s 1\n PART 6 i\n RETV\n",
         "operands that do not agree"},
        {"comparing channels", "fn f()\n reg c chan<int>\n reg b bool\n EQO b c c\n RETV\n",
         "operands that do not agree"},
        {"a variable's type", "fn f()\n reg x float\n LOADF x 1\n SETV x n\n RETV\n",
         "operands that do not agree"},
        {"a reading's type", "fn f()\n reg b bool\n READ b 0 temp\n RETV\n",
         "operands that do not agree"},
    };
    expect_each(cases, ARRAY_LEN(cases));
}

TEST(handles_are_held_to_the_rules)
{
    static const struct verify_case cases[] = {
        {"reading what is owned", "fn f()\n reg x float\n READ x 0 v\n RETV\n",
         "operands that do not agree"},
        {"commanding what is read", "fn f()\n COMMAND 0 0 temp 0\n RETV\n",
         "operands that do not agree"},
        {"no such command", "fn f()\n COMMAND 0 0 v 2\n RETV\n", "operands that do not agree"},
        {"arguments of a command", "fn f()\n COMMAND 0 0 v 1\n RETV\n",
         "operands that do not agree"},
        {"owning what is lent", "fn f()\n reg h own-Valve\n HBIND h lent\n RETV\n",
         "operands that do not agree"},
        {"owning what was borrowed", "fn f(h: Valve)\n reg o own-Valve\n HLEND o h\n RETV\n",
         "operands that do not agree"},
        {"copying a handle", "fn f(h: own-Valve)\n reg o own-Valve\n MOV o h\n RETV\n",
         "a wrong first register"},
        {"leasing what is owned",
         "task f()\n reg h own-Valve\n reg d float\n LOADF d 1\n LEASE h d d 0\n TO @e\n TO @e\n"
         "@e\n RETV\n",
         "operands that do not agree"},
        {"an event of what is read", "task f()\n SELECT 1\n ARM 2 temp @e\n@e\n RETV\n",
         "operands that do not agree"},
        {"select without arms", "task f()\n SELECT 0\n RETV\n", "operands that do not agree"},
    };
    expect_each(cases, ARRAY_LEN(cases));
}

#define TWO "fn f(n: int, s: str) -> int\n RET n\n"

TEST(the_window_is_held_to_the_rules)
{
    static const struct verify_case cases[] = {
        {"fine", "fn m()\n reg i int\n reg s str\n LOADN w0 1\n MOV w1 s\n CALL i f\n RETV\n" TWO,
         ""},
        {"none of a text", "fn m()\n reg i int\n LOADN w0 1\n NIL w1\n CALL i f\n RETV\n" TWO, ""},
        {"an argument is missing", "fn m()\n reg i int\n LOADN w0 1\n CALL i f\n RETV\n" TWO,
         "wrong arguments"},
        {"of another type",
         "fn m()\n reg i int\n reg s str\n MOV w0 s\n MOV w1 s\n CALL i f\n RETV\n" TWO,
         "wrong arguments"},
        {"none of an int", "fn m()\n reg i int\n NIL w0\n NIL w1\n CALL i f\n RETV\n" TWO,
         "wrong arguments"},
        {"used twice",
         "fn m()\n reg i int\n reg s str\n LOADN w0 1\n MOV w1 s\n CALL i f\n CALL i f\n "
         "RETV\n" TWO,
         "wrong arguments"},
        {"a jump between",
         "fn m(b: bool)\n reg i int\n reg s str\n LOADN w0 1\n JT b @a\n@a\n MOV w1 s\n CALL i f\n "
         "RETV\n" TWO,
         "wrong arguments"},
        {"a target between",
         "fn m(b: bool)\n reg i int\n reg s str\n JT b @a\n LOADN w0 1\n MOV w1 s\n@a\n CALL i f\n "
         "RETV\n" TWO,
         "wrong arguments"},
        {"an allocation behind a reference",
         "fn m()\n reg i int\n reg s str\n LOADN w0 1\n MOV w1 s\n CONCAT s 1\n PART 1 s\n CALL i "
         "f\n RETV\n" TWO,
         "an allocation while a reference is in the window"},
        {"an allocation as the last one",
         "fn m()\n reg i int\n reg s str\n LOADN w0 1\n CONCAT w1 1\n PART 1 s\n CALL i f\n "
         "RETV\n" TWO,
         ""},
        {"read", "fn m()\n reg i int\n LOADN w0 1\n MOV i w0\n RETV\n" TWO,
         "a wrong second register"},
    };
    expect_each(cases, ARRAY_LEN(cases));
}

TEST(calls_are_held_to_the_rules)
{
    static const struct verify_case cases[] = {
        {"a result that is not taken", "fn m()\n LOADN w0 1\n NIL w1\n CALLV f\n RETV\n" TWO,
         "a result that nobody takes, or none"},
        {"a result that is none", "fn m()\n reg i int\n CALL i g\n RETV\nfn g()\n RETV\n",
         "a result that nobody takes, or none"},
        {"a result of another type",
         "fn m()\n reg x float\n LOADN w0 1\n NIL w1\n CALL x f\n RETV\n" TWO,
         "a result of another type"},
        {"a task is not called", "fn m()\n CALLV t\n RETV\ntask t()\n RETV\n",
         "a call of what can't be called"},
        {"a function is not spawned", "fn m()\n SPAWN 0 t\n RETV\nfn t()\n RETV\n",
         "wrong arguments of a task"},
        {"a closure is not called by its number",
         "fn m()\n reg i int\n LOADN w0 1\n CALL i f\n RETV\nfn f(n: int, | k: int) -> int\n RET "
         "k\n",
         "a call of what can't be called"},
        {"captures",
         "fn m()\n reg g fn<int,int>\n reg s str\n CLOSURE g 1 f\n ARG s\n RETV\n"
         "fn f(n: int, | k: int) -> int\n RET k\n",
         "wrong captures"},
        {"a closure's type",
         "fn m()\n reg g fn<str,int>\n reg k int\n LOADN k 1\n CLOSURE g 1 f\n ARG k\n RETV\n"
         "fn f(n: int, | k: int) -> int\n RET k\n",
         "a closure of another type"},
        {"a borrowed handle is not given away",
         "fn m(h: Valve)\n HLEND w0 h\n CALLV f\n RETV\nfn f(h: own-Valve)\n HDROP h\n RETV\n",
         "wrong arguments"},
        {"one that is owned is",
         "fn m(h: own-Valve)\n HMOVE w0 h\n CALLV f\n RETV\nfn f(h: own-Valve)\n HDROP h\n RETV\n",
         ""},
        {"and lent", "fn m(h: own-Valve)\n HLEND w0 h\n CALLV f\n RETV\nfn f(h: Valve)\n RETV\n",
         ""},
    };
    expect_each(cases, ARRAY_LEN(cases));
}

static const char all_text[] = "fn main() -> int\n reg i int\n reg x float\n reg s str\n reg b "
                               "bool\n reg l list<int>\n reg m map<str,int>\n"
                               " reg p Point\n reg f fn<int,int>\n reg h Valve\n LOADN i 1\n LOADF "
                               "x 1.5\n LOADS s \"s\"\n LOADB b 0\n"
                               " LIST l 2 list<int>\n ARG i\n ARG i\n MAP m map<str,int>\n MSET i "
                               "m s\n RECORD p 3 Point\n ARG i\n ARG s\n ARG p\n"
                               " CLOSURE f 1 add\n ARG i\n LOADN w0 2\n CALLC i f\n HBIND h v\n "
                               "COMMAND 2 1 v 1\n ARG x\n ARG s\n TO @e\n"
                               " CONCAT s 2\n PART 5 x °C\n PART 7 l\n READ x 0 temp\n JNONEF x "
                               "@e\n SETV s s\n@a\n LGET i l i\n LOOPLTIK i 0 @a\n"
                               "@e\n RET i\n"
                               "fn add(a: int, | k: int) -> int\n reg r int\n ADDI r a k\n RET r\n";

/* Each field of each instruction, changed in many ways: most of that is refused, and what is not
 * runs. (The fuzz target goes on from here.) */
TEST(damaged_code_does_no_harm)
{
    struct vm_rig r;
    struct lang_limits limits = lang_limits_default();
    limits.instructions_max = 1000;
    rig_open_limits(&r, all_text, limits);
    size_t tried = 0, refused = 0;
    for (size_t c = 0; c < r.world.program.code->chunks_n; c++) {
        const struct lang_chunk *k = &r.world.program.code->chunks[c];
        for (uint32_t at = 0; at < k->code_n; at++)
            for (unsigned change = 0; change < 4 * 20; change++) {
                struct instr *i = (struct instr *)(uintptr_t)&k->code[at], was = *i;
                uint8_t v = (uint8_t)(change % 20);
                switch (change / 20) {
                case 0: i->a = v; break;
                case 1: i->b = v; break;
                case 2: i->c = v; break;
                default: i->d = v - 5; break;
                }
                tried++;
                if (code_verify(alloc_system(), &r.world.program).why)
                    refused++;
                else
                    (void)rig_call(&r);
                strbuf_reset(&r.log);
                *i = was;
            }
    }
    CHECK(refused > tried / 4);
    CHECK(refused < tried);
    rig_verify(&r); /* all of it is as it was */
    rig_close(&r);
}

TEST(code_goes_through_bytes)
{
    struct asm_world w;
    struct arena arena;
    struct strbuf bytes, again, one, two;
    struct strbuf *const all[] = {&bytes, &again, &one, &two};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        strbuf_init(all[i], alloc_system(), 0);
    arena_init(&arena, alloc_system(), 16 << 20);
    asm_world_init(&w);
    asm_program(&w, all_text);
    struct lang_program *p;
    CHECK_EQ_INT(code_write(&arena, &w.program, &bytes), ERR_OK);
    REQUIRE(CHECK_EQ_INT(code_load(&arena, strbuf_str(&bytes), &p), ERR_OK));
    CHECK(!code_verify(alloc_system(), p).why);
    CHECK_EQ_INT(code_write(&arena, p, &again), ERR_OK);
    CHECK(str_eq(strbuf_str(&bytes), strbuf_str(&again)));
    lang_program_dump(&one, &w.program);
    lang_program_dump(&two, p);
    CHECK_HAS_STR(one.p, "COMMAND  2 1 v.set");
    CHECK_HAS_STR(one.p, "PART   r");
    CHECK_HAS_STR(one.p, "r0 int parameter, r1 int captured");
    for (size_t n = 0; n < bytes.n; n++)
        CHECK_EQ_INT(code_load(&arena, (struct str){bytes.p, n}, &p), ERR_CORRUPT);
    asm_world_fini(&w);
    arena_fini(&arena);
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        strbuf_fini(all[i]);
}

TEST(the_verifier_without_memory)
{
    struct asm_world w;
    asm_world_init(&w);
    asm_program(&w, all_text);
    for (uint64_t fail_at = 0;; fail_at++) {
        struct alloc_faulty faulty;
        alloc_faulty_init(&faulty, fail_at);
        struct code_fault f = code_verify(&faulty.alloc, &w.program);
        CHECK_EQ_INT(f.no_memory, faulty.failed);
        CHECK_EQ_UINT(faulty.live_bytes, 0);
        if (!faulty.failed)
            break;
    }
    asm_world_fini(&w);
}
