/* sedge passwd: sets, changes or removes the password of one user in a password file. */
#include "app/cmd.h"
#include "auth/scram.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const char help[] =
    "usage: sedge passwd [-c] [--scram] FILE USER [--password-file PATH]\n"
    "       sedge passwd [-c] [--scram] -b FILE USER PASSWORD\n"
    "       sedge passwd -D FILE USER\n"
    "       sedge passwd -U FILE\n\n"
    "Sets the password of USER in FILE, which is made if it is not there (mode 0600).\n"
    "The password is asked for twice, without showing it.\n\n"
    "  -c, --create           begin a new file; what FILE held is gone\n"
    "  -b, --batch            take the password from the command line, where others may see it\n"
    "  --password-file PATH   take it from the first line of a file; - is the standard input\n"
    "  --scram                store it for SCRAM-SHA-256, by which clients prove that they know "
    "it\n"
    "                         without sending it; plain passwords are checked with it as well\n"
    "  -D, --delete           remove the user\n"
    "  -U, --upgrade          FILE holds NAME:PASSWORD in plain text: put hashes in their place\n\n"
    "A running sedge reads the file again at SIGHUP.\n";

struct options {
    const char *file, *user, *password, *password_file;
    bool remove, create, batch, scram, upgrade;
};

/* -1: not an option. */
static int parse_option(int argc, char **argv, int i, struct options *o)
{
    const struct {
        const char *name, *letter;
        bool *flag;
    } flags[] = {
        {"--delete", "-D", &o->remove},    {"--create", "-c", &o->create},
        {"--batch", "-b", &o->batch},      {"--upgrade", "-U", &o->upgrade},
        {"--scram", "--scram", &o->scram},
    };
    for (size_t f = 0; f < ARRAY_LEN(flags); f++) {
        if (strcmp(argv[i], flags[f].name) == 0 || strcmp(argv[i], flags[f].letter) == 0) {
            *flags[f].flag = true;
            return i;
        }
    }
    if (strcmp(argv[i], "--password-file") == 0 && i + 1 < argc) {
        o->password_file = argv[i + 1];
        return i + 1;
    }
    return -1;
}

static bool parse(int argc, char **argv, struct options *o)
{
    const char **words[] = {&o->file, &o->user, &o->password};
    size_t n = 0;
    for (int i = 1; i < argc; i++) {
        int at = parse_option(argc, argv, i, o);
        bool option = argv[i][0] == '-' && argv[i][1];
        size_t max = o->upgrade ? 1 : o->batch ? 3 : 2;
        if (at >= 0)
            i = at;
        else if ((!option || n == 2) && n < max) /* a password may begin with a dash */
            *words[n++] = argv[i];
        else
            return false;
    }
    bool sets = o->create || o->batch || o->scram || o->password_file;
    if (o->upgrade || o->remove)
        return !sets && !(o->upgrade && o->remove) && n == (o->upgrade ? 1u : 2u);
    return n == (o->batch ? 3u : 2u) && !(o->batch && o->password_file);
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
    struct termios before, quiet;
    sigset_t keys, mask;
    int fd = fileno(tty);
    if (tcgetattr(fd, &before) != 0)
        return false;
    /* Ctrl-C must not leave the terminal without its echo. */
    sigemptyset(&keys);
    sigaddset(&keys, SIGINT);
    sigaddset(&keys, SIGTSTP);
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
    if (!o->batch)
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

int cmd_passwd(int argc, char **argv)
{
    char password[PASSWORD_MAX + 2] = "";
    struct options o = {0};
    struct error e = {0};
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(help, stdout);
        return EXIT_OK;
    }
    if (!parse(argc, argv, &o)) {
        (void)fputs(help, stderr);
        return EXIT_USAGE;
    }
    enum err err = o.remove    ? password_file_set(o.file, str_from(o.user), NULL, &e)
                   : o.upgrade ? upgrade(&o, &e)
                               : set(&o, password, &e);
    explicit_bzero(password, sizeof(password));
    if (!err)
        return EXIT_OK;
    (void)fprintf(stderr, "sedge passwd: %s\n", e.text);
    return EXIT_FINDING;
}
