#include "codec/http.h"

#include <string.h>

#include "base/clock.h"

static const struct {
    unsigned status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(unsigned status)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

void http_write_status(struct strbuf *b, unsigned status)
{
    strbuf_addf(b, "HTTP/1.1 %03u %s\r\n", status, http_reason(status));
}

void http_write_field(struct strbuf *b, const char *name, struct str value)
{
    strbuf_adds(b, name);
    strbuf_add(b, ": ", 2);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        strbuf_addc(b, (c < 0x20 && c != '\t') || c == 0x7F ? ' ' : value.p[i]);
    }
    strbuf_add(b, "\r\n", 2);
}

void http_write_end(struct strbuf *b)
{
    strbuf_add(b, "\r\n", 2);
}

void http_date(int64_t wall_ms, char buf[30])
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char iso[25]; /* "2026-11-23T02:18:00.000Z" */
    time_format(wall_ms, iso);
    int64_t day = wall_ms / 86400000 - (wall_ms % 86400000 < 0);
    size_t weekday = (size_t)((day % 7 + 7) % 7);
    size_t month = (size_t)((iso[5] - '0') * 10 + (iso[6] - '0') - 1);
    memcpy(buf, "Thu, 01 Jan 1970 00:00:00 GMT", 30);
    memcpy(buf, days + 3 * weekday, 3);
    memcpy(buf + 5, iso + 8, 2);
    memcpy(buf + 8, months + 3 * month, 3);
    memcpy(buf + 12, iso, 4);
    memcpy(buf + 17, iso + 11, 8);
}
