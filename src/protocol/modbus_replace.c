#include "protocol/modbus_internal.h"

/* Another site in the place of the one that runs: what is known of units goes on, what is on its
 * way goes on or ends, and what leaves is kept as long as it has to be. */

enum err modbus_replace_ready(struct modbus *m, struct modbus_setup *setup, struct error *e)
{
    ASSERT(!m->next);
    enum err r = modbus_prepare(m, setup, e);
    if (!r)
        m->next = setup;
    return r;
}

void modbus_replace_cancel(struct modbus *m)
{
    if (!m->next)
        return;
    modbus_drop_new_lines(m->next);
    modbus_setup_free(m->next);
    m->next = NULL;
}

/* --- commands that are on their way --- */

static bool same_place(const struct modbus_place *a, const struct modbus_place *b)
{
    const struct modbus_form *f = &a->form, *g = &b->form;
    return a->table == b->table && a->address == b->address && f->type == g->type &&
           f->order == g->order && f->bit == g->bit && f->scale == g->scale &&
           f->offset == g->offset;
}

/* A step has the place and the value, whichever way the declaration came by it. */
static bool same_write(const struct modbus_write *a, const struct modbus_write *b)
{
    return same_place(&a->place, &b->place) && a->arg == b->arg && a->constant.f == b->constant.f &&
           a->multiple == b->multiple;
}

static const struct modbus_write *next_write(const struct member *m, uint32_t action, size_t *at)
{
    while (*at < m->write_count) {
        const struct modbus_write *w = &m->writes[(*at)++];
        if (w->action == action)
            return w;
    }
    return NULL;
}

static bool same_writes(const struct job *j, const struct member *m, uint32_t action)
{
    size_t i = 0, k = 0;
    for (;;) {
        const struct modbus_write *a = next_write(j->member, j->action, &i);
        const struct modbus_write *b = next_write(m, action, &k);
        if (!a || !b)
            return a == b;
        if (!same_write(a, b))
            return false;
    }
}

static bool is_on(const struct line_plan *p, const struct unit *u)
{
    for (const struct list *it = p ? p->units.next : NULL; it && it != &p->units; it = it->next) {
        if (CONTAINER_OF(it, struct unit, link) == u)
            return true;
    }
    return false;
}

/* False: what it writes is not to be written any more. */
static bool job_moves(struct job *j, const struct line_plan *to, struct modbus_setup *next)
{
    const struct device *old = j->member->device;
    struct device *heir = old ? registry_successor(old->registry, old) : NULL;
    if (heir && heir->leaving)
        return true; /* as it is */
    struct member *m = heir && !heir->corrected ? modbus_member_in(next, heir) : NULL;
    int action = m ? model_action(heir->model, old->model->actions[j->action].name) : -1;
    if (action < 0 || !is_on(to, m->unit) || !same_writes(j, m, (uint32_t)action))
        return false;
    j->plan = next;
    j->member = m;
    j->unit = m->unit;
    j->action = (uint32_t)action;
    return true;
}

/* The plan `next` comes: those of the plan that runs move into it if it has the same writes for the
 * same thing, and stay if their device leaves; what else there is ends, and is not written. */
static void jobs_move(struct line *l, struct line_plan *to, struct modbus_setup *next)
{
    static const char why[] = "the site has changed";
    LIST_EACH_SAFE(&l->jobs, it)
    {
        struct job *j = CONTAINER_OF(it, struct job, link);
        if (j->plan == l->m->plan && !job_moves(j, to, next))
            modbus_job_end(l, j, ERR_CANCELED, why);
    }
    for (size_t i = 0; i < MODBUS_ASKS_MAX; i++) {
        struct ask *a = &l->asks[i];
        if (!a->job || a->job->plan != l->m->plan || job_moves(a->job, to, next))
            continue;
        modbus_job_end(l, a->job, ERR_CANCELED, why);
        a->job = NULL;
    }
}

/* --- units and lines --- */

static struct unit *unit_of(struct line_plan *p, uint8_t id)
{
    for (struct list *it = p ? p->units.next : NULL; it && it != &p->units; it = it->next) {
        struct unit *u = CONTAINER_OF(it, struct unit, link);
        if (u->id == id)
            return u;
    }
    return NULL;
}

/* What is known of a unit stays true of it. Its devices are new, and are told. */
static void inherit(struct unit *to, const struct unit *from)
{
    to->phase = from->phase;
    to->fails = from->fails;
    to->backoff_ms = from->backoff_ms;
    to->retry_ns = from->retry_ns;
    to->rest_ns = from->rest_ns;
    to->problem_ms = from->problem_ms;
    to->counts = from->counts;
    memcpy(to->problem, from->problem, sizeof(to->problem));
}

/* Whose devices still have something to be done to them that only the plan before knows how. */
static void keep_leaving(struct modbus *m, struct member *member)
{
    struct device *d = member->device;
    (void)m;
    d = d ? registry_successor(d->registry, d) : NULL;
    member->device = d && d->leaving ? d : NULL;
}

/* Those that wait. */
static void drop_jobs_of(struct line *l, const struct modbus_setup *plan)
{
    LIST_EACH_SAFE(&l->jobs, it)
    {
        struct job *j = CONTAINER_OF(it, struct job, link);
        if (j->plan == plan)
            modbus_job_end(l, j, ERR_CANCELED, "its device has gone");
    }
}

/* What is in flight belongs to the plan before: its answer is waited for, and dropped. A write goes
 * on, in the next plan or for a device that leaves, whose plan is kept. */
static void orphan_asks(struct line *l, struct line_plan *next, const struct modbus_setup *dead)
{
    for (size_t i = 0; i < MODBUS_ASKS_MAX; i++) {
        struct ask *a = &l->asks[i];
        if (!a->used)
            continue;
        a->block = NULL;
        if (a->job && a->job->plan == dead) {
            modbus_job_end(l, a->job, ERR_CANCELED, "its device has gone");
            a->job = NULL;
        }
        if (a->job && a->job->unit == a->unit)
            continue;
        if (a->unit && a->unit->asking == a)
            a->unit->asking = NULL;
        a->unit = a->job ? a->job->unit : unit_of(next, a->unit_id);
        if (a->unit)
            a->unit->asking = a;
    }
}

static struct line_plan *plan_of(const struct modbus_setup *s, const struct line *l)
{
    LIST_EACH(&s->lines, it)
    {
        struct line_plan *p = CONTAINER_OF(it, struct line_plan, link);
        if (p->line == l)
            return p;
    }
    return NULL;
}

static bool has_leaving(const struct line *l)
{
    for (struct list *k = l->plan ? l->plan->units.next : NULL; k && k != &l->plan->units;
         k = k->next) {
        LIST_EACH(&CONTAINER_OF(k, struct unit, link)->members, at)
        {
            if (CONTAINER_OF(at, struct member, link)->device)
                return true;
        }
    }
    return false;
}

static bool has_actions(const struct unit *u)
{
    LIST_EACH(&u->members, at)
    {
        const struct device *d = CONTAINER_OF(at, struct member, link)->device;
        if (d && !list_empty(&d->actions))
            return true;
    }
    return false;
}

bool modbus_line_is_left(struct line *l)
{
    struct modbus_setup *s = l->m->before;
    bool wanted = l->plan || !list_empty(&l->jobs) || l->in_flight > 0;
    for (int round = 0; s && !wanted && round < 2; round++) {
        LIST_EACH(&s->lines, i)
        {
            LIST_EACH(&CONTAINER_OF(i, struct line_plan, link)->units, k)
            {
                struct unit *u = CONTAINER_OF(k, struct unit, link);
                if (u->line == l && round == 0)
                    wanted = wanted || has_actions(u);
                else if (u->line == l)
                    u->line = NULL;
            }
        }
    }
    return !wanted;
}

static void drop_blocks(struct line *l)
{
    while (list_pop_head(&l->due))
        ;
    for (struct list *it = l->plan ? l->plan->units.next : NULL; it && it != &l->plan->units;
         it = it->next) {
        while (list_pop_head(&CONTAINER_OF(it, struct unit, link)->parked))
            ;
    }
}

/* One that speaks on the same serial device otherwise: it gets it. NULL: none does. */
static struct line *line_instead(const struct modbus_setup *next, const struct line *l)
{
    for (struct list *it = l->plan ? next->lines.next : NULL; it && it != &next->lines;
         it = it->next) {
        const struct line_plan *p = CONTAINER_OF(it, struct line_plan, link);
        bool serial = p->cfg.carrier == MODBUS_RTU && l->plan->cfg.carrier == MODBUS_RTU;
        if (serial && str_eq(p->cfg.serial.path, l->plan->cfg.serial.path))
            return p->line;
    }
    return NULL;
}

/* What leaves is spoken to there from now on. */
static void hand_over(struct line *l, struct line *to)
{
    drop_jobs_of(l, l->m->plan);
    for (size_t i = 0; i < MODBUS_ASKS_MAX; i++) {
        struct ask *a = &l->asks[i];
        if (a->used && a->job)
            modbus_job_end(l, a->job, ERR_CANCELED, "the line has changed");
        a->job = NULL;
    }
    LIST_EACH(&l->plan->units, it)
    {
        CONTAINER_OF(it, struct unit, link)->line = to;
    }
}

/* `dead` is the plan before the present one: nobody may know it behind this. */
static void line_moves(struct line *l, struct line_plan *next, const struct modbus_setup *dead)
{
    bool leaving = has_leaving(l);
    drop_jobs_of(l, dead);
    orphan_asks(l, next, dead);
    drop_blocks(l);
    for (struct list *it = next ? next->units.next : NULL; it && it != &next->units;
         it = it->next) {
        struct unit *u = CONTAINER_OF(it, struct unit, link);
        const struct unit *was = unit_of(l->plan, u->id);
        if (was)
            inherit(u, was);
    }
    if (next)
        return;
    struct line *instead = line_instead(l->m->next, l);
    if (instead)
        hand_over(l, instead);
    if (leaving && l->plan && !instead)
        l->plan = NULL; /* it is written to, and asked nothing */
    else
        modbus_line_end(l);
}

void modbus_replace_commit(struct modbus *m)
{
    struct modbus_setup *dead = m->before;
    ASSERT(m->next);
    LIST_EACH(&m->lines, it)
    {
        struct line *l = CONTAINER_OF(it, struct line, link);
        jobs_move(l, plan_of(m->next, l), m->next);
    }
    modbus_members_each(m, m->plan, keep_leaving);
    LIST_EACH_SAFE(&m->lines, it)
    {
        struct line *l = CONTAINER_OF(it, struct line, link);
        if (!l->removed)
            line_moves(l, plan_of(m->next, l), dead);
    }
    m->before = m->plan;
    modbus_take_plan(m, m->next);
    m->next = NULL;
    modbus_setup_free(dead);
}
