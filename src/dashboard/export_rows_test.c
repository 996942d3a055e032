#include "dashboard/export.h"
#include "tests/support/test.h"

#include <math.h>

#define TS INT64_C(1764324000123) /* 2025-11-28T10:00:00.123Z */

static const struct export_series temp = {{"plant.press1.temp", 17}, {"°C", 3}};
static const struct export_series odd = {{"a,\"b\"", 5}, {"", 0}};

TEST(points_as_csv_and_as_json)
{
    static const struct {
        const char *label;
        const struct export_series *series;
        struct value value;
        const char *csv, *json; /* behind the time */
    } rows[] = {
        {"a number", &temp, {.kind = VALUE_FLOAT, .f = 61.2}, "61.2,°C", "61.2,\"unit\":\"°C\"}"},
        {"negative", &temp, {.kind = VALUE_FLOAT, .f = -0.1}, "-0.1,°C", "-0.1,\"unit\":\"°C\"}"},
        {"none", &temp, {.kind = VALUE_FLOAT, .f = NAN}, ",°C", "null,\"unit\":\"°C\"}"},
        {"endless", &temp, {.kind = VALUE_FLOAT, .f = INFINITY}, ",°C", "null,\"unit\":\"°C\"}"},
        {"whole",
         &temp,
         {.kind = VALUE_INT, .i = INT64_MIN},
         "-9223372036854775808,°C",
         "-9223372036854775808,\"unit\":\"°C\"}"},
        {"true", &odd, {.kind = VALUE_BOOL, .b = true}, "true,", "true,\"unit\":null}"},
        {"text", &odd, {.kind = VALUE_STR, .s = {"x", 1}}, "x,", "\"x\",\"unit\":null}"},
        {"a comma",
         &odd,
         {.kind = VALUE_STR, .s = {"a,b", 3}},
         "\"a,b\",",
         "\"a,b\",\"unit\":null}"},
        {"quotes",
         &odd,
         {.kind = VALUE_STR, .s = {"\"", 1}},
         "\"\"\"\",",
         "\"\\\"\",\"unit\":null}"},
        {"lines",
         &odd,
         {.kind = VALUE_STR, .s = {"a\r\nb", 4}},
         "\"a\r\nb\",",
         "\"a\\r\\nb\",\"unit\":null}"},
        {"nothing", &odd, {.kind = VALUE_STR, .s = {"", 0}}, ",", "\"\",\"unit\":null}"},
    };
    struct strbuf b, want;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_init(&want, alloc_system(), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        bool is_odd = rows[i].series == &odd;
        struct history_point p = {TS, rows[i].value};
        struct export_shape shape = {.format = EXPORT_CSV, .iso = true};
        export_point(&b, &shape, rows[i].series, &p);
        strbuf_addf(&want, "%s,2025-11-28T10:00:00.123Z,%s\r\n",
                    is_odd ? "\"a,\"\"b\"\"\"" : "plant.press1.temp", rows[i].csv);
        CHECK_EQ_STR(b.p, want.p);
        strbuf_reset(&b);
        strbuf_reset(&want);
        shape = (struct export_shape){.format = EXPORT_JSONL};
        export_point(&b, &shape, rows[i].series, &p);
        strbuf_addf(&want, "{\"series\":\"%s\",\"ts_ms\":1764324000123,\"value\":%s\n",
                    is_odd ? "a,\\\"b\\\"" : "plant.press1.temp", rows[i].json);
        CHECK_EQ_STR(b.p, want.p);
        strbuf_reset(&b);
        strbuf_reset(&want);
    }
    strbuf_fini(&b);
    strbuf_fini(&want);
}

TEST(for_spreadsheets_with_decimal_commas)
{
    const struct history_window w = {.t0_ms = TS, .n = 3, .min = -1.5, .max = 4.5, .mean = 1e-7};
    const struct history_point p = {TS, {.kind = VALUE_FLOAT, .f = 61.25}};
    const struct history_point text = {TS, {.kind = VALUE_STR, .s = {"a;b, 1.5", 8}}};
    struct export_shape shape = {.format = EXPORT_CSV, .iso = true, .comma = true};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    export_header(&b, &shape);
    export_point(&b, &shape, &temp, &p);
    export_point(&b, &shape, &temp, &text);
    CHECK_EQ_STR(b.p, "\xEF\xBB\xBFseries;time;value;unit\r\n"
                      "plant.press1.temp;2025-11-28 10:00:00,123;61,25;°C\r\n"
                      "plant.press1.temp;2025-11-28 10:00:00,123;\"a;b, 1.5\";°C\r\n");
    strbuf_reset(&b);
    shape.window_ms = 60000;
    shape.iso = false;
    export_window(&b, &shape, &temp, &w);
    CHECK_EQ_STR(b.p, "plant.press1.temp;1764324000123;3;-1,5;4,5;1e-07;°C\r\n");
    strbuf_fini(&b);
}

TEST(no_text_is_a_formula_where_that_is_asked_for)
{
    static const struct {
        const char *text, *cell;
    } rows[] = {
        {"=1+1", "'=1+1"},
        {"+49 30 1", "'+49 30 1"},
        {"-1+cmd|'/C calc'!A0", "'-1+cmd|'/C calc'!A0"},
        {"@SUM(1)", "'@SUM(1)"},
        {"\t=1", "'\t=1"},
        {"\r=1", "\"'\r=1\""},
        {"=\"a\",1", "\"'=\"\"a\"\",1\""},
        {"＝1+1", "'＝1+1"},
        {"-12.5", "-12.5"},
        {"+3e-7", "'+3e-7"},
        {"a=b", "a=b"},
        {"", ""},
    };
    struct strbuf b, want;
    strbuf_init(&b, alloc_system(), 0);
    strbuf_init(&want, alloc_system(), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].text);
        struct history_point p = {TS, {.kind = VALUE_STR, .s = str_from(rows[i].text)}};
        struct export_shape shape = {.format = EXPORT_CSV, .guarded = true};
        export_point(&b, &shape, &temp, &p);
        strbuf_addf(&want, "plant.press1.temp,1764324000123,%s,°C\r\n", rows[i].cell);
        CHECK_EQ_STR(b.p, want.p);
        strbuf_reset(&b);
        strbuf_reset(&want);
        shape.format = EXPORT_JSONL;
        export_point(&b, &shape, &temp, &p);
        CHECK(!strstr(b.p, "\"'")); /* programs read it */
        strbuf_reset(&b);
    }
    strbuf_fini(&b);
    strbuf_fini(&want);
}

TEST(windows_as_csv_and_as_json)
{
    const struct history_window w = {
        .t0_ms = TS, .n = 3, .min = 1, .max = 4.5, .mean = 2.5, .first = 1, .last = NAN};
    struct strbuf b;
    strbuf_init(&b, alloc_system(), 0);
    struct export_shape shape = {.format = EXPORT_CSV, .window_ms = 60000};
    export_header(&b, &shape);
    export_window(&b, &shape, &temp, &w);
    shape.edges = true;
    export_header(&b, &shape);
    export_window(&b, &shape, &temp, &w);
    CHECK_EQ_STR(b.p, "series,time,n,min,max,mean,unit\r\n"
                      "plant.press1.temp,1764324000123,3,1,4.5,2.5,°C\r\n"
                      "series,time,n,min,max,mean,first,last,unit\r\n"
                      "plant.press1.temp,1764324000123,3,1,4.5,2.5,1,,°C\r\n");
    strbuf_reset(&b);
    shape.format = EXPORT_JSONL;
    shape.iso = true;
    export_header(&b, &shape); /* has none */
    export_window(&b, &shape, &odd, &w);
    CHECK_EQ_STR(b.p,
                 "{\"series\":\"a,\\\"b\\\"\",\"time\":\"2025-11-28T10:00:00.123Z\",\"n\":3,"
                 "\"min\":1,\"max\":4.5,\"mean\":2.5,\"first\":1,\"last\":null,\"unit\":null}\n");
    strbuf_fini(&b);
}
