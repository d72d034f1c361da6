/* What an erasure hid is destroyed when the charter's delay is over: at start, and looked for now
 * and then. */
#include <stdatomic.h>

#include "node/core_internal.h"
#include "store/destroy.h"

/* An error that passes: it is tried again. */
static bool passes(spean_err err)
{
    return err == SPEAN_EBUSY || err == SPEAN_EFULL || err == SPEAN_ENOMEM;
}

void core_destroy(struct spean_core *core)
{
    const struct spean_ledger *ledger = spean_authority_ledger(core->authority);
    uint32_t destroyed = 0;
    if (ledger == NULL || core->fold_pending) {
        return; /* What is not folded may take an erasure back. */
    }
    core->next_destroy_ms = 0;
    core_flush(core);
    core->supervisor.next_alive_ms = 0; /* All the time that is allowed begins here. */
    core_supervise_turn(core);
    const spean_err err = spean_destroy_due(core->db, core->authority, core_now_s(),
                                            ledger->erasure_delay_s, &destroyed);
    if (err != SPEAN_OK && !passes(err)) {
        core_fail(core, err, "destroy");
        return;
    }
    const bool full = err == SPEAN_EFULL;
    const bool was_full = atomic_exchange(&core->destroy_full, full);
    if (err != SPEAN_OK && !(full && was_full)) { /* That is said once, and in status. */
        core->next_destroy_ms = err == SPEAN_EBUSY ? core_now_ms() + CORE_DESTROY_MS : 0;
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "destroy_waits",
                            spean_journal_text("err", spean_err_name(err)));
    }
    if (destroyed > 0) {
        core->settle_pending = true; /* Receipts are due. */
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_INFO, "destroyed",
                            spean_journal_number("parts", destroyed));
    }
}
