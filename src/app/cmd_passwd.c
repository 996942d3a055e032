/* sedge passwd: sets, changes or removes the password of one user in a password file. */
#include "app/args.h"
#include "auth/scram.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct options {
    const char *file, *user, *password, *password_file;
    bool remove, create, batch, scram, upgrade, list, json;
};

enum { O_PASSWORD_FILE = 256, O_SCRAM };

static bool set_option(struct options *o, int id, const char *value)
{
    switch (id) {
    case 'c': return o->create = true;
    case 'b': return o->batch = true;
    case 'D': return o->remove = true;
    case 'U': return o->upgrade = true;
    case 'l': return o->list = true;
    case O_SCRAM: return o->scram = true;
    case OPTION_ID_JSON: return o->json = true;
    case O_PASSWORD_FILE: o->password_file = value; return true;
    default: return false;
    }
}

static size_t words_wanted(const struct options *o)
{
    return o->upgrade || o->list ? 1 : o->batch ? 3 : 2;
}

/* What is wrong with these options and so many words; NULL: they fit together. */
static const char *unfit(const struct options *o, size_t n)
{
    static const char *const missing[] = {"FILE is missing", "USER is missing",
                                          "PASSWORD is missing"};
    bool sets = o->create || o->batch || o->scram || o->password_file;
    if (o->remove + o->upgrade + o->list > 1 || ((o->remove || o->upgrade || o->list) && sets))
        return "-D, -U and -l stand alone";
    if (o->batch && o->password_file)
        return "-b and --password-file exclude each other";
    if (o->json && !o->list)
        return "--json goes with --list";
    if (n > words_wanted(o))
        return "there are too many words";
    return n < words_wanted(o) ? missing[n] : NULL;
}

/* EXIT_OK goes on. 1 more than a status: it ends. */
static int parse(int argc, char **argv, struct options *o)
{
    struct args a = args_start(&command_passwd, argc, argv);
    const char **words[] = {&o->file, &o->user, &o->password};
    size_t n = 0;
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        if (id == ARGS_WORD && n < ARRAY_LEN(words))
            *words[n++] = a.value;
        else if (!set_option(o, id, a.value))
            return args_status(&a) + 1;
        a.words_only |= o->batch && n == 2; /* a password may begin with a dash */
    }
    const char *why = unfit(o, n);
    return why ? args_refuse(&a, "%s", why) + 1 : 0;
}

/* One line without its end; false at the end of the input or if it is too long. */
static bool read_line(FILE *in, char out[PASSWORD_MAX + 2])
{
    if (!fgets(out, PASSWORD_MAX + 2, in))
        return false;
    size_t n = strcspn(out, "\r\n");
    if (!out[n] && !feof(in))
        return false;
    out[n] = '\0';
    return true;
}

/* Asks on the terminal; what is typed does not show. */
static bool ask(FILE *tty, const char *question, char out[PASSWORD_MAX + 2])
{
    static const int ending[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};
    struct termios before, quiet;
    sigset_t keys, mask;
    int fd = fileno(tty);
    if (tcgetattr(fd, &before) != 0)
        return false;
    /* Neither Ctrl-C, nor Ctrl-backslash, nor kill must leave the terminal without its echo. */
    sigemptyset(&keys);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaddset(&keys, ending[i]);
    sigprocmask(SIG_BLOCK, &keys, &mask);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)fputs(question, tty);
    (void)fflush(tty);
    (void)tcsetattr(fd, TCSAFLUSH, &quiet);
    bool got = read_line(tty, out);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)fputc('\n', tty);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    return got;
}

static const char *ask_twice(char out[PASSWORD_MAX + 2])
{
    char again[PASSWORD_MAX + 2] = "";
    const char *why = NULL;
    FILE *tty = fopen("/dev/tty", "r+");
    if (!tty)
        return "there is no terminal to ask for the password; use --password-file";
    if (!ask(tty, "Password: ", out) || !ask(tty, "Again: ", again))
        why = "no password was given";
    else if (strcmp(out, again) != 0)
        why = "the two passwords differ";
    explicit_bzero(again, sizeof(again));
    (void)fclose(tty);
    return why;
}

static const char *from_file(const char *path, char out[PASSWORD_MAX + 2])
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!in)
        return strerror(errno);
    bool got = read_line(in, out);
    if (in != stdin)
        (void)fclose(in);
    return got ? NULL : "the password file has no first line, or too long a one";
}

static const char *get_password(const struct options *o, char out[PASSWORD_MAX + 2])
{
    if (!o->batch || !o->password)
        return o->password_file ? from_file(o->password_file, out) : ask_twice(out);
    if (strlen(o->password) > PASSWORD_MAX)
        return "the password is too long";
    memcpy(out, o->password, strlen(o->password) + 1);
    return NULL;
}

static enum err set(const struct options *o, char password[PASSWORD_MAX + 2], struct error *e)
{
    char hash[PASSWORD_HASH_MAX];
    const char *why = get_password(o, password);
    if (!why && !password_user_valid(str_from(o->user)))
        why = "a user name has no ':', no control characters and does not begin with '#'";
    if (!why && !password[0])
        why = "an empty password is no password";
    if (why)
        return error_set(e, ERR_INVALID, "%s", why);
    const struct bytes bytes = {(const uint8_t *)password, strlen(password)};
    enum err err =
        o->scram ? scram_line(bytes, SCRAM_ROUNDS, hash, e) : password_hash(bytes, hash, e);
    if (!err && o->create)
        err = password_file_create(o->file, e);
    return err ? err : password_file_set(o->file, str_from(o->user), hash, e);
}

static enum err upgrade(const struct options *o, struct error *e)
{
    size_t n;
    enum err err = password_file_upgrade(o->file, &n, e);
    if (!err)
        (void)printf("%zu password%s hashed\n", n, n == 1 ? " is" : "s are");
    return err;
}

/* --- the list --- */

struct listing {
    struct strbuf out;
    bool json;
    size_t n;
};

static void list_user(void *ctx, struct str name, const char *kind)
{
    struct listing *l = ctx;
    if (!l->json) {
        strbuf_addf(&l->out, "%-24.*s %s\n", STR_FMT(name), kind);
        return;
    }
    strbuf_adds(&l->out, l->n++ ? ",{\"user\":" : "{\"user\":");
    strbuf_add_json(&l->out, name);
    strbuf_addf(&l->out, ",\"kind\":\"%s\"}", kind);
}

static enum err list(const struct options *o, struct error *e)
{
    struct listing l = {.json = o->json};
    strbuf_init(&l.out, alloc_system(), 0);
    strbuf_adds(&l.out, o->json ? "{\"users\":[" : "");
    enum err err = password_file_list(o->file, list_user, &l, e);
    strbuf_adds(&l.out, o->json ? "]}\n" : "");
    if (!err && command_print(&l.out))
        err = error_set(e, ERR_IO, "the list can't be written");
    strbuf_fini(&l.out);
    return err;
}

static int cmd_passwd(int argc, char **argv)
{
    char password[PASSWORD_MAX + 2] = "";
    struct options o = {0};
    struct error e = {0};
    int status = parse(argc, argv, &o);
    if (status)
        return status - 1;
    enum err err = o.remove    ? password_file_set(o.file, str_from(o.user), NULL, &e)
                   : o.upgrade ? upgrade(&o, &e)
                   : o.list    ? list(&o, &e)
                               : set(&o, password, &e);
    explicit_bzero(password, sizeof(password));
    if (!err)
        return EXIT_OK;
    if (!ferror(stdout)) /* that main() tells */
        (void)fprintf(stderr, "sedge passwd: %s\n", e.text);
    return EXIT_FINDING;
}

const struct command command_passwd = {
    .name = "passwd",
    .group = COMMAND_CARE,
    .line = "sets, removes and lists the users of a password file",
    .synopsis = "[-c] [--scram] FILE USER [--password-file PATH]\n"
                "[-c] [--scram] -b FILE USER PASSWORD\n"
                "-D FILE USER\n"
                "-U FILE\n"
                "-l FILE [--json]",
    .about =
        "Sets the password of USER in FILE, which is made if it is not there (mode 0600). The "
        "password is asked for twice, without showing it. Listeners that other machines reach "
        "need such a file: `mqtt 0.0.0.0:8883 … passwords \"users\"`. A running sedge reads it "
        "again at SIGHUP.",
    .options = {(const struct command_option[]){
        {.name = "create", .letter = 'c', .text = "begin a new file; what FILE held is gone"},
        {.name = "batch",
         .letter = 'b',
         .text = "take the password from the command line, where others may see it"},
        OPTION("password-file", 0, "PATH",
               "take it from the first line of a file; - is the standard input", VALUES_FILE,
               O_PASSWORD_FILE),
        {.name = "scram",
         .text = "store it for SCRAM-SHA-256, by which clients prove that they know it without "
                 "sending it; plain passwords are checked with it as well",
         .id = O_SCRAM},
        {.name = "delete", .letter = 'D', .text = "remove the user"},
        {.name = "upgrade",
         .letter = 'U',
         .text = "FILE holds NAME:PASSWORD in plain text: put hashes in their place"},
        {.name = "list", .letter = 'l', .text = "the users, and how each one's password is kept"},
        OPTION_JSON("with -l: the list as one JSON object"),
        OPTIONS_END}},
    .words = {VALUES_FILE},
    .examples = {{"sedge passwd hall/users press1", "asks for the password of press1"},
                 {"sedge passwd -D hall/users press1", NULL},
                 {"sedge passwd -l hall/users --json", NULL}},
    .exits = {{"0", "it is done"}, {"1", "the file or the password will not do"}},
    .see = {"run"},
    .run = cmd_passwd,
};
