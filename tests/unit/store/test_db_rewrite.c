/* spean_db_rewrite(): a store without anything that was deleted from it. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/db.h"
#include "store/file.h"
#include "tests/unit/store/fixture.h"

/* Whether the file named so has these bytes anywhere. */
static bool file_has(const struct fixture *f, const char *name, const char *text)
{
    static char all[FIXTURE_MAP_BYTES];
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, name, path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(all, 1, sizeof(all), file);
    (void)fclose(file);
    const size_t len = strlen(text);
    for (size_t i = 0; len <= size && i <= size - len; i++) {
        if (memcmp(all + i, text, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_there(const struct fixture *f, const char *name)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, name, path);
    return access(path, F_OK) == 0;
}

static void fill(struct fixture *f, unsigned count)
{
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    for (unsigned i = 0; i < count; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "row %u", i);
        (void)fixture_put_local(tx, key, "what is kept");
    }
    assert_int_equal(fixture_put_local(tx, "marked", "LEAKMARKER5736"), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static void delete_marked(struct fixture *f)
{
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_tx_del(tx, SPEAN_TABLE_LOCAL, fixture_text("marked")), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static void a_rewritten_store_has_nothing_of_what_was_deleted(void **state)
{
    struct fixture *f = *state;
    fill(f, 1000);
    delete_marked(f);
    assert_true(file_has(f, "store/data.mdb", "LEAKMARKER5736")); /* LMDB clears nothing. */
    assert_int_equal(spean_db_rewrite(f->db), SPEAN_OK);
    assert_false(file_has(f, "store/data.mdb", "LEAKMARKER5736"));
    assert_int_equal(fixture_has_local(f, "row 999"), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "marked"), SPEAN_ENOTFOUND);
    fixture_put(f, SPEAN_TABLE_LOCAL, "later", fixture_text("is written"));
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "later"), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "row 0"), SPEAN_OK);
}

static void the_old_file_is_overwritten(void **state)
{
    struct fixture *f = *state;
    char old[FIXTURE_PATH_BYTES];
    char other[FIXTURE_PATH_BYTES];
    fill(f, 10);
    fixture_path(f, "store/data.mdb", old);
    fixture_path(f, "other_name", other);
    assert_int_equal(link(old, other), 0);
    assert_true(file_has(f, "other_name", "LEAKMARKER5736"));
    assert_int_equal(spean_db_rewrite(f->db), SPEAN_OK);
    assert_false(file_has(f, "other_name", "LEAKMARKER5736"));
    assert_false(file_has(f, "other_name", "what is kept"));
    assert_false(is_there(f, "store/data.mdb.old"));
    assert_false(is_there(f, "store/data.mdb.new"));
}

static void a_read_that_does_not_end_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    fill(f, 10);
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_READ);
    assert_int_equal(spean_db_rewrite(f->db), SPEAN_EBUSY);
    spean_tx_abort(tx);
    assert_false(is_there(f, "store/data.mdb.old"));
    assert_false(is_there(f, "store/data.mdb.new"));
    assert_int_equal(fixture_has_local(f, "marked"), SPEAN_OK);
    assert_int_equal(spean_db_rewrite(f->db), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "marked"), SPEAN_OK);
}

static void nothing_is_rewritten_while_somebody_writes(void **state)
{
    struct fixture *f = *state;
    fill(f, 10);
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_db_rewrite(f->db), SPEAN_EBUSY);
    assert_int_equal(fixture_put_local(tx, "key", "value"), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "key"), SPEAN_OK);
}

/* Leave a file beside a store that is closed, and hold on to its bytes by another name. */
static void leave(struct fixture *f, const char *name)
{
    char path[FIXTURE_PATH_BYTES];
    char other[FIXTURE_PATH_BYTES];
    fixture_path(f, name, path);
    fixture_path(f, "other_name", other);
    assert_int_equal(spean_file_write_new(path, fixture_text("row 1 LEAKMARKER5736 row 2")),
                     SPEAN_OK);
    assert_int_equal(link(path, other), 0);
    assert_true(file_has(f, "other_name", "LEAKMARKER5736"));
}

static void a_copy_that_was_not_finished_is_destroyed_when_the_store_is_opened(void **state)
{
    struct fixture *f = *state;
    fill(f, 10);
    fixture_close(f);
    leave(f, "store/data.mdb.new");
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    assert_false(is_there(f, "store/data.mdb.new"));
    assert_false(file_has(f, "other_name", "LEAKMARKER5736"));
    assert_int_equal(fixture_has_local(f, "row 9"), SPEAN_OK);
}

/* As a crash leaves it between the change of places and the end of overwriting. */
static void an_old_file_that_was_not_overwritten_is_destroyed_when_the_store_is_opened(void **state)
{
    struct fixture *f = *state;
    fill(f, 10);
    fixture_close(f);
    leave(f, "store/data.mdb.old");
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    assert_false(is_there(f, "store/data.mdb.old"));
    assert_false(file_has(f, "other_name", "LEAKMARKER5736"));
    assert_int_equal(fixture_has_local(f, "row 9"), SPEAN_OK);
}

/* As a crash leaves it before the change of places: it is the store that has two names. */
static void a_second_name_of_the_store_is_removed_and_the_store_stays(void **state)
{
    struct fixture *f = *state;
    char path[FIXTURE_PATH_BYTES];
    char old[FIXTURE_PATH_BYTES];
    fill(f, 10);
    fixture_close(f);
    fixture_path(f, "store/data.mdb", path);
    fixture_path(f, "store/data.mdb.old", old);
    assert_int_equal(link(path, old), 0);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    assert_false(is_there(f, "store/data.mdb.old"));
    assert_int_equal(fixture_has_local(f, "row 9"), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "marked"), SPEAN_OK);
}

/* What an earlier try could not overwrite goes with the next one. */
static void what_was_left_is_destroyed_by_the_next_rewriting(void **state)
{
    struct fixture *f = *state;
    fill(f, 10);
    leave(f, "store/data.mdb.old");
    assert_int_equal(spean_db_rewrite(f->db), SPEAN_OK);
    assert_false(is_there(f, "store/data.mdb.old"));
    assert_false(file_has(f, "other_name", "LEAKMARKER5736"));
    assert_int_equal(fixture_has_local(f, "marked"), SPEAN_OK);
}

static void no_room_for_the_copy_leaves_the_store_as_it_was(void **state)
{
    struct fixture *f = *state;
    fill(f, 3000);
    const struct rlimit little = {.rlim_cur = 16384, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    const spean_err err = spean_db_rewrite(f->db);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
    assert_int_equal(err, SPEAN_EFULL);
    assert_false(is_there(f, "store/data.mdb.new"));
    assert_false(is_there(f, "store/data.mdb.old"));
    assert_int_equal(fixture_has_local(f, "row 2999"), SPEAN_OK);
    assert_int_equal(spean_db_rewrite(f->db), SPEAN_OK);
}

/* A thread that reads again and again. */
static void *read_on(void *ctx)
{
    struct fixture *f = ctx;
    for (unsigned i = 0; i < 2000; i++) {
        struct spean_tx *tx = NULL;
        struct spean_view value;
        if (spean_tx_begin(f->db, SPEAN_TX_READ, &tx) != SPEAN_OK ||
            spean_tx_get(tx, SPEAN_TABLE_LOCAL, fixture_text("row 7"), &value) != SPEAN_OK) {
            return f; /* Not to be. */
        }
        spean_tx_abort(tx);
    }
    return NULL;
}

static void reads_of_other_threads_go_on_over_it(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[3];
    fill(f, 100);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, f), 0);
    }
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(spean_db_rewrite(f->db), SPEAN_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        void *failed = f;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_store_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_rewritten_store_has_nothing_of_what_was_deleted),
        T(the_old_file_is_overwritten),
        T(a_read_that_does_not_end_is_not_waited_for),
        T(nothing_is_rewritten_while_somebody_writes),
        T(a_copy_that_was_not_finished_is_destroyed_when_the_store_is_opened),
        T(an_old_file_that_was_not_overwritten_is_destroyed_when_the_store_is_opened),
        T(a_second_name_of_the_store_is_removed_and_the_store_stays),
        T(what_was_left_is_destroyed_by_the_next_rewriting),
        T(no_room_for_the_copy_leaves_the_store_as_it_was),
        T(reads_of_other_threads_go_on_over_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
