/* The ring between two workers: what was pushed arrives once, in order, with what was written
 * before; and who waits for room is woken when there is some. */
#include "bus/ring.h"
#include "tests/model/model.h"
#include "tests/support/test.h"

enum { MESSAGES = 3, PLACES = 4, FEW = 2 }; /* of FEW places one is used */

struct stage {
    struct ring ring;
    struct ring_entry places[PLACES];
    unsigned written[MESSAGES + 1]; /* plain: comes along */
    struct model_event room, news;
};

static void produce(void *arg)
{
    struct stage *g = arg;
    for (unsigned i = 1; i <= MESSAGES; i++) {
        while (!ring_room(&g->ring, 1) && !ring_want(&g->ring, 1))
            (void)model_event_wait(&g->room, -1);
        g->written[i] = i;
        const struct ring_entry e = {.hash = i};
        ring_push(&g->ring, &e, 1);
        model_event_set(&g->news);
    }
}

static void stream(void *arg)
{
    struct stage g = {.written = {0}};
    ring_init(&g.ring, g.places, *(const uint32_t *)arg, 100);
    unsigned producer = model_thread(produce, &g);
    for (unsigned i = 1; i <= MESSAGES; i++) {
        const struct ring_entry *e;
        while (!(e = ring_peek(&g.ring)))
            (void)model_event_wait(&g.news, -1);
        HOLD(e->hash == i);
        HOLD(g.written[i] == i);
        for (unsigned n = 1; (e = ring_peek_behind(&g.ring, n)); n++) {
            HOLD(e->hash == i + n);
            HOLD(g.written[i + n] == i + n);
        }
        ring_drop(&g.ring, 1);
        if (ring_wanted(&g.ring))
            model_event_set(&g.room);
    }
    model_join(producer);
    HOLD(!ring_peek(&g.ring));
}

TEST(ring_between_two_workers)
{
    static uint32_t few = FEW, more = PLACES;
    model_check(&(struct model){
        .name = "ring", .run = stream, .arg = &few, .preemptions = 3, .stale = 1, .walks = 20000});
    model_check(&(struct model){.name = "ring, several in it",
                                .run = stream,
                                .arg = &more,
                                .preemptions = 2,
                                .stale = 1,
                                .walks = 2000});
}
