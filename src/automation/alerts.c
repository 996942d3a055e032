/* alerts: how the conditions that programs tell of are called. The same key is the same alert, over
 * restarts, too; so a key is made of the stable path of its rule. */
#include "automation/automation_internal.h"

#include <stdio.h>

void alert_key(struct str path, uint32_t n, char key[ALERT_KEY_MAX])
{
    (void)snprintf(key, ALERT_KEY_MAX, "%.*s#%u", STR_FMT(path), n);
}

void alert_trap_key(struct str path, char key[ALERT_KEY_MAX])
{
    (void)snprintf(key, ALERT_KEY_MAX, "%.*s!", STR_FMT(path));
}

void alert_program_key(struct str name, char key[ALERT_KEY_MAX])
{
    (void)snprintf(key, ALERT_KEY_MAX, "program/%.*s", STR_FMT(name));
}

static void end_alert(struct automation *a, const char *key)
{
    struct alert_event ev = {.key = str_from(key), .wall_ms = worker_now_ms(a->worker)};
    bus_alert_publish(a->cfg.bus, &ev);
}

void alerts_end(struct automation *a, struct str path, uint32_t n)
{
    char key[ALERT_KEY_MAX];
    for (uint32_t i = 0; i < n; i++) {
        alert_key(path, i, key);
        end_alert(a, key);
    }
    alert_trap_key(path, key);
    end_alert(a, key);
}

void alerts_program_starts(struct program_run *run)
{
    char key[ALERT_KEY_MAX];
    alert_program_key(run->def->name, key);
    end_alert(run->automation, key);
    for (size_t i = 0; i < run->def->rules_n; i++)
        alerts_end(run->automation, run->def->rules[i].path, 0);
}

/* Those that only a run of it can raise: what its rules raised is state_forget_unknown()'s. */
void alerts_program_ends(struct program_run *run)
{
    char key[ALERT_KEY_MAX];
    alert_program_key(run->def->name, key);
    if (run->state == PROGRAM_FAILED)
        end_alert(run->automation, key);
    for (size_t i = 0; i < run->def->rules_n; i++)
        if (run->rules[i].trapped)
            alerts_end(run->automation, run->def->rules[i].path, 0);
}
