#include "protocol/modbus_rig_test.h"

/* Everything at once: units that fall silent, answer late, damaged or not, connections that are
 * cut, commands, and other sites in the middle of it. Whatever comes, each command that was taken
 * is told of once, and when the world is well again everybody is read. */

enum { STEPS = 150, SLOTS = 2, DEVICES = 4 * STEPS };

struct chaos_device {
    struct device device;
    struct device_property props[RIG_PROPS];
    struct list action; /* one that is not over, of a device that leaves */
    size_t samples;
};
struct chaos {
    struct rig *g;
    struct random random;
    struct chaos_device *devices;
    size_t used, commands, accepted, told;
    struct device *now[SLOTS], *left[SLOTS];
};
static struct chaos *chaos_now; /* the rig's body has no argument of its own */

static uint64_t dice(struct chaos *c, uint64_t n)
{
    return random_below(&c->random, n);
}

/* --- what is told --- */

static enum err on_sample(void *ctx, struct device_property *p, const struct value *v,
                          enum quality q)
{
    (void)ctx;
    (void)v;
    (void)q;
    CONTAINER_OF(p->device, struct chaos_device, device)->samples++;
    return ERR_OK;
}

static void on_text(void *ctx, struct device_property *p, const char *why)
{
    (void)ctx;
    CHECK(p->device && why);
}

static void on_link(void *ctx, struct device *d, bool online, const char *why)
{
    (void)ctx;
    CHECK(d && (online || why[0]));
}

static void on_done(void *ctx, struct device *d, const char *id, enum err result, const char *why)
{
    struct chaos *c = ctx;
    CHECK(d && id[0] && (result == ERR_OK || why[0]));
    c->told++;
}

/* --- sites --- */

static const struct modbus_point level[] = {
    {0, {.table = MODBUS_HOLDING, .address = 0, .form = {.type = MODBUS_F32}}}};
static const struct modbus_write writes[2][2] = {
    {{.action = 2,
      .place = {.table = MODBUS_HOLDING, .address = 30, .form = {.type = MODBUS_U16}},
      .arg = -1,
      .constant = {.i = 5, .f = 5}},
     {.action = 1,
      .place = {.table = MODBUS_HOLDING, .address = 40, .form = {.type = MODBUS_U16}}}},
    {{.action = 2,
      .place = {.table = MODBUS_HOLDING, .address = 31, .form = {.type = MODBUS_BIT, .bit = 3}},
      .arg = -1,
      .constant = {.i = 1, .f = 1}},
     {.action = 1,
      .place = {.table = MODBUS_HOLDING, .address = 40, .form = {.type = MODBUS_F64}}}}};

static struct device *make(struct chaos *c)
{
    REQUIRE(c->used < DEVICES);
    struct chaos_device *d = &c->devices[c->used++];
    d->device = (struct device){.model = &rig_model, .props = d->props, .name = rig_model.name};
    for (size_t i = 0; i < RIG_PROPS; i++)
        d->props[i] = (struct device_property){.device = &d->device, .def = &rig_properties[i]};
    list_init(&d->device.actions);
    list_init(&d->action);
    return &d->device;
}

static void declare(struct chaos *c, size_t slot, struct device *device)
{
    struct modbus_device d = rig_base(c->g, 0, (uint8_t)(slot + 1));
    d.device = device;
    d.every_ms = 200;
    d.points = level;
    d.point_count = 1;
    d.writes = writes[dice(c, 2)];
    d.write_count = 2;
    rig_add(c->g, &d);
}

/* What becomes of the device in a slot, and of the one that left it before. */
static void next_of(struct chaos *c, size_t slot)
{
    struct device *old = c->now[slot], *next = make(c);
    if (c->left[slot])
        c->left[slot]->heir = NULL;
    c->left[slot] = NULL;
    switch (dice(c, 5)) {
    case 0: break; /* it is gone, and another one has come */
    case 1:
        c->left[slot] = old->heir = make(c);
        old->heir->leaving = true;
        list_add_tail(&old->heir->actions,
                      &CONTAINER_OF(old->heir, struct chaos_device, device)->action);
        break;
    case 2: next->corrected = true; /* fall through */
    default: old->heir = next;
    }
    declare(c, slot, next);
    c->now[slot] = next;
}

static void replace(struct chaos *c)
{
    struct error e = {0};
    for (size_t i = 0; i < SLOTS; i++)
        next_of(c, i);
    REQUIRE(modbus_replace_ready(c->g->m, c->g->setup, &e) == ERR_OK);
    modbus_replace_commit(c->g->m);
    c->g->setup = NULL;
}

/* --- a step --- */

static void command(struct chaos *c)
{
    size_t slot = dice(c, SLOTS);
    struct device *d = c->left[slot] && dice(c, 2) ? c->left[slot] : c->now[slot];
    const struct value to = {.kind = VALUE_FLOAT, .f = (double)dice(c, 100)};
    bool set = dice(c, 2);
    char id[24];
    struct error e = {0};
    (void)snprintf(id, sizeof(id), "%zu", c->commands++);
    const struct port_command p = {
        .device = d, .action = set ? 1 : 2, .id = id, .args = &to, .arg_count = set};
    c->accepted += modbus_command(c->g->m, &p, &e) == ERR_OK;
}

static void step(struct chaos *c)
{
    struct slave *s = &c->g->slave;
    struct slave_unit *u = &s->units[dice(c, SLOTS)];
    static const int64_t delays[] = {0, 20, 150};
    switch (dice(c, 12)) {
    case 0: u->silent = !u->silent; break;
    case 1: u->lost = (unsigned)dice(c, 4); break;
    case 2: u->damaged = 1; break;
    case 3: u->busy = (unsigned)dice(c, 4); break;
    case 4: s->delay_ms = delays[dice(c, ARRAY_LEN(delays))]; break;
    case 5: slave_cut(s); break;
    case 6: u->bad_to = u->bad_to ? 0 : 1; break;
    case 7:
    case 8: replace(c); break;
    default: command(c); command(c);
    }
    rig_sleep((int64_t)dice(c, 120));
}

static void heal(struct slave *s)
{
    s->delay_ms = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        s->units[i].silent = false;
        s->units[i].lost = s->units[i].damaged = s->units[i].busy = 0;
        s->units[i].bad_to = 0;
    }
}

static void chaos(struct rig *g)
{
    struct chaos *c = chaos_now;
    c->g = g;
    for (size_t i = 0; i < SLOTS; i++) {
        c->now[i] = make(c);
        declare(c, i, c->now[i]);
    }
    rig_start(g);
    g->m->sink = (struct modbus_sink){.sample = on_sample,
                                      .doubt = on_text,
                                      .unreadable = on_text,
                                      .link_state = on_link,
                                      .done = on_done,
                                      .ctx = c};
    for (size_t i = 0; i < STEPS; i++)
        step(c);
    heal(&g->slave);
    rig_sleep(130000); /* the longest back-off, and what is refused for a minute, have passed */
    size_t before[SLOTS];
    for (size_t i = 0; i < SLOTS; i++)
        before[i] = CONTAINER_OF(c->now[i], struct chaos_device, device)->samples;
    rig_sleep(2000);
    for (size_t i = 0; i < SLOTS; i++)
        CHECK(CONTAINER_OF(c->now[i], struct chaos_device, device)->samples > before[i]);
    CHECK_EQ_UINT(c->told, c->accepted);
    CHECK_EQ_UINT(rig_see(g).line.writes_waiting, 0);
}

static void run_chaos(bool rtu)
{
    size_t accepted = 0;
    for (uint64_t n = 0; n < 40; n++) {
        struct chaos c = {.devices = mem_zero(alloc_system(), DEVICES * sizeof(*c.devices))};
        REQUIRE(c.devices != NULL);
        LABEL("%s, seed + %ju", rtu ? "RTU over TCP" : "TCP", (uintmax_t)n);
        random_seed(&c.random, test_seed() + n);
        chaos_now = &c;
        rig_run("\1\2", rtu, chaos);
        accepted += c.accepted;
        mem_free(alloc_system(), c.devices, DEVICES * sizeof(*c.devices));
    }
    CHECK(accepted > 100);
}

TEST(modbus_everything_at_once)
{
    run_chaos(false);
    run_chaos(true);
}
