#include "protocol/mqtt_received.h"

#include <string.h>

/* Where the id is, or where it belongs. */
static size_t place(const struct received *r, uint16_t id)
{
    size_t from = 0, to = r->ids.n;
    if (to && r->ids.v[to - 1] < id) /* as always, but after 65,535 */
        return to;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (r->ids.v[mid] < id)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

bool received_has(const struct received *r, uint16_t id)
{
    size_t i = place(r, id);
    return i < r->ids.n && r->ids.v[i] == id;
}

bool received_add(struct alloc *a, struct received *r, uint16_t id)
{
    size_t i = place(r, id);
    if (i < r->ids.n && r->ids.v[i] == id)
        return true;
    if (!vec_push(a, &r->ids, id))
        return false;
    memmove(&r->ids.v[i + 1], &r->ids.v[i], (r->ids.n - 1 - i) * sizeof(id));
    r->ids.v[i] = id;
    return true;
}

bool received_remove(struct received *r, uint16_t id)
{
    size_t i = place(r, id);
    if (i == r->ids.n || r->ids.v[i] != id)
        return false;
    r->ids.n--;
    memmove(&r->ids.v[i], &r->ids.v[i + 1], (r->ids.n - i) * sizeof(id));
    return true;
}

void received_fini(struct alloc *a, struct received *r)
{
    vec_fini(a, &r->ids);
}

void received_write(const struct received *r, struct writer *w)
{
    for (size_t i = 0; i < r->ids.n; i++)
        writer_u16(w, r->ids.v[i]);
}

bool received_read(struct alloc *a, struct received *r, struct bytes from)
{
    struct cursor c = cursor_from(from.p, from.n);
    while (cursor_left(&c) >= 2)
        if (!received_add(a, r, cursor_u16(&c)))
            return false;
    return true;
}
