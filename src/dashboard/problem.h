/* problem: what the API refuses, as RFC 9457 problem details with a type of their own.
 *
 * Why: a program must tell two refusals with one status apart without reading sentences. `type` is
 * "/problems/NAME", where the server says what it means; what HTTP alone says (a path that does not
 * exist, a method, a body that is too large) keeps "about:blank", with the status's own title.
 * Ownership: everything is copied. Threads: worker 0. */
#pragma once

#include "net/http_server.h"

enum problem {
    PROBLEM_PARAMETER,    /* 400: "parameter" names it */
    PROBLEM_UNKNOWN,      /* 404: the path is right, but there is no such thing on the site */
    PROBLEM_ABSENT,       /* 404: this site was started without it */
    PROBLEM_OWNED,        /* 409: "owner" has it */
    PROBLEM_STATE,        /* 409: it is so already, or is over */
    PROBLEM_UNDER_WAY,    /* 409: one at a time */
    PROBLEM_CHANGED,      /* 409: a file is not what it was when it was read */
    PROBLEM_NOT_SHOWN,    /* 409: "files" are not what the one who says yes has seen */
    PROBLEM_SITE_REFUSED, /* 422: "reload" or "diagnostics" say why */
    PROBLEM_NO_DEVICE,    /* 422: no device can be made of these topics */
    PROBLEM_NOT_STORED,   /* 503: the journal could not keep it, so it has not happened */
    PROBLEM_NOT_WRITTEN,  /* 503: the site's files can't be written */
    PROBLEM_LEFT_CHANGED, /* 500: a file has changed, and the site that runs does not have it */
    PROBLEM_BUSY,         /* 503, Retry-After: too many ask at once */
    PROBLEM_COUNT
};
/* Answers the request; members that were added before go with it. */
void problem(struct http_request *q, enum problem p, const char *detail_fmt, ...) PRINTF_LIKE(3, 4);
void problem_parameter(struct http_request *q, const char *name, const char *detail_fmt, ...)
    PRINTF_LIKE(3, 4);
const char *problem_name(enum problem p); /* "owned" */
unsigned problem_status(enum problem p);
/* GET /problems/{name} */
void api_problem(void *ctx, struct http_request *q);
