#include "store/db.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "protocol/writer.h"
#include "store/file.h"
#include "store/logs.h"
#include "store/partkeys.h"
#include "tests/unit/store/fixture.h"

static uint64_t clock_ms;

static uint64_t fake_now_ms(void)
{
    return clock_ms;
}

/* -- Opening --------------------------------------------------------------------------------- */

static void a_created_store_opens_again_with_its_rows(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, SPEAN_TABLE_LOCAL, "key", fixture_text("value"));
    fixture_close(f);

    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    uint8_t buf[8];
    assert_int_equal(fixture_get(f, SPEAN_TABLE_LOCAL, "key", buf, sizeof(buf)), 5);
    assert_memory_equal(buf, "value", 5);
}

static void directory_and_files_are_their_owners_alone(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"store/data.mdb", "store/lock.mdb", "store/lock"};
    struct stat st;
    assert_int_equal(stat(f->store, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[FIXTURE_PATH_BYTES];
        fixture_path(f, names[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0077, 0);
    }
}

static void an_open_directory_is_closed_to_others_before_anything_is_written(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->store, 0700), 0);
    assert_int_equal(chmod(f->store, 0755), 0);
    assert_int_equal(fixture_open(f, true, FIXTURE_MAP_BYTES), SPEAN_OK);
    struct stat st;
    assert_int_equal(stat(f->store, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void a_default_map_is_sparse(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f, true, 0), SPEAN_OK);
    struct spean_db_stat stat_now;
    assert_int_equal(spean_db_stat(f->db, &stat_now), SPEAN_OK);
    assert_int_equal(stat_now.map_bytes, SPEAN_DB_MAP_BYTES_DEFAULT);
    assert_true(stat_now.file_bytes < 1024 * 1024);
}

static void a_missing_store_is_not_found_and_not_made(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_ENOTFOUND);
    assert_int_equal(access(f->store, F_OK), -1);
    assert_int_equal(mkdir(f->store, 0700), 0);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_ENOTFOUND);
    assert_null(f->db);
}

static void a_missing_parent_is_not_found(void **state)
{
    struct fixture *f = *state;
    fixture_path(f, "nowhere/store", f->store);
    assert_int_equal(fixture_open(f, true, FIXTURE_MAP_BYTES), SPEAN_ENOTFOUND);
}

static void creating_over_a_store_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, SPEAN_TABLE_LOCAL, "key", fixture_text("value"));
    fixture_close(f);
    assert_int_equal(fixture_open(f, true, FIXTURE_MAP_BYTES), SPEAN_EEXISTS);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "key"), SPEAN_OK);
}

static void a_creation_cut_short_is_taken_up_again(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->store, 0700), 0);
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, "store/data.mdb", path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);

    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_ENOTFOUND);
    assert_int_equal(fixture_open(f, true, FIXTURE_MAP_BYTES), SPEAN_OK);
}

static void a_second_opener_is_refused_in_the_same_process(void **state)
{
    struct fixture *f = *state;
    struct fixture second = *f;
    second.db = NULL;
    assert_int_equal(fixture_open(&second, false, FIXTURE_MAP_BYTES), SPEAN_EBUSY);
    assert_int_equal(fixture_open(&second, true, FIXTURE_MAP_BYTES), SPEAN_EBUSY);
    assert_null(second.db);
}

/* Run body in a child process and return the error it returned. */
static spean_err in_child(spean_err (*body)(struct fixture *), struct fixture *f)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit((int)body(f));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return (spean_err)WEXITSTATUS(status);
}

static spean_err open_again(struct fixture *f)
{
    struct fixture second = *f;
    second.db = NULL;
    return fixture_open(&second, false, FIXTURE_MAP_BYTES);
}

static void a_second_process_is_refused_until_the_first_lets_go(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(in_child(open_again, f), SPEAN_EBUSY);
    fixture_close(f);
    assert_int_equal(in_child(open_again, f), SPEAN_OK);
}

static void a_newer_format_is_refused_by_name_and_left_alone(void **state)
{
    struct fixture *f = *state;
    const uint8_t newer[] = {0, 0, 0, SPEAN_STORE_FORMAT + 1};
    fixture_put(f, SPEAN_TABLE_META, "format", (struct spean_view){newer, sizeof(newer)});
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_EVERSION);
    assert_int_equal(fixture_open(f, true, FIXTURE_MAP_BYTES), SPEAN_EEXISTS);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_EVERSION);
}

/* The second format made rows of list items: what was folded goes, and is folded again. */
static void a_store_of_the_first_format_keeps_its_logs_and_forgets_what_was_folded(void **state)
{
    struct fixture *f = *state;
    const uint8_t first[] = {0, 0, 0, 1};
    uint8_t buf[8];
    fixture_put(f, SPEAN_TABLE_ENTRIES, "entry", fixture_text("kept"));
    fixture_put(f, SPEAN_TABLE_ERASURES, "part", fixture_text("kept"));
    fixture_put(f, SPEAN_TABLE_STATES, "part", fixture_text("old"));
    fixture_put(f, SPEAN_TABLE_FOLD_CURSORS, "log", fixture_text("old"));
    fixture_put(f, SPEAN_TABLE_META, "format", (struct spean_view){first, sizeof(first)});
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);
    assert_int_equal(fixture_get(f, SPEAN_TABLE_META, "format", buf, sizeof(buf)), sizeof(first));
    assert_int_equal(buf[sizeof(first) - 1], SPEAN_STORE_FORMAT);
    assert_int_equal(fixture_get(f, SPEAN_TABLE_ENTRIES, "entry", buf, sizeof(buf)), 4);
    assert_int_equal(fixture_get(f, SPEAN_TABLE_ERASURES, "part", buf, sizeof(buf)), 4);
    static const enum spean_table folded[] = {SPEAN_TABLE_STATES, SPEAN_TABLE_FOLD_CURSORS};
    for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++) {
        struct spean_tx *tx;
        struct spean_cursor cursor;
        struct spean_view key;
        struct spean_view value;
        assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
        assert_int_equal(spean_cursor_init(&cursor, tx, folded[i], (struct spean_view){0}),
                         SPEAN_OK);
        assert_int_equal(spean_cursor_first(&cursor, &key, &value), SPEAN_ENOTFOUND);
        spean_cursor_fini(&cursor);
        spean_tx_abort(tx);
    }
}

/* A row of a log as format 2 had it at first: it does not say how far the log may grow. */
static struct spean_view old_log_row(uint8_t *buf, size_t cap, const struct spean_id *log)
{
    struct spean_writer w;
    struct spean_view row;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, 8);
    for (unsigned i = 0; i < 3; i++) { /* Log, organisation, signing key. */
        spean_writer_bin(&w, log->bytes, sizeof(log->bytes));
    }
    spean_writer_uint(&w, 3);
    spean_writer_bin(&w, log->bytes, sizeof(log->bytes));
    spean_writer_uint(&w, 900); /* Bytes. */
    spean_writer_uint(&w, SPEAN_LOG_PAUSED);
    spean_writer_uint(&w, 70); /* Bytes set aside. */
    assert_int_equal(spean_writer_end(&w, &row), SPEAN_OK);
    return row;
}

static void put_row(struct spean_db *db, enum spean_table table, struct spean_view key,
                    struct spean_view value)
{
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_tx_put(tx, table, key, value), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

static void the_third_format_writes_the_rows_of_logs_anew_and_folds_again(void **state)
{
    struct fixture *f = *state;
    const uint8_t second[] = {0, 0, 0, 2};
    const uint8_t number[] = {0, 0, 0, 0};
    const struct spean_id log = {{7}};
    const struct spean_tag erased = {{1}};
    const struct spean_tag held = {{2}};
    uint8_t buf[256];
    const struct spean_view number_view = {number, sizeof(number)};
    put_row(f->db, SPEAN_TABLE_LOG_IDS, (struct spean_view){log.bytes, sizeof(log.bytes)},
            number_view);
    put_row(f->db, SPEAN_TABLE_LOGS, number_view, old_log_row(buf, sizeof(buf), &log));
    fixture_put(f, SPEAN_TABLE_FOLD_CURSORS, "log", fixture_text("old"));
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_partkeys_put_tag(tx, &erased, 0), SPEAN_OK);
    assert_int_equal(spean_partkeys_put_tag(tx, &held, 9), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    fixture_put(f, SPEAN_TABLE_META, "format", (struct spean_view){second, sizeof(second)});
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_OK);

    struct spean_logs_row row;
    struct spean_view value;
    uint32_t key_number;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_logs_get(tx, &log, &row), SPEAN_OK);
    assert_int_equal(row.head.seq, 3);
    assert_int_equal(row.bytes, 900);
    assert_int_equal(row.standing, SPEAN_LOG_PAUSED);
    assert_int_equal(row.aside_bytes, 70);
    assert_int_equal(row.allowed_bytes, 0);
    assert_int_equal(spean_tx_get(tx, SPEAN_TABLE_FOLD_CURSORS, fixture_text("log"), &value),
                     SPEAN_ENOTFOUND);
    assert_int_equal(spean_partkeys_number_of(tx, &erased, &key_number), SPEAN_OK);
    assert_int_equal(key_number, 0); /* Refused before, after, and in between. */
    assert_int_equal(spean_partkeys_number_of(tx, &held, &key_number), SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
}

static void a_log_row_that_is_damaged_stops_the_migration(void **state)
{
    struct fixture *f = *state;
    const uint8_t second[] = {0, 0, 0, 2};
    const uint8_t number[] = {0, 0, 0, 0};
    const struct spean_id log = {{7}};
    uint8_t buf[256];
    struct spean_view row = old_log_row(buf, sizeof(buf), &log);
    row.len--;
    put_row(f->db, SPEAN_TABLE_LOGS, (struct spean_view){number, sizeof(number)}, row);
    fixture_put(f, SPEAN_TABLE_META, "format", (struct spean_view){second, sizeof(second)});
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_ECORRUPT);
}

static void expect_corrupt_format(struct fixture *f, const uint8_t *row, size_t len)
{
    fixture_put(f, SPEAN_TABLE_META, "format", (struct spean_view){row, len});
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_ECORRUPT);
}

static void format_zero_is_corrupt(void **state)
{
    const uint8_t row[] = {0, 0, 0, 0};
    expect_corrupt_format(*state, row, sizeof(row));
}

static void a_format_row_with_a_byte_too_many_is_corrupt(void **state)
{
    const uint8_t row[] = {0, 0, 0, 1, 0};
    expect_corrupt_format(*state, row, sizeof(row));
}

static void a_format_row_with_a_byte_missing_is_corrupt(void **state)
{
    const uint8_t row[] = {0, 0, 1};
    expect_corrupt_format(*state, row, sizeof(row));
}

static void a_store_without_a_format_row_is_corrupt(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_tx_del(tx, SPEAN_TABLE_META, fixture_text("format")), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    fixture_close(f);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_ECORRUPT);
}

static void a_file_that_is_no_store_is_corrupt(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->store, 0700), 0);
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, "store/data.mdb", path);
    static uint8_t junk[16384];
    (void)memset(junk, 0x5a, sizeof(junk));
    assert_int_equal(spean_file_write_new(path, (struct spean_view){junk, sizeof(junk)}), SPEAN_OK);
    assert_int_equal(fixture_open(f, false, FIXTURE_MAP_BYTES), SPEAN_ECORRUPT);
    assert_int_equal(fixture_open(f, true, FIXTURE_MAP_BYTES), SPEAN_ECORRUPT);
}

static void a_map_size_out_of_range_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f, true, SPEAN_DB_MAP_BYTES_MIN - 1), SPEAN_EINPUT);
    assert_int_equal(fixture_open(f, true, SPEAN_DB_MAP_BYTES_MAX + 1), SPEAN_EINPUT);
    assert_int_equal(fixture_open(f, true, SPEAN_DB_MAP_BYTES_MIN), SPEAN_OK);
}

static void only_file_systems_on_the_list_are_refused(void **state)
{
    struct fixture *f = *state;
    assert_null(spean_db_filesystem_refused(f->dir));
    assert_null(spean_db_filesystem_refused("/nonexistent"));
}

/* -- Transactions ---------------------------------------------------------------------------- */

static void an_aborted_transaction_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(fixture_put_local(tx, "key", "value"), SPEAN_OK);
    spean_tx_abort(tx);
    assert_int_equal(fixture_has_local(f, "key"), SPEAN_ENOTFOUND);
}

static void tables_do_not_see_each_others_rows(void **state)
{
    struct fixture *f = *state;
    fixture_put(f, SPEAN_TABLE_META, "key", fixture_text("value"));
    assert_int_equal(fixture_has_local(f, "key"), SPEAN_ENOTFOUND);
}

static void a_reader_sees_the_store_as_it_was_when_it_began(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *reader = fixture_begin(f, SPEAN_TX_READ);
    fixture_put(f, SPEAN_TABLE_LOCAL, "key", fixture_text("value"));
    struct spean_view value;
    assert_int_equal(spean_tx_get(reader, SPEAN_TABLE_LOCAL, fixture_text("key"), &value),
                     SPEAN_ENOTFOUND);
    assert_int_equal(spean_tx_commit(reader), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "key"), SPEAN_OK);
}

static void a_second_writer_is_told_to_wait(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *first = fixture_begin(f, SPEAN_TX_WRITE);
    struct spean_tx *second = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &second), SPEAN_EBUSY);
    assert_null(second);
    spean_tx_abort(first);
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &second), SPEAN_OK);
    spean_tx_abort(second);
}

static void one_reader_too_many_is_refused(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *readers[SPEAN_DB_READS_MAX];
    for (size_t i = 0; i < SPEAN_DB_READS_MAX; i++) {
        readers[i] = fixture_begin(f, SPEAN_TX_READ);
    }
    struct spean_tx *more = NULL;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &more), SPEAN_EBUSY);
    spean_tx_abort(readers[7]);
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &readers[7]), SPEAN_OK);
    for (size_t i = 0; i < SPEAN_DB_READS_MAX; i++) {
        spean_tx_abort(readers[i]);
    }
}

static void the_age_of_the_oldest_read_is_told(void **state)
{
    struct fixture *f = *state;
    clock_ms = 500;
    const struct spean_db_options options = {
        .dir = f->store,
        .map_bytes = FIXTURE_MAP_BYTES,
        .create = true,
        .now_ms = fake_now_ms,
    };
    assert_int_equal(spean_db_open(&options, &f->db), SPEAN_OK);
    assert_int_equal(spean_db_oldest_read_ms(f->db), 0);
    struct spean_tx *old = fixture_begin(f, SPEAN_TX_READ);
    clock_ms = 900;
    struct spean_tx *young = fixture_begin(f, SPEAN_TX_READ);
    clock_ms = 2600;
    assert_int_equal(spean_db_oldest_read_ms(f->db), 2100);
    spean_tx_abort(old);
    assert_int_equal(spean_db_oldest_read_ms(f->db), 1700);
    spean_tx_abort(young);
    assert_int_equal(spean_db_oldest_read_ms(f->db), 0);
}

static void the_first_error_sticks_and_nothing_is_committed(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(fixture_put_local(tx, "key", "value"), SPEAN_OK);
    assert_int_equal(spean_tx_fail(tx, SPEAN_EFORK), SPEAN_EFORK);
    assert_int_equal(spean_tx_fail(tx, SPEAN_EGAP), SPEAN_EFORK);
    assert_int_equal(fixture_put_local(tx, "other", "value"), SPEAN_EFORK);
    struct spean_view value;
    assert_int_equal(spean_tx_get(tx, SPEAN_TABLE_LOCAL, fixture_text("key"), &value), SPEAN_EFORK);
    assert_int_equal(spean_tx_del(tx, SPEAN_TABLE_LOCAL, fixture_text("key")), SPEAN_EFORK);
    uint8_t *room = NULL;
    assert_int_equal(
        spean_tx_reserve(tx, SPEAN_TABLE_LOCAL, fixture_text("key"), 4, SPEAN_TX_ANYWHERE, &room),
        SPEAN_EFORK);
    struct spean_cursor cursor;
    assert_int_equal(spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, (struct spean_view){0}),
                     SPEAN_EFORK);
    assert_int_equal(spean_tx_err(tx), SPEAN_EFORK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_EFORK);
    assert_int_equal(fixture_has_local(f, "key"), SPEAN_ENOTFOUND);
    assert_int_equal(spean_db_broken(f->db), SPEAN_OK);
}

static void answers_do_not_stick(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    struct spean_view value;
    assert_int_equal(spean_tx_get(tx, SPEAN_TABLE_LOCAL, fixture_text("key"), &value),
                     SPEAN_ENOTFOUND);
    assert_int_equal(spean_tx_del(tx, SPEAN_TABLE_LOCAL, fixture_text("key")), SPEAN_ENOTFOUND);
    assert_int_equal(
        spean_tx_put_new(tx, SPEAN_TABLE_LOCAL, fixture_text("key"), fixture_text("1")), SPEAN_OK);
    assert_int_equal(
        spean_tx_put_new(tx, SPEAN_TABLE_LOCAL, fixture_text("key"), fixture_text("2")),
        SPEAN_EEXISTS);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    uint8_t buf[1];
    assert_int_equal(fixture_get(f, SPEAN_TABLE_LOCAL, "key", buf, sizeof(buf)), 1);
    assert_int_equal(buf[0], '1');
}

static void appending_out_of_order_fails_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    uint8_t *room = NULL;
    assert_int_equal(
        spean_tx_reserve(tx, SPEAN_TABLE_LOCAL, fixture_text("b"), 1, SPEAN_TX_AT_END, &room),
        SPEAN_OK);
    room[0] = '1';
    assert_int_equal(
        spean_tx_reserve(tx, SPEAN_TABLE_LOCAL, fixture_text("b"), 1, SPEAN_TX_AT_END, &room),
        SPEAN_EEXISTS);
    assert_int_equal(spean_tx_commit(tx), SPEAN_EEXISTS);
    assert_int_equal(fixture_has_local(f, "b"), SPEAN_ENOTFOUND);
}

static void a_reserved_row_holds_what_was_filled_in(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    uint8_t *room = NULL;
    assert_int_equal(
        spean_tx_reserve(tx, SPEAN_TABLE_LOCAL, fixture_text("a"), 4, SPEAN_TX_ANYWHERE, &room),
        SPEAN_OK);
    (void)memcpy(room, "aaaa", 4);
    assert_int_equal(
        spean_tx_reserve(tx, SPEAN_TABLE_LOCAL, fixture_text("b"), 4, SPEAN_TX_AT_END, &room),
        SPEAN_OK);
    (void)memcpy(room, "bbbb", 4);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    uint8_t buf[4];
    assert_int_equal(fixture_get(f, SPEAN_TABLE_LOCAL, "a", buf, sizeof(buf)), 4);
    assert_memory_equal(buf, "aaaa", 4);
    assert_int_equal(fixture_get(f, SPEAN_TABLE_LOCAL, "b", buf, sizeof(buf)), 4);
    assert_memory_equal(buf, "bbbb", 4);
}

static void a_value_of_the_limit_is_kept_and_one_byte_more_is_refused(void **state)
{
    struct fixture *f = *state;
    static uint8_t bytes[SPEAN_DB_VALUE_BYTES_MAX + 1];
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_tx_put(tx, SPEAN_TABLE_LOCAL, fixture_text("key"),
                                  (struct spean_view){bytes, SPEAN_DB_VALUE_BYTES_MAX}),
                     SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_tx_put(tx, SPEAN_TABLE_LOCAL, fixture_text("key"),
                                  (struct spean_view){bytes, sizeof(bytes)}),
                     SPEAN_ELIMIT);
    assert_int_equal(spean_tx_commit(tx), SPEAN_ELIMIT);
}

/* -- No room --------------------------------------------------------------------------------- */

/* Write numbered rows of 2,000 bytes until something fails. Returns that error. */
static spean_err fill(struct spean_tx *tx, uint32_t from, uint32_t rows_max)
{
    static const uint8_t bytes[2000] = {1};
    for (uint32_t i = 0; i < rows_max; i++) {
        struct spean_db_key key = {0};
        spean_db_key_put_u32(&key, from + i);
        const spean_err err = spean_tx_put(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&key),
                                           (struct spean_view){bytes, sizeof(bytes)});
        if (err != SPEAN_OK) {
            return err;
        }
    }
    return SPEAN_OK;
}

static void a_full_map_leaves_nothing_of_the_transaction_and_a_usable_store(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f, true, SPEAN_DB_MAP_BYTES_MIN), SPEAN_OK);
    fixture_put(f, SPEAN_TABLE_LOCAL, "before", fixture_text("value"));

    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    struct spean_cursor cursor;
    assert_int_equal(spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, (struct spean_view){0}),
                     SPEAN_OK);
    assert_int_equal(fill(tx, 0, 1000), SPEAN_EFULL);
    assert_int_equal(fixture_put_local(tx, "during", "value"), SPEAN_EFULL);
    struct spean_view key;
    struct spean_view value;
    assert_int_equal(spean_cursor_first(&cursor, &key, &value), SPEAN_EFULL);
    spean_cursor_fini(&cursor);
    assert_int_equal(spean_tx_commit(tx), SPEAN_EFULL);

    assert_int_equal(spean_db_broken(f->db), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "before"), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "during"), SPEAN_ENOTFOUND);
    struct spean_db_key first = {0};
    spean_db_key_put_u32(&first, 0);
    tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_tx_get(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&first), &value),
                     SPEAN_ENOTFOUND);
    assert_int_equal(fixture_put_local(tx, "after", "value"), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_int_equal(fixture_has_local(f, "after"), SPEAN_OK);
}

static void fill_disk_at_commit(struct fixture *f, uint64_t room_bytes)
{
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_IGN); /* Then the write fails, as it does on a full disk. */
    struct spean_db_stat used;
    assert_int_equal(spean_db_stat(f->db, &used), SPEAN_OK);
    const struct rlimit tight = {.rlim_cur = used.file_bytes + room_bytes,
                                 .rlim_max = before.rlim_max};

    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(fill(tx, 0, 1000), SPEAN_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const spean_err err = spean_tx_commit(tx);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(err, SPEAN_EFULL);

    assert_int_equal(spean_db_broken(f->db), SPEAN_OK);
    fixture_put(f, SPEAN_TABLE_LOCAL, "after", fixture_text("value"));
    assert_int_equal(fixture_has_local(f, "after"), SPEAN_OK);
}

static void a_full_disk_at_commit_leaves_a_usable_store(void **state)
{
    fill_disk_at_commit(*state, 0);
    assert_int_equal(fixture_has_local(*state, "after"), SPEAN_OK);
}

/* LMDB calls that an input or output error, as if the disk had died. */
static void a_disk_that_fills_up_within_a_write_is_a_full_disk(void **state)
{
    fill_disk_at_commit(*state, 5000);
    assert_int_equal(fixture_has_local(*state, "after"), SPEAN_OK);
}

/* Commit with LMDB's file descriptors closed under it, as a dying disk would fail it. */
static spean_err commit_on_a_dead_disk(struct fixture *f)
{
    struct spean_tx *tx;
    if (fixture_open(f, true, FIXTURE_MAP_BYTES) != SPEAN_OK ||
        spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx) != SPEAN_OK ||
        fixture_put_local(tx, "key", "value") != SPEAN_OK) {
        return SPEAN_ESTATE;
    }
    for (int fd = STDERR_FILENO + 1; fd < 64; fd++) {
        (void)close(fd);
    }
    if (spean_tx_commit(tx) != SPEAN_EIO || spean_db_broken(f->db) != SPEAN_EIO) {
        return SPEAN_ESTATE;
    }
    return spean_tx_begin(f->db, SPEAN_TX_READ, &tx);
}

static void any_other_commit_error_breaks_the_store(void **state)
{
    assert_int_equal(in_child(commit_on_a_dead_disk, *state), SPEAN_EIO);
}

static void deleted_rows_are_counted_as_free(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(fill(tx, 0, 1000), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    struct spean_db_stat full;
    assert_int_equal(spean_db_stat(f->db, &full), SPEAN_OK);
    assert_true(full.file_bytes > 1000 * 2000);
    assert_true(full.file_bytes <= full.map_bytes);

    tx = fixture_begin(f, SPEAN_TX_WRITE);
    for (uint32_t i = 0; i < 1000; i++) {
        struct spean_db_key key = {0};
        spean_db_key_put_u32(&key, i);
        assert_int_equal(spean_tx_del(tx, SPEAN_TABLE_LOCAL, spean_db_key_view(&key)), SPEAN_OK);
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    struct spean_db_stat empty;
    assert_int_equal(spean_db_stat(f->db, &empty), SPEAN_OK);
    assert_true(empty.free_bytes > full.free_bytes + 1000 * 2000);
    assert_true(empty.free_bytes < empty.file_bytes);
}

static void checking_readers_frees_none_of_the_living(void **state)
{
    struct fixture *f = *state;
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_READ);
    unsigned freed = 7;
    assert_int_equal(spean_db_check_readers(f->db, &freed), SPEAN_OK);
    assert_int_equal(freed, 0);
    spean_tx_abort(tx);
}

/* -- Keys and cursors ------------------------------------------------------------------------ */

static void composite_keys_are_big_endian(void **state)
{
    (void)state;
    struct spean_db_key key = {0};
    spean_db_key_put_u8(&key, 0x01);
    spean_db_key_put_u32(&key, 0x02030405);
    spean_db_key_put_u64(&key, 0x060708090a0b0c0dull);
    spean_db_key_put_bytes(&key, (const uint8_t *)"xy", 2);
    const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 'x', 'y'};
    const struct spean_view view = spean_db_key_view(&key);
    assert_int_equal(view.len, sizeof(expected));
    assert_memory_equal(view.data, expected, sizeof(expected));

    uint32_t small = 0;
    uint64_t big = 0;
    assert_int_equal(spean_db_key_u32_at(view, 1, &small), SPEAN_OK);
    assert_int_equal(small, 0x02030405);
    assert_int_equal(spean_db_key_u64_at(view, 5, &big), SPEAN_OK);
    assert_int_equal(big, 0x060708090a0b0c0dull);
}

static void numbers_beyond_the_end_of_a_key_are_corrupt(void **state)
{
    (void)state;
    const uint8_t bytes[8] = {0};
    const struct spean_view view = {bytes, sizeof(bytes)};
    uint32_t small = 7;
    uint64_t big = 7;
    assert_int_equal(spean_db_key_u32_at(view, 5, &small), SPEAN_ECORRUPT);
    assert_int_equal(spean_db_key_u64_at(view, 1, &big), SPEAN_ECORRUPT);
    assert_int_equal(spean_db_key_u64_at(view, 9, &big), SPEAN_ECORRUPT);
    assert_int_equal(spean_db_key_u64_at(view, SIZE_MAX, &big), SPEAN_ECORRUPT);
    assert_int_equal(small, 7);
    assert_int_equal(big, 7);
    assert_int_equal(spean_db_key_u64_at(view, 0, &big), SPEAN_OK);
}

/* Rows "a", "b1", "b2", "b3", "c" and two that begin with bytes of 0xff. */
static struct spean_tx *begin_with_rows(struct fixture *f)
{
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_WRITE);
    static const char *const keys[] = {"a", "b1", "b2", "b3", "c", "\xff\xff", "\xff\xffz"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        assert_int_equal(fixture_put_local(tx, keys[i], keys[i]), SPEAN_OK);
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    return fixture_begin(f, SPEAN_TX_READ);
}

typedef spean_err cursor_step(struct spean_cursor *, struct spean_view *, struct spean_view *);

static void expect_step(struct spean_cursor *cursor, cursor_step *step, const char *expected)
{
    struct spean_view key = {0};
    struct spean_view value = {0};
    assert_int_equal(step(cursor, &key, &value), expected ? SPEAN_OK : SPEAN_ENOTFOUND);
    if (expected != NULL) {
        assert_int_equal(key.len, strlen(expected));
        assert_memory_equal(key.data, expected, key.len);
        assert_int_equal(value.len, key.len);
        assert_memory_equal(value.data, key.data, key.len);
    }
}

static void a_cursor_walks_within_its_prefix(void **state)
{
    struct spean_tx *tx = begin_with_rows(*state);
    struct spean_cursor cursor;
    assert_int_equal(spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, fixture_text("b")),
                     SPEAN_OK);
    expect_step(&cursor, spean_cursor_first, "b1");
    expect_step(&cursor, spean_cursor_next, "b2");
    expect_step(&cursor, spean_cursor_next, "b3");
    expect_step(&cursor, spean_cursor_next, NULL);
    expect_step(&cursor, spean_cursor_last, "b3");
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
}

static void the_first_key_is_the_lowest_of_its_prefix(void **state)
{
    struct spean_tx *tx = begin_with_rows(*state);
    struct spean_db_key key = {{0}, 0};
    assert_int_equal(spean_tx_first(tx, SPEAN_TABLE_LOCAL, fixture_text("b"), &key), SPEAN_OK);
    assert_int_equal(key.len, 2);
    assert_memory_equal(key.bytes, "b1", 2);
    assert_int_equal(spean_tx_first(tx, SPEAN_TABLE_LOCAL, (struct spean_view){0}, &key), SPEAN_OK);
    assert_int_equal(key.len, 1);
    assert_memory_equal(key.bytes, "a", 1);
    assert_int_equal(spean_tx_first(tx, SPEAN_TABLE_LOCAL, fixture_text("d"), &key),
                     SPEAN_ENOTFOUND);
    assert_int_equal(key.len, 1);
    spean_tx_abort(tx);
}

static void a_new_row_is_numbered_behind_the_last_until_no_number_is_left(void **state)
{
    struct spean_tx *tx = fixture_begin(*state, SPEAN_TX_WRITE);
    const uint32_t lasts[] = {0, 7, UINT32_MAX - 1, UINT32_MAX};
    uint32_t number = 99;
    assert_int_equal(spean_tx_number_next(tx, SPEAN_TABLE_LOGS, 5, &number), SPEAN_OK);
    assert_int_equal(number, 5);
    for (size_t i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++) {
        struct spean_db_key key = {0};
        spean_db_key_put_u32(&key, lasts[i]);
        assert_int_equal(
            spean_tx_put(tx, SPEAN_TABLE_LOGS, spean_db_key_view(&key), fixture_text("row")),
            SPEAN_OK);
        const spean_err err = spean_tx_number_next(tx, SPEAN_TABLE_LOGS, 5, &number);
        assert_int_equal(err, lasts[i] == UINT32_MAX ? SPEAN_ELIMIT : SPEAN_OK);
        assert_int_equal(number, lasts[i] == UINT32_MAX ? UINT32_MAX : lasts[i] + 1);
    }
    spean_tx_abort(tx);
}

static void a_row_without_a_number_is_damage(void **state)
{
    struct spean_tx *tx = fixture_begin(*state, SPEAN_TX_WRITE);
    uint32_t number = 99;
    assert_int_equal(spean_tx_put(tx, SPEAN_TABLE_LOGS, fixture_text("ab"), fixture_text("row")),
                     SPEAN_OK);
    assert_int_equal(spean_tx_number_next(tx, SPEAN_TABLE_LOGS, 5, &number), SPEAN_ECORRUPT);
    assert_int_equal(number, 99);
    spean_tx_abort(tx);
}

static void rows_are_counted_within_a_prefix_and_no_further_than_asked(void **state)
{
    struct spean_tx *tx = begin_with_rows(*state);
    const struct {
        const char *prefix;
        uint64_t max;
        uint64_t count;
    } cases[] = {{"b", 9, 3}, {"b", 3, 3}, {"b", 2, 2}, {"b", 0, 0}, {"d", 9, 0}, {"", 99, 7}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t count = 77;
        assert_int_equal(spean_tx_count(tx, SPEAN_TABLE_LOCAL, fixture_text(cases[i].prefix),
                                        cases[i].max, &count),
                         SPEAN_OK);
        assert_int_equal(count, cases[i].count);
    }
    spean_tx_abort(tx);
}

static void a_cursor_without_a_prefix_walks_the_whole_table(void **state)
{
    struct spean_tx *tx = begin_with_rows(*state);
    struct spean_cursor cursor;
    assert_int_equal(spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, (struct spean_view){0}),
                     SPEAN_OK);
    expect_step(&cursor, spean_cursor_first, "a");
    expect_step(&cursor, spean_cursor_last, "\xff\xffz");
    expect_step(&cursor, spean_cursor_next, NULL);
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
}

static void the_last_row_of_a_prefix_of_highest_bytes_is_found(void **state)
{
    struct spean_tx *tx = begin_with_rows(*state);
    struct spean_cursor cursor;
    assert_int_equal(spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, fixture_text("\xff")),
                     SPEAN_OK);
    expect_step(&cursor, spean_cursor_last, "\xff\xffz");
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
}

static void a_prefix_without_rows_has_neither_first_nor_last(void **state)
{
    struct spean_tx *tx = begin_with_rows(*state);
    static const char *const prefixes[] = {"A", "b0", "bb", "d", "\xff\xff\xff"};
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        struct spean_cursor cursor;
        assert_int_equal(
            spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, fixture_text(prefixes[i])), SPEAN_OK);
        expect_step(&cursor, spean_cursor_first, NULL);
        expect_step(&cursor, spean_cursor_last, NULL);
        spean_cursor_fini(&cursor);
    }
    spean_tx_abort(tx);
}

static void seeking_finds_the_neighbour_on_the_asked_side(void **state)
{
    struct spean_tx *tx = begin_with_rows(*state);
    static const struct {
        const char *at;
        const char *upward;
        const char *downward;
    } rows[] = {
        {"b", "b1", NULL},   {"b0", "b1", NULL}, {"b1", "b1", "b1"},
        {"b1x", "b2", "b1"}, {"b3", "b3", "b3"}, {"b4", NULL, "b3"},
    };
    struct spean_cursor cursor;
    assert_int_equal(spean_cursor_init(&cursor, tx, SPEAN_TABLE_LOCAL, fixture_text("b")),
                     SPEAN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_view key = {0};
        struct spean_view value = {0};
        const spean_err up = spean_cursor_seek(&cursor, fixture_text(rows[i].at), &key, &value);
        assert_int_equal(up, rows[i].upward ? SPEAN_OK : SPEAN_ENOTFOUND);
        if (rows[i].upward != NULL) {
            assert_memory_equal(key.data, rows[i].upward, 2);
        }
        const spean_err down =
            spean_cursor_seek_back(&cursor, fixture_text(rows[i].at), &key, &value);
        assert_int_equal(down, rows[i].downward ? SPEAN_OK : SPEAN_ENOTFOUND);
        if (rows[i].downward != NULL) {
            assert_memory_equal(key.data, rows[i].downward, 2);
        }
    }
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
}

static void the_name_of_a_table_stands_for_one_table_on_disk(void **state)
{
    (void)state;
    static const char *const names[] = {
#define NAME_OF(table, name) [table] = (name),
        SPEAN_TABLE_TABLE(NAME_OF)
#undef NAME_OF
    };
    for (unsigned i = 0; i < SPEAN_TABLES_COUNT; i++) {
        assert_true(strlen(names[i]) > 0);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(names[i], names[j]);
        }
    }
    assert_string_equal(names[SPEAN_TABLE_META], "meta");
    assert_int_equal(SPEAN_TABLE_META, 0);
}

#define ON_DIR(test)   cmocka_unit_test_setup_teardown(test, fixture_dir_setup, fixture_teardown)
#define ON_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_store_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STORE(a_created_store_opens_again_with_its_rows),
        ON_STORE(directory_and_files_are_their_owners_alone),
        ON_DIR(an_open_directory_is_closed_to_others_before_anything_is_written),
        ON_DIR(a_default_map_is_sparse),
        ON_DIR(a_missing_store_is_not_found_and_not_made),
        ON_DIR(a_missing_parent_is_not_found),
        ON_STORE(creating_over_a_store_is_refused),
        ON_DIR(a_creation_cut_short_is_taken_up_again),
        ON_STORE(a_second_opener_is_refused_in_the_same_process),
        ON_STORE(a_second_process_is_refused_until_the_first_lets_go),
        ON_STORE(a_newer_format_is_refused_by_name_and_left_alone),
        ON_STORE(a_store_of_the_first_format_keeps_its_logs_and_forgets_what_was_folded),
        ON_STORE(the_third_format_writes_the_rows_of_logs_anew_and_folds_again),
        ON_STORE(a_log_row_that_is_damaged_stops_the_migration),
        ON_STORE(format_zero_is_corrupt),
        ON_STORE(a_format_row_with_a_byte_too_many_is_corrupt),
        ON_STORE(a_format_row_with_a_byte_missing_is_corrupt),
        ON_STORE(a_store_without_a_format_row_is_corrupt),
        ON_DIR(a_file_that_is_no_store_is_corrupt),
        ON_DIR(a_map_size_out_of_range_is_refused),
        ON_DIR(only_file_systems_on_the_list_are_refused),
        ON_STORE(an_aborted_transaction_leaves_nothing),
        ON_STORE(tables_do_not_see_each_others_rows),
        ON_STORE(a_reader_sees_the_store_as_it_was_when_it_began),
        ON_STORE(a_second_writer_is_told_to_wait),
        ON_STORE(one_reader_too_many_is_refused),
        ON_DIR(the_age_of_the_oldest_read_is_told),
        ON_STORE(the_first_error_sticks_and_nothing_is_committed),
        ON_STORE(answers_do_not_stick),
        ON_STORE(appending_out_of_order_fails_the_transaction),
        ON_STORE(a_reserved_row_holds_what_was_filled_in),
        ON_STORE(a_value_of_the_limit_is_kept_and_one_byte_more_is_refused),
        ON_DIR(a_full_map_leaves_nothing_of_the_transaction_and_a_usable_store),
        ON_STORE(a_full_disk_at_commit_leaves_a_usable_store),
        ON_STORE(a_disk_that_fills_up_within_a_write_is_a_full_disk),
        ON_DIR(any_other_commit_error_breaks_the_store),
        ON_STORE(deleted_rows_are_counted_as_free),
        ON_STORE(checking_readers_frees_none_of_the_living),
        cmocka_unit_test(composite_keys_are_big_endian),
        cmocka_unit_test(numbers_beyond_the_end_of_a_key_are_corrupt),
        ON_STORE(a_cursor_walks_within_its_prefix),
        ON_STORE(the_first_key_is_the_lowest_of_its_prefix),
        ON_STORE(a_new_row_is_numbered_behind_the_last_until_no_number_is_left),
        ON_STORE(a_row_without_a_number_is_damage),
        ON_STORE(rows_are_counted_within_a_prefix_and_no_further_than_asked),
        ON_STORE(a_cursor_without_a_prefix_walks_the_whole_table),
        ON_STORE(the_last_row_of_a_prefix_of_highest_bytes_is_found),
        ON_STORE(a_prefix_without_rows_has_neither_first_nor_last),
        ON_STORE(seeking_finds_the_neighbour_on_the_asked_side),
        cmocka_unit_test(the_name_of_a_table_stands_for_one_table_on_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
