/*
 * Ledgers told again and again while the first, second, third ... allocation within a step fails.
 * Linked so that malloc(), calloc(), realloc(), the step and the count of its effects come here.
 * A step without memory ends its process: from there on the nodes do nothing and are taken down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/simnet.h"

#define A               0u
#define B               1u
#define C               2u
#define ALLOCATIONS_MAX 5000u /* More than a story needs. */
#define PART            1u
#define A_WHILE_MS      5000u

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
spean_err __real_spean_sync_step(struct spean_sync *s, const struct spean_sync_event *event);
uint32_t __real_spean_sync_effects_count(const struct spean_sync *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
spean_err __wrap_spean_sync_step(struct spean_sync *s, const struct spean_sync_event *event);
uint32_t __wrap_spean_sync_effects_count(const struct spean_sync *s);

static bool counted; /* Allocations count only where the code under test asks for them. */
static bool ended;
static spean_err ended_by;
static unsigned allocations_left;

static bool allocation_fails(void)
{
    if (!counted) {
        return false;
    }
    if (allocations_left == 0) {
        return true;
    }
    allocations_left--;
    return false;
}

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(old, size);
}

spean_err __wrap_spean_sync_step(struct spean_sync *s, const struct spean_sync_event *event)
{
    if (ended) {
        return SPEAN_OK;
    }
    counted = true;
    const spean_err err = __real_spean_sync_step(s, event);
    counted = false;
    ended = err != SPEAN_OK;
    ended_by = err;
    return SPEAN_OK;
}

uint32_t __wrap_spean_sync_effects_count(const struct spean_sync *s)
{
    return ended ? 0 : __real_spean_sync_effects_count(s);
}

/* Tell a story while each allocation in turn is the first that fails, until it ends well. */
static void tell(void (*story)(struct sim *sim))
{
    unsigned n = 0;
    ended = true;
    while (ended && n < ALLOCATIONS_MAX) {
        struct sim *sim = sim_new(3, sim_no_faults);
        ended = false;
        allocations_left = n;
        story(sim);
        sim_free(sim);
        if (ended) {
            assert_int_equal(ended_by, SPEAN_ENOMEM);
        }
        n++;
    }
    assert_false(ended);
    assert_true(n > 1);
}

/* Runs, what is written while a session is open, and sealed bodies that are fetched later. */
static void exchange(struct sim *sim)
{
    sim_commit(sim, A, 2);
    sim_commit_sealed(sim, A, PART, 1u << A);
    sim_dial(sim, B, A);
    sim_dial(sim, C, A);
    sim_run(sim, A_WHILE_MS);
    sim_grant(sim, PART, B);
    sim_commit(sim, C, 1);
    sim_run(sim, A_WHILE_MS);
}

/* Documents of two branches, and a log that forked. */
static void disagree(struct sim *sim)
{
    sim_commit(sim, A, 3);
    sim_dial(sim, B, A);
    sim_dial(sim, C, A);
    sim_run(sim, A_WHILE_MS);
    sim_hang_up(sim, B, A);
    if (ended) {
        return; /* The others do not hold what is to fork. */
    }
    sim_branch_charter(sim, A, 1, 1);
    sim_branch_charter(sim, B, 2, 5);
    sim_fork(sim, A, 2, B, 3);
    sim_dial(sim, B, A);
    sim_run(sim, A_WHILE_MS);
}

/* A relay that carries what it cannot read, and a member that is removed. */
static void carry(struct sim *sim)
{
    sim_relay(sim, B, true);
    sim_commit_sealed(sim, A, PART, 1u << A);
    sim_dial(sim, B, A);
    sim_dial(sim, C, B);
    sim_run(sim, A_WHILE_MS);
    sim_grant(sim, PART, C);
    sim_run(sim, A_WHILE_MS);
    sim_remove(sim, C);
    sim_run(sim, A_WHILE_MS);
}

static void memory_that_ends_while_entries_come_and_go_is_told_and_nothing_leaks(void **state)
{
    (void)state;
    tell(exchange);
}

static void memory_that_ends_while_branches_meet_is_told_and_nothing_leaks(void **state)
{
    (void)state;
    tell(disagree);
}

static void memory_that_ends_at_a_relay_is_told_and_nothing_leaks(void **state)
{
    (void)state;
    tell(carry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_that_ends_while_entries_come_and_go_is_told_and_nothing_leaks),
        cmocka_unit_test(memory_that_ends_while_branches_meet_is_told_and_nothing_leaks),
        cmocka_unit_test(memory_that_ends_at_a_relay_is_told_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
