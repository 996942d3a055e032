/* What headings mean: compared without case, spaces and punctuation. */
#include "points/points_internal.h"

#include <string.h>

enum { KEY_MAX = 64, WORDS_MAX = 28 };

static const char *const words[COLUMNS][WORDS_MAX] = {
    [COLUMN_NAME] = {"name",
                     "tag",
                     "tagname",
                     "point",
                     "pointname",
                     "signal",
                     "signalname",
                     "variable",
                     "variablename",
                     "parameter",
                     "datapoint",
                     "item",
                     "symbol",
                     "property",
                     "measurement",
                     "bezeichnung",
                     "signalbezeichnung",
                     "variablenname",
                     "名称",
                     "点名",
                     "变量名",
                     "参数"},
    [COLUMN_DEVICE] = {"device", "devicename", "asset", "equipment", "station", "stationname",
                       "machine", "gerät", "anlage", "maschine", "设备", "设备名称"},
    [COLUMN_MODEL] = {"model", "devicemodel", "devicetype", "modell", "gerätetyp", "型号"},
    [COLUMN_HOST] = {"host", "ip", "ipaddress", "ipaddr", "hostname", "gateway", "connection",
                     "line", "server", "ipadresse", "ip地址"},
    [COLUMN_PORT] = {"port", "tcpport", "端口"},
    [COLUMN_UNIT_ID] = {"unitid", "slave", "slaveid", "slaveaddress", "deviceid", "nodeid", "node",
                        "modbusid", "station id", "stationid", "stationaddress", "slaveno",
                        "slavenumber", "unitno", "unitaddress", "geräteadresse", "从站", "从站地址",
                        "站号"},
    [COLUMN_TABLE] = {"table",     "function",       "functioncode", "fc",
                      "fn",        "func",           "registertype", "regtype",
                      "area",      "memoryarea",     "objecttype",   "modbustype",
                      "pointtype", "modbusfunction", "readfunction", "readfc",
                      "funktion",  "funktionscode",  "registerart",  "功能码",
                      "寄存器类型"},
    [COLUMN_ADDRESS] = {"address",
                        "modbusaddress",
                        "addr",
                        "register",
                        "registeraddress",
                        "reg",
                        "regaddress",
                        "registernumber",
                        "registerno",
                        "startregister",
                        "startaddress",
                        "modbusregister",
                        "modbusaddr",
                        "pdu",
                        "pduaddress",
                        "dataaddress",
                        "adresse",
                        "registeradresse",
                        "startadresse",
                        "地址",
                        "寄存器地址",
                        "寄存器"},
    [COLUMN_BIT] = {"bit", "bitno", "bitnumber", "bitposition", "位"},
    [COLUMN_TYPE] = {"type", "datatype", "dataformat", "format", "datenformat", "datentyp", "typ",
                     "valuetype", "vartype", "encoding", "数据类型", "类型"},
    [COLUMN_COUNT] = {"count", "length", "len", "size", "registers", "quantity", "words", "regs",
                      "numberofregisters", "noofregisters", "registercount", "nregisters",
                      "wordcount", "anzahl", "länge", "anzahlregister", "长度", "数量"},
    [COLUMN_ORDER] = {"order", "byteorder", "wordorder", "endian", "endianness", "endianess",
                      "swap", "wordswap", "byteswap", "reihenfolge", "字节序"},
    [COLUMN_UNIT] = {"unit", "units", "uom", "engunit", "engunits", "engineeringunit",
                     "engineeringunits", "eu", "einheit", "dimension", "单位"},
    [COLUMN_SCALE] = {"scale", "factor", "scalefactor", "scaling", "scalingfactor", "multiplier",
                      "gain", "resolution", "mult", "lsb", "faktor", "skalierung", "auflösung",
                      "比例", "系数", "倍率", "分辨率"},
    [COLUMN_DIVISOR] = {"divisor", "divider", "div", "divideby", "teiler"},
    [COLUMN_DECIMALS] = {"decimals", "digits", "decimalplaces", "precision", "nachkommastellen",
                         "小数位"},
    [COLUMN_OFFSET] = {"offset", "bias", "addend", "valueoffset", "偏移"},
    [COLUMN_MIN] = {"min", "minimum", "low", "lowlimit", "lowerlimit", "rangelow", "engmin",
                    "eumin", "minvalue", "rangemin", "最小值"},
    [COLUMN_MAX] = {"max", "maximum", "high", "highlimit", "upperlimit", "rangehigh", "engmax",
                    "eumax", "maxvalue", "rangemax", "最大值"},
    [COLUMN_RANGE] = {"range", "valuerange", "measuringrange", "bereich", "wertebereich",
                      "messbereich", "范围", "量程"},
    [COLUMN_ACCESS] = {"access", "rw", "readwrite", "accesstype", "mode", "direction", "zugriff",
                       "permission", "读写"},
    [COLUMN_ACTION] = {"action", "command", "actionname", "aktion", "befehl", "动作", "命令"},
    [COLUMN_VALUE] = {"value", "writevalue", "commandvalue", "setvalue", "writes", "wert",
                      "写入值"},
    [COLUMN_CONFIRMS] = {"confirms", "confirmedby", "confirm", "feedback", "condition",
                         "rückmeldung", "反馈"},
    [COLUMN_SAFE] = {"safe", "safeaction", "safestate", "sicher", "安全"},
    [COLUMN_COMMENT] = {"comment", "comments", "description", "desc", "remark", "remarks", "note",
                        "notes", "meaning", "beschreibung", "bemerkung", "kommentar", "说明",
                        "备注", "描述"},
};

/* Lower-case letters, digits and what is not ASCII. */
static struct str key_of(struct str heading, char buf[KEY_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < heading.n && n < KEY_MAX; i++) {
        unsigned char c = (unsigned char)heading.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
            buf[n++] = (char)c;
    }
    return (struct str){buf, n};
}

static enum points_column column_of(struct str key)
{
    for (unsigned c = 0; c < COLUMNS; c++)
        for (unsigned i = 0; i < WORDS_MAX && words[c][i]; i++)
            if (str_eq(key, str_from(words[c][i])))
                return (enum points_column)c;
    return COLUMNS;
}

static struct str without(struct str key, struct str tail)
{
    return str_ends(key, tail) && key.n > tail.n ? str_sub(key, 0, key.n - tail.n) : key;
}

/* "Scale [1/LSB]", "Address (hex)": what is in brackets is no part of the name. */
static struct str before_bracket(struct str heading)
{
    for (size_t i = 1; i < heading.n; i++)
        if (heading.p[i] == '(' || heading.p[i] == '[')
            return str_sub(heading, 0, i);
    return heading;
}

static void note(struct points_columns *out, struct str heading, size_t at)
{
    char buf[KEY_MAX], short_buf[KEY_MAX];
    struct str key = key_of(heading, buf);
    struct str plain = without(without(without(key, STR("hex")), STR("dec")), STR("decimal"));
    enum points_column c = column_of(key);
    if (c == COLUMNS)
        c = column_of(plain);
    if (c == COLUMNS)
        c = column_of(key_of(before_bracket(heading), short_buf));
    if (c == COLUMNS || out->at[c] != POINTS_NO_COLUMN)
        return;
    out->at[c] = at;
    if (c == COLUMN_ADDRESS)
        out->hex = str_ends(key, STR("hex"));
}

/* "VARIABLE ENG. UNIT", "Parameter description": where no heading is just a name. */
static void find_name(struct points_columns *out)
{
    static const char *const parts[] = {"variable", "parameter", "signal",   "tagname",
                                        "measure",  "quantity",  "messgröß", "bezeichnung"};
    char buf[KEY_MAX];
    for (size_t i = 0; i < out->n && out->at[COLUMN_NAME] == POINTS_NO_COLUMN; i++) {
        struct str key = key_of(out->headings[i], buf);
        bool used = false;
        for (unsigned c = 0; c < COLUMNS; c++)
            used = used || out->at[c] == i;
        for (size_t k = 0; !used && k < ARRAY_LEN(parts); k++)
            if (key.n && memmem(key.p, key.n, parts[k], strlen(parts[k])))
                out->at[COLUMN_NAME] = i;
    }
}

static void instead(struct points_columns *c, enum points_column of, enum points_column other)
{
    if (c->at[of] != POINTS_NO_COLUMN)
        return;
    c->at[of] = c->at[other];
    c->at[other] = POINTS_NO_COLUMN;
}

bool columns_read(struct points_columns *out, const struct csv_row *row)
{
    size_t known = 0;
    *out = (struct points_columns){.n = row->n};
    for (unsigned c = 0; c < COLUMNS; c++)
        out->at[c] = POINTS_NO_COLUMN;
    for (size_t i = 0; i < row->n; i++) {
        out->headings[i] = row->cells[i].text;
        note(out, row->cells[i].text, i);
    }
    instead(out, COLUMN_ADDRESS, COLUMN_OFFSET); /* a table without scales says "offset" for it */
    find_name(out);
    instead(out, COLUMN_NAME, COLUMN_COMMENT);
    for (unsigned c = 0; c < COLUMNS; c++)
        known += out->at[c] != POINTS_NO_COLUMN;
    return out->at[COLUMN_ADDRESS] != POINTS_NO_COLUMN && known >= 2;
}
