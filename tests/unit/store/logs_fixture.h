/* Logs of logkit in a store of their own. */
#ifndef SPEAN_TESTS_UNIT_STORE_LOGS_FIXTURE_H
#define SPEAN_TESTS_UNIT_STORE_LOGS_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/authority.h"
#include "protocol/run.h"
#include "store/log.h"
#include "store/logs.h"
#include "tests/support/logkit.h"
#include "tests/unit/store/fixture.h"

#define LOGS_FIXTURE_NOW_S 1800000000u

struct logs_fixture {
    struct fixture *store;
    struct spean_run *run;
    uint8_t *buf; /* SPEAN_FRAME_BYTES_MAX, like the next. */
    uint8_t *out;
    struct spean_key from;
    spean_log_keep *keep; /* Of the next appends. */
};

int logs_fixture_setup(void **state);
int logs_fixture_teardown(void **state);

/* What an authority would say of the log: open, or cut at seq of k. */
struct spean_log logs_fixture_open(const struct logkit *k);
struct spean_log logs_fixture_cut(const struct logkit *k, uint32_t seq);

struct spean_tx *logs_fixture_begin(struct logs_fixture *f, enum spean_tx_mode mode);
void logs_fixture_commit(struct spean_tx *tx);

/* Decode entries first to last of k into f->run, and append them in tx, or in one of its own. */
void logs_fixture_decode(struct logs_fixture *f, const struct logkit *k, uint32_t first,
                         uint32_t last, bool bodies);
spean_err logs_fixture_append_in(struct logs_fixture *f, struct spean_tx *tx,
                                 const struct logkit *k, uint32_t first, uint32_t last,
                                 bool bodies);
spean_err logs_fixture_append(struct logs_fixture *f, const struct logkit *k, uint32_t first,
                              uint32_t last, bool bodies);

/* The row of a log; asserts that there is one. */
struct spean_logs_row logs_fixture_row(struct logs_fixture *f, const struct logkit *k);

/* Count the rows of a table, and change bytes of one: at pos of its value, which must be there. */
uint32_t logs_fixture_rows(struct logs_fixture *f, enum spean_table table);
void logs_fixture_damage(struct logs_fixture *f, enum spean_table table, struct spean_view key,
                         size_t pos);
void logs_fixture_delete(struct logs_fixture *f, enum spean_table table, struct spean_view key);

#endif
