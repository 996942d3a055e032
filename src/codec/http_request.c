#include "codec/http.h"

#include <string.h>

static enum http_result bad(struct http_head *h, unsigned status, const char *why)
{
    h->status = status;
    h->why = why;
    return HTTP_BAD;
}

static bool is_token_char(unsigned char c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr(others, c));
}

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_token_char((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

/* Whatever a field's value holds (RFC 9110, 5.5): visible, blank, tab, and bytes above ASCII. */
static bool is_text_byte(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7F);
}

enum http_result http_scan(struct http_scan *s, struct bytes in, struct http_head *h)
{
    h->status = 0;
    h->why = NULL;
    for (; s->at < in.n; s->at++) {
        uint8_t c = in.p[s->at];
        if (s->cr != (c == '\n'))
            return bad(h, 400, "a line does not end in CR LF");
        if (s->at >= HTTP_HEAD_MAX)
            return bad(h, 431, "the request's head is too large");
        s->cr = c == '\r';
        if (c == '\n') {
            bool empty = s->at - s->line_start == 1;
            bool leading = s->line_start == 0; /* one empty line before a request is passed over */
            s->line_start = s->at + 1;
            if (empty && !leading)
                return s->at++, HTTP_DONE;
            s->first_done |= !empty;
        } else if (!s->cr && !is_text_byte(c)) {
            return bad(h, 400, "a control character in the head");
        } else if (s->at - s->line_start >= HTTP_LINE_MAX) {
            return s->first_done ? bad(h, 431, "a header field is too long")
                                 : bad(h, 414, "the request's target is too long");
        }
    }
    return HTTP_MORE;
}

static const struct {
    struct str name;
    enum http_method method;
} methods[] = {
    {{"GET", 3}, HTTP_GET},         {{"HEAD", 4}, HTTP_HEAD},     {{"POST", 4}, HTTP_POST},
    {{"PUT", 3}, HTTP_PUT},         {{"DELETE", 6}, HTTP_DELETE}, {{"PATCH", 5}, HTTP_PATCH},
    {{"OPTIONS", 7}, HTTP_OPTIONS},
};

static enum http_method method_of(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_eq(methods[i].name, name))
            return methods[i].method;
    return HTTP_OTHER;
}

/* No segment is "." or "..", however it is written, and each decodes to text. */
static enum http_result check_path(struct http_head *h)
{
    char buf[HTTP_LINE_MAX];
    struct str rest = str_sub(h->path, 1, h->path.n), segment, text;
    while (str_split(&rest, '/', &segment)) {
        if (http_decode(segment, false, buf, sizeof(buf), &text))
            return bad(h, 400, "the path is not well encoded");
        if (str_eq(text, STR(".")) || str_eq(text, STR("..")))
            return bad(h, 400, "a dot segment in the path");
    }
    return HTTP_DONE;
}

/* "http://host:port" before the path, as proxies send it: it counts more than Host. */
static enum http_result absolute_form(struct http_head *h, struct str *target)
{
    struct str rest;
    if (http_same(str_sub(*target, 0, 7), STR("http://")))
        rest = str_sub(*target, 7, target->n);
    else if (http_same(str_sub(*target, 0, 8), STR("https://")))
        rest = str_sub(*target, 8, target->n);
    else
        return bad(h, 400, "the target is no path");
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    h->host = str_sub(rest, 0, n);
    if (n == 0)
        return bad(h, 400, "the target names no host");
    *target = str_sub(rest, n, rest.n);
    return HTTP_DONE;
}

static enum http_result parse_target(struct http_head *h, struct str target)
{
    for (size_t i = 0; i < target.n; i++)
        if ((unsigned char)target.p[i] <= 0x20 || (unsigned char)target.p[i] >= 0x7F ||
            target.p[i] == '#')
            return bad(h, 400, "a forbidden character in the target");
    if (str_eq(target, STR("*"))) {
        h->path = target;
        return h->method == HTTP_OPTIONS ? HTTP_DONE : bad(h, 400, "the target is no path");
    }
    if (!str_starts(target, STR("/")) && absolute_form(h, &target) == HTTP_BAD)
        return HTTP_BAD;
    size_t mark;
    h->path = target;
    if (str_find(target, '?', &mark)) {
        h->path = str_sub(target, 0, mark);
        h->query = str_sub(target, mark + 1, target.n);
    }
    if (h->path.n == 0)
        h->path = STR("/");
    return check_path(h);
}

static enum http_result parse_request_line(struct http_head *h, struct str line)
{
    struct str target;
    if (!str_split(&line, ' ', &h->method_text) || !str_split(&line, ' ', &target) || !line.p ||
        !is_token(h->method_text))
        return bad(h, 400, "the request line is malformed");
    h->method = method_of(h->method_text);
    if (str_eq(line, STR("HTTP/1.1")))
        h->minor = 1;
    else if (str_eq(line, STR("HTTP/1.0")))
        h->minor = 0;
    else if (line.n == 8 && str_starts(line, STR("HTTP/")) && line.p[6] == '.')
        return bad(h, 505, "only HTTP/1.1 is spoken here");
    else
        return bad(h, 400, "the request line is malformed");
    return parse_target(h, target);
}

static struct str trim_blanks(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_sub(s, 1, s.n);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static enum http_result parse_field(struct http_head *h, struct str line)
{
    size_t colon;
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return bad(h, 400, "a folded header line");
    if (!str_find(line, ':', &colon) || !is_token(str_sub(line, 0, colon)))
        return bad(h, 400, "a malformed header field");
    if (h->field_count == HTTP_FIELDS_MAX)
        return bad(h, 431, "too many header fields");
    h->fields[h->field_count++] =
        (struct http_field){str_sub(line, 0, colon), trim_blanks(str_sub(line, colon + 1, line.n))};
    return HTTP_DONE;
}

static size_t count_fields(const struct http_head *h, struct str name, struct str *value)
{
    size_t n = 0;
    for (size_t i = h->field_count; i-- > 0;)
        if (http_same(h->fields[i].name, name)) {
            *value = h->fields[i].value;
            n++;
        }
    return n;
}

/* Where the body ends: the one thing that must not be open to interpretation. */
static enum http_result decide_framing(struct http_head *h)
{
    struct str length, coding;
    size_t lengths = count_fields(h, STR("content-length"), &length);
    size_t codings = count_fields(h, STR("transfer-encoding"), &coding);
    if (lengths > 1)
        return bad(h, 400, "more than one Content-Length");
    if (codings > 0 && (lengths > 0 || h->minor == 0))
        return bad(h, 400, "Transfer-Encoding where it must not be");
    if (codings > 0) {
        if (codings > 1 || !http_same(coding, STR("chunked")))
            return bad(h, 501, "no Transfer-Encoding but chunked is understood");
        h->chunked = true;
    }
    if (lengths == 1) {
        int64_t n;
        bool digits = length.n > 0 && length.p[0] != '-';
        enum err err = str_to_i64(length, &n);
        if (!digits || err == ERR_SYNTAX)
            return bad(h, 400, "Content-Length is no number");
        if (err || (uint64_t)n > HTTP_LENGTH_MAX)
            return bad(h, 413, "Content-Length is too large");
        h->length = (uint64_t)n;
    }
    return HTTP_DONE;
}

static bool is_host(struct str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  (c && strchr(".-_~%:[]", c));
        if (!ok)
            return false;
    }
    return true;
}

static enum http_result decide_host(struct http_head *h)
{
    struct str host = {0};
    size_t hosts = count_fields(h, STR("host"), &host);
    if (hosts > 1 || (hosts == 0 && h->minor > 0))
        return bad(h, 400, "there must be exactly one Host");
    if (h->host.n == 0)
        h->host = host;
    if (!is_host(h->host) || !is_host(host))
        return bad(h, 400, "Host is malformed");
    return HTTP_DONE;
}

static enum http_result decide_connection(struct http_head *h)
{
    bool close = false, keep = false;
    for (size_t i = 0; i < h->field_count; i++) {
        if (!http_same(h->fields[i].name, STR("connection")))
            continue;
        close |= http_list_has(h->fields[i].value, "close");
        keep |= http_list_has(h->fields[i].value, "keep-alive");
    }
    h->keep_alive = !close && (h->minor > 0 || keep);
    struct str expect;
    if (h->minor > 0 && count_fields(h, STR("expect"), &expect) > 0) {
        if (!http_same(expect, STR("100-continue")))
            return bad(h, 417, "an unknown expectation");
        h->expect_continue = true;
    }
    return HTTP_DONE;
}

static enum http_result parse_lines(struct http_head *h, struct bytes head,
                                    enum http_result (*first_line)(struct http_head *h,
                                                                   struct str line))
{
    memset(h, 0, sizeof(*h));
    h->size = head.n;
    enum http_result r = HTTP_DONE;
    struct str rest = {(const char *)head.p, head.n - 2}; /* without the empty line */
    if (str_starts(rest, STR("\r\n")))
        rest = str_sub(rest, 2, rest.n);
    bool first = true;
    while (r == HTTP_DONE && rest.n > 0) {
        size_t end;
        if (!str_find(rest, '\r', &end))
            return bad(h, 400, "a line does not end in CR LF");
        struct str line = str_sub(rest, 0, end);
        r = first ? first_line(h, line) : parse_field(h, line);
        first = false;
        rest = str_sub(rest, end + 2, rest.n);
    }
    return r == HTTP_DONE && first ? bad(h, 400, "the first line is missing") : r;
}

enum http_result http_parse_head(struct bytes head, struct http_head *h)
{
    enum http_result r = parse_lines(h, head, parse_request_line);
    if (r == HTTP_DONE)
        r = decide_framing(h);
    if (r == HTTP_DONE)
        r = decide_host(h);
    if (r == HTTP_DONE)
        r = decide_connection(h);
    return r;
}

/* "HTTP/1.1 200 OK"; the reason may be empty, and the blank before it missing (RFC 9112, 4). */
static enum http_result parse_status_line(struct http_head *h, struct str line)
{
    int64_t status;
    if (!str_starts(line, STR("HTTP/1.")) || line.n < 12 ||
        (line.p[7] != '0' && line.p[7] != '1') || line.p[8] != ' ' ||
        (line.n > 12 && line.p[12] != ' ') || str_to_i64(str_sub(line, 9, 3), &status) ||
        status < 100 || status > 599)
        return bad(h, 0, "the answer is not HTTP/1.1");
    h->minor = line.p[7] == '1';
    h->status = (unsigned)status;
    return HTTP_DONE;
}

enum http_result http_parse_response(struct bytes head, bool no_body, struct http_head *h)
{
    struct str value;
    enum http_result r = parse_lines(h, head, parse_status_line);
    if (r == HTTP_DONE)
        r = decide_framing(h);
    if (r == HTTP_DONE)
        r = decide_connection(h);
    if (r != HTTP_DONE)
        return r;
    if (no_body || h->status < 200 || h->status == 204 || h->status == 304) {
        h->length = 0;
        h->chunked = false;
    } else {
        h->until_close = !h->chunked && count_fields(h, STR("content-length"), &value) == 0;
    }
    return HTTP_DONE;
}

enum http_result http_parse(struct http_scan *s, struct bytes in, struct http_head *h)
{
    enum http_result r = http_scan(s, in, h);
    return r == HTTP_DONE ? http_parse_head((struct bytes){in.p, s->at}, h) : r;
}

bool http_field(const struct http_head *h, const char *name, struct str *value)
{
    return count_fields(h, str_from(name), value) > 0;
}
