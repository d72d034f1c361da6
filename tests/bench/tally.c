#include "tests/bench/tally.h"

#include "protocol/run.h"
#include "store/db.h"
#include "store/log.h"
#include "tests/bench/scratch.h"

struct tally tally;

static uint64_t pending; /* Entries appended and not durable. */

spean_err __real_spean_log_append(struct spean_tx *tx, const struct spean_run *run,
                                  const struct spean_log *log,
                                  const struct spean_log_arrival *arrival);
spean_err __wrap_spean_log_append(struct spean_tx *tx, const struct spean_run *run,
                                  const struct spean_log *log,
                                  const struct spean_log_arrival *arrival);
spean_err __real_spean_tx_commit(struct spean_tx *tx);
spean_err __wrap_spean_tx_commit(struct spean_tx *tx);

static void add_row(uint32_t row)
{
    scratch_want(tally.rows_count < TALLY_ROWS_MAX, "to count so many runs");
    tally.rows[tally.rows_count] = row;
    tally.rows_count++;
}

spean_err __wrap_spean_log_append(struct spean_tx *tx, const struct spean_run *run,
                                  const struct spean_log *log,
                                  const struct spean_log_arrival *arrival)
{
    const spean_err err = __real_spean_log_append(tx, run, log, arrival);
    const uint64_t left = tally.entries_max - tally.entries - pending;
    if (err == SPEAN_OK && arrival->from != NULL && left > 0) {
        const uint32_t count = spean_run_count(run);
        const uint32_t counted = count < left ? count : (uint32_t)left;
        add_row(counted);
        pending += counted;
    }
    return err;
}

spean_err __wrap_spean_tx_commit(struct spean_tx *tx)
{
    const spean_err err = __real_spean_tx_commit(tx);
    if (err == SPEAN_OK && pending > 0) {
        add_row(TALLY_COMMIT);
        tally.batches++;
        tally.entries += pending;
        tally.last_s = scratch_now_s();
        pending = 0;
    }
    return err;
}
