/* store/fold.h: of the grants of a part in one log the first ones count, in every order (P8.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/limits.h"
#include "tests/unit/store/world.h"

#define MANY_PARTS 100u

static const uint8_t key_a[SPEAN_KEY_BYTES] = {0xa1};
static const uint8_t key_b[SPEAN_KEY_BYTES] = {0xb2};
static const uint8_t key_c[SPEAN_KEY_BYTES] = {0xc3};

struct history {
    struct world *w;
    struct spean_part_name part;
    uint8_t fixed[WORLD_BYTES_MAX];
};

static int setup(void **state)
{
    struct history *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    h->w = world_new();
    h->part = (struct spean_part_name){world_record(h->w, 0, 7), SPEAN_PART_STEPS};
    *state = h;
    return 0;
}

static int teardown(void **state)
{
    struct history *h = *state;
    world_free(h->w);
    free(h);
    return 0;
}

static uint64_t grants(struct history *h, unsigned log, uint64_t generation, const uint8_t *key)
{
    struct world_grant grant = world_referral_grant(&h->part, key);
    grant.generation = generation;
    return world_grant(h->w, log, &grant);
}

static uint64_t creates(struct history *h)
{
    const struct world_change change = world_referral_create(h->w, &h->part, key_a, 7, h->fixed);
    return world_write(h->w, 0, &change);
}

/* A write of a value that either may write. */
static uint64_t writes(struct history *h, unsigned log, const uint8_t *key, uint8_t value)
{
    struct world_change change = world_referral_change(&h->part, key);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = 3001, .kind = SPEAN_KIND_VALUE, .value = value};
    return world_write(h->w, log, &change);
}

/* The last two grants of a log do not count, also where two earlier ones are opened after them. */
static void which_grants_of_a_log_count_does_not_depend_on_when_they_are_opened(void **state)
{
    struct history *h = *state;
    const uint64_t early = grants(h, 0, 1, key_a);
    (void)creates(h);
    for (uint32_t i = 1; i < SPEAN_PART_GRANTS_MAX; i++) {
        (void)grants(h, 0, 1, key_a);
    }
    const uint64_t over = grants(h, 0, 2, key_b);
    (void)grants(h, 0, 2, key_c);
    (void)writes(h, 0, key_b, 9);
    struct node *n = node_new(h->w, 1);
    node_take_all(n);
    node_fold(n);
    assert_int_equal(node_aside(n, 0, over - 1), SPEAN_ASIDE_NOT);
    assert_int_equal(node_aside(n, 0, over), SPEAN_ASIDE_MANY);
    assert_int_equal(node_aside(n, 0, over + 1), SPEAN_ASIDE_MANY);
    assert_int_equal(node_value(n, &h->part, 3001), 255);
    const struct spean_id expected = node_shown(n);
    node_wipe(n);
    node_take(n, 0, early, false);
    node_take(n, 0, early + 1, true); /* The creating change. */
    node_take(n, 0, early + 2, false);
    node_take(n, 0, h->w->logs[0]->count, true);
    node_fold(n);
    assert_int_equal(node_value(n, &h->part, 3001), 9);
    node_body(n, 0, early + 2);
    node_fold(n);
    node_body(n, 0, early);
    node_fold(n);
    const struct spean_id shown = node_shown(n);
    assert_memory_equal(shown.bytes, expected.bytes, sizeof(shown.bytes));
    node_free(n);
}

static struct spean_part_name part_at(const struct history *h, uint32_t i)
{
    return (struct spean_part_name){world_record(h->w, 0, (uint8_t)i), SPEAN_PART_STEPS};
}

static void creates_at(struct history *h, uint32_t i, const uint8_t *key)
{
    const struct spean_part_name part = part_at(h, i);
    struct world_change change = world_referral_create(h->w, &part, key, (uint8_t)i, h->fixed);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){.field = 3001, .kind = SPEAN_KIND_VALUE, .value = (uint8_t)i};
    (void)world_write(h->w, 0, &change);
}

/* Grants are judged together, those of as many parts as there is room for; and all give keys. */
static void keys_of_more_parts_than_are_judged_together_are_all_found(void **state)
{
    struct history *h = *state;
    static uint8_t keys[MANY_PARTS][SPEAN_KEY_BYTES];
    for (uint32_t i = 0; i < MANY_PARTS; i++) {
        keys[i][0] = (uint8_t)(i + 1);
        const struct spean_part_name part = part_at(h, i);
        const struct world_grant grant = world_referral_grant(&part, keys[i]);
        (void)world_grant(h->w, 0, &grant);
        (void)world_grant(h->w, 0, &grant);
    }
    for (uint32_t i = 0; i < MANY_PARTS; i++) {
        creates_at(h, i, keys[i]);
    }
    struct node *n = node_new(h->w, 1);
    node_take_all(n);
    node_fold(n);
    for (uint32_t i = 0; i < MANY_PARTS; i++) {
        const struct spean_part_name part = part_at(h, i);
        assert_int_equal(node_value(n, &part, 3001), i);
    }
    assert_int_equal(node_aside(n, 0, 2 * MANY_PARTS), SPEAN_ASIDE_NOT);
    node_free(n);
}

/* A member who hands out more keys than count takes no room from the owner. */
static void a_flood_of_grants_pushes_out_none_of_another_log(void **state)
{
    struct history *h = *state;
    struct world_grant false_one = {.record = h->part.record,
                                    .part = h->part.part,
                                    .generation = 1,
                                    .key = key_c,
                                    .owner = 1,
                                    .audience = WORLD_BOTH};
    for (uint32_t i = 0; i <= SPEAN_PART_GRANTS_MAX; i++) {
        (void)world_grant(h->w, 1, &false_one);
    }
    (void)grants(h, 0, 1, key_a);
    (void)creates(h);
    const uint64_t second = grants(h, 0, 2, key_b);
    (void)writes(h, 0, key_b, 5);
    struct node *n = node_new(h->w, 0);
    node_take(n, 1, h->w->logs[1]->count, true);
    node_fold(n);
    node_take_all(n);
    node_fold(n);
    assert_int_equal(node_aside(n, 1, 1), SPEAN_ASIDE_OWNER);
    assert_int_equal(node_aside(n, 1, h->w->logs[1]->count), SPEAN_ASIDE_MANY);
    assert_int_equal(node_aside(n, 0, second), SPEAN_ASIDE_NOT);
    assert_int_equal(node_value(n, &h->part, 3001), 5);
    node_free(n);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(which_grants_of_a_log_count_does_not_depend_on_when_they_are_opened),
        T(keys_of_more_parts_than_are_judged_together_are_all_found),
        T(a_flood_of_grants_pushes_out_none_of_another_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
