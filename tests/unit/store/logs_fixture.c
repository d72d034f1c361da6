#include "tests/unit/store/logs_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int logs_fixture_setup(void **state)
{
    struct logs_fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    void *store = NULL;
    (void)fixture_store_setup(&store); /* Asserts inside. */
    f->store = store;
    assert_int_equal(spean_run_new(&f->run), SPEAN_OK);
    f->buf = malloc(SPEAN_FRAME_BYTES_MAX);
    f->out = malloc(SPEAN_FRAME_BYTES_MAX);
    assert_non_null(f->buf);
    assert_non_null(f->out);
    (void)memset(f->from.bytes, 0x77, sizeof(f->from.bytes));
    *state = f;
    return 0;
}

int logs_fixture_teardown(void **state)
{
    struct logs_fixture *f = *state;
    void *store = f->store;
    (void)fixture_teardown(&store);
    spean_run_free(f->run);
    free(f->buf);
    free(f->out);
    free(f);
    return 0;
}

struct spean_log logs_fixture_open(const struct logkit *k)
{
    struct spean_log log = {.id = k->log, .signing = k->signing, .status = SPEAN_LOG_OPEN};
    (void)memset(log.org.bytes, k->seed[0], sizeof(log.org.bytes));
    return log;
}

struct spean_log logs_fixture_cut(const struct logkit *k, uint32_t seq)
{
    struct spean_log log = logs_fixture_open(k);
    log.status = SPEAN_LOG_CLOSED;
    log.cut.closed = true;
    log.cut.seq = seq;
    log.cut.entry = logkit_place(k, seq).entry;
    return log;
}

struct spean_tx *logs_fixture_begin(struct logs_fixture *f, enum spean_tx_mode mode)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->store->db, mode, &tx), SPEAN_OK);
    return tx;
}

void logs_fixture_commit(struct spean_tx *tx)
{
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

void logs_fixture_decode(struct logs_fixture *f, const struct logkit *k, uint32_t first,
                         uint32_t last, bool bodies)
{
    const struct spean_view bytes = logkit_run(k, first, last, bodies, f->buf);
    const struct spean_place after = logkit_place(k, first - 1);
    assert_int_equal(spean_run_decode(f->run, bytes, &k->log, &after), SPEAN_OK);
}

spean_err logs_fixture_append_in(struct logs_fixture *f, struct spean_tx *tx,
                                 const struct logkit *k, uint32_t first, uint32_t last, bool bodies)
{
    logs_fixture_decode(f, k, first, last, bodies);
    const struct spean_log log = logs_fixture_open(k);
    const struct spean_log_arrival arrival = {
        .from = &f->from,
        .now_s = LOGS_FIXTURE_NOW_S,
        .keep = f->keep,
    };
    return spean_log_append(tx, f->run, &log, &arrival);
}

spean_err logs_fixture_append(struct logs_fixture *f, const struct logkit *k, uint32_t first,
                              uint32_t last, bool bodies)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    const spean_err err = logs_fixture_append_in(f, tx, k, first, last, bodies);
    logs_fixture_commit(tx);
    return err;
}

struct spean_logs_row logs_fixture_row(struct logs_fixture *f, const struct logkit *k)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_logs_row row;
    assert_int_equal(spean_logs_get(tx, &k->log, &row), SPEAN_OK);
    spean_tx_abort(tx);
    return row;
}

uint32_t logs_fixture_rows(struct logs_fixture *f, enum spean_table table)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    uint64_t count = 0;
    assert_int_equal(spean_tx_count(tx, table, (struct spean_view){0}, UINT32_MAX, &count),
                     SPEAN_OK);
    spean_tx_abort(tx);
    return (uint32_t)count;
}

void logs_fixture_damage(struct logs_fixture *f, enum spean_table table, struct spean_view key,
                         size_t pos)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    struct spean_view value;
    assert_int_equal(spean_tx_get(tx, table, key, &value), SPEAN_OK);
    assert_true(pos < value.len);
    uint8_t *copy = malloc(value.len);
    assert_non_null(copy);
    (void)memcpy(copy, value.data, value.len);
    copy[pos] ^= 1;
    (void)spean_tx_put(tx, table, key, (struct spean_view){copy, value.len});
    logs_fixture_commit(tx);
    free(copy);
}

void logs_fixture_delete(struct logs_fixture *f, enum spean_table table, struct spean_view key)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_tx_del(tx, table, key), SPEAN_OK);
    logs_fixture_commit(tx);
}
