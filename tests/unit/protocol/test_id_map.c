#include "protocol/id_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KEYS_COUNT 5000u

/* Keys whose first bytes are alike, so that all of them want the same slot. */
static void clash_key(uint8_t key[SPEAN_ID_BYTES], uint32_t n)
{
    memset(key, 0, SPEAN_ID_BYTES);
    key[30] = (uint8_t)(n >> 8);
    key[31] = (uint8_t)n;
}

static void spread_key(uint8_t key[SPEAN_ID_BYTES], uint32_t n)
{
    memset(key, 0, SPEAN_ID_BYTES);
    spean_u64_put(key, n * UINT64_C(0x9e3779b97f4a7c15));
}

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct spean_id_map map;
    uint8_t key[SPEAN_ID_BYTES];
    spean_id_map_init(&map);
    spread_key(key, 1);
    assert_int_equal(spean_id_map_get(&map, key), SPEAN_ID_MAP_NONE);
    spean_id_map_fini(&map);
}

static void all_that_was_put_is_found_and_nothing_else(void **state)
{
    (void)state;
    struct spean_id_map map;
    uint8_t key[SPEAN_ID_BYTES];
    spean_id_map_init(&map);
    for (uint32_t n = 0; n < KEYS_COUNT; n++) {
        spread_key(key, n);
        assert_int_equal(spean_id_map_put(&map, key, n), SPEAN_OK);
    }
    for (uint32_t n = 0; n < KEYS_COUNT; n++) {
        spread_key(key, n);
        assert_int_equal(spean_id_map_get(&map, key), n);
    }
    spread_key(key, KEYS_COUNT);
    assert_int_equal(spean_id_map_get(&map, key), SPEAN_ID_MAP_NONE);
    spean_id_map_fini(&map);
}

static void keys_that_clash_are_told_apart(void **state)
{
    (void)state;
    struct spean_id_map map;
    uint8_t key[SPEAN_ID_BYTES];
    spean_id_map_init(&map);
    for (uint32_t n = 0; n < 300; n++) {
        clash_key(key, n);
        assert_int_equal(spean_id_map_put(&map, key, n), SPEAN_OK);
    }
    for (uint32_t n = 0; n < 300; n++) {
        clash_key(key, n);
        assert_int_equal(spean_id_map_get(&map, key), n);
    }
    clash_key(key, 300);
    assert_int_equal(spean_id_map_get(&map, key), SPEAN_ID_MAP_NONE);
    spean_id_map_fini(&map);
}

static void a_second_number_takes_the_place_of_the_first(void **state)
{
    (void)state;
    struct spean_id_map map;
    uint8_t key[SPEAN_ID_BYTES];
    spean_id_map_init(&map);
    spread_key(key, 7);
    assert_int_equal(spean_id_map_put(&map, key, 1), SPEAN_OK);
    assert_int_equal(spean_id_map_put(&map, key, 2), SPEAN_OK);
    assert_int_equal(spean_id_map_get(&map, key), 2);
    assert_int_equal(map.entries_count, 1);
    spean_id_map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(all_that_was_put_is_found_and_nothing_else),
        cmocka_unit_test(keys_that_clash_are_told_apart),
        cmocka_unit_test(a_second_number_takes_the_place_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
