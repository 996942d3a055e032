#include "protocol/modbus_internal.h"

#include <stdlib.h>

/* Points to blocks: what is read together. */

enum { GAP_DEFAULT = 16, BITS_PER_REGISTER = 16 };

static unsigned size_of(const struct modbus_place *p)
{
    return modbus_table_is_bits(p->table) ? 1 : modbus_type_size(p->form.type);
}

static int by_place(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    int64_t d = (int64_t)x->member->every_ms - y->member->every_ms;
    if (d == 0)
        d = (int64_t)x->place.table - (int64_t)y->place.table;
    if (d == 0)
        d = (int64_t)x->place.address - y->place.address;
    if (d == 0)
        d = (int64_t)size_of(&x->place) - size_of(&y->place);
    return d < 0 ? -1 : d > 0;
}

/* From the first address to the end of the point that ends last. */
unsigned modbus_block_span(const struct unit *u, size_t first, size_t count)
{
    unsigned start = u->points[first].place.address, end = start;
    for (size_t i = first; i < first + count; i++) {
        unsigned e = u->points[i].place.address + size_of(&u->points[i].place);
        end = e > end ? e : end;
    }
    return end - start;
}

static unsigned gap_max(const struct unit *u, bool bits)
{
    unsigned gap = u->gap_max == 0 ? GAP_DEFAULT : u->gap_max == UINT16_MAX ? 0 : u->gap_max;
    return bits ? gap * BITS_PER_REGISTER : gap;
}

static unsigned span_max(const struct unit *u, bool bits)
{
    unsigned max = u->block_max ? u->block_max : MODBUS_READ_REGISTERS_MAX;
    return bits ? max * BITS_PER_REGISTER : max;
}

/* How many points from `first` on go into one read. */
static size_t gather(const struct unit *u, size_t first)
{
    const struct point *p = &u->points[first];
    bool bits = modbus_table_is_bits(p->place.table);
    unsigned start = p->place.address, end = start + size_of(&p->place);
    size_t n = 1;
    for (; first + n < u->point_count; n++) {
        const struct point *q = &u->points[first + n];
        unsigned q_end = q->place.address + size_of(&q->place);
        if (q->member->every_ms != p->member->every_ms || q->place.table != p->place.table)
            break;
        if (q->place.address > end + gap_max(u, bits) || q_end - start > span_max(u, bits))
            break;
        end = q_end > end ? q_end : end;
    }
    return n;
}

static struct block *block_new(struct modbus_setup *s, struct unit *u, size_t first, size_t count)
{
    struct block *b = arena_new(&s->arena, sizeof(*b));
    if (!b)
        return NULL;
    *b = (struct block){.unit = u,
                        .first = first,
                        .count = count,
                        .address = u->points[first].place.address,
                        .size = (uint16_t)modbus_block_span(u, first, count)};
    list_init(&b->link);
    u->blocks++;
    return b;
}

static void unit_points(struct modbus_setup *s, struct unit *u)
{
    size_t n = 0;
    u->points = arena_array(&s->arena, u->point_count, sizeof(*u->points));
    if (!u->points)
        return;
    LIST_EACH(&u->members, it)
    {
        struct member *m = CONTAINER_OF(it, struct member, link);
        for (size_t i = 0; i < m->point_count; i++)
            u->points[n++] = (struct point){
                .member = m, .property = m->points[i].property, .place = m->points[i].place};
    }
    if (n > 0)
        qsort(u->points, n, sizeof(*u->points), by_place);
}

static void unit_blocks(struct modbus_setup *s, struct line_plan *l, struct unit *u)
{
    unit_points(s, u);
    for (size_t at = 0, n; u->points && at < u->point_count; at += n) {
        n = gather(u, at);
        struct block *b = block_new(s, u, at, n);
        if (!b)
            return;
        list_add_tail(&l->blocks, &b->link);
    }
}

enum err modbus_setup_finish(struct modbus_setup *s, struct error *e)
{
    LIST_EACH(&s->lines, it)
    {
        struct line_plan *l = CONTAINER_OF(it, struct line_plan, link);
        LIST_EACH(&l->units, at)
        {
            unit_blocks(s, l, CONTAINER_OF(at, struct unit, link));
        }
    }
    return s->arena.failed ? error_set(e, ERR_NOMEM, "no memory for the plan") : ERR_OK;
}

/* --- refused ones --- */

/* The largest gap between two neighbours; where none is larger, the one nearest to the middle. Not
 * between points of one address: they would be refused alike. 0: nowhere. */
static size_t place_of_cut(const struct block *b)
{
    const struct point *p = &b->unit->points[b->first];
    size_t best = 0;
    unsigned best_gap = 0, end = p->place.address + size_of(&p->place);
    for (size_t i = 1; i < b->count; i++) {
        unsigned at = p[i].place.address, gap = at > end ? at - end : 0;
        size_t off = i > b->count / 2 ? i - b->count / 2 : b->count / 2 - i;
        size_t best_off = best > b->count / 2 ? best - b->count / 2 : b->count / 2 - best;
        if (at != p[i - 1].place.address &&
            (best == 0 || gap > best_gap || (gap == best_gap && off < best_off))) {
            best = i;
            best_gap = gap;
        }
        unsigned e = at + size_of(&p[i].place);
        end = e > end ? e : end;
    }
    return best;
}

struct block *modbus_block_cut(struct modbus_setup *s, struct block *b)
{
    size_t at = place_of_cut(b);
    struct block *rest = at > 0 ? block_new(s, b->unit, b->first + at, b->count - at) : NULL;
    if (!rest)
        return NULL;
    b->count = at;
    b->size = (uint16_t)modbus_block_span(b->unit, b->first, at);
    rest->due_ns = b->due_ns;
    rest->hurry_until_ns = b->hurry_until_ns;
    return rest;
}
