/* poison_fixture: for tests that touch what AddressSanitizer must not let them touch.
 *
 * Use: poison_fixture_begin() first in a function that runs under CHECK_ABORTS(); the touch behind
 * it then ends with abort(), as a failed ASSERT() does. SKIP the test unless MEMORY_POISONS. */
#pragma once

#include "base/poison.h"
#include <stdlib.h>

static inline void poison_fixture_begin(void)
{
#if MEMORY_POISONS
    __sanitizer_set_death_callback(abort);
#endif
}
