#include "dashboard/problem.h"

#include <stdarg.h>
#include <stdio.h>

#define TYPES "/problems/"

static const struct {
    const char *type; /* TYPES and its name */
    unsigned status;
    const char *title; /* the same for every occurrence (RFC 9457, 3.1.3) */
    const char *text;
} problems[PROBLEM_COUNT] = {
    [PROBLEM_PARAMETER] = {TYPES "parameter", 400, "A parameter does not fit",
                           "The member \"parameter\" names what was missing or wrong, in the query "
                           "or in the body; \"detail\" says what it has to be."},
    [PROBLEM_UNKNOWN] = {TYPES "unknown", 404, "The site has no such thing",
                         "The path is one of the API's, but the site has no device, action, "
                         "series, program or alert of that name."},
    [PROBLEM_ABSENT] = {TYPES "absent", 404, "This server does not do that",
                        "The server was started without what the request needs."},
    [PROBLEM_OWNED] = {TYPES "owned", 409, "Somebody else has the device",
                       "A program owns the device and does not lend it to people, or somebody has "
                       "it on lease. The member \"owner\" names the program."},
    [PROBLEM_STATE] = {TYPES "state", 409, "It is so already",
                       "What was asked for is so already, or can't be any more: an alert that is "
                       "acknowledged or over, a device that nobody has on lease."},
    [PROBLEM_UNDER_WAY] = {TYPES "under-way", 409, "One is under way",
                           "There is only one at a time: ask again when it has ended."},
    [PROBLEM_SITE_REFUSED] = {TYPES "site-refused", 422, "The changed site is refused",
                              "The site's files have mistakes, or ask for what can't change while "
                              "the site runs. It goes on as it was. The member \"reload\" is the "
                              "report, with the diagnostics; where the change was only proposed, "
                              "they are the member \"diagnostics\"."},
    [PROBLEM_CHANGED] = {TYPES "changed", 409, "A file was changed meanwhile",
                         "One of the site's files is not what it was when it was read. Nothing was "
                         "written; ask again."},
    [PROBLEM_NOT_SHOWN] = {TYPES "not-shown", 409, "It would write something else",
                           "What would be written is not what \"shown\" stands for: a device has "
                           "spoken meanwhile, or a file was changed. Nothing was written. The "
                           "member \"files\" says what it would be now; look at it and ask again."},
    [PROBLEM_NO_DEVICE] = {TYPES "no-device", 422, "No device can be made of this",
                           "What was heard on these topics has no values that properties could "
                           "have, or it does not fit the model or the name that was asked for."},
    [PROBLEM_NOT_WRITTEN] = {TYPES "not-written", 503, "The site's files can't be written",
                             "The system refuses to write them: permissions, space, a file system "
                             "that is read-only. They are as they were."},
    [PROBLEM_LEFT_CHANGED] = {TYPES "left-changed", 500, "A file stays changed",
                              "The site goes on as it was, but not all of its files are as they "
                              "were: the system refused to write them all, or they could not be "
                              "put back. The member \"detail\" says why; the member \"files\" has "
                              "what was to change, so that a person can mend them."},
    [PROBLEM_NOT_STORED] = {TYPES "not-stored", 503, "It could not be stored",
                            "What must last is recorded before it is answered. The journal could "
                            "not, so it has not happened."},
    [PROBLEM_BUSY] = {TYPES "busy", 503, "Too many ask at once",
                      "A limit of the server is reached. Try again after the time that the field "
                      "Retry-After says."},
};

const char *problem_name(enum problem p)
{
    return problems[p].type + sizeof(TYPES) - 1;
}

unsigned problem_status(enum problem p)
{
    return problems[p].status;
}

static void answer(struct http_request *q, enum problem p, const char *fmt, va_list ap)
{
    if (p == PROBLEM_BUSY)
        http_response_field(q, "Retry-After", STR("2"));
    http_problem_type(q, problems[p].type, problems[p].title);
    http_respond_problem_va(q, problems[p].status, fmt, ap);
}

void problem(struct http_request *q, enum problem p, const char *detail_fmt, ...)
{
    va_list ap;
    va_start(ap, detail_fmt);
    answer(q, p, detail_fmt, ap);
    va_end(ap);
}

void problem_parameter(struct http_request *q, const char *name, const char *detail_fmt, ...)
{
    va_list ap;
    http_problem_str(q, "parameter", str_from(name));
    va_start(ap, detail_fmt);
    answer(q, PROBLEM_PARAMETER, detail_fmt, ap);
    va_end(ap);
}

void api_problem(void *ctx, struct http_request *q)
{
    (void)ctx;
    struct str name = http_request_param(q, 0);
    for (int i = 0; i < PROBLEM_COUNT; i++) {
        if (!str_eq(name, str_from(problem_name((enum problem)i))))
            continue;
        char text[512];
        int n = snprintf(text, sizeof(text), "%s (status %u)\n\n%s\n", problems[i].title,
                         problems[i].status, problems[i].text);
        http_respond(q, 200, "text/plain; charset=utf-8", (struct str){text, (size_t)n});
        return;
    }
    http_respond_problem(q, 404, "there is no type of problem %.*s", STR_FMT(name));
}
