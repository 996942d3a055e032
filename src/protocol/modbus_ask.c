#include "protocol/modbus_internal.h"

/* Who is asked next, and what happens when no answer comes. */

enum {
    TIMEOUT_MS = 1000,
    PROBE_OVERDUE_MS =
        5000, /* on a line that never rests, silent units have their turn all the same */
};

static int64_t ms(int64_t n)
{
    return n * 1000000;
}

static int64_t timeout_ns(const struct line *l)
{
    return ms(l->cfg.timeout_ms ? l->cfg.timeout_ms : TIMEOUT_MS);
}

static size_t flight_max(const struct line *l)
{
    return l->cfg.in_flight ? l->cfg.in_flight : 1;
}

/* --- blocks --- */

/* In order of their time. Those of one interval come in that order by themselves, so that mostly
 * the place is at the end. */
static void insert_due(struct line *l, struct block *b)
{
    struct list *at = l->due.prev;
    while (at != &l->due && CONTAINER_OF(at, struct block, link)->due_ns > b->due_ns)
        at = at->prev;
    list_add_head(at, &b->link);
}

void modbus_block_put(struct block *b, int64_t due_ns)
{
    list_del(&b->link);
    b->due_ns = due_ns;
    if (b->unit->phase == MODBUS_UNIT_SILENT)
        list_add_tail(&b->unit->parked, &b->link);
    else
        insert_due(b->unit->line, b);
}

void modbus_line_take(struct line *l, struct line_plan *p)
{
    int64_t now_ns = worker_now_ns(l->m->worker);
    l->plan = p;
    l->cfg = p->cfg;
    p->line = l;
    LIST_EACH(&p->units, it)
    {
        struct unit *u = CONTAINER_OF(it, struct unit, link);
        u->line = l;
        bool down = l->phase != LINE_UP && l->backoff_ms > 0;
        if (u->phase == MODBUS_UNIT_SILENT || down) /* as it was before a reload */
            modbus_unit_tell(u, false, u->phase == MODBUS_UNIT_SILENT ? u->problem : l->problem);
    }
    while (!list_empty(&p->blocks))
        modbus_block_put(CONTAINER_OF(p->blocks.next, struct block, link), now_ns);
}

/* --- units --- */

static void silence(struct unit *u)
{
    struct line *l = u->line;
    if (u->phase != MODBUS_UNIT_SILENT)
        LOG_W("modbus", "%s: %s; it is offline, and asked less often", l->text, u->problem);
    u->phase = MODBUS_UNIT_SILENT;
    u->retry_ns = worker_now_ns(l->m->worker) + ms(modbus_backoff(l->m, &u->backoff_ms));
    LIST_EACH_SAFE(&l->due, it)
    {
        struct block *b = CONTAINER_OF(it, struct block, link);
        if (b->unit == u)
            modbus_block_put(b, b->due_ns);
    }
    modbus_unit_tell(u, false, u->problem);
}

void modbus_unit_speaks(struct unit *u)
{
    struct line *l = u->line;
    int64_t now_ns = worker_now_ns(l->m->worker);
    u->fails = 0;
    u->backoff_ms = 0;
    l->backoff_ms = 0;
    modbus_unit_tell(u, true, "");
    if (u->phase == MODBUS_UNIT_ONLINE)
        return;
    if (u->phase == MODBUS_UNIT_SILENT)
        LOG_I("modbus", "%s: unit %u answers again", l->text, u->id);
    u->phase = MODBUS_UNIT_ONLINE;
    u->problem[0] = '\0';
    while (!list_empty(&u->parked))
        modbus_block_put(CONTAINER_OF(u->parked.next, struct block, link), now_ns);
}

/* --- requests --- */

void modbus_ask_end(struct line *l, struct ask *a)
{
    if (a->unit && a->unit->asking == a)
        a->unit->asking = NULL;
    l->in_flight--;
    l->ended_ns = worker_now_ns(l->m->worker);
    *a = (struct ask){0};
}

void modbus_ask_failed(struct line *l, struct ask *a, const char *why)
{
    struct unit *u = a->unit;
    struct block *b = a->block;
    struct job *j = a->job;
    modbus_ask_end(l, a);
    if (u) {
        (void)snprintf(u->problem, sizeof(u->problem), "%s", why);
        u->problem_ms = worker_now_ms(l->m->worker);
        u->fails++;
    }
    if (b)
        modbus_block_put(b, worker_now_ns(l->m->worker));
    bool silent = u && u->line && u->fails >= MODBUS_FAILS_MAX;
    if (silent) {
        silence(u);
        modbus_jobs_lost(l, u, why);
    }
    if (j)
        modbus_job_lost(l, j, why);
}

void modbus_line_forget(struct line *l)
{
    for (size_t i = 0; i < MODBUS_ASKS_MAX; i++) {
        struct ask *a = &l->asks[i];
        if (!a->used)
            continue;
        struct block *b = a->block;
        struct job *j = a->job;
        modbus_ask_end(l, a);
        if (b)
            modbus_block_put(b, worker_now_ns(l->m->worker));
        if (j)
            modbus_job_end(l, j, ERR_CLOSED, "the connection was lost");
    }
}

/* On a serial line an answer does not say which question it is for. One that comes too late must
 * not be taken for the answer to the unit's next one, so that one waits for as long again. */
static void let_rest(struct line *l, struct unit *u)
{
    if (l->cfg.carrier != MODBUS_TCP)
        u->rest_ns = worker_now_ns(l->m->worker) + timeout_ns(l);
}

/* Broken frames are no silence of the line, and no reason to connect again. */
static void expire(struct line *l, struct ask *a)
{
    bool noise = l->unread > 0 && l->cfg.carrier != MODBUS_TCP;
    char why[MODBUS_PROBLEM_MAX];
    if (noise)
        (void)snprintf(why, sizeof(why), "unit %u: its answer was damaged (CRC)", a->unit_id);
    else
        (void)snprintf(why, sizeof(why), "unit %u does not answer", a->unit_id);
    if (l->heard_ns < a->sent_ns) {
        l->mute++;
        l->mute_online |= a->unit && a->unit->phase == MODBUS_UNIT_ONLINE;
    }
    if (a->unit && !noise)
        let_rest(l, a->unit);
    if (a->unit)
        ++*(noise ? &a->unit->counts.broken : &a->unit->counts.timeouts);
    modbus_ask_failed(l, a, why);
}

static bool has_online(const struct line *l)
{
    for (struct list *it = l->plan ? l->plan->units.next : NULL; it && it != &l->plan->units;
         it = it->next) {
        if (CONTAINER_OF(it, struct unit, link)->phase == MODBUS_UNIT_ONLINE)
            return true;
    }
    return false;
}

/* The other end has gone without a word. Not so if it is only silent units that are silent. */
static bool is_dead(const struct line *l)
{
    return l->cfg.carrier != MODBUS_RTU && l->mute >= MODBUS_FAILS_MAX &&
           (l->mute_online || !has_online(l));
}

void modbus_line_expire(struct line *l)
{
    int64_t now_ns = worker_now_ns(l->m->worker);
    for (size_t i = 0; i < MODBUS_ASKS_MAX; i++) {
        if (l->asks[i].used && l->asks[i].deadline_ns <= now_ns)
            expire(l, &l->asks[i]);
    }
    if (is_dead(l))
        modbus_line_lost(l, "connected, but nobody answers");
}

static struct ask *ask_new(struct line *l, struct unit *u)
{
    struct ask *a = l->asks;
    while (a->used)
        a++;
    *a = (struct ask){.used = true, .unit_id = u->id, .unit = u, .transaction = ++l->transaction};
    u->asking = a;
    l->in_flight++;
    return a;
}

/* How long request and answer are on the wire. */
static int64_t wire_ns(const struct line *l, size_t request, size_t answer)
{
    if (l->cfg.carrier != MODBUS_RTU)
        return 0;
    return modbus_rtu_time_ns(l->cfg.serial.baud, request + answer + 4);
}

static void ask_now(struct line *l, struct ask *a)
{
    uint8_t pdu[MODBUS_PDU_MAX], frame[MODBUS_TCP_MAX];
    struct writer p = writer_from(pdu, sizeof(pdu)), w = writer_from(frame, sizeof(frame));
    enum err r = modbus_encode_request(&p, &a->q);
    ASSERT(r == ERR_OK);
    struct bytes bytes = {pdu, writer_len(&p)};
    if (l->cfg.carrier == MODBUS_TCP) {
        modbus_tcp_encode(&w, a->transaction, a->unit_id, bytes);
    } else {
        modbus_rtu_encode(&w, a->unit_id, bytes);
        if (l->unread > 0) { /* what is of yesterday must not be taken for the answer */
            stream_consume(l->stream, l->unread);
            l->unread = 0;
            l->strays++;
        }
    }
    a->sent_ns = worker_now_ns(l->m->worker);
    a->give_up_ns =
        a->sent_ns + timeout_ns(l) + wire_ns(l, writer_len(&w), modbus_answer_size(&a->q));
    a->deadline_ns = a->give_up_ns;
    a->unit->counts.requests++;
    if (stream_write(l->stream, frame, writer_len(&w)))
        modbus_line_lost(l, "nothing can be sent");
}

static void ask_block(struct line *l, struct block *b)
{
    struct unit *u = b->unit;
    const struct point *p = &u->points[b->first];
    struct ask *a = ask_new(l, u);
    if (worker_now_ns(l->m->worker) - b->due_ns > ms(p->member->every_ms))
        u->counts.late++;
    list_del(&b->link);
    a->block = b;
    a->q = (struct modbus_request){
        .function = modbus_read_function(p->place.table), .address = b->address, .count = b->size};
    ask_now(l, a);
}

static void ask_job(struct line *l, struct job *j)
{
    struct ask *a = ask_new(l, j->unit);
    list_del(&j->link);
    l->job_count--;
    a->job = j;
    modbus_job_request(j, a);
    ask_now(l, a);
}

/* --- whose turn it is --- */

static bool is_free(const struct unit *u, int64_t now_ns)
{
    return !u->asking && u->rest_ns <= now_ns;
}

static struct job *next_job(const struct line *l, int64_t now_ns)
{
    LIST_EACH(&l->jobs, it)
    {
        struct job *j = CONTAINER_OF(it, struct job, link);
        if (is_free(j->unit, now_ns) && j->at_ns <= now_ns)
            return j;
    }
    return NULL;
}

static struct block *next_due(const struct line *l, int64_t now_ns)
{
    LIST_EACH(&l->due, it)
    {
        struct block *b = CONTAINER_OF(it, struct block, link);
        if (b->due_ns > now_ns)
            return NULL;
        if (is_free(b->unit, now_ns))
            return b;
    }
    return NULL;
}

static bool is_probed(const struct unit *u)
{
    return u->phase == MODBUS_UNIT_SILENT && !u->asking && !list_empty(&u->parked);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct block *next_probe(const struct line *l, int64_t now_ns)
{
    if (!l->plan)
        return NULL;
    LIST_EACH(&l->plan->units, it)
    {
        const struct unit *u = CONTAINER_OF(it, struct unit, link);
        if (is_probed(u) && later(u->retry_ns, u->rest_ns) <= now_ns)
            return CONTAINER_OF(u->parked.next, struct block, link);
    }
    return NULL;
}

static struct block *next_block(const struct line *l, int64_t now_ns)
{
    struct block *b = next_probe(l, now_ns - ms(PROBE_OVERDUE_MS));
    if (!b)
        b = next_due(l, now_ns);
    return b ? b : next_probe(l, now_ns);
}

/* A serial line rests between two frames. Who never stops talking is talked over at last. */
static int64_t ready_ns(const struct line *l)
{
    int64_t rest_ns = ms(l->cfg.pause_ms);
    if (l->cfg.carrier == MODBUS_RTU && rest_ns < modbus_rtu_silence_ns(l->cfg.serial.baud))
        rest_ns = modbus_rtu_silence_ns(l->cfg.serial.baud);
    int64_t at_ns = l->heard_ns + rest_ns, at_last_ns = l->ended_ns + timeout_ns(l) + rest_ns;
    return at_ns < at_last_ns ? at_ns : at_last_ns;
}

void modbus_line_ask(struct line *l)
{
    int64_t now_ns = worker_now_ns(l->m->worker);
    while (l->phase == LINE_UP && l->in_flight < flight_max(l) && ready_ns(l) <= now_ns) {
        struct job *j = next_job(l, now_ns);
        struct block *b = j ? NULL : next_block(l, now_ns);
        if (j)
            ask_job(l, j);
        else if (b)
            ask_block(l, b);
        else
            return;
    }
}

static void earlier(int64_t *at_ns, int64_t ns)
{
    ns = ns > 0 ? ns : 1;
    if (*at_ns == 0 || ns < *at_ns)
        *at_ns = ns;
}

/* When somebody could be asked, if nothing were in the way. */
static int64_t wanted_ns(const struct line *l)
{
    int64_t at_ns = 0;
    LIST_EACH(&l->jobs, it)
    {
        const struct job *j = CONTAINER_OF(it, struct job, link);
        if (!j->unit->asking)
            earlier(&at_ns, later(j->at_ns, j->unit->rest_ns));
    }
    LIST_EACH(&l->due, it)
    {
        const struct block *b = CONTAINER_OF(it, struct block, link);
        if (b->unit->asking)
            continue;
        earlier(&at_ns, later(b->due_ns, b->unit->rest_ns));
        if (b->unit->rest_ns <= b->due_ns)
            break; /* they are in order */
    }
    for (struct list *it = l->plan ? l->plan->units.next : NULL; it && it != &l->plan->units;
         it = it->next) {
        const struct unit *u = CONTAINER_OF(it, struct unit, link);
        if (is_probed(u))
            earlier(&at_ns, later(u->retry_ns, u->rest_ns));
    }
    return at_ns;
}

int64_t modbus_line_next_ns(const struct line *l)
{
    int64_t at_ns = 0, wanted = l->in_flight < flight_max(l) ? wanted_ns(l) : 0;
    for (size_t i = 0; i < MODBUS_ASKS_MAX; i++) {
        if (l->asks[i].used)
            earlier(&at_ns, l->asks[i].deadline_ns);
    }
    if (wanted > 0)
        earlier(&at_ns, wanted > ready_ns(l) ? wanted : ready_ns(l));
    return at_ns;
}
