#include "tests/bench/history.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/body.h"
#include "protocol/change.h"
#include "protocol/entry.h"
#include "protocol/grant.h"
#include "protocol/partkey.h"
#include "protocol/run.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/writer.h"
#include "store/log.h"
#include "tests/bench/scratch.h"

#define BEGUN_AT          1790000000u /* Seconds since 1970. */
#define COMMIT_ENTRIES    16384u      /* In one transaction. */
#define CONTENT_BYTES     2048u
#define NOTE_BYTES        150u
#define NAME_BYTES        40u
#define ENDPOINT_BYTES    256u
#define ENTRIES_OF_AGENCY 1u

struct one_case {
    struct spean_record_id record;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_tag tag;
};

struct history {
    struct spean_core *core;
    const struct spean_ledger *ledger;
    const struct spean_log *log;
    uint8_t pair[SPEAN_KEY_BYTES]; /* Of our org with itself. */
    struct spean_run *run;
    uint8_t run_buf[SPEAN_LOG_RUN_BYTES_MAX];
    struct spean_tx *tx;
    uint32_t in_tx;
    struct spean_place head;
    uint32_t cases_count;
    struct one_case *cases;
};

uint64_t history_entries(uint32_t changes)
{
    return (uint64_t)changes + changes / HISTORY_CHANGES_A_CASE + ENTRIES_OF_AGENCY;
}

/* -- Entries --------------------------------------------------------------------------------- */

static void commit(struct history *h)
{
    scratch_need(spean_tx_commit(h->tx), "to commit history");
    h->tx = NULL;
    h->in_tx = 0;
}

static void append(struct history *h, struct spean_view header, struct spean_view body,
                   const struct spean_signature *signature)
{
    const struct spean_run_source source = {header, body};
    const struct spean_log_arrival written_here = {0};
    struct spean_view bytes;
    scratch_need(spean_run_encode(&source, 1, signature, h->run_buf, sizeof(h->run_buf), &bytes),
                 "to encode a commit");
    scratch_need(spean_run_decode(h->run, bytes, &h->log->id, &h->head), "to decode a commit");
    if (h->tx == NULL) {
        scratch_need(spean_tx_begin(spean_core_db(h->core), SPEAN_TX_WRITE, &h->tx), "to begin");
    }
    scratch_need(spean_log_append(h->tx, h->run, h->log, &written_here), "to append a commit");
    h->head = spean_run_last(h->run);
    if (++h->in_tx == COMMIT_ENTRIES) {
        commit(h);
    }
}

/* Make an entry that is a commit of its own, and sign it. */
static void put(struct history *h, enum spean_entry_kind kind, const struct spean_tag *tag,
                struct spean_view body)
{
    struct spean_header header = {.format = SPEAN_ENTRY_FORMAT,
                                  .seq = h->head.seq + 1,
                                  .previous = h->head.entry,
                                  .time = BEGUN_AT + h->head.seq,
                                  .kind = kind,
                                  .flags = SPEAN_ENTRY_ENDS_COMMIT,
                                  .has_tag = tag != NULL,
                                  .body_len = (uint32_t)body.len};
    if (tag != NULL) {
        header.tag = *tag;
    }
    spean_body_hash(&header.body_hash, body);
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    struct spean_view bytes;
    struct spean_id id;
    struct spean_signature signature;
    scratch_need(spean_header_encode(&header, buf, sizeof(buf), &bytes), "to encode a header");
    spean_entry_id(&id, &h->log->id, bytes);
    spean_commit_sign(&signature, &h->log->id, &id,
                      spean_keys_signing_seed(spean_core_keys(h->core)));
    append(h, bytes, body, &signature);
}

static void put_public(struct history *h, enum spean_entry_kind kind, const struct spean_tag *tag,
                       struct spean_view content)
{
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    uint8_t salt[SPEAN_BODY_SALT_BYTES];
    struct spean_view body;
    randombytes_buf(salt, sizeof(salt));
    scratch_need(spean_body_wrap(buf, sizeof(buf), salt, content, &body), "to wrap a body");
    put(h, kind, tag, body);
}

static void put_sealed(struct history *h, const struct one_case *c, struct spean_view content)
{
    uint8_t buf[CONTENT_BYTES];
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    struct spean_view body;
    randombytes_buf(nonce, sizeof(nonce));
    scratch_need(spean_body_seal(buf, sizeof(buf), c->key, nonce, &h->log->id, h->head.seq + 1,
                                 &c->tag, content, &body),
                 "to seal a body");
    scratch_want(body.len == HISTORY_BODY_BYTES, "a sealed body of the length that is measured");
    put(h, SPEAN_ENTRY_CHANGE, &c->tag, body);
}

/* -- Cases ----------------------------------------------------------------------------------- */

static void put_grant(struct history *h, const struct one_case *c)
{
    static uint8_t buf[SPEAN_GRANT_BYTES_MAX];
    static const struct spean_grant_lists no_lists;
    const struct spean_grant_receiver receiver = {h->log->org, h->pair};
    struct spean_grant_outer outer = {
        .place = {h->log->id, h->head.seq + 1, h->log->org},
        .author_generation = 1,
        .key = c->key,
        .receivers = &receiver,
        .receivers_count = 1,
    };
    randombytes_buf(outer.nonce, sizeof(outer.nonce));
    const struct spean_grant_terms terms = {
        .record = c->record,
        .part = SPEAN_PART_CASE,
        .generation = 1,
        .owner = h->log->org,
        .audience_count = 1,
        .audience = {h->log->org},
    };
    struct spean_view content;
    scratch_need(spean_grant_encode(&outer, &terms, &no_lists, buf, sizeof(buf), &content),
                 "to encode a grant");
    put_public(h, SPEAN_ENTRY_GRANT, &c->tag, content);
}

/* A note about the visit: one of the texts that a case worker writes anew each time. */
static void put_note(struct history *h, const struct one_case *c, uint32_t visit, bool creates,
                     const uint8_t random[SPEAN_CHANGE_RANDOM_BYTES])
{
    static const uint64_t fields[] = {SPEAN_FIELD_CASE_NARRATIVE, SPEAN_FIELD_CASE_SUPPORT_PLAN,
                                      SPEAN_FIELD_CASE_JOB_TITLE};
    static const char sentence[] = "Wages of two months are unpaid, the passport is held. ";
    char text[NOTE_BYTES];
    const int begun = snprintf(text, sizeof(text), "Visit %-10u", visit);
    for (size_t i = (size_t)begun; i < sizeof(text); i++) {
        text[i] = sentence[i % (sizeof(sentence) - 1)];
    }
    uint8_t value[NOTE_BYTES + NAME_BYTES];
    struct spean_writer w;
    spean_writer_init(&w, value, sizeof(value));
    spean_writer_map(&w, 1);
    spean_writer_str(&w, "en", 2);
    spean_writer_str(&w, text, sizeof(text));
    struct spean_operation op = {
        .field = fields[visit % 3], .kind = SPEAN_KIND_VALUE, .verb = SPEAN_VERB_WRITE};
    scratch_need(spean_writer_end(&w, &op.value), "to encode a text");
    static const char actor[] = "worker";
    static const uint8_t no_fields[] = {0x80}; /* A case has none that are fixed. */
    struct spean_change change = {.type = SPEAN_TYPE_CASE,
                                  .record = c->record,
                                  .part = SPEAN_PART_CASE,
                                  .schema_version = SPEAN_SCHEMA_VERSION,
                                  .actor = {(const uint8_t *)actor, sizeof(actor) - 1},
                                  .creates = creates,
                                  .fixed = {no_fields, sizeof(no_fields)}};
    memcpy(change.random, random, sizeof(change.random));
    uint8_t buf[CONTENT_BYTES];
    struct spean_view content;
    scratch_need(spean_change_encode(&change, &op, 1, NULL, 0, buf, sizeof(buf), &content),
                 "to encode a change");
    put_sealed(h, c, content);
}

static void begin_case(struct history *h, struct one_case *c)
{
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    struct spean_id proof;
    randombytes_buf(random, sizeof(random));
    randombytes_buf(c->key, sizeof(c->key));
    spean_record_id_derive(&c->record, &h->ledger->id, &h->log->org, random);
    spean_partkey_proof(&proof, c->key);
    spean_partkey_tag(&c->tag, &proof, &h->log->id);
    put_grant(h, c);
    put_note(h, c, 0, true, random);
}

static void put_cases(struct history *h)
{
    const uint8_t none[SPEAN_CHANGE_RANDOM_BYTES] = {0};
    for (uint32_t from = 0; from < HISTORY_CHANGES_A_CASE; from += HISTORY_CHANGES_A_BURST) {
        for (uint32_t i = 0; i < h->cases_count; i++) {
            if (from == 0) {
                begin_case(h, &h->cases[i]);
            }
            for (uint32_t k = from == 0 ? 1 : 0; k < HISTORY_CHANGES_A_BURST; k++) {
                put_note(h, &h->cases[i], from + k, false, none);
            }
        }
    }
}

/* -- Our agency record ----------------------------------------------------------------------- */

/* The transport key of the other node of our org. */
static const struct spean_key *other_node(const struct history *h)
{
    const struct spean_authority *authority = spean_core_authority(h->core);
    for (uint32_t i = 0; i < spean_authority_logs_count(authority); i++) {
        const struct spean_log *log = spean_authority_log_at(authority, i);
        if (!spean_id_equal(&log->id, &h->log->id)) {
            return &log->transport;
        }
    }
    scratch_want(false, "to find the other node");
    return NULL;
}

static struct spean_view encode_endpoint(const struct history *h, const char *endpoint,
                                         uint8_t *buf, size_t cap)
{
    struct spean_writer w;
    struct spean_view value;
    spean_writer_init(&w, buf, cap);
    spean_writer_map(&w, 2);
    spean_writer_uint(&w, SPEAN_SUB_ENDPOINT_NODE_KEY);
    spean_writer_bin(&w, other_node(h)->bytes, SPEAN_KEY_BYTES);
    spean_writer_uint(&w, SPEAN_SUB_ENDPOINT_ADDRESS);
    spean_writer_str(&w, endpoint, strlen(endpoint));
    scratch_need(spean_writer_end(&w, &value), "to encode an endpoint");
    return value;
}

static void put_agency(struct history *h, const char *endpoint)
{
    uint8_t fixed[NAME_BYTES];
    uint8_t value[ENDPOINT_BYTES];
    uint8_t buf[CONTENT_BYTES];
    struct spean_writer w;
    struct spean_change change = {.type = SPEAN_TYPE_AGENCY,
                                  .part = SPEAN_PART_PUBLIC,
                                  .schema_version = SPEAN_SCHEMA_VERSION,
                                  .creates = true};
    spean_writer_init(&w, fixed, sizeof(fixed));
    spean_writer_map(&w, 1);
    spean_writer_uint(&w, SPEAN_FIELD_AGENCY_ORG);
    spean_writer_bin(&w, h->log->org.bytes, sizeof(h->log->org.bytes));
    scratch_need(spean_writer_end(&w, &change.fixed), "to encode fixed fields");
    randombytes_buf(change.random, sizeof(change.random));
    spean_record_id_derive(&change.record, &h->ledger->id, &h->log->org, change.random);
    const struct spean_operation op = {
        .field = SPEAN_FIELD_AGENCY_ENDPOINTS,
        .kind = SPEAN_KIND_SET,
        .verb = SPEAN_VERB_ADD,
        .value = encode_endpoint(h, endpoint, value, sizeof(value)),
    };
    struct spean_view content;
    scratch_need(spean_change_encode(&change, &op, 1, NULL, 0, buf, sizeof(buf), &content),
                 "to encode our agency record");
    put_public(h, SPEAN_ENTRY_CHANGE, NULL, content);
}

/* -------------------------------------------------------------------------------------------- */

void history_write(struct spean_core *core, uint32_t changes, const char *endpoint)
{
    static struct history h;
    h.core = core;
    h.ledger = spean_authority_ledger(spean_core_authority(core));
    h.log = spean_core_own_log(core);
    h.cases_count = changes / HISTORY_CHANGES_A_CASE;
    h.cases = calloc(h.cases_count, sizeof(*h.cases));
    scratch_want(h.cases != NULL || h.cases_count == 0, "memory for cases");
    scratch_need(spean_run_new(&h.run), "memory for a run");
    const struct spean_org_secret *secret = spean_keys_org_at(spean_core_keys(core), 0);
    scratch_need(spean_grant_pair(h.pair, secret->secret, &secret->key, &secret->key),
                 "to derive the org's key with itself");
    put_agency(&h, endpoint);
    put_cases(&h);
    if (h.tx != NULL) {
        commit(&h);
    }
    spean_run_free(h.run);
    free(h.cases);
}
