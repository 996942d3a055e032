#include "app/args.h"
#include "base/utf8.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

enum { ARGS_MAX = 24, LINE_MAX_BYTES = 256 };

/* Splits as a shell would: blanks, '…'. It stops at what the shell does with the command. */
static int split(const char *line, char room[LINE_MAX_BYTES], char **argv)
{
    int argc = 0;
    bool quoted = false, in_word = false;
    REQUIRE(strlen(line) < LINE_MAX_BYTES);
    for (const char *c = line; *c; c++) {
        if (!quoted && (*c == '|' || *c == '>' || *c == '&' || *c == '#'))
            break;
        if (*c == '\'') {
            quoted = !quoted;
            continue;
        }
        if (*c == ' ' && !quoted) {
            in_word = false;
            *room++ = '\0';
            continue;
        }
        if (!in_word)
            argv[argc++] = room;
        REQUIRE(argc <= ARGS_MAX);
        in_word = true;
        *room++ = *c;
    }
    *room = '\0';
    argv[argc] = NULL;
    return argc;
}

static bool is_sentence_part(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && text[n - 1] != '.' && text[n - 1] != ' ';
}

static void check_options(const struct command *c)
{
    const struct command_option *o;
    for (size_t i = 0; (o = command_option(c, i)); i++) {
        LABEL("sedge %s: option %zu (%s)", c->name, i, o->name ? o->name : "-");
        CHECK(o->text && is_sentence_part(o->text));
        if (command_option_is_heading(o))
            continue;
        CHECK(!o->name || o->name[0] != '-');
        CHECK(!o->values || o->arg);
        CHECK(o->id != 0 || o->letter || o->absent);
        const struct command_option *other;
        for (size_t j = 0; j < i && (other = command_option(c, j)); j++) {
            CHECK(!o->letter || o->letter != other->letter);
            CHECK(!o->name || !other->name || strcmp(o->name, other->name) != 0);
            CHECK(!o->id || o->id != other->id);
        }
    }
}

TEST(commands_are_described)
{
    for (size_t i = 0; commands[i]; i++) {
        const struct command *c = commands[i];
        LABEL("sedge %s", c->name);
        CHECK(c->run != NULL);
        CHECK(c->line && is_sentence_part(c->line) && utf8_width(str_from(c->line)) <= 64);
        CHECK(c->synopsis != NULL);
        CHECK(c->about && c->about[0]);
        CHECK(c->examples[0].line != NULL);
        CHECK(c->exits[0].status && strcmp(c->exits[0].status, "0") == 0);
        CHECK_EQ_PTR(command_find(str_from(c->name)), c);
        for (size_t j = 0; j < i; j++)
            CHECK(commands[j] != c);
        for (size_t s = 0; s < COMMAND_WORDS && c->see[s]; s++)
            CHECK(command_find(str_from(c->see[s])) != NULL);
        check_options(c);
    }
}

/* An example with an option that its command does not have would be worse than none. */
TEST(commands_take_their_own_examples)
{
    size_t tried = 0;
    for (size_t i = 0; commands[i]; i++) {
        for (size_t e = 0; e < COMMAND_EXAMPLES && commands[i]->examples[e].line; e++) {
            char room[LINE_MAX_BYTES], *argv[ARGS_MAX + 1];
            const char *line = commands[i]->examples[e].line;
            LABEL("%s", line);
            const char *from = strstr(line, "sedge ");
            REQUIRE(from != NULL);
            int argc = split(from, room, argv), id = ARGS_WORD;
            CHECK_EQ_STR(argv[1], commands[i]->name);
            struct args a = args_start(commands[i], argc - 1, argv + 1);
            while (id != ARGS_END && id != ARGS_LEAVE)
                id = args_next(&a);
            tried += CHECK_EQ_INT(id, ARGS_END);
        }
    }
    CHECK(tried > 10);
}

static size_t lines_of(void (*write)(struct strbuf *out), bool *fits)
{
    struct strbuf out;
    size_t n = 0;
    strbuf_init(&out, alloc_system(), 0);
    write(&out);
    struct str rest = strbuf_str(&out), line;
    *fits = true;
    while (rest.n > 0 && str_split(&rest, '\n', &line)) {
        *fits &= utf8_width(line) <= HELP_COLUMNS;
        n++;
    }
    strbuf_fini(&out);
    return n;
}

TEST(sedge_explains_itself_in_twenty_lines)
{
    bool fits;
    size_t n = lines_of(help_introduce, &fits);
    CHECK(n > 10 && n <= 20);
    CHECK(fits);
    CHECK(lines_of(help_overview, &fits) > 10);
    CHECK(fits);
}

TEST(help_fits_a_terminal)
{
    struct strbuf out;
    strbuf_init(&out, alloc_system(), 0);
    for (size_t i = 0; commands[i]; i++) {
        strbuf_reset(&out);
        help_command(&out, commands[i]);
        struct str rest = strbuf_str(&out), line;
        while (rest.n > 0 && str_split(&rest, '\n', &line)) {
            LABEL("sedge %s: %.*s", commands[i]->name, STR_FMT(line));
            CHECK(utf8_width(line) <= HELP_COLUMNS);
            CHECK(line.n == 0 || line.p[line.n - 1] != ' ');
        }
        CHECK_HAS_STR(out.p, "\nexamples\n  ");
        CHECK_HAS_STR(out.p, "--help");
        CHECK_HAS_STR(out.p, "\nexit status\n  0");
    }
    strbuf_fini(&out);
}

/* --- reading a line --- */

static int no_run(int argc, char **argv)
{
    (void)argc, (void)argv;
    return EXIT_OK;
}

static const struct command sample = {
    .name = "sample",
    .line = "is for this test",
    .synopsis = "FILE",
    .options = {(const struct command_option[]){{.name = "all", .letter = 'a', .text = "all"},
                                                {.name = "both", .letter = 'b', .text = "both"},
                                                OPTION("count", 'n', "N", "so many", NULL, 0),
                                                OPTION("level", 0, "NAME", "a level", NULL, 300),
                                                OPTIONS_END},
                (const struct command_option[]){
                    OPTIONS_OF("more"),
                    {.name = "pair", .letter = 'p', .arg = "A B", .text = "two", .many = true},
                    {.name = "gone", .letter = 'g', .text = "gone", .absent = "it is not here"},
                    OPTIONS_END}},
    .run = no_run,
};

/* What args_next() gave, as text: "a n=3 word 300=x". */
static void read_line(const char *line, char out[128])
{
    char room[LINE_MAX_BYTES], *argv[ARGS_MAX + 1];
    int argc = split(line, room, argv);
    struct args a = args_start(&sample, argc, argv);
    struct strbuf text;
    strbuf_init(&text, alloc_system(), 0);
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        strbuf_adds(&text, text.n ? " " : "");
        if (id == ARGS_LEAVE) {
            strbuf_addf(&text, "leave %d", args_status(&a));
            break;
        }
        if (id == ARGS_WORD)
            strbuf_adds(&text, a.value);
        else if (id > 255)
            strbuf_addf(&text, "%d=%s", id, a.value);
        else
            strbuf_addf(&text, a.value ? "%c=%s" : "%c", id, a.value);
        if (id == 'p') {
            strbuf_addf(&text, "=%s+%s", args_rest(&a)[0], args_rest(&a)[1]);
            args_skip(&a, 2);
        }
    }
    (void)snprintf(out, 128, "%s", text.p);
    strbuf_fini(&text);
}

TEST(args_read_a_line)
{
    static const struct {
        const char *line, *got;
    } rows[] = {
        {"sample", ""},
        {"sample f", "f"},
        {"sample -a -b f", "a b f"},
        {"sample f -ab", "f a b"},
        {"sample -n 3 -n4 --count 5 --count=6 --count=", "n=3 n=4 n=5 n=6 n="},
        {"sample -abn7 f", "a b n=7 f"},
        {"sample -n -a", "n=-a"}, /* a value may look like an option */
        {"sample --level=x=y", "300=x=y"},
        {"sample -p 1 2 f", "p=1+2 f"},
        {"sample - f", "- f"},
        {"sample -- -a --both", "-a --both"},
        {"sample -n", "leave 2"},
        {"sample -z", "leave 2"},
        {"sample -az", "a leave 2"},
        {"sample --al", "leave 2"}, /* no part of a name: a later option could share it */
        {"sample --all=x", "leave 2"},
        {"sample --pair=x", "leave 2"},
        {"sample --=x", "leave 2"},
        {"sample -g", "leave 2"},
        {"sample --gone", "leave 2"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char got[128];
        LABEL("%s", rows[i].line);
        read_line(rows[i].line, got);
        CHECK_EQ_STR(got, rows[i].got);
    }
}

TEST(numbers_have_bounds)
{
    static const struct {
        const char *text;
        int64_t max;
        bool good;
    } rows[] = {{"1", 9, true},   {"9", 9, true},          {"0", 9, false},
                {"10", 9, false}, {"x", 9, false},         {"", 9, false},
                {"3x", 9, false}, {"10", INT64_MAX, true}, {"0", INT64_MAX, false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t n = 0;
        LABEL("%s", rows[i].text);
        struct args a = args_start(&sample, 0, NULL);
        a.value = rows[i].text;
        CHECK_EQ_INT(args_number(&a, 1, rows[i].max, &n), rows[i].good);
        CHECK_EQ_INT(a.told ? a.status : EXIT_OK, rows[i].good ? EXIT_OK : EXIT_USAGE);
    }
}

TEST(what_was_meant_is_named)
{
    static const struct {
        const char *typed, *meant; /* NULL: nothing is near */
    } rows[] = {
        {"chekc", "check"},
        {"tset", "test"},
        {"rnu", "run"},
        {"comp", "completion"},
        {"password", "passwd"},
        {"PUB", NULL},
        {"xyzzy", NULL},
        {"", NULL},
        {"a-name-that-is-longer-than-any-that-there-could-be-here", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].typed);
        const char *got = command_nearest(str_from(rows[i].typed));
        CHECK_EQ_STR(got ? got : "-", rows[i].meant ? rows[i].meant : "-");
    }
}
