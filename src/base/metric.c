#include "base/metric.h"

void metrics_init(struct metrics *m)
{
    list_init(&m->list);
}

void metric_register(struct metrics *m, struct metric *x, enum metric_kind kind, const char *name,
                     const char *help)
{
    x->kind = kind;
    x->name = name;
    x->help = help;
    atomic_init(&x->value, 0);
    x->part = NULL;
    list_add_tail(&m->list, &x->link);
}

void metric_part(struct metric *whole, struct metric *part)
{
    part->part = whole->part;
    whole->part = part;
}
