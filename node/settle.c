/* What this node writes by itself, because what it folded says so. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/core_internal.h"
#include "node/endpoint.h"
#include "node/referral_settle.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"
#include "store/author.h"
#include "store/draft.h"
#include "store/record.h"
#include "store/setup.h"

#define VALUE_BYTES_MAX 1024u
#define LANG_UNKNOWN    "und" /* BCP 47: nobody said which language the name is in. */

/* Where we can be dialled, as the record shall say it; empty: not to be dialled. */
static struct spean_view own_endpoint(const struct spean_core *core,
                                      struct spean_node_endpoint *now, uint8_t *buf, size_t cap)
{
    struct spean_view out = {0};
    *now = (struct spean_node_endpoint){.node = core->transport_key};
    if (core->config->advertise[0] == '\0') {
        return out;
    }
    (void)snprintf(now->address, sizeof(now->address), "tcp://%s", core->config->advertise);
    return spean_endpoint_write(now, buf, cap, &out) == SPEAN_OK ? out : (struct spean_view){0};
}

static spean_err add_text(struct spean_draft *draft, uint64_t field, enum spean_verb verb,
                          const char *lang, struct spean_view text)
{
    uint8_t buf[VALUE_BYTES_MAX];
    struct spean_writer w;
    struct spean_view value = {0};
    spean_writer_init(&w, buf, sizeof(buf));
    if (lang != NULL) {
        spean_writer_map(&w, 1);
        spean_writer_str(&w, lang, strlen(lang));
    }
    spean_writer_str(&w, text.data, text.len);
    const spean_err err = spean_writer_end(&w, &value);
    return err == SPEAN_OK ? spean_draft_op(draft, field, verb, value) : err;
}

static struct spean_view text_of(const char *text)
{
    return (struct spean_view){(const uint8_t *)text, strlen(text)};
}

/* The record that tells partners who we are and where we can be called. */
static spean_err draft_self(struct spean_core *core, struct spean_draft *draft)
{
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    uint8_t fixed_buf[64];
    struct spean_view fixed = {0};
    struct spean_writer w;
    randombytes_buf(random, sizeof(random));
    spean_writer_init(&w, fixed_buf, sizeof(fixed_buf));
    spean_writer_map(&w, 1);
    spean_writer_uint(&w, SPEAN_FIELD_AGENCY_ORG);
    spean_writer_bin(&w, core->org.bytes, sizeof(core->org.bytes));
    spean_err err = spean_writer_end(&w, &fixed);
    struct spean_tx *tx = NULL;
    struct spean_setup setup;
    struct spean_document doc;
    if (err == SPEAN_OK) {
        err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    err = spean_setup_get(tx, &setup, &doc);
    if (err == SPEAN_OK && setup.statement.len == 0) {
        err = SPEAN_EWAIT; /* A further node: the record is on its way. */
    }
    if (err == SPEAN_OK) {
        err = spean_draft_create(draft, SPEAN_TYPE_AGENCY, random, fixed, NULL, NULL);
    }
    if (err == SPEAN_OK) {
        err = add_text(draft, SPEAN_FIELD_AGENCY_KIND, SPEAN_VERB_WRITE, NULL,
                       text_of("partner_ngo"));
    }
    if (err == SPEAN_OK) {
        err = add_text(draft, SPEAN_FIELD_AGENCY_NAMES, SPEAN_VERB_WRITE, LANG_UNKNOWN, setup.name);
    }
    if (err == SPEAN_OK) {
        err = add_text(draft, SPEAN_FIELD_AGENCY_COUNTRY, SPEAN_VERB_WRITE, NULL, setup.country);
    }
    spean_tx_abort(tx);
    return err;
}

static spean_err write_draft(struct spean_core *core, struct spean_draft *draft)
{
    const struct spean_author author = {.db = core->db,
                                        .keys = core->keys,
                                        .authority = core->authority,
                                        .log = spean_core_own_log(core),
                                        .now_s = core_now_s()};
    if (!spean_core_takes_writes(core)) {
        return SPEAN_EFULL; /* There being room again, it is looked at again. */
    }
    core_flush(core);
    const spean_err err =
        spean_author_commit(&author, draft, (struct spean_view){0}, false, NULL, NULL);
    if (err == SPEAN_OK) {
        spean_core_committed(core);
    }
    return err;
}

static struct spean_view advertised_key(void)
{
    return text_of("advertised");
}

/* The endpoint that this node published last, into buf; empty: none yet. */
static struct spean_view read_advertised(struct spean_tx *tx, uint8_t *buf, size_t cap)
{
    struct spean_view value;
    if (spean_tx_get(tx, SPEAN_TABLE_META, advertised_key(), &value) != SPEAN_OK ||
        value.len == 0 || value.len > cap) {
        return (struct spean_view){0};
    }
    memcpy(buf, value.data, value.len);
    return (struct spean_view){buf, value.len};
}

static spean_err write_advertised(struct spean_core *core, struct spean_view endpoint)
{
    struct spean_tx *tx = NULL;
    core_flush(core);
    const spean_err err = spean_tx_begin(core->db, SPEAN_TX_WRITE, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    (void)spean_tx_put(tx, SPEAN_TABLE_META, advertised_key(), endpoint);
    return spean_tx_commit(tx);
}

static bool is_same(struct spean_view a, struct spean_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* What our own record is, and what it should be. */
struct own_record {
    spean_err found; /* SPEAN_ENOTFOUND: there is none yet. */
    struct spean_record_id id;
    struct spean_part *part;              /* Of the record; NULL while there is none. */
    struct spean_view endpoint;           /* Where we are now; empty: not to be dialled. */
    struct spean_view published;          /* Where we said that we are; empty: nowhere. */
    struct spean_node_endpoint now, then; /* The two of them, read. */
    bool adds;                            /* The record does not name the one, */
    bool removes;                         /* or still names the other. */
    uint8_t buf[2][VALUE_BYTES_MAX];
};

static spean_err look_at_self(struct spean_core *core, struct own_record *own)
{
    struct spean_tx *tx = NULL;
    const spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    own->endpoint = own_endpoint(core, &own->now, own->buf[0], sizeof(own->buf[0]));
    own->published = read_advertised(tx, own->buf[1], sizeof(own->buf[1]));
    own->found = spean_endpoint_record(tx, core->keys, &core->org, &own->id, &own->part);
    spean_tx_abort(tx);
    const bool told = own->published.len > 0 && spean_endpoint_read(own->published, &own->then);
    own->adds = own->endpoint.len > 0 &&
                !spean_endpoint_has(own->part, &core->transport_key, own->now.address);
    own->removes = told && !is_same(own->published, own->endpoint) &&
                   spean_endpoint_has(own->part, &core->transport_key, own->then.address);
    return own->found == SPEAN_ENOTFOUND ? SPEAN_OK : own->found;
}

/* The change that makes our record what it should be. */
static spean_err draft_own(struct spean_core *core, const struct own_record *own,
                           struct spean_draft *draft)
{
    const spean_err err =
        own->found == SPEAN_OK
            ? spean_draft_change(draft, &own->id, SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC)
            : draft_self(core, draft);
    return err == SPEAN_OK ? spean_endpoint_move(draft, own->part, &core->transport_key,
                                                 own->removes ? own->then.address : "",
                                                 own->adds ? own->now.address : "")
                           : err;
}

/* Publish ourselves when there is no record of us; and the address when it is another now, in the
 * place of the one that we published before. */
static spean_err settle_self(struct spean_core *core)
{
    struct own_record own = {.found = SPEAN_OK};
    struct spean_draft *draft = NULL;
    spean_err err = look_at_self(core, &own);
    if (err != SPEAN_OK) {
        spean_part_free(own.part);
        return err;
    }
    if (own.found != SPEAN_OK || own.adds || own.removes) {
        err = spean_draft_new(core->authority, spean_core_own_log(core), &draft);
        if (err == SPEAN_OK) {
            err = draft_own(core, &own, draft);
        }
        if (err == SPEAN_OK) {
            err = write_draft(core, draft);
        }
        spean_draft_free(draft);
    }
    if (err == SPEAN_OK && !is_same(own.published, own.endpoint)) {
        err = write_advertised(core, own.endpoint);
    }
    spean_part_free(own.part);
    return err;
}

/* Say what was in the way. What passes by itself is looked at again soon; for the rest something
 * has to happen first, which leads here again: an entry, room, a key. */
static void note_settled(struct spean_core *core, const char *what, spean_err err)
{
    if (err == SPEAN_OK || err == SPEAN_EWAIT) {
        return;
    }
    if (err == SPEAN_EBUSY || err == SPEAN_ENOMEM) {
        core->next_settle_ms = core_now_ms() + CORE_SETTLE_MS;
    }
    SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, what,
                        spean_journal_text("err", spean_err_name(err)));
}

void core_settle_records(struct spean_core *core)
{
    if (spean_keys_locked(core->keys) || spean_core_own_log(core) == NULL) {
        return;
    }
    core->next_settle_ms = 0;
    core_flush(core); /* What follows writes in transactions of its own. */
    core_lobby_hand_keys(core, true);
    note_settled(core, "own_record", settle_self(core));
    bool more = false;
    note_settled(core, "referral_settle", spean_referral_settle(core, &more));
    core->settle_pending = core->settle_pending || more;
}
