#include "app/plant_modbus.h"

#include "async/fd.h"
#include "base/arena.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PART "plant"
enum { TICK_MS = 20, START_MS = 5000, LINE_BYTES = 4096, ARENA_BYTES = 16 << 20 };

/* One server. */
struct field {
    char line[MODBUS_LINK_TEXT_MAX];
    pid_t pid;
    int in, out; /* its stdin and stdout; -1: closed */
    char text[LINE_BYTES];
    size_t text_n;
};
struct machine {
    int machine;
    struct site_modbus_device device;
    struct field *field;
    uint16_t (*shown)[4]; /* of each point: what its registers hold */
    bool told;            /* they have been written once */
};
struct plant_modbus {
    struct plant_modbus_config cfg;
    struct worker *worker;
    struct timer timer;
    struct arena arena;
    struct field *fields;
    size_t fields_n;
    struct machine *machines;
    size_t machines_n;
};

/* --- processes --- */

static enum err server_path(char *out, size_t n, struct error *e)
{
    char self[PATH_MAX];
    ssize_t got = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[got < 0 ? 0 : got] = '\0';
    char *slash = strrchr(self, '/');
    int len = slash ? snprintf(out, n, "%.*s/modbus-server", (int)(slash - self), self) : -1;
    if (len < 0 || (size_t)len >= n || access(out, X_OK) != 0)
        return error_set(e, ERR_NOT_FOUND,
                         "there is no modbus-server beside this program; it is built where "
                         "libmodbus-dev is installed");
    return ERR_OK;
}

/* Pipes to its stdin and from its stdout, which it alone inherits. */
static enum err spawn(struct field *f, const char *path, const char *host, const char *port,
                      struct error *e)
{
    int to[2] = {-1, -1}, from[2] = {-1, -1};
    char *argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t)host, (char *)(uintptr_t)port,
                    NULL};
    posix_spawn_file_actions_t actions;
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        return error_set_os(e, errno, "no pipe to modbus-server");
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    int why = posix_spawn(&f->pid, path, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(to[0]);
    (void)close(from[1]);
    f->in = to[1];
    f->out = from[0];
    if (why) {
        f->pid = 0;
        return error_set_os(e, why, "%s can't be started", path);
    }
    (void)fcntl(f->out, F_SETFL, O_NONBLOCK);
    return ERR_OK;
}

/* What has come, up to the end of a line; false: not yet, or *ended. */
static bool take_line(struct field *f, char *line, size_t n, bool *ended)
{
    char *end = memchr(f->text, '\n', f->text_n);
    while (!end && f->text_n < sizeof(f->text)) {
        ssize_t got = read(f->out, f->text + f->text_n, sizeof(f->text) - f->text_n);
        *ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
        if (got <= 0)
            return false;
        f->text_n += (size_t)got;
        end = memchr(f->text, '\n', f->text_n);
    }
    if (!end) { /* longer than we can use */
        *ended = true;
        return false;
    }
    size_t len = (size_t)(end - f->text);
    (void)snprintf(line, n, "%.*s", (int)len, f->text);
    f->text_n -= len + 1;
    memmove(f->text, end + 1, f->text_n);
    return true;
}

static enum err await_listening(struct field *f, struct error *e)
{
    struct pollfd fd = {f->out, POLLIN, 0};
    char line[64];
    bool ended = false;
    while (!ended) {
        if (take_line(f, line, sizeof(line), &ended))
            return strncmp(line, "listening ", 10) == 0
                       ? ERR_OK
                       : error_set(e, ERR_IO, "modbus-server says: %s", line);
        if (!ended && poll(&fd, 1, START_MS) == 0)
            return error_set(e, ERR_IO, "modbus-server for %s does not come up", f->line);
    }
    return error_set(e, ERR_IO, "modbus-server for %s has ended; is its port free?", f->line);
}

static enum err start_field(struct field *f, const struct modbus_link *link, struct error *e)
{
    char path[PATH_MAX], host[256], port[8];
    bool name = str_eq(link->host, STR("localhost"));
    (void)snprintf(host, sizeof(host), "%.*s", STR_FMT(name ? STR("127.0.0.1") : link->host));
    (void)snprintf(port, sizeof(port), "%u", link->port);
    enum err err = server_path(path, sizeof(path), e);
    if (!err)
        err = spawn(f, path, host, port, e);
    return err ? err : await_listening(f, e);
}

static void end_field(struct field *f)
{
    if (f->in >= 0)
        (void)close(f->in); /* at which it ends */
    if (f->out >= 0)
        (void)close(f->out);
    if (f->pid > 0)
        (void)kill(f->pid, SIGTERM); /* it may wait for the rest of a request */
    if (f->pid > 0)
        while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    f->in = f->out = -1;
    f->pid = 0;
}

/* A pipe of 64 KiB, and a server that does nothing but read it. */
static void say(struct field *f, const struct strbuf *b)
{
    /* EPIPE (the executor ignores the signal): reading tells that it has ended. */
    if (f->in >= 0)
        (void)!fd_write_all(f->in, b->p, b->n);
}

/* --- the plant's state into registers --- */

static bool find_reading(const struct plant_modbus *p, const struct machine *m, struct str name,
                         double *out)
{
    struct plant_reading r[PLANT_READINGS_MAX];
    size_t n = plant_readings(p->cfg.plant, m->machine, r);
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_from(r[i].name))) {
            *out = r[i].value;
            return true;
        }
    return false;
}

static void set_words(struct strbuf *b, unsigned unit, const struct modbus_place *place,
                      const uint8_t *raw)
{
    strbuf_addf(b, "set %u %s %u", unit, modbus_table_name(place->table), place->address);
    for (unsigned i = 0; i < modbus_type_size(place->form.type); i++)
        strbuf_addf(b, " %u",
                    modbus_table_is_bits(place->table) ? raw[1] : raw[2 * i] << 8 | raw[2 * i + 1]);
    strbuf_addc(b, '\n');
}

static struct modbus_number reading_of(const struct plant_modbus *p, const struct machine *m,
                                       const struct modbus_point *point)
{
    const struct lang_member *property =
        lang_decl_member_at(m->device.decl->type, LANG_CLAUSE_READABLE, point->property);
    struct modbus_number n = {.is_float = true, .f = NAN};
    if (find_reading(p, m, property->name, &n.f) && n.f == floor(n.f)) {
        n.is_float = false;
        n.i = (int64_t)n.f;
    }
    return n;
}

/* A register may hold bits of several points. False: a dead sensor. */
static bool encode_point(const struct plant_modbus *p, const struct machine *m, size_t at,
                         uint8_t raw[8])
{
    const struct modbus_device *d = &m->device.modbus;
    const struct modbus_place *place = &d->points[at].place;
    bool fine = true;
    for (size_t i = 0; i < d->point_count; i++) {
        const struct modbus_place *other = &d->points[i].place;
        bool with = place->form.type == MODBUS_BIT && other->form.type == MODBUS_BIT &&
                    other->table == place->table && other->address == place->address;
        if (i != at && !with)
            continue;
        struct modbus_number n = reading_of(p, m, &d->points[i]);
        fine = !isnan(n.f) && modbus_encode_number(&other->form, &n, raw) == ERR_OK && fine;
    }
    return fine;
}

static void show_point(struct plant_modbus *p, struct machine *m, size_t i, struct strbuf *b)
{
    uint8_t raw[8] = {0};
    bool fine = encode_point(p, m, i, raw);
    if (m->told && (!fine || memcmp(raw, m->shown[i], sizeof(raw)) == 0))
        return; /* the register of a dead sensor keeps what it had */
    memcpy(m->shown[i], raw, sizeof(raw));
    set_words(b, m->device.modbus.unit, &m->device.modbus.points[i].place, raw);
}

/* What actions write is there as well, or a device would refuse it. */
static void show_writes(struct machine *m, struct strbuf *b)
{
    static const uint8_t zeros[8];
    for (size_t i = 0; i < m->device.modbus.write_count; i++)
        set_words(b, m->device.modbus.unit, &m->device.modbus.writes[i].place, zeros);
}

static void show_all(struct plant_modbus *p)
{
    struct strbuf b;
    strbuf_init(&b, p->cfg.alloc, 1 << 20);
    ASSERT(p->machines);
    for (size_t i = 0; i < p->machines_n; i++) {
        struct machine *m = &p->machines[i];
        strbuf_reset(&b);
        if (!m->told)
            show_writes(m, &b);
        for (size_t k = 0; k < m->device.modbus.point_count; k++)
            show_point(p, m, k, &b);
        m->told = true;
        if (b.n)
            say(m->field, &b);
    }
    strbuf_fini(&b);
}

/* --- writes into commands --- */

/* "wrote UNIT TABLE ADDRESS VALUE…" */
struct wrote {
    unsigned unit, address, n;
    int table;
    uint8_t raw[8]; /* of up to four */
};

/* The next word of the line as a number from 0 to 65535. */
static bool take_word(struct str *rest, unsigned *out)
{
    struct str word;
    int64_t n;
    if (!str_split(rest, ' ', &word) || !str_to_i64_within(word, 0, 65535, &n))
        return false;
    *out = (unsigned)n;
    return true;
}

static bool parse_wrote(const char *line, struct wrote *w)
{
    struct str rest = str_from(line), word, table;
    unsigned value;
    if (!str_split(&rest, ' ', &word) || !str_eq(word, STR("wrote")) ||
        !take_word(&rest, &w->unit) || !str_split(&rest, ' ', &table) ||
        !take_word(&rest, &w->address))
        return false;
    w->table = modbus_table_from(table);
    for (w->n = 0; w->n < 4 && take_word(&rest, &value); w->n++) {
        w->raw[2 * w->n] = (uint8_t)(value >> 8);
        w->raw[2 * w->n + 1] = (uint8_t)value;
    }
    return w->table >= 0 && w->n > 0;
}

/* Whether it is this write of an action; *target: the value of its parameter. */
static bool is_write(const struct modbus_write *x, const struct wrote *w, double *target)
{
    struct modbus_number got;
    if ((int)x->place.table != w->table || x->place.address != w->address ||
        modbus_type_size(x->place.form.type) > w->n ||
        modbus_decode_number(&x->place.form, w->raw, &got))
        return false;
    *target = got.f;
    return x->arg >= 0 || fabs(got.f - x->constant.f) < 1e-9;
}

static void command(struct plant_modbus *p, struct machine *m, const struct wrote *w)
{
    const struct modbus_device *d = &m->device.modbus;
    double target;
    for (size_t i = 0; i < d->write_count; i++) {
        if (!is_write(&d->writes[i], w, &target))
            continue;
        const struct lang_member *action =
            lang_decl_member_at(m->device.decl->type, LANG_CLAUSE_COMMAND, d->writes[i].action);
        bool arg = d->writes[i].arg >= 0;
        if (plant_command(p->cfg.plant, m->machine, action->name, arg ? &target : NULL) ==
            PLANT_DONE)
            LOG_I(PART, "%.*s: %.*s", STR_FMT(m->device.decl->name), STR_FMT(action->name));
        return;
    }
}

static void hear(struct plant_modbus *p, struct field *f)
{
    char line[256];
    bool ended = false;
    struct wrote w;
    while (f->out >= 0 && take_line(f, line, sizeof(line), &ended))
        for (size_t i = 0; parse_wrote(line, &w) && i < p->machines_n; i++)
            if (p->machines[i].field == f && p->machines[i].device.modbus.unit == w.unit)
                command(p, &p->machines[i], &w);
    if (!ended)
        return;
    end_field(f);
    p->cfg.lost(p->cfg.ctx, f->line);
}

static void on_tick(struct timer *t)
{
    struct plant_modbus *p = CONTAINER_OF(t, struct plant_modbus, timer);
    for (size_t i = 0; i < p->fields_n; i++)
        if (p->fields[i].out >= 0)
            hear(p, &p->fields[i]);
    show_all(p);
    timer_set_after_ms(&p->timer, TICK_MS);
}

/* --- life --- */

static bool is_here(const struct modbus_link *l)
{
    return l->carrier == MODBUS_TCP &&
           (str_starts(l->host, STR("127.")) || str_eq(l->host, STR("localhost")));
}

bool plant_modbus_can(const struct lang_decl *device, struct error *why)
{
    const struct lang_value *line = lang_clause_value(site_modbus_clause(device), "line");
    struct modbus_link link = {0};
    char path[PATH_MAX];
    if (modbus_link_parse(&link, line->text, why))
        return false;
    if (!is_here(&link)) {
        (void)error_set(why, ERR_UNSUPPORTED, "%.*s is not on this machine", STR_FMT(line->text));
        return false;
    }
    return server_path(path, sizeof(path), why) == ERR_OK;
}

static struct field *field_of(struct plant_modbus *p, const struct modbus_link *link,
                              struct error *e)
{
    char line[MODBUS_LINK_TEXT_MAX];
    modbus_link_format(link, line);
    for (size_t i = 0; i < p->fields_n; i++)
        if (strcmp(p->fields[i].line, line) == 0)
            return &p->fields[i];
    struct field *f = &p->fields[p->fields_n++];
    f->in = f->out = -1;
    (void)snprintf(f->line, sizeof(f->line), "%s", line);
    return start_field(f, link, e) == ERR_OK ? f : NULL;
}

static enum err add_machine(struct plant_modbus *p, const struct plant_modbus_device *d,
                            struct error *e)
{
    struct machine *m = &p->machines[p->machines_n];
    m->machine = d->machine;
    if (site_modbus_read(&m->device, d->decl, &p->arena))
        return error_set(e, ERR_NOMEM, "no memory for %.*s", STR_FMT(d->decl->name));
    m->shown = arena_array(&p->arena, m->device.modbus.point_count + 1, sizeof(*m->shown));
    if (!m->shown)
        return error_set(e, ERR_NOMEM, "no memory for %.*s", STR_FMT(d->decl->name));
    m->field = field_of(p, &m->device.modbus.link, e);
    if (!m->field)
        return e->code;
    p->machines_n++;
    return ERR_OK;
}

enum err plant_modbus_new(struct plant_modbus **out, struct worker *w,
                          const struct plant_modbus_config *cfg, struct error *e)
{
    struct plant_modbus *p = mem_zero(cfg->alloc, sizeof(*p));
    *out = p;
    if (!p)
        return error_set(e, ERR_NOMEM, "no memory for Modbus devices");
    p->cfg = *cfg;
    p->worker = w;
    arena_init(&p->arena, cfg->alloc, ARENA_BYTES);
    timer_init(&p->timer, w, on_tick);
    p->fields = arena_array(&p->arena, cfg->devices_n + 1, sizeof(*p->fields));
    p->machines = arena_array(&p->arena, cfg->devices_n + 1, sizeof(*p->machines));
    if (!p->fields || !p->machines) {
        plant_modbus_free(p);
        *out = NULL;
        return error_set(e, ERR_NOMEM, "no memory for Modbus devices");
    }
    enum err err = ERR_OK;
    for (size_t i = 0; !err && i < cfg->devices_n; i++)
        err = add_machine(p, &cfg->devices[i], e);
    if (err) {
        plant_modbus_free(p);
        *out = NULL;
        return err;
    }
    show_all(p);
    timer_set_after_ms(&p->timer, TICK_MS);
    return ERR_OK;
}

void plant_modbus_free(struct plant_modbus *p)
{
    if (!p)
        return;
    timer_cancel(&p->timer);
    for (size_t i = 0; i < p->fields_n; i++)
        end_field(&p->fields[i]);
    arena_fini(&p->arena);
    mem_free(p->cfg.alloc, p, sizeof(*p));
}
