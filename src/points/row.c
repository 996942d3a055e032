/* One row: where the point is, what is there, and what it is called. */
#include "points/points_internal.h"

#include <math.h>
#include <string.h>

/* What is known of a row on the way. */
struct making {
    struct points_reader *r;
    struct points_point *p;
    struct cell_address address;
    struct cell_type type;
    bool type_said, table_said, reads, writes, access_said;
};

static bool has(const struct points_reader *r, enum points_column c)
{
    return points_cell(r, c).n > 0;
}

static bool same_word(struct str s, const char *word)
{
    return str_same(s, str_from(word));
}

static bool contains(struct str s, const char *part)
{
    for (size_t i = 0; i + strlen(part) <= s.n; i++)
        if (same_word(str_sub(s, i, strlen(part)), part))
            return true;
    return false;
}

/* --- the address --- */

/* "Type: Holding register" instead of a column of its own. */
static bool type_is_table(const struct points_reader *r, enum modbus_table *out)
{
    struct cell_type type;
    struct str s = points_cell(r, COLUMN_TYPE);
    return s.n && cell_type(s, &type) == TYPE_UNKNOWN && cell_table(s, out);
}

static bool leave_text_out(struct making *m)
{
    struct str s = points_cell(m->r, COLUMN_TYPE);
    if (s.n == 0 || cell_type(s, &m->type) != TYPE_TEXT)
        return false;
    points_problem(m->r, true, COLUMN_TYPE,
                   "left out: `%.*s` is no number, and Modbus points are bits and numbers",
                   STR_FMT(s));
    return true;
}

static bool read_type(struct making *m)
{
    struct str s = points_cell(m->r, COLUMN_TYPE);
    enum modbus_table table;
    if (s.n == 0 || type_is_table(m->r, &table))
        return true;
    m->type_said = cell_type(s, &m->type) == TYPE_NUMBER;
    if (m->type_said)
        return true;
    points_problem(m->r, false, COLUMN_TYPE,
                   "`%.*s` is no type that is known; as in: bool, int16, uint16, int32, uint32, "
                   "int64, uint64, float32, float64",
                   STR_FMT(s));
    return false;
}

static bool is_bit_type(const struct making *m)
{
    return m->type_said && m->type.type == MODBUS_BIT;
}

/* Where nothing says which table it is. */
static bool guess_table(struct making *m)
{
    struct points_reader *r = m->r;
    if (m->address.bit < 0 && !has(r, COLUMN_BIT) && is_bit_type(m)) {
        points_problem(r, false, COLUMN_ADDRESS,
                       "is it a coil or a discrete input? Say so in a column `table`, or write "
                       "%05u or 1%04u",
                       m->address.number, m->address.number);
        return false;
    }
    m->p->place.table = MODBUS_HOLDING;
    return true;
}

static bool read_table(struct making *m, uint32_t *number)
{
    struct points_reader *r = m->r;
    struct points_place *place = &m->p->place;
    struct str said = points_cell(r, COLUMN_TABLE);
    enum modbus_table modicon = MODBUS_COIL;
    bool is_modicon = r->numbering == POINTS_MODICON && cell_modicon(&m->address, &modicon, number);
    m->table_said = true;
    if (said.n && !cell_table(said, &place->table)) {
        points_problem(r, false, COLUMN_TABLE,
                       "`%.*s` is no table: coil, discrete, holding, input, or the function 1 to 4",
                       STR_FMT(said));
        return false;
    }
    if (said.n == 0 && m->address.has_table)
        place->table = m->address.table;
    else if (said.n == 0 && !type_is_table(r, &place->table)) {
        m->table_said = false;
        if (is_modicon)
            place->table = modicon;
        else if (r->numbering == POINTS_MODICON && m->address.digits < 6 &&
                 (is_bit_type(m) || !m->type_said) && !m->address.exact)
            place->table = MODBUS_COIL; /* 1 to 9999: what no digit leads */
        else
            return guess_table(m);
    } else if (is_modicon && place->table != modicon) {
        points_problem(r, false, COLUMN_ADDRESS,
                       "%u is a number in the table %s, and this row says %s", m->address.number,
                       modbus_table_name(modicon), modbus_table_name(place->table));
        return false;
    }
    return true;
}

static bool read_address(struct making *m)
{
    struct points_reader *r = m->r;
    struct str s = points_cell(r, COLUMN_ADDRESS);
    if (!cell_address(s, r->columns.hex, &m->address)) {
        points_problem(r, false, COLUMN_ADDRESS,
                       "`%.*s` is no address; as in: 0, 40001, 0x1F, 4x0001, %%MW100, 40001.3",
                       STR_FMT(s));
        return false;
    }
    uint32_t number = m->address.number;
    if (!read_table(m, &number))
        return false;
    bool from_one =
        m->address.from_one ||
        (!m->address.exact && (r->numbering == POINTS_FROM_ONE || r->numbering == POINTS_MODICON));
    if (from_one && number == 0) {
        points_problem(r, false, COLUMN_ADDRESS, "there is no 0 where the first is 1");
        return false;
    }
    number -= from_one;
    if (number > 65535) {
        points_problem(r, false, COLUMN_ADDRESS, "there is no address %u: the last is 65535",
                       number);
        return false;
    }
    m->p->place.address = (uint16_t)number;
    return true;
}

/* --- what is there --- */

static bool read_bit(struct making *m)
{
    struct points_reader *r = m->r;
    struct points_place *place = &m->p->place;
    double d = m->address.bit;
    if (has(r, COLUMN_BIT) &&
        (!cell_number(points_cell(r, COLUMN_BIT), &d) || d < 0 || d > 15 || d != floor(d))) {
        points_problem(r, false, COLUMN_BIT, "a register has the bits 0 to 15");
        return false;
    }
    if (d < 0)
        return true;
    place->form.type = MODBUS_BIT;
    place->form.bit = (uint8_t)d;
    return true;
}

static bool registers_said(struct making *m, unsigned *out)
{
    struct points_reader *r = m->r;
    double d = 0;
    *out = m->address.last > m->address.number ? m->address.last - m->address.number + 1 : 0;
    if (!has(r, COLUMN_COUNT))
        return true;
    if (!cell_number(points_cell(r, COLUMN_COUNT), &d) || d < 1 || d != floor(d) || d > 1000) {
        points_problem(r, false, COLUMN_COUNT, "how many registers is a whole number");
        return false;
    }
    *out = (unsigned)d;
    return true;
}

static bool read_number_type(struct making *m)
{
    struct points_reader *r = m->r;
    unsigned registers;
    if (!registers_said(m, &registers))
        return false;
    if (!m->type_said)
        m->type = (struct cell_type){.type = MODBUS_U16, .generic = true};
    enum points_column column = has(r, COLUMN_COUNT) ? COLUMN_COUNT : COLUMN_ADDRESS;
    if (m->type.type != MODBUS_BIT && !cell_type_sized(&m->type, registers)) {
        points_problem(r, false, column, "%u registers, and %s takes %u", registers,
                       modbus_type_name(m->type.type), modbus_type_size(m->type.type));
        return false;
    }
    /* A bool in a register of its own: true when it is not 0. */
    m->p->place.form.type = m->type.type == MODBUS_BIT ? MODBUS_U16 : m->type.type;
    return true;
}

static bool read_order(struct making *m)
{
    struct str s = points_cell(m->r, COLUMN_ORDER);
    struct modbus_form *form = &m->p->place.form;
    form->order = m->type.has_order ? m->type.order : m->r->o->order;
    if (s.n == 0 || cell_order(s, &form->order))
        return true;
    points_problem(
        m->r, false, COLUMN_ORDER,
        "`%.*s` is no order of bytes: abcd (high byte first), cdab (low register first), "
        "badc, dcba",
        STR_FMT(s));
    return false;
}

static bool read_form(struct making *m)
{
    struct points_reader *r = m->r;
    struct points_point *p = m->p;
    p->place.form.scale = 1;
    if (modbus_table_is_bits(p->place.table)) {
        p->place.form.type = MODBUS_BIT;
        p->kind = POINTS_BOOL;
        if (!m->type_said || is_bit_type(m))
            return true;
        points_problem(r, false, COLUMN_TYPE, "a %s is a bit, and `%.*s` a number",
                       modbus_table_name(p->place.table), STR_FMT(points_cell(r, COLUMN_TYPE)));
        return false;
    }
    if (!read_number_type(m) || !read_bit(m) || !read_order(m))
        return false;
    bool truth = p->place.form.type == MODBUS_BIT || is_bit_type(m);
    p->kind = truth ? POINTS_BOOL : POINTS_NUMBER;
    return true;
}

/* --- what the number means --- */

static bool read_number(struct points_reader *r, enum points_column c, double *out)
{
    if (!has(r, c) || cell_number(points_cell(r, c), out))
        return true;
    points_problem(r, false, c, "`%.*s` is no number", STR_FMT(points_cell(r, c)));
    return false;
}

static bool read_unit(struct making *m, double *factor)
{
    struct points_reader *r = m->r;
    struct str s = points_cell(r, COLUMN_UNIT);
    *factor = 1;
    if (s.n == 0 || name_unit(&r->table->arena, s, &m->p->unit, factor))
        return true;
    points_problem(r, true, COLUMN_UNIT,
                   "`%.*s` is no unit that is known: `%.*s` becomes a plain number", STR_FMT(s),
                   STR_FMT(m->p->written));
    m->p->comment = arena_strf(&r->table->arena, "%.*s%s[%.*s]", STR_FMT(m->p->comment),
                               m->p->comment.n ? " " : "", STR_FMT(s));
    return true;
}

static bool read_scale(struct making *m)
{
    struct points_reader *r = m->r;
    struct modbus_form *form = &m->p->place.form;
    double factor, divisor = 1, decimals = 0;
    struct str s = points_cell(r, COLUMN_SCALE);
    if (s.n && !cell_scale(s, &form->scale)) {
        points_problem(r, false, COLUMN_SCALE, "`%.*s` is no scale; as in: 0.1, 0,1, x0.1, /10",
                       STR_FMT(s));
        return false;
    }
    if (!read_unit(m, &factor) || !read_number(r, COLUMN_DIVISOR, &divisor) ||
        !read_number(r, COLUMN_DECIMALS, &decimals) ||
        !read_number(r, COLUMN_OFFSET, &form->offset))
        return false;
    if (divisor == 0 || decimals < 0 || decimals > 12) {
        points_problem(r, false, divisor == 0 ? COLUMN_DIVISOR : COLUMN_DECIMALS,
                       divisor == 0 ? "nothing is divided by 0" : "decimals are 0 to 12");
        return false;
    }
    if (divisor != 1)
        form->scale /= divisor;
    if (decimals > 0)
        form->scale /= pow(10, decimals);
    if (factor != 1)
        form->scale *= factor;
    return true;
}

static bool read_range(struct making *m)
{
    struct points_reader *r = m->r;
    struct points_point *p = m->p;
    struct str s = points_cell(r, COLUMN_RANGE);
    if (s.n) {
        p->has_range = cell_range(s, &p->min, &p->max);
        if (!p->has_range)
            points_problem(r, true, COLUMN_RANGE, "`%.*s` is no range, and is left out",
                           STR_FMT(s));
        return true;
    }
    if (!read_number(r, COLUMN_MIN, &p->min) || !read_number(r, COLUMN_MAX, &p->max))
        return false;
    p->has_range = has(r, COLUMN_MIN) && has(r, COLUMN_MAX) && p->min < p->max;
    if (has(r, COLUMN_MIN) && has(r, COLUMN_MAX) && p->min > p->max) {
        points_problem(r, false, COLUMN_MAX, "the maximum is below the minimum");
        return false;
    }
    return true;
}

static bool read_meaning(struct making *m)
{
    const struct modbus_form *f = &m->p->place.form;
    if (m->p->kind == POINTS_BOOL)
        return true;
    if (!read_scale(m) || !read_range(m))
        return false;
    bool whole =
        f->type < MODBUS_F32 && floor(f->scale) == f->scale && floor(f->offset) == f->offset;
    if (whole && m->p->unit.n == 0)
        m->p->kind = POINTS_INT;
    return true;
}

/* --- actions --- */

static void read_access(struct making *m)
{
    struct str s = points_cell(m->r, COLUMN_ACCESS);
    m->access_said = s.n > 0;
    bool words = contains(s, "read") || contains(s, "write");
    m->reads = contains(s, words ? "read" : "r");
    m->writes = contains(s, words ? "write" : "w");
    if (!m->reads && !m->writes)
        m->access_said = false; /* "-", or some word of the maker's */
}

/* on, off, a number, or nothing: then the value is a parameter. */
static bool read_value(struct making *m)
{
    static const char *const on[] = {"on", "true", "1", "open", "set", "start", "ein", "ff00"};
    static const char *const off[] = {"off", "false", "0", "close", "reset", "stop", "aus", "0000"};
    struct points_reader *r = m->r;
    struct str s = points_cell(r, COLUMN_VALUE);
    double d;
    bool bit = m->p->place.form.type == MODBUS_BIT;
    for (size_t i = 0; bit && i < ARRAY_LEN(on); i++) {
        if (same_word(s, on[i]))
            m->p->value = STR("on");
        if (same_word(s, off[i]))
            m->p->value = STR("off");
    }
    if (m->p->value.n)
        return true;
    bool param =
        same_word(s, "arg") || same_word(s, "value") || same_word(s, "param") || same_word(s, "*");
    if (bit && !param) {
        points_problem(
            r, false, COLUMN_VALUE,
            "what does `%.*s` write there? on or off; or arg, if who commands it says so",
            STR_FMT(m->p->action));
        return false;
    }
    if (s.n == 0 || param)
        return true;
    if (!cell_number(s, &d)) {
        points_problem(r, false, COLUMN_VALUE,
                       "`%.*s` is no number; leave it empty if who commands it says the value",
                       STR_FMT(s));
        return false;
    }
    struct strbuf b;
    strbuf_init(&b, r->table->arena.alloc, 64);
    strbuf_adds(&b, "value ");
    strbuf_add_double(&b, d);
    m->p->value = arena_str(&r->table->arena, strbuf_str(&b));
    strbuf_fini(&b);
    return true;
}

/* "Position > 90 %": the name as it is in the model. "": it is none, which has been told. Whether
 * it makes sense is for the check of the site; here only that it can't be anything else. */
static struct str read_condition(struct points_reader *r, struct str s)
{
    struct arena *a = &r->table->arena;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || strchr("{};\"/\\", s.p[i])) {
            points_problem(r, false, COLUMN_CONFIRMS,
                           "this is no condition; as in: position > 90 %%, running, not running");
            return STR("");
        }
    bool negated = str_starts(s, STR("not "));
    if (negated)
        s = str_trim(str_sub(s, 4, s.n));
    size_t n = 0;
    while (n < s.n && !strchr("<>=!", s.p[n]))
        n++;
    struct str name = name_member(a, str_trim(str_sub(s, 0, n)));
    struct str rest = str_sub(s, n, s.n);
    return arena_strf(a, "%s%.*s%s%.*s", negated ? "not " : "", STR_FMT(name), rest.n ? " " : "",
                      STR_FMT(rest));
}

static bool read_action(struct making *m)
{
    struct points_reader *r = m->r;
    struct points_point *p = m->p;
    struct str said = points_cell(r, COLUMN_ACTION);
    p->action = name_member(&r->table->arena, said);
    if (p->action.n == 0) {
        points_problem(r, false, COLUMN_ACTION, "no name can be made of `%.*s`", STR_FMT(said));
        return false;
    }
    if (p->place.table != MODBUS_COIL && p->place.table != MODBUS_HOLDING) {
        points_problem(r, false, COLUMN_ACTION,
                       "%s %u is read only; actions write coils and holding registers",
                       modbus_table_name(p->place.table), p->place.address);
        return false;
    }
    if (has(r, COLUMN_CONFIRMS)) {
        p->confirms = read_condition(r, points_cell(r, COLUMN_CONFIRMS));
        if (p->confirms.n == 0)
            return false;
    }
    p->safe = cell_yes(points_cell(r, COLUMN_SAFE));
    return read_value(m);
}

/* --- the row --- */

static bool read_names(struct making *m)
{
    struct points_reader *r = m->r;
    struct points_point *p = m->p;
    bool action = has(r, COLUMN_ACTION);
    p->written = points_cell(r, COLUMN_NAME);
    if (r->columns.at[COLUMN_COMMENT] != r->columns.at[COLUMN_NAME])
        p->comment = points_cell(r, COLUMN_COMMENT);
    if (p->written.n == 0 && action)
        p->written = points_cell(r, COLUMN_ACTION);
    p->name = name_member(&r->table->arena, p->written);
    if (p->name.n)
        return true;
    points_problem(r, false, COLUMN_NAME,
                   p->written.n ? "no name can be made of `%.*s`" : "this point has no name%.*s",
                   STR_FMT(p->written));
    return false;
}

/* A row that is (only) an action is not read. */
static bool decide_access(struct making *m)
{
    struct points_point *p = m->p;
    bool action = has(m->r, COLUMN_ACTION);
    read_access(m);
    if (!action && m->access_said && !m->reads) {
        points_problem(m->r, true, COLUMN_ACCESS,
                       "left out: `%.*s` is only written; name an action in a column `action`",
                       STR_FMT(p->written));
        return false;
    }
    if (!action)
        return true;
    if (!read_action(m))
        return false;
    bool reads = m->access_said ? m->reads : !str_eq(p->name, p->action);
    if (!reads)
        p->name = STR("");
    return true;
}

/* One mistake does not hide the others of its row: what does not build on it is read as well. */
bool points_row(struct points_reader *r, struct points_point *out)
{
    *out = (struct points_point){.line = r->row->line};
    struct making m = {.r = r, .p = out};
    if (leave_text_out(&m))
        return false;
    bool fine = read_names(&m);
    fine = read_type(&m) && fine;
    fine = read_address(&m) && fine;
    if (fine)
        return read_form(&m) && read_meaning(&m) && decide_access(&m);
    if (!is_bit_type(&m))
        (void)read_scale(&m);
    return false;
}
