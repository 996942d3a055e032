#include "protocol/modbus_internal.h"

/* Commands: an action's values become writes, one after the other. */

enum { BUSY_MS = 200, BUSY_MAX = 10, LOST_MAX = 1, HURRY_MS = 10000, WATCH_EVERY_MS = 500 };

/* --- from a command to a job --- */

struct member *modbus_member_in(struct modbus_setup *plan, const struct device *d)
{
    for (struct list *i = plan ? plan->lines.next : NULL; i && i != &plan->lines; i = i->next) {
        LIST_EACH(&CONTAINER_OF(i, struct line_plan, link)->units, k)
        {
            LIST_EACH(&CONTAINER_OF(k, struct unit, link)->members, at)
            {
                struct member *m = CONTAINER_OF(at, struct member, link);
                if (m->device == d)
                    return m;
            }
        }
    }
    return NULL;
}

static size_t writes_of(const struct member *m, uint32_t action)
{
    size_t n = 0;
    for (size_t i = 0; i < m->write_count; i++)
        n += m->writes[i].action == action;
    return n;
}

static struct modbus_number number_of(const struct value *v)
{
    if (v->kind == VALUE_INT)
        return (struct modbus_number){.i = v->i, .f = (double)v->i};
    if (v->kind == VALUE_BOOL)
        return (struct modbus_number){.i = v->b, .f = v->b};
    return (struct modbus_number){.is_float = true, .f = value_number(v)};
}

static enum err fill_step(struct step *s, const struct modbus_write *w,
                          const struct port_command *c, struct error *e)
{
    uint8_t probe[8] = {0};
    *s = (struct step){.place = w->place, .value = w->constant, .multiple = w->multiple};
    if (w->arg >= 0) {
        if ((size_t)w->arg >= c->arg_count)
            return error_set(e, ERR_INVALID, "an argument is missing");
        s->value = number_of(&c->args[w->arg]);
    }
    if (modbus_encode_number(&s->place.form, &s->value, probe))
        return error_set(e, ERR_RANGE, "%g does not fit into %s %u of type %s", s->value.f,
                         modbus_table_name(s->place.table), s->place.address,
                         modbus_type_name(s->place.form.type));
    return ERR_OK;
}

static size_t job_size(size_t steps)
{
    return sizeof(struct job) + steps * sizeof(struct step);
}

static void job_free(struct line *l, struct job *j)
{
    mem_free(l->m->alloc, j, job_size(j->step_count));
}

static enum err job_new(struct job **out, struct modbus *m, struct modbus_setup *plan,
                        struct member *member, const struct port_command *c, struct error *e)
{
    size_t n = writes_of(member, c->action), at = 0;
    if (n == 0)
        return error_set(e, ERR_UNSUPPORTED, "this action writes nothing by Modbus");
    struct job *j = mem_zero(m->alloc, job_size(n));
    *out = j;
    if (!j)
        return error_set(e, ERR_NOMEM, "no memory for the command");
    j->plan = plan;
    j->member = member;
    j->unit = member->unit;
    j->action = c->action;
    j->step_count = n;
    list_init(&j->link);
    (void)snprintf(j->id, sizeof(j->id), "%s", c->id ? c->id : "");
    enum err r = ERR_OK;
    for (size_t i = 0; i < member->write_count && !r; i++) {
        if (member->writes[i].action == c->action)
            r = fill_step(&j->steps[at++], &member->writes[i], c, e);
    }
    if (r)
        mem_free(m->alloc, j, job_size(n));
    return r;
}

static void job_put(struct line *l, struct job *j, bool first)
{
    if (first)
        list_add_head(&l->jobs, &j->link);
    else
        list_add_tail(&l->jobs, &j->link);
    l->job_count++;
}

/* Nobody is told. */
static void job_drop(struct line *l, struct job *j)
{
    if (!list_empty(&j->link)) {
        list_del(&j->link);
        l->job_count--;
    }
    job_free(l, j);
}

/* A device's newer command takes the place of one that has not begun, or is only watched. */
static void drop_older(struct line *l, const struct member *m, const char *id)
{
    LIST_EACH_SAFE(&l->jobs, it)
    {
        struct job *j = CONTAINER_OF(it, struct job, link);
        if (j->member != m || (j->step > 0 && !j->watch_until_ns))
            continue;
        if (j->watch_until_ns || strcmp(j->id, id) == 0) { /* the same one, tried again */
            job_drop(l, j);
        } else {
            modbus_job_end(l, j, ERR_CANCELED, "a newer command came");
        }
    }
}

enum err modbus_command(struct modbus *m, const struct port_command *c, struct error *e)
{
    struct job *j = NULL;
    struct modbus_setup *plan = m->plan;
    struct member *member = modbus_member_in(plan, c->device);
    if (!member) {
        plan = m->before; /* of one that leaves */
        member = modbus_member_in(plan, c->device);
    }
    struct line *l = member ? member->unit->line : NULL;
    if (!l)
        return error_set(e, ERR_NOT_FOUND, "no Modbus line has this device");
    if (l->phase != LINE_UP && l->backoff_ms > 0)
        return error_set(e, ERR_AGAIN, "%s: %s", l->text, l->problem);
    enum err r = job_new(&j, m, plan, member, c, e);
    if (r)
        return r;
    ASSERT(j);
    drop_older(l, member, j->id);
    if (l->job_count >= MODBUS_WRITES_MAX) {
        job_free(l, j);
        return error_set(e, ERR_FULL, "%s: too many writes wait", l->text);
    }
    job_put(l, j, false);
    task_wake(&l->task);
    return ERR_OK;
}

/* --- the last action of a device that leaves ---
 *
 * Nothing of it is read any more, so what confirms the action is read for its sake alone. */

/* NULL: the answer to the write is all that there is to know. */
static const struct modbus_point *watched(const struct job *j)
{
    const struct device *d = j->member->device;
    int property = d && d->leaving ? d->model->actions[j->action].confirm_property : -1;
    for (size_t i = 0; property >= 0 && i < j->member->point_count; i++) {
        if (j->member->points[i].property == (uint32_t)property)
            return &j->member->points[i];
    }
    return NULL;
}

static void watch(struct line *l, struct job *j)
{
    const struct modbus_sink *sink = &l->m->sink;
    j->at_ns = worker_now_ns(l->m->worker);
    j->watch_until_ns = j->at_ns + HURRY_MS * INT64_C(1000000);
    job_put(l, j, false);
    sink->done(sink->ctx, j->member->device, j->id, ERR_OK, "");
}

/* Valves take time; but when the action is over, or takes too long, nobody wants to know. */
static void watch_again(struct line *l, struct job *j)
{
    j->at_ns = worker_now_ns(l->m->worker) + WATCH_EVERY_MS * INT64_C(1000000);
    if (!watched(j) || list_empty(&j->member->device->actions) || j->at_ns > j->watch_until_ns)
        job_drop(l, j);
    else
        job_put(l, j, false);
}

static void heard_watched(struct line *l, struct job *j, const struct modbus_answer *a)
{
    const struct modbus_point *p = watched(j);
    struct point point = {.member = j->member};
    if (p && !a->exception) {
        point.property = p->property;
        point.place = p->place;
        modbus_point_heard(j->unit, &point, a->data, 0);
    }
    watch_again(l, j);
}

/* --- from a job to requests --- */

static bool is_coil(const struct step *s)
{
    return modbus_table_is_bits(s->place.table);
}

/* A bit of a register can only be written with all the others. */
static bool must_read(const struct step *s)
{
    return !is_coil(s) && s->place.form.type == MODBUS_BIT && !s->is_read;
}

static void ask_watched(const struct job *j, struct ask *a)
{
    const struct modbus_place *p = &watched(j)->place;
    unsigned size = modbus_table_is_bits(p->table) ? 1 : modbus_type_size(p->form.type);
    a->q = (struct modbus_request){
        .function = modbus_read_function(p->table), .address = p->address, .count = (uint16_t)size};
}

void modbus_job_request(struct job *j, struct ask *a)
{
    if (j->watch_until_ns) {
        ask_watched(j, a);
        return;
    }
    struct step *s = &j->steps[j->step];
    unsigned size = is_coil(s) ? 1 : modbus_type_size(s->place.form.type);
    a->q = (struct modbus_request){.address = s->place.address, .count = (uint16_t)size};
    if (must_read(s)) {
        a->q.function = MODBUS_READ_HOLDING;
        return;
    }
    memcpy(a->data, s->data, sizeof(a->data));
    if (is_coil(s)) {
        a->data[0] = s->value.f != 0;
        a->q.function = s->multiple ? MODBUS_WRITE_COILS : MODBUS_WRITE_COIL;
        a->q.data = (struct bytes){a->data, 1};
        return;
    }
    enum err r = modbus_encode_number(&s->place.form, &s->value, a->data);
    ASSERT(r == ERR_OK);
    bool many = size > 1 || s->multiple;
    a->q.function = many ? MODBUS_WRITE_REGISTERS : MODBUS_WRITE_REGISTER;
    a->q.data = (struct bytes){a->data, 2 * (size_t)size};
}

/* --- and what became of it --- */

void modbus_job_end(struct line *l, struct job *j, enum err result, const char *why)
{
    const struct modbus_sink *sink = &l->m->sink;
    struct device *d = j->member->device;
    if (d && !j->watch_until_ns) /* else that has been told */
        sink->done(sink->ctx, d, j->id, result, why);
    job_drop(l, j);
}

/* A register of bits is read again before it is written again: others may have written to it. */
static void again(struct line *l, struct job *j)
{
    j->steps[j->step].is_read = false;
    job_put(l, j, true);
}

/* One answer may be lost to noise: the same value is written once more, before the registry has
 * waited for its confirmation in vain. A silent unit is not. */
void modbus_job_lost(struct line *l, struct job *j, const char *why)
{
    if (j->watch_until_ns)
        watch_again(l, j);
    else if (j->unit->phase != MODBUS_UNIT_SILENT && j->lost++ < LOST_MAX)
        again(l, j);
    else
        modbus_job_end(l, j, ERR_TIMEOUT, why);
}

void modbus_jobs_lost(struct line *l, const struct unit *u, const char *why)
{
    LIST_EACH_SAFE(&l->jobs, it)
    {
        struct job *j = CONTAINER_OF(it, struct job, link);
        if (j->unit == u && j->at_ns <= worker_now_ns(l->m->worker))
            modbus_job_end(l, j, ERR_TIMEOUT, why);
    }
}

static bool has(const struct block *b, const struct member *m, int property)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct point *p = &b->unit->points[b->first + i];
        if (p->member == m && (int)p->property == property)
            return true;
    }
    return false;
}

/* What confirms the action is read at once, and then more often for a while: valves take time. */
static void hurry(struct line *l, const struct job *j)
{
    const struct device *d = j->member->device;
    int property = d ? d->model->actions[j->action].confirm_property : -1;
    int64_t now_ns = worker_now_ns(l->m->worker);
    if (property < 0)
        return;
    LIST_EACH_SAFE(&l->due, it)
    {
        struct block *b = CONTAINER_OF(it, struct block, link);
        if (b->unit != j->unit || !has(b, j->member, property))
            continue;
        b->hurry_until_ns = now_ns + HURRY_MS * INT64_C(1000000);
        modbus_block_put(b, now_ns < b->due_ns ? now_ns : b->due_ns);
    }
}

static enum err result_of(uint8_t exception)
{
    switch (exception) {
    case MODBUS_ILLEGAL_FUNCTION: return ERR_UNSUPPORTED;
    case MODBUS_ILLEGAL_ADDRESS:
    case MODBUS_ILLEGAL_VALUE: return ERR_INVALID;
    case MODBUS_BUSY: return ERR_BUSY;
    default: return ERR_IO;
    }
}

static void failed(struct line *l, struct job *j, uint8_t exception)
{
    const struct step *s = &j->steps[j->step];
    char why[MODBUS_PROBLEM_MAX];
    if (exception == MODBUS_BUSY && j->busy++ < BUSY_MAX) {
        j->at_ns = worker_now_ns(l->m->worker) + BUSY_MS * INT64_C(1000000);
        again(l, j);
        return;
    }
    (void)snprintf(why, sizeof(why), "unit %u, %s %u: %s", j->unit->id,
                   modbus_table_name(s->place.table), s->place.address,
                   modbus_exception_name(exception));
    modbus_job_end(l, j, result_of(exception), why);
}

void modbus_job_answered(struct line *l, struct job *j, const struct modbus_answer *a)
{
    if (j->watch_until_ns) {
        heard_watched(l, j, a);
        return;
    }
    struct step *s = &j->steps[j->step];
    if (a->exception && a->exception != MODBUS_ACKNOWLEDGE) {
        failed(l, j, a->exception);
        return;
    }
    if (must_read(s)) {
        if (a->exception) { /* what it acknowledges will not come */
            failed(l, j, MODBUS_BUSY);
            return;
        }
        memcpy(s->data, a->data.p, 2);
        s->is_read = true;
    } else {
        j->step++;
    }
    if (j->step < j->step_count) {
        job_put(l, j, true);
        return;
    }
    if (watched(j)) {
        watch(l, j);
        return;
    }
    hurry(l, j);
    modbus_job_end(l, j, ERR_OK, "");
}
