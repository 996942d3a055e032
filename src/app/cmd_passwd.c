/* sedge passwd: sets, changes or removes the password of one user in a password file. */
#include "app/cmd.h"
#include "auth/password.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const char help[] =
    "usage: sedge passwd FILE USER [--password-file PATH] [--delete]\n\n"
    "Sets the password of USER in FILE, which is made if it is not there (mode 0600).\n"
    "The password is asked for twice, without showing it.\n\n"
    "  --password-file PATH   take it from the first line of a file; - is the standard input\n"
    "  --delete               remove the user\n\n"
    "A running sedge reads the file again at SIGHUP.\n";

struct options {
    const char *file, *user, *password_file;
    bool remove;
};

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        bool option = argv[i][0] == '-' && argv[i][1];
        if (strcmp(argv[i], "--delete") == 0)
            o->remove = true;
        else if (strcmp(argv[i], "--password-file") == 0 && i + 1 < argc)
            o->password_file = argv[++i];
        else if (!option && !o->file)
            o->file = argv[i];
        else if (!option && !o->user)
            o->user = argv[i];
        else
            return false;
    }
    return o->file && o->user && !(o->remove && o->password_file);
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

static enum err set(const struct options *o, char password[PASSWORD_MAX + 2], struct error *e)
{
    char hash[PASSWORD_HASH_MAX];
    const char *why =
        o->password_file ? from_file(o->password_file, password) : ask_twice(password);
    if (why)
        return error_set(e, ERR_INVALID, "%s", why);
    if (!password[0])
        return error_set(e, ERR_INVALID, "an empty password is no password");
    enum err err =
        password_hash((struct bytes){(const uint8_t *)password, strlen(password)}, hash, e);
    return err ? err : password_file_set(o->file, str_from(o->user), hash, e);
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
    enum err err =
        o.remove ? password_file_set(o.file, str_from(o.user), NULL, &e) : set(&o, password, &e);
    explicit_bzero(password, sizeof(password));
    if (!err)
        return EXIT_OK;
    (void)fprintf(stderr, "sedge passwd: %s\n", e.text);
    return EXIT_FINDING;
}
