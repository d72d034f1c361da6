/*
 * The story of a ledger with both kinds of fork, told again and again while the first, second,
 * third ... allocation fails. Linked so that calloc() and realloc() come here.
 */
#include "protocol/authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/identitykit.h"

#define ALLOCATIONS_MAX 2000u /* More than the story needs. */
#define STORY_LEN       9u

void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned allocations_left = UINT32_MAX;

static bool allocation_fails(void)
{
    if (allocations_left == 0) {
        return true;
    }
    allocations_left--;
    return false;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(old, size);
}

static struct fixture_document story[STORY_LEN];

static int setup_story(void **state)
{
    (void)state;
    const struct spean_id third = fixture_id(3);
    fixture_org_first(&story[1], 1);
    fixture_genesis(&story[0], &story[1].doc.id, 7);
    const struct spean_id org = story[1].doc.id;
    const struct spean_handle handle = spean_handle_of(&story[0].doc.id);
    fixture_org_node(&story[2], &story[1].doc, &org, &handle, true, 10, 1);
    fixture_org_node(&story[3], &story[2].doc, &org, &handle, false, 11, 1);
    fixture_org_cut(&story[4], &story[2].doc, 10, 5, 1, 1); /* Forks from story[3]. */
    fixture_charter_member(&story[5], &story[0].doc, &third, SPEAN_MEMBER_ACTIVE, 7);
    fixture_charter_member(&story[6], &story[0].doc, &org, SPEAN_MEMBER_ACTIVE, 7); /* Forks. */
    const struct spean_charter_draft join = {
        .version = 3, .previous = story[5].doc.id, .join = &story[6].doc.id};
    fixture_charter(&story[7], &join, SIGNED_BY(7));
    struct spean_pin pin = {.org = org, .statement = story[3].doc.id};
    struct spean_relay relay = {.org = org, .signing = fixture_key(11)};
    const struct spean_charter_draft last = {.version = 4,
                                             .previous = story[7].doc.id,
                                             .has_relays = true,
                                             .relays_count = 1,
                                             .relays = &relay,
                                             .pins_count = 1,
                                             .pins = &pin};
    fixture_charter(&story[8], &last, SIGNED_BY(7));
    return 0;
}

/* Tell the story; the first error ends it. *told is how far it came. */
static spean_err tell(size_t *told)
{
    struct spean_authority *a = NULL;
    spean_err err = spean_authority_new(&a, NULL);
    struct spean_authority_change change;
    *told = 0;
    while (*told < STORY_LEN && err == SPEAN_OK) {
        err = spean_authority_add(a, story[*told].view, SPEAN_PENDING_REFUSE, &change);
        *told += err == SPEAN_OK ? 1 : 0;
    }
    struct spean_title *titles = NULL;
    uint32_t count = 0;
    if (err == SPEAN_OK) {
        err = spean_authority_lacking(a, &story[0].doc.id, NULL, 0, &titles, &count);
    }
    free(titles);
    spean_authority_free(a);
    return err;
}

static void memory_that_ends_anywhere_is_told_and_nothing_leaks(void **state)
{
    (void)state;
    size_t told = 0;
    unsigned n = 0;
    spean_err err = SPEAN_ENOMEM;
    while (err == SPEAN_ENOMEM && n < ALLOCATIONS_MAX) {
        allocations_left = n;
        err = tell(&told);
        n++;
    }
    allocations_left = UINT32_MAX;
    assert_int_equal(err, SPEAN_OK);
    assert_int_equal(told, STORY_LEN);
    assert_true(n > STORY_LEN); /* Each document takes memory. */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(memory_that_ends_anywhere_is_told_and_nothing_leaks, setup_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
