#include "host/log_output.h"
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(log_lines_in_each_form)
{
    char out[LOG_LINE_MAX];
    const int64_t ms = 1764324000123;
    size_t n = log_line_text(out, sizeof(out), ms, LOG_WARN, "mqtt", "a \"b\"");
    CHECK_EQ_UINT(n, strlen(out));
    CHECK_EQ_STR(out, "2025-11-28T10:00:00.123Z WARN mqtt: a \"b\"\n");
    (void)log_line_json(out, sizeof(out), ms, LOG_ERROR, "db", "a \"b\" \\x1b ä");
    CHECK_EQ_STR(out, "{\"time\":\"2025-11-28T10:00:00.123Z\",\"level\":\"error\",\"part\":\"db\","
                      "\"text\":\"a \\\"b\\\" \\\\x1b ä\"}\n");
    (void)log_line_journal(out, sizeof(out), LOG_WARN, "mqtt", "gone");
    CHECK_EQ_STR(out, "MESSAGE=mqtt: gone\nPRIORITY=4\nSYSLOG_IDENTIFIER=sedge\nSEDGE_PART=mqtt\n");
    (void)log_line_prefixed(out, sizeof(out), LOG_DEBUG, "mqtt", "gone");
    CHECK_EQ_STR(out, "<7>mqtt: gone\n");
}

TEST(log_lines_fit)
{
    char out[64], text[3 * LOG_LINE_MAX];
    memset(text, '"', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CHECK_EQ_UINT(log_line_text(out, sizeof(out), 0, LOG_INFO, "p", text), 63);
    CHECK_EQ_UINT(log_line_json(out, sizeof(out), 0, LOG_INFO, "p", text), 63);
    CHECK_EQ_UINT(log_line_journal(out, sizeof(out), LOG_INFO, "p", text), 63);
}

TEST(log_names)
{
    enum log_form form;
    enum log_level level;
    CHECK_EQ_INT(log_form_parse("json", &form), ERR_OK);
    CHECK_EQ_INT(form, LOG_FORM_JSON);
    CHECK_EQ_INT(log_form_parse("xml", &form), ERR_INVALID);
    CHECK_EQ_INT(log_level_parse("warn", &level), ERR_OK);
    CHECK_EQ_INT(level, LOG_WARN);
    CHECK_EQ_INT(log_level_parse("loud", &level), ERR_INVALID);
}

/* --- a journal of our own, and a file in the place of standard error --- */

struct outside {
    int journal, file;
    char path[100], text[4096];
};

static void outside_open(struct outside *o)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[100];
    (void)snprintf(o->path, sizeof(o->path), "%s/journal", test_tmpdir());
    (void)snprintf(name, sizeof(name), "%s/err", test_tmpdir());
    memcpy(at.sun_path, o->path, strlen(o->path));
    o->journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK_EQ_INT(bind(o->journal, (struct sockaddr *)&at, sizeof(at)), 0);
    FILE *f = fopen(name, "w+e");
    REQUIRE(f);
    o->file = dup(fileno(f));
    (void)fclose(f);
}

static const char *outside_journal(struct outside *o)
{
    ssize_t n = recv(o->journal, o->text, sizeof(o->text) - 1, 0);
    o->text[n > 0 ? n : 0] = '\0';
    return o->text;
}

static const char *outside_file(struct outside *o)
{
    ssize_t n = pread(o->file, o->text, sizeof(o->text) - 1, 0);
    o->text[n > 0 ? n : 0] = '\0';
    return o->text;
}

static void outside_close(struct outside *o)
{
    (void)close(o->journal);
    (void)close(o->file);
    (void)unlink(o->path);
}

TEST(log_goes_to_the_journal_when_it_listens)
{
    struct outside o;
    struct stat st;
    char stream[64];
    outside_open(&o);
    REQUIRE(fstat(o.file, &st) == 0);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    const struct {
        const char *label, *stream;
        enum log_form form;
        bool listens;
        const char *journal, *file;
    } cases[] = {
        {"the journal's", stream, LOG_FORM_AUTO, true, "PRIORITY=6\n", ""},
        {"redirected", "1:1", LOG_FORM_AUTO, true, "", "INFO t: hello\n"},
        {"a terminal", NULL, LOG_FORM_AUTO, true, "", "INFO t: hello\n"},
        {"asked for JSON", stream, LOG_FORM_JSON, true, "", "\"text\":\"hello\"}\n"},
        {"asked for text", stream, LOG_FORM_TEXT, true, "", "INFO t: hello\n"},
        {"its socket is gone", stream, LOG_FORM_AUTO, false, "", "<6>t: hello\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_output *out = calloc(1, sizeof(*out));
        LABEL("%s", cases[i].label);
        CHECK_EQ_INT(ftruncate(o.file, 0), 0);
        CHECK_EQ_INT((int)lseek(o.file, 0, SEEK_SET), 0);
        CHECK_EQ_INT(cases[i].stream ? setenv("JOURNAL_STREAM", cases[i].stream, 1)
                                     : unsetenv("JOURNAL_STREAM"),
                     0);
        const struct log_output_config cfg = {
            .form = cases[i].form, .fd = o.file, .journal = cases[i].listens ? o.path : "/nowhere"};
        log_output_open(out, &cfg);
        LOG_I("t", "hello");
        log_output_close(out);
        CHECK_HAS_STR(outside_journal(&o), cases[i].journal);
        CHECK_EQ_INT(o.text[0] == '\0', cases[i].journal[0] == '\0');
        CHECK_HAS_STR(outside_file(&o), cases[i].file);
        CHECK_EQ_INT(o.text[0] == '\0', cases[i].file[0] == '\0');
        free(out);
    }
    CHECK_EQ_INT(unsetenv("JOURNAL_STREAM"), 0);
    outside_close(&o);
}
