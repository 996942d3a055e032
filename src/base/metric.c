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
    list_add_tail(&m->list, &x->link);
}
