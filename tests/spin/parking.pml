/* parking: how workers search for free work, sleep, and are woken (src/async/share_internal.h).
 *
 * Held against every interleaving of sequentially consistent steps; what weaker orders add is for
 * tests/model. Names are those of share.c and worker.c.
 * Claims: work is never left while all workers sleep; a push wakes one searcher at a time and an
 * injection one in all; nobody is counted as searching when everything is quiet (or the next push
 * would wake nobody). Mutants, each of which must be rejected: NO_LOOK, the worker does not look
 * again before it sleeps; LOOK_FIRST, it looks before it has said that it is idle; KEEP_COUNT, a
 * woken worker that finds nothing stays counted. */

#ifndef WORKERS
#define WORKERS 3
#endif
#ifndef INJECTIONS
#define INJECTIONS 2    /* of a foreign thread */
#endif
#ifndef PUSHES
#define PUSHES 2        /* tasks that tasks make, in all */
#endif

byte queue[WORKERS];    /* free tasks in each worker's deques */
byte injected;          /* in the injection queue */
bool idle[WORKERS];     /* the bits */
byte searching;
bool sleeping[WORKERS]; /* for worker_wake() */
bool woken[WORKERS];    /* the driver's event */
byte pushes = PUSHES;   /* still to be made */

/* What is claimed about, and changes nothing. */
byte asleep;
byte for_push;          /* workers that a push woke and that have found nothing yet */
bool by_push[WORKERS];
byte injections, injection_wakes;

#define work_left (injected > 0 || queue[0] > 0 || queue[1] > 0 || queue[WORKERS - 1] > 0)

/* Takes the bit of one that sleeps and wakes its driver. */
inline wake_one(i, found, push)
{
    found = false;
    i = 0;
    do
    :: i < WORKERS && !found ->
        atomic {
            if
            :: idle[i] ->
                idle[i] = false;
                found = true;
                if
                :: push && !by_push[i] ->
                    by_push[i] = true;
                    for_push++;
                    assert(for_push <= 1)
                :: push && by_push[i] -> assert(false)
                :: !push -> injection_wakes++; assert(injection_wakes <= injections)
                fi
            :: else -> skip
            fi
        }
        if
        :: found ->
            atomic {
                if
                :: sleeping[i] -> sleeping[i] = false; woken[i] = true
                :: else -> skip
                fi
            }
        :: else -> i++
        fi
    :: else -> break
    od
}

/* The looks at `idle` and `searching` have no order: they may see what is long gone, or nothing. */
inline notify(i, found)
{
    atomic {
        if
        :: searching == 0 -> searching = 1; found = true
        :: true -> found = false
        fi
    }
    if
    :: found ->
        wake_one(i, found, true);
        if
        :: !found -> searching--
        :: else -> found = false
        fi
    :: else -> skip
    fi;
    i = 0
}

active [WORKERS] proctype worker()
{
    byte me = _pid, i, victim, before;
    bool found, mine = false; /* counted in `searching` */

#ifdef ASLEEP /* at the start: fewer states */
    d_step { sleeping[me] = true; idle[me] = true; asleep++ }
    goto end_asleep;
#endif

look:
    /* Its own, then what was injected. */
    if
    :: atomic { queue[me] > 0 -> queue[me]--; goto have }
    :: atomic { queue[me] == 0 && injected > 0 -> injected--; goto have }
    :: queue[me] == 0 && injected == 0 -> skip
    fi;

    /* begin_search() */
    if
    :: mine -> skip
    :: !mine ->
        if
        :: 2 * searching >= WORKERS -> goto announce
        :: else -> searching++; mine = true
        fi
    fi;
    victim = 0;
    do
    :: victim < WORKERS ->
        if
        :: atomic { victim != me && queue[victim] > 0 -> queue[victim]--; victim = 0; goto have }
        :: victim == me || queue[victim] == 0 -> victim++
        fi
    :: else -> victim = 0; break
    od;
    if
    :: atomic { injected > 0 -> injected--; goto have }
    :: injected == 0 -> skip
    fi;

announce:
#ifdef LOOK_FIRST
    if
    :: work_left -> goto look
    :: else -> skip
    fi;
#endif
    sleeping[me] = true;
    idle[me] = true;
    if
    :: mine ->
        mine = false;
        atomic {
#ifndef KEEP_COUNT
            searching--;
#endif
            if
            :: by_push[me] -> by_push[me] = false; for_push--
            :: else -> skip
            fi
        }
    :: else -> skip
    fi;
#if !defined(NO_LOOK) && !defined(LOOK_FIRST)
    if
    :: injected > 0 -> goto awake
    :: else -> skip
    fi;
    victim = 0;
    do
    :: victim < WORKERS ->
        if
        :: atomic { queue[victim] > 0 -> victim = 0; goto awake }
        :: queue[victim] == 0 -> victim++
        fi
    :: else -> victim = 0; break
    od;
#endif
    asleep++;
end_asleep:
    atomic { woken[me] -> woken[me] = false; asleep-- };

awake:
    sleeping[me] = false;
    atomic {
        if
        :: idle[me] -> idle[me] = false
        :: else -> mine = true /* who took the bit has counted us */
        fi
    }
    goto look;

have:
    /* share_found() */
    if
    :: mine ->
        mine = false;
        atomic {
            before = searching;
            searching--;
            if
            :: by_push[me] -> by_push[me] = false; for_push--
            :: else -> skip
            fi
        }
        if
        :: before == 1 -> before = 0; notify(i, found) /* there may be more */
        :: else -> before = 0
        fi
    :: else -> skip
    fi;
    /* The task runs; it may make another. */
    if
    :: atomic { pushes > 0 -> pushes--; queue[me]++ }
        notify(i, found)
    :: true -> skip
    fi;
    goto look
}

active proctype foreigner()
{
    byte i;
    bool found;
#ifdef ASLEEP
    asleep == WORKERS;
#endif
    do
    :: injections < INJECTIONS ->
        atomic { injections++; injected++ }
        searching++;
        wake_one(i, found, false);
        if
        :: !found -> searching--
        :: else -> skip
        fi
    :: else -> break
    od
}

/* Nothing moves any more. */
active proctype observer()
{
    timeout ->
    assert(!work_left);
    assert(asleep == WORKERS);
    assert(searching == 0)
}
