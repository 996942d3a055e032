#include "adopt/edit.h"
#include "tests/support/lang_schema.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- texts --- */

struct desk {
    struct arena arena;
    struct lang_site *site;
    struct edit ed;
};

static struct desk *desk_open(const char *const files[][2], size_t n, bool single)
{
    struct lang_source sources[4];
    struct desk *d = mem_zero(alloc_system(), sizeof(*d));
    REQUIRE(d != NULL && n <= ARRAY_LEN(sources));
    for (size_t i = 0; i < n; i++)
        sources[i] = (struct lang_source){str_from(files[i][0]), str_from(files[i][1])};
    REQUIRE(lang_check(alloc_system(), &test_schema, sources, n, &d->site) == ERR_OK);
    CHECK_EQ_UINT(d->site->errors, 0);
    arena_init(&d->arena, alloc_system(), 4 << 20);
    edit_init(&d->ed, &d->arena, d->site, single);
    return d;
}

static void desk_close(struct desk *d)
{
    lang_site_free(d->site);
    arena_fini(&d->arena);
    mem_free(alloc_system(), d, sizeof(*d));
}

static const struct lang_decl *decl(const struct desk *d, const char *name)
{
    for (size_t i = 0; i < d->site->decls_n; i++)
        if (str_eq(d->site->decls[i]->name, str_from(name)))
            return d->site->decls[i];
    REQUIRE(false);
    return NULL;
}

#define SITE "site \"s\"\n"

struct insertion {
    const char *label;
    const char *files[3][2];
    bool single;
    const char *model, *device;      /* added */
    const char *into[2];             /* a declaration's name, and lines for its body */
    size_t file;                     /* looked at */
    const char *name, *after, *diff; /* diff NULL: not looked at */
};

static void insert_each(const struct insertion *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        LABEL("%s", rows[i].label);
        struct error e = {0};
        struct strbuf diff;
        size_t added, removed;
        struct desk *d = desk_open(rows[i].files, rows[i].files[1][0] ? 2 : 1, rows[i].single);
        edit_add_model(&d->ed, str_from(rows[i].model));
        edit_add_device(&d->ed, str_from(rows[i].device));
        if (rows[i].into[0])
            edit_into(&d->ed, decl(d, rows[i].into[0]), str_from(rows[i].into[1]));
        REQUIRE(edit_finish(&d->ed, &e) == ERR_OK && rows[i].file < d->ed.n);
        CHECK_EQ_STR(d->ed.after[rows[i].file].name.p, rows[i].name);
        CHECK_EQ_STR(d->ed.after[rows[i].file].text.p, rows[i].after);
        strbuf_init(&diff, alloc_system(), 0);
        edit_diff(&d->ed, rows[i].file, &diff, &added, &removed);
        if (rows[i].diff)
            CHECK_EQ_STR(diff.p, rows[i].diff);
        strbuf_fini(&diff);
        desk_close(d);
    }
}

TEST(what_is_put_in_stands_where_such_things_stand)
{
    static const struct insertion rows[] = {
        {.label = "behind the last of its kind, with what follows left alone",
         .files = {{"a.sedge", SITE "model Alpha { property x: °C }\n// end of models\n"},
                   {"b.sedge", "device p.a: Alpha { via mqtt \"a\" json } // first\n"
                               "device p.b: Alpha { via mqtt \"b\" json } // second\n\n// groups\n"
                               "group p.all = p.a, p.b\n"}},
         .device = "device p.c: Alpha { via mqtt \"c\" json }\n",
         .file = 1,
         .name = "b.sedge",
         .after = "device p.a: Alpha { via mqtt \"a\" json } // first\n"
                  "device p.b: Alpha { via mqtt \"b\" json } // second\n"
                  "device p.c: Alpha { via mqtt \"c\" json }\n\n// groups\n"
                  "group p.all = p.a, p.b\n",
         .diff = "--- b.sedge\n+++ b.sedge\n@@ -1,5 +1,6 @@\n"
                 " device p.a: Alpha { via mqtt \"a\" json } // first\n"
                 " device p.b: Alpha { via mqtt \"b\" json } // second\n"
                 "+device p.c: Alpha { via mqtt \"c\" json }\n"
                 " \n // groups\n group p.all = p.a, p.b\n"},
        {.label = "of several lines it stands apart",
         .files = {{"a.sedge", SITE
                    "model Alpha { property x: °C }\ndevice p.a: Alpha { via mqtt \"a\" json }\n"
                    "group p.all = p.a\n"}},
         .device = "device p.c: Alpha {\n  via mqtt \"c\" json\n}\n",
         .name = "a.sedge",
         .after =
             SITE "model Alpha { property x: °C }\ndevice p.a: Alpha { via mqtt \"a\" json }\n\n"
                  "device p.c: Alpha {\n  via mqtt \"c\" json\n}\n\ngroup p.all = p.a\n"},
        {.label = "both in one file",
         .files = {{"a.sedge", SITE
                    "model Alpha { property x: °C }\ndevice p.a: Alpha { via mqtt \"a\" json }\n"}},
         .model = "model Beta { property y: bar }\n",
         .device = "device p.b: Beta { via mqtt \"b\" json }\n",
         .name = "a.sedge",
         .after = SITE
         "model Alpha { property x: °C }\nmodel Beta { property y: bar }\n"
         "device p.a: Alpha { via mqtt \"a\" json }\ndevice p.b: Beta { via mqtt \"b\" json }\n",
         .diff = "--- a.sedge\n+++ a.sedge\n@@ -1,3 +1,5 @@\n"
                 " site \"s\"\n model Alpha { property x: °C }\n+model Beta { property y: bar }\n"
                 " device p.a: Alpha { via mqtt \"a\" json }\n+device p.b: Beta { via mqtt \"b\" "
                 "json }\n"},
    };
    insert_each(rows, ARRAY_LEN(rows));
}

TEST(the_first_of_its_kind_gets_a_file_or_the_end_of_one)
{
    static const struct insertion rows[] = {
        {.label = "the first of all makes a file",
         .files = {{"site.sedge", SITE "// nothing yet"}},
         .model = "model Beta {\n  property y: bar\n}\n",
         .device = "device p.b: Beta { via mqtt \"b\" json }\n",
         .file = 1,
         .name = "devices.sedge",
         .after =
             "model Beta {\n  property y: bar\n}\n\ndevice p.b: Beta { via mqtt \"b\" json }\n",
         .diff = "--- /dev/null\n+++ devices.sedge\n@@ -0,0 +1,5 @@\n+model Beta {\n+  property y: "
                 "bar\n"
                 "+}\n+\n+device p.b: Beta { via mqtt \"b\" json }\n"},
        {.label = "it goes to the end of the only one, which has no end of line",
         .files = {{"site.sedge", SITE "// nothing yet"}},
         .single = true,
         .model = "model Beta { property y: bar }\n",
         .device = "device p.b: Beta { via mqtt \"b\" json }\n",
         .name = "site.sedge",
         .after = SITE "// nothing yet\n\nmodel Beta { property y: bar }\n"
                       "device p.b: Beta { via mqtt \"b\" json }\n",
         .diff =
             "--- site.sedge\n+++ site.sedge\n@@ -1,2 +1,5 @@\n site \"s\"\n-// nothing yet\n"
             "\\ No newline at end of file\n+// nothing yet\n+\n+model Beta { property y: bar }\n"
             "+device p.b: Beta { via mqtt \"b\" json }\n"},
    };
    insert_each(rows, ARRAY_LEN(rows));
}

TEST(what_goes_into_a_body_looks_like_it)
{
    static const struct insertion rows[] = {
        {.label = "into a body, as deep as its clauses",
         .files = {{"a.sedge",
                    SITE "model Alpha {\n    property x: °C // deep\n    // and more\n  }\n"}},
         .into = {"Alpha", "  property y: bar\n  property z: %\n"},
         .name = "a.sedge",
         .after = SITE "model Alpha {\n    property x: °C // deep\n    // and more\n"
                       "    property y: bar\n    property z: %\n  }\n"},
        {.label = "into a body of one line",
         .files = {{"a.sedge",
                    SITE "model Alpha { property x: °C }   // a model\nmodel Zeta { event e }\n"}},
         .into = {"Alpha", "  property y: bar\n"},
         .name = "a.sedge",
         .after = SITE "model Alpha { property x: °C\n  property y: bar\n}   // a model\n"
                       "model Zeta { event e }\n",
         .diff = "--- a.sedge\n+++ a.sedge\n@@ -1,3 +1,5 @@\n site \"s\"\n"
                 "-model Alpha { property x: °C }   // a model\n+model Alpha { property x: °C\n"
                 "+  property y: bar\n+}   // a model\n model Zeta { event e }\n"},
        {.label = "with the line ends of the file",
         .files = {{"a.sedge", "site \"s\"\r\nmodel Alpha { event e }\r\n"}},
         .model = "model Beta {\n  event f\n}\n",
         .name = "a.sedge",
         .after =
             "site \"s\"\r\nmodel Alpha { event e }\r\n\r\nmodel Beta {\r\n  event f\r\n}\r\n"},
    };
    insert_each(rows, ARRAY_LEN(rows));
}

TEST(what_a_person_has_written_goes_where_it_belongs)
{
    static const char *const files[][2] = {
        {"m.sedge", SITE "model Alpha { event e }\n"},
        {"d.sedge", "device p.a: Alpha { via mqtt \"a\" json }\n"}};
    struct desk *d = desk_open(files, 2, false);
    struct error e = {0};
    edit_add_text(&d->ed, STR("\n// a model }\nmodel Beta {\n  event f // {\n}\n\n"
                              "device p.b: Beta { id \"}\\\"}\"; via mqtt \"b\" json }\n\n"
                              "// all\ngroup p.all = p.a, p.b"));
    REQUIRE(edit_finish(&d->ed, &e) == ERR_OK);
    CHECK_EQ_STR(d->ed.after[0].text.p,
                 SITE "model Alpha { event e }\n\n// a model }\nmodel Beta {\n"
                      "  event f // {\n}\n");
    CHECK_EQ_STR(d->ed.after[1].text.p,
                 "device p.a: Alpha { via mqtt \"a\" json }\n"
                 "device p.b: Beta { id \"}\\\"}\"; via mqtt \"b\" json }\n\n"
                 "// all\ngroup p.all = p.a, p.b\n");
    desk_close(d);
}

TEST(changes_far_apart_have_hunks_of_their_own)
{
    static const char *const files[][2] = {
        {"a.sedge",
         SITE "model Alpha {\n  event e\n}\n// 1\n// 2\n// 3\n// 4\n// 5\n// 6\n// 7\n// 8\n"
              "device p.a: Alpha { via mqtt \"a\" json }\n"}};
    struct desk *d = desk_open(files, 1, false);
    struct error e = {0};
    struct strbuf diff;
    size_t added, removed;
    edit_into(&d->ed, decl(d, "Alpha"), STR("  event f\n"));
    edit_add_device(&d->ed, STR("device p.b: Alpha { via mqtt \"b\" json }\n"));
    REQUIRE(edit_finish(&d->ed, &e) == ERR_OK);
    strbuf_init(&diff, alloc_system(), 0);
    edit_diff(&d->ed, 0, &diff, &added, &removed);
    CHECK_EQ_STR(diff.p,
                 "--- a.sedge\n+++ a.sedge\n@@ -1,6 +1,7 @@\n site \"s\"\n model Alpha {\n"
                 "   event e\n+  event f\n }\n // 1\n // 2\n@@ -11,3 +12,4 @@\n // 7\n // 8\n"
                 " device p.a: Alpha { via mqtt \"a\" json }\n"
                 "+device p.b: Alpha { via mqtt \"b\" json }\n");
    CHECK_EQ_UINT(added, 2);
    CHECK_EQ_UINT(removed, 0);
    strbuf_fini(&diff);
    desk_close(d);
}

TEST(what_is_appended_stands_behind_all_of_a_file)
{
    static const struct {
        const char *label, *was, *name, *after;
        bool is_new;
    } rows[] = {
        {"behind what is there", SITE, "a.sedge", SITE "\n// x\n", false},
        {"of a line that has no end", "site \"s\"", "a.sedge", "site \"s\"\n\n// x\n", false},
        {"with its line ends", "site \"s\"\r\n", "a.sedge", "site \"s\"\r\n\r\n// x\r\n", false},
        {"a new file", SITE, "points.sedge", "// x\n", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        LABEL("%s", rows[i].label);
        const char *const files[][2] = {{"a.sedge", rows[i].was}};
        struct error e = {0};
        struct desk *d = desk_open(files, 1, false);
        edit_append(&d->ed, str_from(rows[i].name), STR("// x\n"));
        REQUIRE(edit_finish(&d->ed, &e) == ERR_OK);
        CHECK_EQ_UINT(d->ed.n, rows[i].is_new ? 2 : 1);
        CHECK_EQ_INT(edit_is_new(&d->ed, d->ed.n - 1), rows[i].is_new);
        CHECK(str_eq(d->ed.after[d->ed.n - 1].name, str_from(rows[i].name)));
        CHECK(str_eq(d->ed.after[d->ed.n - 1].text, str_from(rows[i].after)));
        desk_close(d);
    }
}

/* --- files --- */

static const char *const on_disk[][2] = {
    {"a.sedge", SITE "model Alpha { event e } // mine\n"},
    {"b.sedge", "device p.a: Alpha { via mqtt \"a\" json }\n"},
};

static void path_of(char out[4200], const char *folder, const char *name)
{
    (void)snprintf(out, 4200, "%s/%s", folder, name);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[4200];
    path_of(path, folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    REQUIRE(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

static void check_file(const char *folder, const char *name, const char *want)
{
    char path[4200], text[2000];
    path_of(path, folder, name);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        (void)close(fd);
    text[n < 0 ? 0 : n] = 0;
    CHECK_EQ_STR(n < 0 ? "(none)" : text, want);
}

#define B_AFTER                                                                                    \
    "device p.a: Alpha { via mqtt \"a\" json }\ndevice p.b: Alpha { via mqtt \"b\" json }\n"

/* One more device, not yet on disk. */
static struct desk *desk_with_change(const char *folder)
{
    struct error e = {0};
    for (size_t i = 0; i < ARRAY_LEN(on_disk); i++)
        put(folder, on_disk[i][0], on_disk[i][1]);
    struct desk *d = desk_open(on_disk, 2, false);
    edit_add_device(&d->ed, STR("device p.b: Alpha { via mqtt \"b\" json }\n"));
    REQUIRE(edit_finish(&d->ed, &e) == ERR_OK);
    return d;
}

/* edit_write(), which says itself whether a file has changed. */
static enum err write_it(struct desk *d, const char *folder, struct error *e)
{
    bool changed;
    enum err err = edit_write(&d->ed, folder, &changed, e);
    CHECK_EQ_INT(changed, err == ERR_OK);
    return err;
}

TEST(files_change_whole_and_keep_their_mode)
{
    char path[4200];
    struct stat st;
    struct error e = {0};
    const char *folder = test_tmpdir();
    struct desk *d = desk_with_change(folder);
    path_of(path, folder, "b.sedge");
    REQUIRE(chmod(path, 0604) == 0);
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_OK);
    check_file(folder, "b.sedge", B_AFTER);
    check_file(folder, "a.sedge", on_disk[0][1]);
    check_file(folder, ".b.sedge.new", "(none)");
    REQUIRE(stat(path, &st) == 0);
    CHECK_EQ_INT(st.st_mode & 0777, 0604);
    LABEL("and back");
    CHECK_EQ_INT(edit_revert(&d->ed, folder, &e), ERR_OK);
    check_file(folder, "b.sedge", on_disk[1][1]);
    LABEL("but not over what somebody has changed since");
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_OK);
    put(folder, "b.sedge", "// mine\n");
    CHECK_EQ_INT(edit_revert(&d->ed, folder, &e), ERR_EXISTS);
    check_file(folder, "b.sedge", "// mine\n");
    desk_close(d);
}

TEST(a_file_that_was_changed_meanwhile_is_left_alone)
{
    struct error e = {0};
    const char *folder = test_tmpdir();
    struct desk *d = desk_with_change(folder);
    put(folder, "b.sedge", "// changed\n");
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_EXISTS);
    check_file(folder, "b.sedge", "// changed\n");
    check_file(folder, ".b.sedge.new", "(none)");
    LABEL("between the two halves");
    put(folder, "b.sedge", on_disk[1][1]);
    struct edit_writer *w = mem_zero(alloc_system(), sizeof(*w));
    REQUIRE(w != NULL);
    CHECK_EQ_INT(edit_prepare(w, &d->ed, false, folder, &e), ERR_OK);
    put(folder, "b.sedge", "// changed\n");
    CHECK_EQ_INT(edit_commit(w, &e), ERR_EXISTS);
    edit_writer_fini(w);
    check_file(folder, "b.sedge", "// changed\n");
    check_file(folder, ".b.sedge.new", "(none)");
    mem_free(alloc_system(), w, sizeof(*w));
    desk_close(d);
}

/* Between the temporary file and its name the power goes: the descriptors are closed, nothing is
 * tidied up. */
TEST(a_power_cut_leaves_the_old_files_and_the_next_edit_works)
{
    struct error e = {0};
    const char *folder = test_tmpdir();
    struct desk *d = desk_with_change(folder);
    struct edit_writer *w = mem_zero(alloc_system(), sizeof(*w));
    REQUIRE(w != NULL);
    CHECK_EQ_INT(edit_prepare(w, &d->ed, false, folder, &e), ERR_OK);
    check_file(folder, "b.sedge", on_disk[1][1]);
    check_file(folder, ".b.sedge.new", B_AFTER);
    LABEL("a second one at the same time is refused, and spoils nothing");
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_BUSY);
    check_file(folder, ".b.sedge.new", B_AFTER);
    LABEL("after the cut");
    (void)close(w->files[0].fd);
    check_file(folder, "b.sedge", on_disk[1][1]);
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_OK);
    check_file(folder, "b.sedge", B_AFTER);
    check_file(folder, ".b.sedge.new", "(none)");
    mem_free(alloc_system(), w, sizeof(*w));
    desk_close(d);
}

TEST(it_is_told_when_only_some_files_have_changed)
{
    char path[4200];
    struct error e = {0};
    const char *folder = test_tmpdir();
    struct desk *d = desk_with_change(folder);
    edit_into(&d->ed, decl(d, "Alpha"), STR("  event f\n"));
    REQUIRE(edit_finish(&d->ed, &e) == ERR_OK);
    struct edit_writer *w = mem_zero(alloc_system(), sizeof(*w));
    REQUIRE(w != NULL);
    CHECK_EQ_INT(edit_prepare(w, &d->ed, false, folder, &e), ERR_OK);
    REQUIRE(w->n == 2);
    LABEL("the first can't take its name");
    path_of(path, folder, ".b.sedge.new");
    REQUIRE(unlink(path) == 0);
    CHECK_EQ_INT(edit_commit(w, &e), ERR_IO);
    CHECK(!w->changed);
    edit_writer_fini(w);
    LABEL("the second can't");
    CHECK_EQ_INT(edit_prepare(w, &d->ed, false, folder, &e), ERR_OK);
    path_of(path, folder, ".a.sedge.new");
    REQUIRE(unlink(path) == 0);
    CHECK_EQ_INT(edit_commit(w, &e), ERR_IO);
    CHECK(w->changed);
    edit_writer_fini(w);
    check_file(folder, "b.sedge", B_AFTER);
    check_file(folder, "a.sedge", on_disk[0][1]);
    mem_free(alloc_system(), w, sizeof(*w));
    desk_close(d);
}

TEST(a_link_is_followed_and_a_new_file_made)
{
    char path[4200], target[4200];
    struct stat st;
    struct error e = {0};
    const char *folder = test_tmpdir();
    struct desk *d = desk_with_change(folder);
    path_of(path, folder, "b.sedge");
    path_of(target, folder, "real");
    REQUIRE(rename(path, target) == 0 && symlink("real", path) == 0);
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_OK);
    check_file(folder, "real", B_AFTER);
    REQUIRE(lstat(path, &st) == 0);
    CHECK(S_ISLNK(st.st_mode));
    desk_close(d);

    LABEL("a new file, and back");
    static const char *const empty[][2] = {{"a.sedge", SITE}};
    put(folder, "a.sedge", SITE);
    d = desk_open(empty, 1, false);
    edit_add_model(&d->ed, STR("model Beta { event e }\n"));
    REQUIRE(edit_finish(&d->ed, &e) == ERR_OK);
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_OK);
    check_file(folder, "devices.sedge", "model Beta { event e }\n");
    path_of(path, folder, "devices.sedge");
    REQUIRE(stat(path, &st) == 0);
    CHECK_EQ_INT(st.st_mode & 0777, 0640); /* as a.sedge */
    CHECK_EQ_INT(edit_revert(&d->ed, folder, &e), ERR_OK);
    check_file(folder, "devices.sedge", "(none)");
    LABEL("one that is there already, of another's making");
    put(folder, "devices.sedge", "// theirs\n");
    CHECK_EQ_INT(write_it(d, folder, &e), ERR_EXISTS);
    check_file(folder, "devices.sedge", "// theirs\n");
    desk_close(d);
}
