#include "node/core.h"

#include <assert.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "node/core_internal.h"
#include "protocol/pair.h"
#include "protocol/sign.h"
#include "store/documents.h"
#include "store/logs.h"
#include "store/setup.h"

#define POLL_FDS_MAX  (SPEAN_TRANSPORT_POLL_ITEMS_MAX + 2u)
#define FOLD_FLOOR_MS 500u /* Folding gets a turn at least this often. */
#define PATH_BYTES    (SPEAN_CONFIG_PATH_BYTES_MAX + 16u)

uint64_t core_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t core_now_s(void)
{
    const time_t now = time(NULL);
    return now > 0 ? (uint64_t)now : 0;
}

void core_fail(struct spean_core *core, spean_err err, const char *event)
{
    if (core->failed != SPEAN_OK) {
        return;
    }
    core->failed = err;
    SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_ERROR, "fatal",
                        spean_journal_text("where", event),
                        spean_journal_text("err", spean_err_name(err)));
}

/* -- Facts ----------------------------------------------------------------------------------- */

struct spean_queue *spean_core_queue(struct spean_core *core)
{
    return core->queue;
}

const struct spean_id *spean_core_org(const struct spean_core *core)
{
    return &core->org;
}

const struct spean_config *spean_core_config(const struct spean_core *core)
{
    return core->config;
}

struct spean_db *spean_core_db(struct spean_core *core)
{
    return core->db;
}

struct spean_keys *spean_core_keys(struct spean_core *core)
{
    return core->keys;
}

const struct spean_authority *spean_core_authority(const struct spean_core *core)
{
    return core->authority;
}

bool spean_core_public_keys(const struct spean_core *core, struct spean_key *signing,
                            struct spean_key *sealing, struct spean_key *transport)
{
    *signing = core->signing;
    *sealing = core->sealing;
    *transport = core->transport_key;
    return core->has_public;
}

const struct spean_log *spean_core_own_log(const struct spean_core *core)
{
    const struct spean_ledger *ledger = spean_authority_ledger(core->authority);
    if (ledger == NULL || !core->has_public) {
        return NULL;
    }
    struct spean_id id;
    spean_log_id(&id, &ledger->id, &core->org, &core->signing);
    const struct spean_log *log = spean_authority_log(core->authority, &id);
    return log != NULL && log->status == SPEAN_LOG_OPEN && !core->retired ? log : NULL;
}

spean_err spean_core_view_begin(struct spean_core *core, struct spean_core_view *view)
{
    (void)pthread_rwlock_rdlock(&core->lock);
    view->core = core;
    view->authority = core->authority;
    view->keys = core->keys;
    const spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &view->tx);
    if (err != SPEAN_OK) {
        (void)pthread_rwlock_unlock(&core->lock);
    }
    return err;
}

void spean_core_view_end(struct spean_core_view *view)
{
    spean_tx_abort(view->tx);
    (void)pthread_rwlock_unlock(&view->core->lock);
}

/* -- Keys ------------------------------------------------------------------------------------ */

/* The fold adds a secret of the org to the keys, which views read. */
static void hold_views(void *ctx, bool on)
{
    struct spean_core *core = ctx;
    (void)(on ? pthread_rwlock_wrlock(&core->lock) : pthread_rwlock_unlock(&core->lock));
}

static spean_err learn_public_keys(struct spean_core *core)
{
    struct spean_key signing;
    spean_sign_public(&signing, spean_keys_signing_seed(core->keys));
    const spean_err err = spean_fold_new(core->db, core->keys, &core->org, &signing, &core->fold);
    if (err != SPEAN_OK) {
        return err; /* The next unlock tries again. */
    }
    spean_keys_guard(core->keys, hold_views, core);
    (void)pthread_rwlock_wrlock(&core->lock);
    core->signing = signing;
    spean_x25519_public(&core->sealing, spean_keys_sealing_secret(core->keys));
    spean_x25519_public(&core->transport_key, spean_keys_transport_secret(core->keys));
    core->has_public = true;
    (void)pthread_rwlock_unlock(&core->lock);
    return SPEAN_OK;
}

void core_set_joining(struct spean_core *core, struct joining *joining)
{
    (void)pthread_rwlock_wrlock(&core->lock);
    joining_fini(&core->joining);
    core->joining = *joining;
    (void)pthread_rwlock_unlock(&core->lock);
    memset(joining, 0, sizeof(*joining));
}

static spean_err load_joining(struct spean_core *core)
{
    struct joining joining = {.active = false};
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    err = joining_load(&joining, tx, core->keys);
    spean_tx_abort(tx);
    if (err == SPEAN_OK) {
        core_set_joining(core, &joining);
    }
    return err == SPEAN_ENOTFOUND ? SPEAN_OK : err;
}

/* What the first unlock makes possible: the network, and the way in that was under way. */
static spean_err after_unlock(struct spean_core *core)
{
    spean_err err = SPEAN_OK;
    core->fold_pending = true;
    core->lobby_pending = true;
    if (!core->has_public) {
        err = learn_public_keys(core);
    }
    if (err == SPEAN_OK && !core->joining.active) {
        err = load_joining(core);
    }
    if (err == SPEAN_OK && core->entered && core->transport == NULL) {
        err = core_network_open(core);
    }
    return err;
}

spean_err spean_core_unlock(struct spean_core *core, const struct spean_unlock *unlock)
{
    core_flush(core);
    (void)pthread_rwlock_wrlock(&core->lock);
    const spean_err err = spean_keys_unlock(core->keys, core->db, unlock);
    (void)pthread_rwlock_unlock(&core->lock);
    return err == SPEAN_OK ? after_unlock(core) : err;
}

spean_err spean_core_unlock_try(struct spean_core *core, const struct spean_unlock *unlock)
{
    struct spean_keys *keys = NULL;
    spean_err err = spean_keys_new(&keys);
    if (err == SPEAN_OK) {
        err = spean_keys_unlock(keys, core->db, unlock);
        spean_keys_free(keys);
    }
    return err;
}

void spean_core_lock(struct spean_core *core)
{
    (void)pthread_rwlock_wrlock(&core->lock);
    spean_keys_lock(core->keys);
    (void)pthread_rwlock_unlock(&core->lock);
}

/* -- The ledger ------------------------------------------------------------------------------ */

static struct spean_view handle_key(void)
{
    static const char name[] = "handle";
    return (struct spean_view){(const uint8_t *)name, sizeof(name) - 1};
}

static struct spean_view retired_key(void)
{
    static const char name[] = "retired";
    return (struct spean_view){(const uint8_t *)name, sizeof(name) - 1};
}

static spean_err write_retired(struct spean_core *core)
{
    core_flush(core);
    struct spean_tx *tx = NULL;
    const spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    (void)spean_tx_put(tx, SPEAN_TABLE_META, retired_key(),
                       (struct spean_view){core->signing.bytes, sizeof(core->signing.bytes)});
    return spean_tx_commit(tx);
}

/* It must not write after the next start either. */
static void retire_for_good(struct spean_core *core)
{
    spean_err err = write_retired(core);
    if (err == SPEAN_EFULL && spean_core_make_room(core, "retire")) {
        err = write_retired(core);
    }
    core->retire_pending = err == SPEAN_EFULL;
    if (err != SPEAN_OK && err != SPEAN_EFULL) {
        core_fail(core, err, "retire");
    }
}

void core_retire(struct spean_core *core)
{
    if (core->retired) {
        return;
    }
    (void)pthread_rwlock_wrlock(&core->lock);
    core->retired = true;
    (void)pthread_rwlock_unlock(&core->lock);
    retire_for_good(core);
}

static spean_err write_handle(struct spean_core *core, const struct spean_handle *handle)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    (void)spean_tx_put(tx, SPEAN_TABLE_META, handle_key(),
                       (struct spean_view){handle->bytes, sizeof(handle->bytes)});
    err = spean_tx_commit(tx);
    return err;
}

/* The handle was kept, but no document followed: a disk was full, or an address was taken. */
static bool came_to_nothing(const struct spean_core *core)
{
    return !core->joining.active && spean_authority_ledger(core->authority) == NULL &&
           spean_authority_orgs_count(core->authority) == 0;
}

spean_err spean_core_enter(struct spean_core *core, const struct spean_handle *handle)
{
    if (core->entered && !came_to_nothing(core)) {
        return SPEAN_ESTATE;
    }
    core_flush(core);
    core_network_close(core);
    struct spean_authority *authority = NULL;
    spean_err err = spean_authority_new(&authority, handle);
    if (err == SPEAN_OK) {
        err = write_handle(core, handle);
    }
    if (err != SPEAN_OK) {
        spean_authority_free(authority);
        return err;
    }
    core_verify_end(core, SPEAN_ESTATE, "the node entered a ledger meanwhile");
    (void)pthread_rwlock_wrlock(&core->lock);
    spean_authority_free(core->authority);
    core->authority = authority;
    core->handle = *handle;
    core->entered = true;
    (void)pthread_rwlock_unlock(&core->lock);
    return core->has_public ? core_network_open(core) : SPEAN_OK;
}

spean_err core_reload_authority(struct spean_core *core)
{
    struct spean_authority *authority = NULL;
    const bool open = core->transport != NULL;
    spean_err err = spean_authority_new(&authority, core->entered ? &core->handle : NULL);
    if (err == SPEAN_OK) {
        err = spean_documents_load(core->db, authority);
    }
    if (err != SPEAN_OK) {
        spean_authority_free(authority);
        return err;
    }
    core_network_close(core); /* The sync step looks into the one that goes. */
    core_verify_end(core, SPEAN_ESTATE, "the disk was full; verify again");
    (void)pthread_rwlock_wrlock(&core->lock);
    spean_authority_free(core->authority);
    core->authority = authority;
    (void)pthread_rwlock_unlock(&core->lock);
    return open ? core_network_open(core) : SPEAN_OK;
}

/* -- Folding --------------------------------------------------------------------------------- */

/* One turn of folding. What was folded may name bodies that are lacking. */
static void fold_turn(struct spean_core *core)
{
    core->next_fold_ms = core_now_ms() + FOLD_FLOOR_MS;
    if (core->fold == NULL || spean_keys_locked(core->keys) ||
        spean_authority_ledger(core->authority) == NULL) {
        core->fold_pending = false; /* Unlocking, or the genesis, sets it again. */
        return;
    }
    if (!core_room_may_fold(core)) {
        core->fold_pending = false; /* There being room again sets it. */
        core->fold_failed = true;
        return;
    }
    core_flush(core);
    bool more = false;
    const spean_err err =
        spean_fold_step(core->fold, core->authority, CORE_FOLD_ENTRIES, core_now_s(), &more);
    if (err == SPEAN_EFULL && core->urgent && spean_core_make_room(core, "fold")) {
        return; /* It is tried again at once. */
    }
    if (err == SPEAN_EFULL || err == SPEAN_ENOMEM) {
        core->fold_pending = false; /* The next entry, or look at readers, tries again. */
        core->fold_failed = true;
        return;
    }
    if (err != SPEAN_OK) {
        core_fail(core, err, "fold");
        return;
    }
    core->fold_failed = false;
    core->fold_pending = more;
    if (!more) {
        core->urgent = false;
        struct spean_sync_event event = {.kind = SPEAN_SYNC_LACKING};
        core_step(core, &event);
        core->settle_pending = true;
    }
}

void spean_core_committed(struct spean_core *core)
{
    const struct spean_log *own = spean_core_own_log(core);
    struct spean_logs_row row;
    struct spean_tx *tx = NULL;
    if (own == NULL || spean_tx_begin(core->db, SPEAN_TX_READ, &tx) != SPEAN_OK) {
        return;
    }
    const spean_err err = spean_logs_get(tx, &own->id, &row);
    spean_tx_abort(tx);
    if (err == SPEAN_OK) {
        struct spean_sync_event event = {.kind = SPEAN_SYNC_COMMITTED};
        event.as.committed.log = own->id;
        event.as.committed.head = row.head;
        core_step(core, &event);
        core_drain(core); /* On its way to partners before we fold. */
    }
    core->fold_pending = true;
    while (core->fold_pending && core->failed == SPEAN_OK) {
        fold_turn(core); /* Whoever wrote reads it in its next request. */
        core_supervise_turn(core);
    }
}

/* -- Turning --------------------------------------------------------------------------------- */

void spean_core_sync_now(struct spean_core *core)
{
    struct spean_sync_event event = {.kind = SPEAN_SYNC_RESUME};
    core_step(core, &event);
    core->dial_now = true;
    core->next_dial_ms = 0;
}

static void tick(struct spean_core *core)
{
    const uint64_t now = core_now_ms();
    if (now >= core->next_tick_ms) {
        core->next_tick_ms = now + CORE_TICK_MS;
        core_traffic_tick(core);
        core_room_look(core);
        core_write_peers(core);
        if (core->cuts_pending) {
            core_cut_logs(core);
        }
        if (core->retire_pending) {
            retire_for_good(core);
        }
        struct spean_sync_event event = {.kind = SPEAN_SYNC_TIMER};
        core_step(core, &event);
    }
    if (now >= core->next_dial_ms) {
        core_dial(core);
        core->fold_pending = core->fold_pending || core->fold_failed;
    }
    if (now >= core->next_readers_ms) {
        core->next_readers_ms = now + CORE_READERS_MS;
        const spean_err err = spean_db_check_readers(core->db, NULL);
        if (err != SPEAN_OK) {
            core_fail(core, err, "readers");
        }
        const uint64_t read_ms = spean_db_oldest_read_ms(core->db);
        if (read_ms > SPEAN_DB_READ_MS_MAX) {
            SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "read_long",
                                spean_journal_number("ms", read_ms));
        }
        core_daily(core);
        if (!spean_keys_locked(core->keys) && spean_core_own_log(core) != NULL &&
            !core->fold_pending) {
            core_lobby_hand_keys(core, false);
        }
        core_destroy(core);
    }
    if (core->next_destroy_ms != 0 && now >= core->next_destroy_ms) {
        core_destroy(core);
    }
    if (core->next_settle_ms != 0 && now >= core->next_settle_ms) {
        core->settle_pending = true;
    }
}

/* Returns whether there was any. */
static bool run_jobs(struct spean_core *core)
{
    struct spean_job *job = NULL;
    uint32_t count = 0;
    while (count < CORE_JOBS_A_TURN && core->failed == SPEAN_OK &&
           (job = spean_queue_take(core->queue)) != NULL) {
        core_flush(core); /* A job writes in a transaction of its own. */
        if (core->fold_failed) {
            fold_turn(core); /* Somebody may have made room, and now writes again. */
        }
        job->run(job, core);
        count++;
    }
    return count > 0;
}

/* While runs that we asked for are on their way, folding is held back to its floor: it would keep
 * them waiting, and what they bring is folded in fewer, larger steps afterwards. */
static bool is_fetching(const struct spean_core *core)
{
    return core->sync != NULL && spean_sync_fetching(core->sync);
}

/* Messages first, then what people wait for, then the disk, then folding. */
static void turn(struct spean_core *core)
{
    size_t messages = 0;
    if (core->transport != NULL) {
        messages = spean_transport_work(core->transport, core_now_ms(), CORE_MESSAGES_A_TURN);
    }
    const bool jobs = run_jobs(core);
    core_drain(core);
    if (messages < CORE_MESSAGES_A_TURN) {
        core_flush(core);
        core_drain(core);
    }
    core_links_reap(core);
    core_waiting_turn(core, false);
    if (core->lobby_pending) {
        core_lobby_settle(core);
    }
    tick(core);
    const bool idle = messages == 0 && !jobs && !is_fetching(core);
    if (core->fold_pending && (idle || core_now_ms() >= core->next_fold_ms)) {
        fold_turn(core);
    }
    if (core->settle_pending && !core->fold_pending) {
        core->settle_pending = false;
        core_settle_records(core);
        core_destroy(core);
    }
    core_drain(core);
    core_flush(core);
    if ((messages == 0 && !jobs) || core_now_ms() >= core->next_verify_ms) {
        core_verify_turn(core);
    }
}

static long wait_ms(const struct spean_core *core)
{
    const bool fold_waits = core->fold_pending && is_fetching(core);
    const bool folds = core->fold_pending || core->settle_pending; /* Settling comes behind it. */
    if ((folds && !fold_waits) || core->lobby_pending || core->verification != NULL) {
        return 0;
    }
    const uint64_t now = core_now_ms();
    uint64_t next =
        core->next_tick_ms < core->next_dial_ms ? core->next_tick_ms : core->next_dial_ms;
    if (fold_waits && core->next_fold_ms < next) {
        next = core->next_fold_ms;
    }
    long wait = next > now ? (long)(next - now) : 0;
    if (core->transport != NULL) {
        const long other = spean_transport_wait_ms(core->transport, now);
        wait = other >= 0 && other < wait ? other : wait;
    }
    return wait;
}

static bool stop_was_asked(int signal_fd)
{
    struct pollfd item = {.fd = signal_fd, .events = POLLIN};
    return poll(&item, 1, 0) > 0;
}

spean_err spean_core_run(struct spean_core *core, int signal_fd)
{
    zmq_pollitem_t items[POLL_FDS_MAX];
    while (core->failed == SPEAN_OK && !stop_was_asked(signal_fd)) {
        size_t count = 0;
        if (core->transport != NULL &&
            spean_transport_poll_items(core->transport, items, SPEAN_TRANSPORT_POLL_ITEMS_MAX,
                                       &count) != SPEAN_OK) {
            count = 0;
        }
        items[count++] = (zmq_pollitem_t){.fd = signal_fd, .events = ZMQ_POLLIN};
        items[count++] =
            (zmq_pollitem_t){.fd = spean_queue_core_fd(core->queue), .events = ZMQ_POLLIN};
        (void)zmq_poll(items, (int)count, wait_ms(core)); /* Interrupted: the turn does no harm. */
        turn(core);
        core_supervise_turn(core);
    }
    core_waiting_turn(core, true);
    core_traffic_write(core);
    core_verify_end(core, SPEAN_ESTATE, "the node stops");
    core_write_peers(core);
    core_flush(core);
    return core->failed;
}

/* -- Beginning and end ----------------------------------------------------------------------- */

static spean_err open_store(struct spean_core *core, char why[SPEAN_CORE_WHY_BYTES])
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", core->config->home, SPEAN_HOME_STORE);
    const struct spean_db_options options = {
        .dir = path, .map_bytes = (uint64_t)core->config->map_gib << 30, .now_ms = core_now_ms};
    const spean_err err = spean_db_open(&options, &core->db);
    const char *refused = spean_db_filesystem_refused(path);
    if (err == SPEAN_ENOTFOUND) {
        (void)snprintf(why, SPEAN_CORE_WHY_BYTES, "no store in %s: run spean init first", path);
    } else if (err == SPEAN_EBUSY) {
        (void)snprintf(why, SPEAN_CORE_WHY_BYTES, "another process has the store in %s open", path);
    } else if (err == SPEAN_EINPUT && refused != NULL) {
        (void)snprintf(why, SPEAN_CORE_WHY_BYTES, "%s lies on %s, which cannot hold a store", path,
                       refused);
    } else if (err != SPEAN_OK) {
        (void)snprintf(why, SPEAN_CORE_WHY_BYTES, "cannot open the store in %s: %s", path,
                       spean_err_text(err));
    }
    return err;
}

/* Who we are, and the ledger we are in. */
static spean_err read_identity(struct spean_core *core)
{
    struct spean_tx *tx = NULL;
    spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_setup setup;
    struct spean_document *doc = malloc(sizeof(*doc));
    err = doc != NULL ? spean_setup_get(tx, &setup, doc) : SPEAN_ENOMEM;
    if (err == SPEAN_OK) {
        core->org = setup.org;
        struct spean_view handle;
        const spean_err found = spean_tx_get(tx, SPEAN_TABLE_META, handle_key(), &handle);
        if (found == SPEAN_OK && handle.len == sizeof(core->handle.bytes)) {
            memcpy(core->handle.bytes, handle.data, handle.len);
            core->entered = true;
        } else if (found != SPEAN_ENOTFOUND) {
            err = found == SPEAN_OK ? SPEAN_ECORRUPT : found;
        }
    }
    struct spean_view retired;
    core->retired =
        err == SPEAN_OK && spean_tx_get(tx, SPEAN_TABLE_META, retired_key(), &retired) == SPEAN_OK;
    core_traffic_load(core, tx);
    free(doc);
    spean_tx_abort(tx);
    return err;
}

static spean_err load(struct spean_core *core)
{
    spean_err err = read_identity(core);
    if (err == SPEAN_OK) {
        err = spean_authority_new(&core->authority, core->entered ? &core->handle : NULL);
    }
    if (err == SPEAN_OK) {
        err = spean_documents_load(core->db, core->authority);
    }
    if (err == SPEAN_OK) {
        err = spean_keys_new(&core->keys);
    }
    if (err == SPEAN_OK) {
        err = spean_run_new(&core->scratch);
    }
    if (err == SPEAN_OK) {
        err = spean_queue_new(SPEAN_QUEUE_JOBS_MAX, &core->queue);
    }
    if (err == SPEAN_OK) {
        core->urgent = true; /* Before we stopped, one may have come that is not folded yet. */
        core_room_look(core);
        core_cut_logs(core);
        err = core->failed;
    }
    return err;
}

spean_err spean_core_new(const struct spean_config *config, const struct spean_journal *journal,
                         const struct spean_unlock *unlock, struct spean_core **out,
                         char why[SPEAN_CORE_WHY_BYTES])
{
    why[0] = '\0';
    struct spean_core *core = calloc(1, sizeof(*core));
    if (core == NULL) {
        return SPEAN_ENOMEM;
    }
    core->config = config;
    core->journal = journal;
    core->frame = malloc(SPEAN_FRAME_BYTES_MAX);
    (void)pthread_rwlock_init(&core->lock, NULL);
    spean_err err = core->frame != NULL ? open_store(core, why) : SPEAN_ENOMEM;
    if (err == SPEAN_OK) {
        err = load(core);
    }
    if (err == SPEAN_OK && unlock != NULL) {
        err = spean_core_unlock(core, unlock);
    }
    if (err != SPEAN_OK) {
        if (why[0] == '\0') {
            (void)snprintf(why, SPEAN_CORE_WHY_BYTES, "%s", spean_err_text(err));
        }
        spean_core_free(core);
        return err;
    }
    *out = core;
    return SPEAN_OK;
}

void spean_core_free(struct spean_core *core)
{
    if (core == NULL) {
        return;
    }
    if (core->batch != NULL) {
        spean_tx_abort(core->batch);
    }
    core_network_close(core);
    joining_fini(&core->joining);
    spean_fold_free(core->fold);
    spean_queue_free(core->queue);
    spean_run_free(core->scratch);
    spean_authority_free(core->authority);
    spean_keys_free(core->keys);
    spean_db_close(core->db);
    free(core->frame);
    (void)pthread_rwlock_destroy(&core->lock);
    free(core);
}
