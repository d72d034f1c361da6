#include "store/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/store/fixture.h"

#define ROW_BYTES  4000u
#define ROWS_A_LOT 200u /* Together 1 MiB on the disk: half of what is kept back here. */
#define TXS_MAX    64u

static struct spean_room look(struct fixture *f)
{
    struct spean_room room;
    assert_int_equal(spean_room_look(f->db, &room), SPEAN_OK);
    return room;
}

/* Write rows from `from` on, in a transaction; each takes two pages. */
static spean_err write_rows(struct fixture *f, uint32_t from)
{
    static const uint8_t bytes[ROW_BYTES] = {1};
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    for (uint32_t i = 0; i < ROWS_A_LOT; i++) {
        struct spean_db_key key = {0};
        spean_db_key_put_u32(&key, from + i);
        (void)spean_tx_put(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&key),
                           (struct spean_view){bytes, sizeof(bytes)});
    }
    return spean_tx_commit(tx);
}

/* -- Steps ----------------------------------------------------------------------------------- */

static void each_step_begins_at_its_percentage(void **state)
{
    (void)state;
    assert_int_equal(spean_room_step_of(0, 1000), SPEAN_ROOM_PLENTY);
    assert_int_equal(spean_room_step_of(699, 301), SPEAN_ROOM_PLENTY);
    assert_int_equal(spean_room_step_of(700, 300), SPEAN_ROOM_SHORT);
    assert_int_equal(spean_room_step_of(849, 151), SPEAN_ROOM_SHORT);
    assert_int_equal(spean_room_step_of(850, 150), SPEAN_ROOM_NO_BODIES);
    assert_int_equal(spean_room_step_of(949, 51), SPEAN_ROOM_NO_BODIES);
    assert_int_equal(spean_room_step_of(950, 50), SPEAN_ROOM_NO_WRITES);
    assert_int_equal(spean_room_step_of(999, 1), SPEAN_ROOM_NO_WRITES);
    assert_int_equal(spean_room_step_of(1000, 0), SPEAN_ROOM_NONE);
}

static void the_largest_store_and_disk_overflow_nothing(void **state)
{
    (void)state;
    const uint64_t disk = 1ull << 60;
    assert_int_equal(spean_room_step_of(SPEAN_DB_MAP_BYTES_MAX, disk), SPEAN_ROOM_PLENTY);
    assert_int_equal(spean_room_step_of(disk, 1), SPEAN_ROOM_NO_WRITES);
    assert_int_equal(spean_room_step_of(0, 0), SPEAN_ROOM_NONE);
}

static void the_steps_follow_each_other_and_then_what_is_kept_back_can_be_written(void **state)
{
    struct fixture *f = *state;
    enum spean_room_step step = look(f).step;
    uint32_t from = 0;
    unsigned seen = 1u << step;
    assert_int_equal(step, SPEAN_ROOM_PLENTY);
    for (uint32_t i = 0; i < TXS_MAX && step != SPEAN_ROOM_NONE; i++) {
        assert_int_equal(write_rows(f, from), SPEAN_OK);
        from += ROWS_A_LOT;
        const enum spean_room_step now = look(f).step;
        assert_true(now >= step);
        step = now;
        seen |= 1u << step;
    }
    assert_int_equal(step, SPEAN_ROOM_NONE);
    assert_true((seen & (1u << SPEAN_ROOM_NO_BODIES)) != 0);
    assert_int_equal(look(f).left_bytes, 0);
    assert_int_equal(write_rows(f, 0), SPEAN_OK); /* Copied on write: the same again. */
}

static void rows_that_were_deleted_are_room_again(void **state)
{
    struct fixture *f = *state;
    uint32_t from = 0;
    for (uint32_t i = 0; i < TXS_MAX && look(f).step < SPEAN_ROOM_NO_BODIES; i++) {
        assert_int_equal(write_rows(f, from), SPEAN_OK);
        from += ROWS_A_LOT;
    }
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    for (uint32_t i = 0; i < from; i++) {
        struct spean_db_key key = {0};
        spean_db_key_put_u32(&key, i);
        assert_int_equal(spean_tx_del(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&key)), SPEAN_OK);
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_true(look(f).step < SPEAN_ROOM_NO_BODIES);
}

/* -- Ballast --------------------------------------------------------------------------------- */

static void the_ballast_has_blocks_and_is_made_once(void **state)
{
    struct fixture *f = *state;
    char path[FIXTURE_PATH_BYTES];
    struct stat st;
    fixture_path(f, "store/ballast", path);
    assert_false(look(f).ballast);
    assert_int_equal(spean_room_make_ballast(f->db), SPEAN_OK);
    assert_true(look(f).ballast);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, FIXTURE_MAP_BYTES / SPEAN_ROOM_BALLAST_SHARE);
    assert_true((uint64_t)st.st_blocks * 512u >= (uint64_t)st.st_size);
    assert_int_equal(st.st_mode & 0077, 0);
    assert_int_equal(spean_room_make_ballast(f->db), SPEAN_EEXISTS);
}

static void without_the_ballast_there_is_no_more_room_than_with_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(spean_room_make_ballast(f->db), SPEAN_OK);
    const uint64_t before = look(f).left_bytes;
    assert_true(spean_room_drop_ballast(f->db));
    assert_int_equal(look(f).left_bytes, before);
    assert_false(look(f).ballast);
    assert_false(spean_room_drop_ballast(f->db));
}

static void a_ballast_that_is_too_small_is_made_larger(void **state)
{
    struct fixture *f = *state;
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, "store/ballast", path);
    assert_int_equal(spean_room_make_ballast(f->db), SPEAN_OK);
    assert_int_equal(truncate(path, 4096), 0);
    assert_false(look(f).ballast);
    assert_int_equal(spean_room_make_ballast(f->db), SPEAN_OK);
    assert_true(look(f).ballast);
}

static void a_link_in_the_place_of_the_ballast_is_not_followed(void **state)
{
    struct fixture *f = *state;
    char path[FIXTURE_PATH_BYTES];
    char target[FIXTURE_PATH_BYTES];
    struct stat st;
    fixture_path(f, "store/ballast", path);
    fixture_path(f, "elsewhere", target);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(spean_room_make_ballast(f->db), SPEAN_EINPUT);
    assert_int_not_equal(stat(target, &st), 0);
    assert_false(look(f).ballast);
}

int main(void)
{
#define WITH_STORE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, fixture_store_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_begins_at_its_percentage),
        cmocka_unit_test(the_largest_store_and_disk_overflow_nothing),
        WITH_STORE(the_steps_follow_each_other_and_then_what_is_kept_back_can_be_written),
        WITH_STORE(rows_that_were_deleted_are_room_again),
        WITH_STORE(the_ballast_has_blocks_and_is_made_once),
        WITH_STORE(without_the_ballast_there_is_no_more_room_than_with_it),
        WITH_STORE(a_ballast_that_is_too_small_is_made_larger),
        WITH_STORE(a_link_in_the_place_of_the_ballast_is_not_followed),
    };
#undef WITH_STORE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
