/* What this node writes by itself, because what it folded says so. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/core_internal.h"
#include "node/referral_settle.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"
#include "store/author.h"
#include "store/draft.h"
#include "store/record.h"
#include "store/setup.h"

#define VALUE_BYTES_MAX 1024u
#define LANG_UNKNOWN    "und" /* BCP 47: nobody said which language the name is in. */

static struct spean_view own_endpoint(const struct spean_core *core, uint8_t *buf, size_t cap)
{
    char address[SPEAN_ENDPOINT_BYTES_MAX + 8];
    const int len = snprintf(address, sizeof(address), "tcp://%s", core->config->advertise);
    struct spean_writer w;
    struct spean_view out = {0};
    spean_writer_init(&w, buf, cap);
    spean_writer_map(&w, 2);
    spean_writer_uint(&w, SPEAN_SUB_ENDPOINT_NODE_KEY);
    spean_writer_bin(&w, core->transport_key.bytes, sizeof(core->transport_key.bytes));
    spean_writer_uint(&w, SPEAN_SUB_ENDPOINT_ADDRESS);
    spean_writer_str(&w, address, (size_t)len);
    return spean_writer_end(&w, &out) == SPEAN_OK ? out : (struct spean_view){0};
}

/* The agency record that this org made of itself. SPEAN_ENOTFOUND: there is none yet. */
static spean_err find_self(struct spean_core *core, struct spean_tx *tx,
                           struct spean_record_id *out, struct spean_part **part)
{
    const struct spean_record_id *after = NULL;
    struct spean_record_id record;
    spean_err err = SPEAN_OK;
    while ((err = spean_record_next(tx, SPEAN_TYPE_AGENCY, after, &record)) == SPEAN_OK) {
        const struct spean_part_name name = {record, SPEAN_PART_PUBLIC};
        struct spean_part_info info;
        struct spean_view org;
        after = &record;
        if (spean_record_part(tx, core->keys, &name, part) != SPEAN_OK) {
            continue;
        }
        spean_part_get_info(*part, &info);
        if (info.created && spean_id_equal(&info.owner, &core->org) &&
            spean_fixed_get(info.fixed, SPEAN_FIELD_AGENCY_ORG, &org)) {
            *out = record;
            return SPEAN_OK;
        }
        spean_part_free(*part);
        *part = NULL;
    }
    return err;
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

static bool has_endpoint(const struct spean_part *part, struct spean_view endpoint)
{
    const struct spean_field *field =
        spean_part_find(part, SPEAN_FIELD_AGENCY_ENDPOINTS, SPEAN_KIND_SET);
    for (size_t i = 0; field != NULL && i < spean_field_elements_count(field); i++) {
        struct spean_view element;
        if (spean_field_get_element(field, i, &element) && element.len == endpoint.len &&
            endpoint.len > 0 && memcmp(element.data, endpoint.data, endpoint.len) == 0) {
            return true;
        }
    }
    return false;
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
    struct spean_view endpoint;  /* Where we are now; empty: not to be dialled. */
    struct spean_view published; /* Where we said that we are; empty: nowhere. */
    bool adds;                   /* The record does not name the one, */
    bool removes;                /* or still names the other. */
    uint8_t buf[2][VALUE_BYTES_MAX];
};

static spean_err look_at_self(struct spean_core *core, struct own_record *own)
{
    struct spean_tx *tx = NULL;
    struct spean_part *part = NULL;
    const spean_err err = spean_tx_begin(core->db, SPEAN_TX_READ, &tx);
    if (err != SPEAN_OK) {
        return err;
    }
    if (core->config->advertise[0] != '\0') {
        own->endpoint = own_endpoint(core, own->buf[0], sizeof(own->buf[0]));
    }
    own->published = read_advertised(tx, own->buf[1], sizeof(own->buf[1]));
    own->found = find_self(core, tx, &own->id, &part);
    spean_tx_abort(tx);
    const bool known = own->found == SPEAN_OK;
    own->adds = own->endpoint.len > 0 && !(known && has_endpoint(part, own->endpoint));
    own->removes = known && own->published.len > 0 && !is_same(own->published, own->endpoint) &&
                   has_endpoint(part, own->published);
    spean_part_free(part);
    return own->found == SPEAN_ENOTFOUND ? SPEAN_OK : own->found;
}

/* The change that makes our record what it should be. */
static spean_err draft_own(struct spean_core *core, const struct own_record *own,
                           struct spean_draft *draft)
{
    spean_err err = own->found == SPEAN_OK
                        ? spean_draft_change(draft, &own->id, SPEAN_TYPE_AGENCY, SPEAN_PART_PUBLIC)
                        : draft_self(core, draft);
    if (err == SPEAN_OK && own->removes) {
        err =
            spean_draft_op(draft, SPEAN_FIELD_AGENCY_ENDPOINTS, SPEAN_VERB_REMOVE, own->published);
    }
    if (err == SPEAN_OK && own->adds) {
        err = spean_draft_op(draft, SPEAN_FIELD_AGENCY_ENDPOINTS, SPEAN_VERB_ADD, own->endpoint);
    }
    return err;
}

/* Publish ourselves when there is no record of us; and the address when it is another now, in the
 * place of the one that we published before. */
static spean_err settle_self(struct spean_core *core)
{
    struct own_record own = {.found = SPEAN_OK};
    struct spean_draft *draft = NULL;
    spean_err err = look_at_self(core, &own);
    if (err != SPEAN_OK) {
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
    return err;
}

void core_settle_records(struct spean_core *core)
{
    if (spean_keys_locked(core->keys) || spean_core_own_log(core) == NULL) {
        return;
    }
    const spean_err err = settle_self(core);
    if (err != SPEAN_OK) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "own_record",
                            spean_journal_text("err", spean_err_name(err)));
    }
    bool more = false;
    const spean_err settled = spean_referral_settle(core, &more);
    core->settle_pending = core->settle_pending || more;
    if (settled != SPEAN_OK && settled != SPEAN_EWAIT) {
        SPEAN_JOURNAL_EVENT(core->journal, SPEAN_JOURNAL_WARNING, "referral_settle",
                            spean_journal_text("err", spean_err_name(settled)));
    }
}
