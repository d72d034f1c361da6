/* Once a day: this node's signed word on how far it has seen all logs (P5.10). */
#include <string.h>

#include "node/core_internal.h"
#include "store/author.h"

#define HEADS_INTERVAL_S 86400u /* Where the charter names none. */

static struct spean_view heads_key(void)
{
    static const char name[] = "heads_at";
    return (struct spean_view){(const uint8_t *)name, sizeof(name) - 1};
}

/* When the last one was written, by our clock; 0: never. */
static uint64_t last_heads(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    struct spean_view value;
    uint64_t at = 0;
    if (spean_tx_begin(core->db, SPEAN_TX_READ, &tx) != SPEAN_OK) {
        return core_now_s(); /* Not now. */
    }
    if (spean_tx_get(tx, SPEAN_TABLE_META, heads_key(), &value) == SPEAN_OK && value.len == 8) {
        at = spean_u64_get(value.data);
    }
    spean_tx_abort(tx);
    return at;
}

static spean_err note_heads(struct spean_core *core)
{
    uint8_t at[8];
    struct spean_tx *tx = NULL;
    const spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    spean_u64_put(at, core_now_s());
    (void)spean_tx_put(tx, SPEAN_TABLE_META, heads_key(), (struct spean_view){at, sizeof(at)});
    return spean_tx_commit(tx);
}

void core_daily(struct spean_core *core)
{
    const struct spean_ledger *ledger = spean_authority_ledger(core->authority);
    const struct spean_log *own = spean_core_own_log(core);
    if (ledger == NULL || own == NULL || spean_keys_locked(core->keys) || core->fold_pending ||
        !spean_core_takes_writes(core)) {
        return;
    }
    const uint64_t interval =
        ledger->heads_interval_s > 0 ? ledger->heads_interval_s : HEADS_INTERVAL_S;
    const uint64_t last = last_heads(core);
    const uint64_t now = core_now_s();
    /* A clock that was set back must not silence this for ever. */
    if (now >= last && now - last < interval) {
        return;
    }
    const struct spean_author author = {
        .db = core->db, .keys = core->keys, .authority = core->authority, .log = own, .now_s = now};
    core_flush(core);
    spean_err err = spean_author_heads(&author, NULL);
    if (err == SPEAN_OK) {
        spean_core_committed(core);
    }
    if (err == SPEAN_OK || err == SPEAN_EEXISTS) {
        err = note_heads(core);
    }
    if (err != SPEAN_OK) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "heads",
                            spean_journal_text("err", spean_err_name(err)));
    }
}
