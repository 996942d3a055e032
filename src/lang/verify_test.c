/* The verifier: what the compiler makes passes; every damage to it that could lead the machine
 * astray is refused. */
#include "lang/code_internal.h"
#include "lang/lang_fixture.h"

#include <string.h>

static const char text[] =
    "fn f(t: °C, n: int) -> str { if t > 5 °C and n < 3 { return \"{t} {n}\" }\n return f(t, n - "
    "1) }\n"
    "fn g(b: bool) { let c = not b }\n"
    "program p {\n"
    "  own v: Valve = gate\n"
    "  var who = \"x\"; var n = 1; var x = 1.5; var on = true\n"
    "  for st in heated {\n"
    "    read t: °C = st.temperature stale 5s\n"
    "    read b: bool = st.running stale 5s\n"
    "    read m: str = st.mode stale 5s\n"
    "    read c: int = st.parts stale 5s\n"
    "    when (t > 80 °C or b) and not stale t or slope(t, 1min) > 1 K/min or m == \"a\" or c > 3 "
    "{\n"
    "      v.set(50 %, 2s); who = f(t, c); n = n * 2 + c / 3 - c mod 2; x = x / 2 + abs(-x) mod 3\n"
    "      on = not on; x = min(x, n, 3.5); n = max(n, round(x)); g(b)\n"
    "      alert info \"{who} {n} {x} {on} {round(t)} {now()}\"\n"
    "    }\n"
    "  }\n"
    "}\n";

struct damage {
    const struct lang_program *program;
    struct instr *i;
    uint64_t tried;
};

static void refuse(struct damage *d, struct instr changed, const char *what)
{
    struct instr was = *d->i;
    LABEL("%s: %s", code_names[was.op], what);
    *d->i = changed;
    CHECK(code_verify(d->program)[0] != '\0');
    *d->i = was;
    d->tried++;
}

/* A register of another type than this one; 255 if the chunk has none. */
static uint8_t other_type(const struct lang_chunk *c, uint8_t reg)
{
    for (uint32_t r = 0; r < c->regs_n; r++)
        if (c->reg_types[r] != c->reg_types[reg])
            return (uint8_t)r;
    return 255;
}

static void damage_registers(struct damage *d, const struct lang_chunk *c)
{
    const char *sig = code_signatures[d->i->op];
    struct instr x = *d->i;
    if (sig[0] != '-') {
        x.a = 255;
        refuse(d, x, "no such first register");
        x.a = other_type(c, d->i->a);
        refuse(d, x, "a first register of another type");
    }
    x = *d->i;
    if (sig[1] != '-') {
        x.b = 255;
        refuse(d, x, "no such second register");
        x.b = other_type(c, d->i->b);
        refuse(d, x, "a second register of another type");
    }
    x = *d->i;
    if (sig[2] != '-') {
        x.c = 255;
        refuse(d, x, "no such third register");
        x.c = other_type(c, d->i->c);
        refuse(d, x, "a third register of another type");
    }
}

static void damage_operand(struct damage *d)
{
    const char *sig = code_signatures[d->i->op];
    struct instr x = *d->i;
    x.op = CODE_OPS_N;
    refuse(d, x, "no such instruction");
    x = *d->i;
    if (sig[3] == '-' || sig[3] == 'm')
        return;
    x.d = INT32_MAX;
    refuse(d, x, "an operand that is too large");
    x.d = -1;
    refuse(d, x, "a negative operand");
}

static void damage_call(struct damage *d)
{
    uint8_t op = d->i->op;
    if (op != CODE_CALL && op != CODE_CALLV && op != CODE_COMMAND)
        return;
    struct instr x = *d->i;
    x.b++;
    refuse(d, x, "one argument more");
    x.b = 255;
    refuse(d, x, "many arguments more");
    if (d->i->b > 0) {
        x.b = (uint8_t)(d->i->b - 1);
        refuse(d, x, "one argument less");
    }
}

TEST(damaged_code_is_refused)
{
    struct lang_site *site = fixture_check(text, false);
    REQUIRE(site != NULL);
    REQUIRE(CHECK_EQ_UINT(site->programs_n, 1));
    struct damage d = {.program = site->programs[0]};
    CHECK_EQ_STR(code_verify(d.program), "");
    bool seen[CODE_OPS_N] = {0};
    for (size_t c = 0; c < d.program->code->chunks_n; c++) {
        const struct lang_chunk *chunk = &d.program->code->chunks[c];
        for (size_t i = 0; i < chunk->code_n; i++) {
            d.i = (struct instr *)(uintptr_t)&chunk->code[i];
            seen[d.i->op] = true;
            if (d.i->op != CODE_ARG) /* looked at together with its call */
                damage_registers(&d, chunk);
            damage_operand(&d);
            damage_call(&d);
        }
        struct instr *last = (struct instr *)(uintptr_t)&chunk->code[chunk->code_n - 1];
        d.i = last;
        refuse(&d, (struct instr){.op = CODE_JMP}, "code that runs over its end");
    }
    size_t kinds = 0;
    for (size_t i = 0; i < CODE_OPS_N; i++)
        kinds += seen[i];
    CHECK(kinds > 45); /* nearly all instructions stand in that program */
    CHECK(d.tried > 1000);
    CHECK_EQ_STR(code_verify(d.program), "");
    lang_site_free(site);
}
