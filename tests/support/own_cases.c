/* own_cases: runs each case of ownership in a process of its own, and prints how many do not come
 * out as they should; a crash is one of them. For tools/own-mutants, whose mutants let through what
 * the compiler does not expect. */
#include "lang/own_fixture.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool comes_out(const struct own_case *c)
{
    struct strbuf got;
    strbuf_init(&got, alloc_system(), 0);
    struct lang_site *site = own_check(c->text);
    if (!site)
        return false;
    own_codes(site, &got);
    return str_eq(strbuf_str(&got), str_from(c->want));
}

int main(void)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(own_cases); i++) {
        pid_t child = fork();
        if (child < 0)
            return 1;
        if (child == 0) {
            if (!freopen("/dev/null", "w", stderr))
                _exit(1);
            (void)alarm(20);
            _exit(comes_out(&own_cases[i]) ? 0 : 1);
        }
        int status = 0;
        if (waitpid(child, &status, 0) != child)
            return 1;
        wrong += status != 0;
    }
    printf("%u\n", wrong);
    return 0;
}
