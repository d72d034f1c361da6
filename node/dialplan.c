#include "node/dialplan.h"

#include <assert.h>
#include <string.h>

/* The wait that has doubled so many times. */
static uint64_t doubled_ms(uint32_t times)
{
    uint64_t wait_ms = SPEAN_DIALPLAN_MS;
    for (uint32_t i = 0; i < times && wait_ms < SPEAN_DIALPLAN_MS_MAX; i++) {
        wait_ms *= 2;
    }
    return wait_ms < SPEAN_DIALPLAN_MS_MAX ? wait_ms : SPEAN_DIALPLAN_MS_MAX;
}

/* The place of the endpoint dialled last, or the count: no record names it. */
static uint32_t place_of(const struct spean_dialplan *plan,
                         const struct spean_dialplan_endpoints *endpoints)
{
    uint32_t i = 0;
    while (i < endpoints->count && strcmp(endpoints->at[i], plan->endpoint) != 0) {
        i++;
    }
    return i;
}

static enum spean_dialplan_next dial(struct spean_dialplan *plan,
                                     const struct spean_dialplan_endpoints *endpoints,
                                     uint32_t place, uint64_t now_ms)
{
    const char *endpoint = endpoints->at[place];
    assert(strlen(endpoint) < sizeof(plan->endpoint));
    memcpy(plan->endpoint, endpoint, strlen(endpoint) + 1);
    plan->since_ms = now_ms;
    return SPEAN_DIALPLAN_DIAL;
}

/* The transport tries, or waits before it tries again. */
static enum spean_dialplan_next next_of_dialled(struct spean_dialplan *plan,
                                                const struct spean_dialplan_endpoints *endpoints,
                                                enum spean_dial_state state, bool hurry,
                                                uint64_t now_ms)
{
    const uint32_t place = place_of(plan, endpoints);
    if (endpoints->count == 0) {
        plan->endpoint[0] = '\0';
        return SPEAN_DIALPLAN_UNDIAL;
    }
    if (place == endpoints->count) {
        return dial(plan, endpoints, 0, now_ms);
    }
    const bool waits = state != SPEAN_DIAL_TRYING;
    const uint64_t patience_ms = doubled_ms(plan->tries / endpoints->count);
    if (endpoints->count > 1 && now_ms - plan->since_ms >= patience_ms) {
        plan->tries += plan->tries < UINT32_MAX ? 1 : 0;
        return dial(plan, endpoints, (place + 1) % endpoints->count, now_ms);
    }
    return hurry && waits ? dial(plan, endpoints, place, now_ms) : SPEAN_DIALPLAN_LEAVE;
}

enum spean_dialplan_next spean_dialplan_next(struct spean_dialplan *plan,
                                             const struct spean_dialplan_endpoints *endpoints,
                                             enum spean_dial_state state, bool hurry,
                                             uint64_t now_ms)
{
    assert(plan != NULL);
    assert(endpoints->count <= SPEAN_DIALPLAN_ENDPOINTS_MAX);

    if (state == SPEAN_DIAL_UP) {
        plan->tries = 0;
        plan->since_ms = now_ms; /* Should it break, the endpoint gets its time again. */
        return SPEAN_DIALPLAN_LEAVE;
    }
    if (state != SPEAN_DIAL_NONE) {
        return next_of_dialled(plan, endpoints, state, hurry, now_ms);
    }
    if (endpoints->count == 0 || (!hurry && now_ms < plan->not_before_ms)) {
        return SPEAN_DIALPLAN_LEAVE;
    }
    /* The session before ended badly, or the endpoint could not be used: another one may do. */
    const uint32_t place = place_of(plan, endpoints);
    return dial(plan, endpoints, place == endpoints->count ? 0 : (place + 1) % endpoints->count,
                now_ms);
}

void spean_dialplan_failed(struct spean_dialplan *plan, uint64_t now_ms)
{
    plan->not_before_ms = now_ms + doubled_ms(plan->failures);
    plan->failures += plan->failures < UINT32_MAX ? 1 : 0;
}

void spean_dialplan_worked(struct spean_dialplan *plan)
{
    plan->failures = 0;
    plan->not_before_ms = 0;
}
