#include "protocol/modbus_internal.h"

/* Links and places: what is written about them, and whether it makes sense. */

static enum err parse_host(struct modbus_link *out, struct str rest, struct str text,
                           struct error *e)
{
    struct str host = rest, port = {0};
    size_t at;
    if (rest.n > 0 && rest.p[0] == '[') { /* an IPv6 address has colons of its own */
        if (!str_find(rest, ']', &at))
            return error_set(e, ERR_SYNTAX, "\"%.*s\" has no ]", STR_FMT(text));
        host = str_sub(rest, 1, at - 1);
        struct str behind = str_sub(rest, at + 1, rest.n);
        if (behind.n > 0 && behind.p[0] != ':')
            return error_set(e, ERR_SYNTAX, "a port is what may follow ] in \"%.*s\"",
                             STR_FMT(text));
        port = str_sub(behind, 1, behind.n);
        if (behind.n == 1)
            host.n = 0;
    } else if (str_find(rest, ':', &at)) {
        host = str_sub(rest, 0, at);
        port = str_sub(rest, at + 1, rest.n);
        if (port.n == 0)
            host.n = 0;
    }
    int64_t number = MODBUS_PORT;
    if (port.n > 0 && (str_to_i64(port, &number) || number < 1 || number > 65535))
        return error_set(e, ERR_SYNTAX, "\"%.*s\" is no port", STR_FMT(port));
    if (host.n == 0 || host.n > 253 || memchr(host.p, '/', host.n) || memchr(host.p, ' ', host.n))
        return error_set(e, ERR_SYNTAX, "\"%.*s\" should be tcp://host or tcp://host:port",
                         STR_FMT(text));
    out->host = host;
    out->port = (uint16_t)number;
    return ERR_OK;
}

enum err modbus_link_parse(struct modbus_link *out, struct str text, struct error *e)
{
    static const struct {
        struct str prefix;
        enum modbus_carrier carrier;
    } kinds[] = {
        {{"tcp://", 6}, MODBUS_TCP},
        {{"rtu+tcp://", 10}, MODBUS_RTU_OVER_TCP},
        {{"rtu:", 4}, MODBUS_RTU},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!str_starts(text, kinds[i].prefix))
            continue;
        struct str rest = str_sub(text, kinds[i].prefix.n, text.n);
        out->carrier = kinds[i].carrier;
        if (out->carrier != MODBUS_RTU)
            return parse_host(out, rest, text, e);
        out->serial.path = rest;
        return serial_check(&out->serial, e);
    }
    return error_set(e, ERR_SYNTAX,
                     "\"%.*s\" is no Modbus link: tcp://host:port, rtu:/dev/ttyUSB0 or "
                     "rtu+tcp://host:port",
                     STR_FMT(text));
}

void modbus_link_format(const struct modbus_link *l, char out[MODBUS_LINK_TEXT_MAX])
{
    if (l->carrier == MODBUS_RTU) {
        memcpy(out, "rtu:", 4);
        serial_format(&l->serial, out + 4, MODBUS_LINK_TEXT_MAX - 4);
        return;
    }
    bool v6 = memchr(l->host.p, ':', l->host.n) != NULL;
    (void)snprintf(out, MODBUS_LINK_TEXT_MAX, "%s://%s%.*s%s:%u",
                   l->carrier == MODBUS_TCP ? "tcp" : "rtu+tcp", v6 ? "[" : "", STR_FMT(l->host),
                   v6 ? "]" : "", l->port ? l->port : MODBUS_PORT);
}

void modbus_link_place(const struct modbus_link *l, char out[MODBUS_LINK_TEXT_MAX])
{
    if (l->carrier == MODBUS_RTU)
        (void)snprintf(out, MODBUS_LINK_TEXT_MAX, "rtu:%.*s", STR_FMT(l->serial.path));
    else
        modbus_link_format(l, out);
}

enum err modbus_place_check(const struct modbus_place *p, bool write, struct error *e)
{
    const struct modbus_form *f = &p->form;
    if (p->address + modbus_type_size(f->type) > 65536)
        return error_set(e, ERR_RANGE, "%s %u of type %s ends behind the table",
                         modbus_table_name(p->table), p->address, modbus_type_name(f->type));
    if (modbus_table_is_bits(p->table) && f->type != MODBUS_BIT)
        return error_set(e, ERR_INVALID, "a %s is one bit: it can't be %s",
                         modbus_table_name(p->table), modbus_type_name(f->type));
    if (f->bit > (modbus_table_is_bits(p->table) ? 0 : 15))
        return error_set(e, ERR_RANGE, "a register has the bits 0 … 15");
    if (write && (p->table == MODBUS_INPUT || p->table == MODBUS_DISCRETE))
        return error_set(e, ERR_INVALID, "%s %u can only be read: write to a holding or a coil",
                         modbus_table_name(p->table), p->address);
    return ERR_OK;
}
