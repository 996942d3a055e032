/* pipeline: numbers are made, squared and added up by coroutines with channels in between. Each
 * stage closes its channel at its end, and the next one ends when that is empty. A stage that is
 * four elements ahead waits. */
#include <inttypes.h>
#include <sedge/sedge.h>
#include <stdio.h>

struct stage {
    struct sedge_chan *in, *out;
};

static intptr_t count(void *arg)
{
    struct stage *s = arg;
    for (int64_t i = 1; i <= 100 && sedge_chan_send(s->out, &i) == SEDGE_OK;)
        i++;
    sedge_chan_close(s->out);
    return 0;
}

static intptr_t square(void *arg)
{
    struct stage *s = arg;
    int64_t i;
    while (sedge_chan_recv(s->in, &i) == SEDGE_OK) {
        i *= i;
        if (sedge_chan_send(s->out, &i))
            break;
    }
    sedge_chan_close(s->out);
    return 0;
}

static intptr_t run(void *arg)
{
    struct sedge_chan *numbers, *squares;
    struct sedge_scope scope;
    int64_t i, sum = 0;
    (void)arg;
    if (sedge_chan_new(&numbers, sizeof(i), 4, SEDGE_LOCAL) ||
        sedge_chan_new(&squares, sizeof(i), 4, SEDGE_LOCAL))
        return 1;
    struct stage first = {NULL, numbers}, second = {numbers, squares};
    sedge_scope_begin(&scope);
    if (sedge_scope_spawn(&scope, count, &first, "count") ||
        sedge_scope_spawn(&scope, square, &second, "square"))
        sedge_scope_cancel(&scope);
    while (sedge_chan_recv(squares, &i) == SEDGE_OK)
        sum += i;
    enum sedge_err r = sedge_scope_end(&scope);
    sedge_chan_free(numbers);
    sedge_chan_free(squares);
    printf("the sum of the squares is %" PRId64 "\n", sum);
    return r;
}

int main(void)
{
    return sedge_main(NULL, run, NULL);
}
