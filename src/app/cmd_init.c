/* cmd_init: a new site by three questions, or by flags. */
#include "app/args.h"
#include "app/init_cert.h"
#include "app/init_site.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 256, TRIES_MAX = 5 };

/* What flags have said; NULL: not yet. */
struct init_options {
    const char *folder, *name, *kind, *network;
    bool yes;
};

/* --- choices --- */

/* Both tables have a name and a line for each row, and end with NULL. */
struct choice {
    const char *name, *line;
};
enum { CHOICES_MAX = 8 };

static size_t kinds(struct choice out[CHOICES_MAX])
{
    size_t n = 0;
    for (; init_kinds[n].name; n++)
        out[n] = (struct choice){init_kinds[n].name, init_kinds[n].line};
    return n;
}

static size_t networks(struct choice out[CHOICES_MAX])
{
    size_t n = 0;
    for (; init_networks[n].name; n++)
        out[n] = (struct choice){init_networks[n].name, init_networks[n].line};
    return n;
}

/* By its name, or its number from 1 on. */
static bool choose(const struct choice *v, size_t n, const char *answer, size_t *out)
{
    int64_t number = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].name, answer) == 0)
            return *out = i, true;
    if (str_to_i64(str_from(answer), &number) || number < 1 || (size_t)number > n)
        return false;
    *out = (size_t)number - 1;
    return true;
}

static void say_unknown(const struct choice *v, size_t n, const char *answer)
{
    struct nearest near = nearest_to(str_from(answer));
    for (size_t i = 0; i < n; i++)
        nearest_offer(&near, v[i].name);
    (void)printf("There is no '%s'", answer);
    if (near.best)
        (void)printf("; did you mean %s?\n", near.best);
    else
        (void)puts(".");
}

/* --- questions --- */

/* One line without its end; false at the end of the input. */
static bool read_answer(char out[ANSWER_MAX])
{
    if (!fgets(out, ANSWER_MAX, stdin))
        return false;
    struct str s = str_trim((struct str){out, strcspn(out, "\r\n")});
    memmove(out, s.p, s.n);
    out[s.n] = '\0';
    return true;
}

/* false: nobody answers. */
static bool ask_name(struct init_plan *p)
{
    char answer[ANSWER_MAX];
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        (void)printf("1. What is the site called? [%s] ", p->name);
        (void)fflush(stdout);
        if (!read_answer(answer))
            return false;
        if (!answer[0])
            return true;
        if (init_name_valid(answer)) {
            memcpy(p->name, answer, strlen(answer) + 1); /* it is valid, so it fits */
            return true;
        }
        (void)printf("A name has 1 to %d bytes, without control characters.\n", INIT_NAME_MAX);
    }
    return false;
}

static bool ask_choice(const char *question, const struct choice *v, size_t n, size_t *out)
{
    char answer[ANSWER_MAX];
    (void)puts(question);
    for (size_t i = 0; i < n; i++)
        (void)printf("     %-8s %s\n", v[i].name, v[i].line);
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        (void)printf("   [%s] ", v[*out].name);
        (void)fflush(stdout);
        if (!read_answer(answer))
            return false;
        if (!answer[0] || choose(v, n, answer, out))
            return true;
        say_unknown(v, n, answer);
    }
    return false;
}

static bool ask(const struct init_options *o, struct init_plan *p)
{
    struct choice v[CHOICES_MAX];
    (void)printf("A new site in %s. Three questions; Enter takes what stands in brackets.\n\n",
                 o->folder);
    if (!o->name && !ask_name(p))
        return false;
    if (!o->kind) {
        size_t i = (size_t)(p->kind - init_kinds), n = kinds(v);
        if (!ask_choice("2. What is it for?", v, n, &i))
            return false;
        p->kind = &init_kinds[i];
    }
    if (!o->network) {
        size_t i = (size_t)p->network, n = networks(v);
        if (!ask_choice("3. Who may connect?", v, n, &i))
            return false;
        p->network = (enum init_network)i;
    }
    (void)puts("");
    return true;
}

/* --- what was made, and what comes next --- */

static void print_files(const struct init_plan *p, const struct init_made *made)
{
    (void)printf("%s is written:\n", p->folder);
    for (size_t i = 0; i < made->files_n; i++)
        if (made->files[i].line[0])
            (void)printf("  %-18s %s\n", made->files[i].name, made->files[i].line);
}

static void print_secrets(const struct init_plan *p, const struct init_made *made)
{
    struct tm day;
    time_t then = time(NULL) + (time_t)INIT_CERT_YEARS * 365 * 24 * 3600;
    if (!made->password[0])
        return;
    (void)printf("\nThe password of the user \"" INIT_USER
                 "\", which is shown this once:\n\n  %s\n\n",
                 made->password);
    (void)printf("`sedge passwd %s/users NAME` adds another user, or sets a new password.\n",
                 p->folder);
    if (p->network == INIT_TLS && localtime_r(&then, &day))
        (void)printf("The certificates hold until %d. Keep tls/ca.key somewhere else.\n",
                     day.tm_year + 1900);
}

static void print_example(const struct init_plan *p, const struct init_made *made)
{
    if (p->kind->simulated) {
        (void)printf("and beside it, in another terminal, its machines, simulated:\n"
                     "  sedge sim %s --fault overheat\n",
                     p->folder);
    } else {
        (void)printf("and beside it, in another terminal, what a device would say:\n"
                     "  sedge pub%s -t %s -m '%s'\n",
                     p->network == INIT_PLAIN ? " -p 1884" : "", p->kind->topic, p->kind->message);
    }
    if (p->network == INIT_TLS)
        (void)printf("From another machine, with a copy of tls/ca.pem:\n"
                     "  sedge pub -h %s --cafile ca.pem -u " INIT_USER " -P PASSWORD -t hello -m "
                     "world\n",
                     made->host);
    if (p->network == INIT_PLAIN)
        (void)printf("From another machine:\n  sedge pub -h %s -u " INIT_USER
                     " -P PASSWORD -t hello -m world\n",
                     made->host);
}

/* What is asked for by every bought device's settings. */
static void print_devices(const struct init_plan *p)
{
    if (p->network == INIT_LOCAL)
        return;
    (void)printf("Into your devices' settings goes: an address of this machine (`hostname -I`),\n"
                 "port %s, user \"" INIT_USER "\", and the password above.\n"
                 "  sedge discover %s        shows what they say\n"
                 "  sedge adopt %s TOPIC     makes a device of it\n",
                 p->network == INIT_TLS ? "8883, TLS with tls/ca.pem" : "1883", p->folder,
                 p->folder);
}

static void print_next(const struct init_plan *p, const struct init_made *made)
{
    (void)printf("\nNow type\n"
                 "  sedge test %s\n"
                 "  sedge run %s        its page: http://127.0.0.1:8080/\n",
                 p->folder, p->folder);
    print_example(p, made);
    print_devices(p);
}

/* --- the command --- */

static int take_flags(struct args *a, const struct init_options *o, struct init_plan *p)
{
    struct choice v[CHOICES_MAX];
    size_t i = 0;
    init_default_name(o->folder, p->name);
    p->folder = o->folder;
    p->kind = &init_kinds[1];
    p->network = INIT_LOCAL;
    if (o->name && !init_name_valid(o->name))
        return args_refuse(a, "--name has 1 to %d bytes, without control characters",
                           INIT_NAME_MAX);
    if (o->name)
        (void)snprintf(p->name, sizeof(p->name), "%s", o->name);
    if (o->kind && !choose(v, kinds(v), o->kind, &i))
        return args_refuse(a, "--kind is factory, home, farm or empty, not '%s'", o->kind);
    if (o->kind)
        p->kind = &init_kinds[i];
    if (o->network && !choose(v, networks(v), o->network, &i))
        return args_refuse(a, "--network is local, tls or plain, not '%s'", o->network);
    if (o->network)
        p->network = (enum init_network)i;
    return EXIT_OK;
}

static int fail(const struct error *e)
{
    (void)fprintf(stderr, "sedge init: %s\n", e->text);
    return EXIT_FINDING;
}

static int init(struct args *a, const struct init_options *o)
{
    struct init_plan plan;
    struct init_made made;
    struct error e = {0};
    int status = take_flags(a, o, &plan);
    if (status)
        return status;
    if (init_folder_free(o->folder, &e))
        return fail(&e);
    bool complete = o->yes || (o->name && o->kind && o->network);
    if (!complete && !isatty(STDIN_FILENO))
        return args_refuse(a, "there is no terminal to ask on: give --name, --kind and --network, "
                              "or --yes for what would stand in brackets");
    if (!complete && !ask(o, &plan)) {
        (void)fputs("\nsedge init: no answer; nothing is written\n", stderr);
        return EXIT_FINDING;
    }
    if (init_write(&plan, &made, &e))
        return fail(&e);
    print_files(&plan, &made);
    print_secrets(&plan, &made);
    print_next(&plan, &made);
    explicit_bzero(&made, sizeof(made));
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_FINDING;
}

enum { O_NAME = 256, O_KIND, O_NETWORK };

static int cmd_init(int argc, char **argv)
{
    struct args a = args_start(&command_init, argc, argv);
    struct init_options o = {0};
    for (int id; (id = args_next(&a)) != ARGS_END;) {
        switch (id) {
        case O_NAME: o.name = a.value; break;
        case O_KIND: o.kind = a.value; break;
        case O_NETWORK: o.network = a.value; break;
        case 'y': o.yes = true; break;
        default:
            if (id != ARGS_WORD || o.folder)
                return args_status(&a);
            o.folder = a.value;
        }
    }
    return o.folder ? init(&a, &o) : args_missing(&a, "FOLDER");
}

const struct command command_init = {
    .name = "init",
    .group = COMMAND_SITE,
    .line = "writes a small site to begin with",
    .synopsis = "FOLDER [--name NAME] [--kind KIND] [--network WHO] [--yes]",
    .about =
        "Asks three questions and writes a folder with a commented site that passes `sedge check` "
        "and whose tests pass: what devices there are, a rule, a test of the rule. Change it into "
        "your own. What flags say is not asked. FOLDER must not be there yet, or be empty.\n\n"
        "  factory  a press with a coolant valve, an energy meter; `sedge sim` plays them\n"
        "  home     a bathroom's fan that runs while it is humid\n"
        "  farm     a tank that a pump keeps full, a well, a bed\n"
        "  empty    nothing yet: examples as comments\n\n"
        "  local    this machine only\n"
        "  tls      the network: with a password, encrypted; writes a password file and\n"
        "           a certificate of an authority of the site's own\n"
        "  plain    the network: with a password, not encrypted, for devices without TLS",
    .options = {(const struct command_option[]){
        OPTION("name", 0, "NAME", "what the site is called (the folder's name)", NULL, O_NAME),
        OPTION("kind", 0, "KIND", "what it is for (home)", "factory home farm empty", O_KIND),
        OPTION("network", 0, "WHO", "who may connect (local)", "local tls plain", O_NETWORK),
        {.name = "yes", .letter = 'y', .text = "ask nothing: what is in brackets here"},
        OPTIONS_END}},
    .words = {VALUES_FOLDER},
    .examples = {{"sedge init hall", "asks"},
                 {"sedge init hall --kind factory --network tls --yes", "does not"}},
    .exits = {{"0", "the site is written"},
              {"1", "the folder is not empty, or can't be written; nothing is left behind"}},
    .see = {"check", "test", "run"},
    .run = cmd_init,
};
