/* Tables as spreadsheets save them. */
#include "codec/csv.h"
#include "tests/support/test.h"

#include <string.h>

static struct arena arena;

static void begin(void)
{
    arena_init(&arena, alloc_system(), 1 << 20);
}

/* Rows as "line:a|b|c\n", or "line! why". */
static void read_all(struct strbuf *out, struct str text, char separator)
{
    struct csv c;
    csv_init(&c, &arena, text, separator);
    static struct csv_row row;
    for (;;) {
        struct error e = {0};
        enum err err = csv_next(&c, &row, &e);
        if (err == ERR_NOT_FOUND)
            break;
        strbuf_addf(out, "%u%c", row.line, err ? '!' : ':');
        for (size_t i = 0; !err && i < row.n; i++)
            strbuf_addf(out, "%s%.*s", i ? "|" : "", STR_FMT(row.cells[i].text));
        strbuf_addf(out, "%s\n", e.text);
    }
}

TEST(rows_as_they_are_written)
{
    static const struct {
        const char *label, *text, *want;
    } rows[] = {
        {"commas", "a,b\n1,2\n", "1:a|b\n2:1|2\n"},
        {"no newline at the end", "a,b\n1,2", "1:a|b\n2:1|2\n"},
        {"CRLF, CR", "a,b\r\n1,2\r3,4\r\n", "1:a|b\n2:1|2\n3:3|4\n"},
        {"semicolons with decimal commas", "a;b\n0,5;2,25\n", "1:a|b\n2:0,5|2,25\n"},
        {"tabs", "a\tb, c\n1\t\n", "1:a|b, c\n2:1|\n"},
        {"bars", "a|b\n1|2\n", "1:a|b\n2:1|2\n"},
        {"one column", "a\n1\n", "1:a\n2:1\n"},
        {"quotes", "a,b\n\"x, y\",\" say \"\"hi\"\" \"\n", "1:a|b\n2:x, y|say \"hi\"\n"},
        {"the separator is not looked for in quotes", "\"a;b;c\",d\n1,2\n", "1:a;b;c|d\n2:1|2\n"},
        {"a line break inside of quotes", "a,b\n\"x\ny\",2\n3,4\n", "1:a|b\n2:x\ny|2\n4:3|4\n"},
        {"spaces around", " a ,  \"b\"  \n", "1:a|b\n"},
        {"empty rows are passed over", "\n\n a,b\n,\n  \n1,2\n\n", "3:a|b\n6:1|2\n"},
        {"an open quote", "a,b\n1,\"2\n3,4\n",
         "1:a|b\n2!the quote that begins in line 2 is not closed\n"},
        {"text behind a quote", "a,b\n\"1\"x,2\n3,4\n",
         "1:a|b\n2!there is text behind a closing quote; a quote inside of a cell is written "
         "twice: \"\"\n3:3|4\n"},
        {"nothing", "", ""},
    };
    begin();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct strbuf got;
        strbuf_init(&got, alloc_system(), 0);
        read_all(&got, str_from(rows[i].text), 0);
        CHECK_EQ_STR(got.p, rows[i].want);
        strbuf_fini(&got);
    }
    arena_fini(&arena);
}

TEST(a_separator_can_be_said)
{
    begin();
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    read_all(&got, STR("a;b,c\n"), ',');
    CHECK_EQ_STR(got.p, "1:a;b|c\n");
    strbuf_fini(&got);
    arena_fini(&arena);
}

TEST(too_many_cells_are_an_error_of_their_row)
{
    begin();
    struct strbuf text, got;
    strbuf_init(&text, alloc_system(), 0);
    strbuf_init(&got, alloc_system(), 0);
    for (int i = 0; i < CSV_CELLS_MAX; i++)
        strbuf_adds(&text, "x,");
    strbuf_adds(&text, "x\na,b\n");
    read_all(&got, strbuf_str(&text), 0);
    CHECK_EQ_STR(got.p, "1!a row has at most 256 cells\n2:a|b\n");
    strbuf_fini(&text);
    strbuf_fini(&got);
    arena_fini(&arena);
}

TEST(encodings)
{
    static const struct {
        const char *label, *file;
        size_t n;
        const char *want; /* NULL: it is no text */
        bool guessed;
    } rows[] = {
#define FILE_OF(text) text, sizeof(text) - 1
        {"UTF-8", FILE_OF("°C"), "°C", false},
        {"with a mark", FILE_OF("\xEF\xBB\xBF°C"), "°C", false},
        {"Windows-1252",
         FILE_OF("\xB0"
                 "C \x80"),
         "°C €", true},
        {"a mark, and then no UTF-8",
         FILE_OF("\xEF\xBB\xBF\xB0"
                 "C"),
         "°C", true},
        {"UTF-16, low byte first", FILE_OF("\xFF\xFE\xB0\0C\0"), "°C", false},
        {"UTF-16, high byte first", FILE_OF("\xFE\xFF\0\xB0\0C"), "°C", false},
        {"UTF-16, beyond the first plane", FILE_OF("\xFF\xFE\x3D\xD8\x00\xDE"), "😀", false},
        {"UTF-16, half a pair", FILE_OF("\xFF\xFE\x3D\xD8"), "\xEF\xBF\xBD", false},
        {"UTF-16, cut off", FILE_OF("\xFF\xFE\xB0"), NULL, false},
        {"no text", FILE_OF("PK\0\x03"), NULL, false},
        {"nothing", FILE_OF(""), "", false},
    };
    begin();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        struct bytes file = {(const uint8_t *)rows[i].file, rows[i].n};
        struct str got = STR("");
        bool guessed;
        enum err err = csv_decode(&arena, file, &got, &guessed);
        CHECK_EQ_INT(err, rows[i].want ? ERR_OK : ERR_SYNTAX);
        if (!err)
            CHECK(str_eq(got, str_from(rows[i].want)));
        CHECK(guessed == rows[i].guessed);
    }
    arena_fini(&arena);
}

TEST(columns_are_called_as_in_a_spreadsheet)
{
    static const struct {
        size_t index;
        const char *name;
    } rows[] = {{0, "A"}, {25, "Z"}, {26, "AA"}, {52, "BA"}, {255, "IV"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char got[4];
        csv_column_name(rows[i].index, got);
        CHECK_EQ_STR(got, rows[i].name);
    }
}
