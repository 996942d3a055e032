#include "bus/bus_internal.h"

void bus_access_set(struct bus *b, const struct bus_access *access)
{
    atomic_store_explicit(&b->access, access, memory_order_release);
}

bool access_check(struct bus *b, const struct bus_publisher *who, enum bus_act act,
                  struct str topic, char *why)
{
    const struct bus_access *access = atomic_load_explicit(&b->access, memory_order_acquire);
    return !access || !who || who->trusted || !who->rights ||
           access->check(access, who, act, topic, why);
}

bool access_check_subscriber(struct bus *b, const struct subscriber *s, enum bus_act act,
                             struct str topic)
{
    const struct bus_publisher who = {.id = s->publisher_id, .rights = s->rights};
    return access_check(b, &who, act, topic, NULL);
}
