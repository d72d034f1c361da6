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
#define SEALED_CONTENT    250u /* Bytes of a change; padded it fills HISTORY_BODY_BYTES. */
#define NAME_BYTES        40u
#define ENDPOINT_BYTES    256u
#define ENTRIES_OF_AGENCY 1u
#define OPERATIONS_MAX    2u

/* Of the visits to a case, which is what its changes tell of: the others write one text. */
#define VISITS_A_CONTACT  5u  /* Every so many, something is appended to a list. */
#define VISITS_A_REFERRAL 20u /* Every so many, a text is written and a member added to a set. */

/* What one node wrote to a case last; seq 0: nothing. */
struct last {
    uint64_t seq;
    uint64_t entry; /* First bytes of its id. */
};

struct one_case {
    struct spean_record_id record;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_tag tags[HISTORY_WRITERS_MAX];
    struct last last[HISTORY_WRITERS_MAX];
};

struct writer {
    const struct spean_log *log;
    const uint8_t *seed;
    struct spean_place head;
};

struct history {
    struct spean_core *core;
    const struct spean_ledger *ledger;
    uint8_t pair[SPEAN_KEY_BYTES]; /* Of our org with itself. */
    struct spean_run *run;
    uint8_t run_buf[SPEAN_LOG_RUN_BYTES_MAX];
    struct spean_tx *tx;
    uint32_t in_tx;
    uint32_t writers_count;
    struct writer writers[HISTORY_WRITERS_MAX];
    struct writer *writer; /* Whose turn it is. */
    uint32_t cases_count;
    struct one_case *cases;
};

/* The values of one change, in room for them. */
struct values {
    uint8_t bytes[CONTENT_BYTES];
    size_t len;
};

struct spean_view history_narrative(uint32_t number, uint8_t buf[HISTORY_NARRATIVE_BYTES])
{
    char text[HISTORY_NARRATIVE_LETTERS + 1];
    (void)snprintf(text, sizeof(text), "%0*u", (int)HISTORY_NARRATIVE_LETTERS, (unsigned)number);
    struct spean_writer w;
    struct spean_view out;
    spean_writer_init(&w, buf, HISTORY_NARRATIVE_BYTES);
    spean_writer_map(&w, 1);
    spean_writer_str(&w, "en", 2);
    spean_writer_str(&w, text, HISTORY_NARRATIVE_LETTERS);
    scratch_need(spean_writer_end(&w, &out), "to encode a text");
    return out;
}

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
    scratch_need(spean_run_decode(h->run, bytes, &h->writer->log->id, &h->writer->head),
                 "to decode a commit");
    if (h->tx == NULL) {
        scratch_need(spean_tx_begin(spean_core_db(h->core), SPEAN_TX_WRITE, &h->tx), "to begin");
    }
    scratch_need(spean_log_append(h->tx, h->run, h->writer->log, &written_here),
                 "to append a commit");
    h->writer->head = spean_run_last(h->run);
    if (++h->in_tx == COMMIT_ENTRIES) {
        commit(h);
    }
}

/* Make an entry that is a commit of its own, and sign it. */
static void put(struct history *h, enum spean_entry_kind kind, const struct spean_tag *tag,
                struct spean_view body)
{
    struct spean_header header = {.format = SPEAN_ENTRY_FORMAT,
                                  .seq = h->writer->head.seq + 1,
                                  .previous = h->writer->head.entry,
                                  .time = BEGUN_AT + h->writer->head.seq,
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
    spean_entry_id(&id, &h->writer->log->id, bytes);
    spean_commit_sign(&signature, &h->writer->log->id, &id, h->writer->seed);
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

/* Seal a change under the case's key, and remember it as the writer's last. */
static void put_sealed(struct history *h, struct one_case *c, struct spean_view content)
{
    uint8_t buf[CONTENT_BYTES];
    uint8_t nonce[SPEAN_AEAD_NONCE_BYTES];
    struct spean_view body;
    const size_t who = (size_t)(h->writer - h->writers);
    randombytes_buf(nonce, sizeof(nonce));
    scratch_need(spean_body_seal(buf, sizeof(buf), c->key, nonce, &h->writer->log->id,
                                 h->writer->head.seq + 1, &c->tags[who], content, &body),
                 "to seal a body");
    scratch_want(body.len == HISTORY_BODY_BYTES, "a sealed body of the length that is measured");
    put(h, SPEAN_ENTRY_CHANGE, &c->tags[who], body);
    c->last[who] = (struct last){h->writer->head.seq, spean_short_of(&h->writer->head.entry)};
}

/* -- Cases ----------------------------------------------------------------------------------- */

static void put_grant(struct history *h, const struct one_case *c)
{
    static uint8_t buf[SPEAN_GRANT_BYTES_MAX];
    static const struct spean_grant_lists no_lists;
    const struct spean_log *const log = h->writer->log;
    const struct spean_grant_receiver receiver = {log->org, h->pair};
    struct spean_grant_outer outer = {
        .place = {log->id, h->writer->head.seq + 1, log->org},
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
        .owner = log->org,
        .audience_count = 1,
        .audience = {log->org},
    };
    struct spean_view content;
    scratch_need(spean_grant_encode(&outer, &terms, &no_lists, buf, sizeof(buf), &content),
                 "to encode a grant");
    put_public(h, SPEAN_ENTRY_GRANT, &c->tags[h->writer - h->writers], content);
}

/* Begin a value in what is left of values. */
static struct spean_writer begin_value(struct values *values)
{
    struct spean_writer w;
    spean_writer_init(&w, values->bytes + values->len, sizeof(values->bytes) - values->len);
    return w;
}

static struct spean_view end_value(struct values *values, struct spean_writer *w)
{
    struct spean_view value;
    scratch_need(spean_writer_end(w, &value), "to encode a value");
    values->len += value.len;
    return value;
}

/* A text of len bytes in English, as a worker writes it anew at each visit. */
static void write_text(struct spean_writer *w, uint32_t visit, size_t len)
{
    static const char sentence[] = "Wages of two months are unpaid, the passport is held. ";
    char text[CONTENT_BYTES];
    const int begun = snprintf(text, sizeof(text), "Visit %-10u", visit);
    scratch_want(len < sizeof(text), "a text that is short enough");
    for (size_t i = (size_t)begun; i < len; i++) {
        text[i] = sentence[i % (sizeof(sentence) - 1)];
    }
    spean_writer_map(w, 1);
    spean_writer_str(w, "en", 2);
    spean_writer_str(w, text, len);
}

/* The text fields of a case in turn. */
static struct spean_operation text_of(struct values *values, uint32_t visit, size_t len)
{
    static const uint64_t fields[] = {SPEAN_FIELD_CASE_NARRATIVE, SPEAN_FIELD_CASE_SUPPORT_PLAN,
                                      SPEAN_FIELD_CASE_JOB_TITLE};
    struct spean_writer w = begin_value(values);
    write_text(&w, visit, len);
    return (struct spean_operation){.field = fields[visit % 3],
                                    .kind = SPEAN_KIND_VALUE,
                                    .verb = SPEAN_VERB_WRITE,
                                    .value = end_value(values, &w)};
}

/* One way more to reach the worker, an item of a list. */
static struct spean_operation contact_of(struct values *values, uint32_t visit, size_t len)
{
    static const char channel[] = "phone";
    char number[NAME_BYTES];
    const int number_len = snprintf(number, sizeof(number), "+855 %08u", visit);
    struct spean_writer w = begin_value(values);
    spean_writer_map(&w, 3);
    spean_writer_uint(&w, 1);
    spean_writer_str(&w, channel, sizeof(channel) - 1);
    spean_writer_uint(&w, 2);
    spean_writer_str(&w, number, (size_t)number_len);
    spean_writer_uint(&w, 3);
    write_text(&w, visit, len);
    return (struct spean_operation){.field = SPEAN_FIELD_CASE_CONTACTS,
                                    .kind = SPEAN_KIND_LIST,
                                    .verb = SPEAN_VERB_APPEND,
                                    .value = end_value(values, &w)};
}

/* A referral of the case, a member of a set by which the case is found. */
static struct spean_operation referral_of(struct values *values)
{
    struct spean_record_id referral;
    struct spean_writer w = begin_value(values);
    randombytes_buf(referral.bytes, sizeof(referral.bytes));
    spean_writer_bin(&w, referral.bytes, sizeof(referral.bytes));
    return (struct spean_operation){.field = SPEAN_FIELD_CASE_REFERRALS,
                                    .kind = SPEAN_KIND_SET,
                                    .verb = SPEAN_VERB_ADD,
                                    .value = end_value(values, &w)};
}

/* The short reference by which people find the case. */
static struct spean_operation short_ref_of(struct values *values, const struct one_case *c)
{
    char text[NAME_BYTES];
    struct spean_writer w = begin_value(values);
    const int len = snprintf(text, sizeof(text), "KH-2026-%08x",
                             (unsigned)(spean_u64_get(c->record.bytes) & UINT32_MAX));
    spean_writer_str(&w, text, (size_t)len);
    return (struct spean_operation){.field = SPEAN_FIELD_CASE_SHORT_REF,
                                    .kind = SPEAN_KIND_VALUE,
                                    .verb = SPEAN_VERB_WRITE,
                                    .value = end_value(values, &w)};
}

/* What is written at a visit, with a text of len bytes. */
static uint32_t compose(struct values *values, const struct one_case *c, uint32_t visit, size_t len,
                        struct spean_operation ops[OPERATIONS_MAX])
{
    values->len = 0;
    if (visit % VISITS_A_CONTACT == VISITS_A_CONTACT - 1) {
        ops[0] = contact_of(values, visit, len);
        return 1;
    }
    ops[0] = text_of(values, visit, len);
    if (visit == 0) {
        ops[1] = short_ref_of(values, c);
        return 2;
    }
    if (visit % VISITS_A_REFERRAL == 1) {
        ops[1] = referral_of(values);
        return 2;
    }
    return 1;
}

/* Name what the other nodes wrote to the case last: the writer has read it. */
static uint32_t context_of(const struct history *h, const struct one_case *c,
                           struct spean_context_row rows[HISTORY_WRITERS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < h->writers_count; i++) {
        if (&h->writers[i] != h->writer && c->last[i].seq > 0) {
            rows[count++] = (struct spean_context_row){spean_short_of(&h->writers[i].log->id),
                                                       c->last[i].seq, c->last[i].entry};
        }
    }
    return count;
}

static struct spean_view encode_change(const struct history *h, const struct one_case *c,
                                       uint32_t visit, const struct spean_change *change,
                                       size_t text_len, uint8_t buf[CONTENT_BYTES])
{
    static struct values values;
    struct spean_operation ops[OPERATIONS_MAX];
    struct spean_context_row rows[HISTORY_WRITERS_MAX];
    const uint32_t ops_count = compose(&values, c, visit, text_len, ops);
    const uint32_t rows_count = context_of(h, c, rows);
    struct spean_view content;
    scratch_need(
        spean_change_encode(change, ops, ops_count, rows, rows_count, buf, CONTENT_BYTES, &content),
        "to encode a change");
    return content;
}

/* Write down a visit: the first creates the record, with this random. */
static void put_visit(struct history *h, struct one_case *c, uint32_t visit,
                      const uint8_t random[SPEAN_CHANGE_RANDOM_BYTES])
{
    static const char actor[] = "worker";
    static const uint8_t no_fields[] = {0x80}; /* A case has none that are fixed. */
    struct spean_change change = {.type = SPEAN_TYPE_CASE,
                                  .record = c->record,
                                  .part = SPEAN_PART_CASE,
                                  .schema_version = SPEAN_SCHEMA_VERSION,
                                  .actor = {(const uint8_t *)actor, sizeof(actor) - 1},
                                  .creates = visit == 0,
                                  .fixed = {no_fields, sizeof(no_fields)}};
    memcpy(change.random, random, sizeof(change.random));
    uint8_t buf[CONTENT_BYTES];
    const size_t short_len = NAME_BYTES; /* Long enough to have a head of two bytes. */
    const size_t rest = encode_change(h, c, visit, &change, short_len, buf).len - short_len;
    put_sealed(h, c, encode_change(h, c, visit, &change, SEALED_CONTENT - rest, buf));
}

static void begin_case(struct history *h, struct one_case *c)
{
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    struct spean_id proof;
    randombytes_buf(random, sizeof(random));
    randombytes_buf(c->key, sizeof(c->key));
    spean_record_id_derive(&c->record, &h->ledger->id, &h->writer->log->org, random);
    const struct spean_keyed_part part = {c->record, SPEAN_PART_CASE};
    spean_partkey_proof(&proof, c->key, &part);
    for (uint32_t i = 0; i < h->writers_count; i++) {
        spean_partkey_tag(&c->tags[i], &proof, &h->writers[i].log->id);
    }
    put_grant(h, c);
    put_visit(h, c, 0, random);
}

static void put_cases(struct history *h)
{
    const uint8_t none[SPEAN_CHANGE_RANDOM_BYTES] = {0};
    for (uint32_t from = 0; from < HISTORY_CHANGES_A_CASE; from += HISTORY_CHANGES_A_BURST) {
        h->writer = &h->writers[from / HISTORY_CHANGES_A_BURST % h->writers_count];
        for (uint32_t i = 0; i < h->cases_count; i++) {
            if (from == 0) {
                begin_case(h, &h->cases[i]);
            }
            for (uint32_t k = from == 0 ? 1 : 0; k < HISTORY_CHANGES_A_BURST; k++) {
                put_visit(h, &h->cases[i], from + k, none);
            }
        }
    }
}

/* -- Our agency record ----------------------------------------------------------------------- */

/* The log of the other node of our org. */
static const struct spean_log *other_log(struct spean_core *core)
{
    const struct spean_authority *authority = spean_core_authority(core);
    const struct spean_log *own = spean_core_own_log(core);
    for (uint32_t i = 0; i < spean_authority_logs_count(authority); i++) {
        const struct spean_log *log = spean_authority_log_at(authority, i);
        if (!spean_id_equal(&log->id, &own->id)) {
            return log;
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
    spean_writer_bin(&w, other_log(h->core)->transport.bytes, SPEAN_KEY_BYTES);
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
    spean_writer_bin(&w, h->writer->log->org.bytes, sizeof(h->writer->log->org.bytes));
    scratch_need(spean_writer_end(&w, &change.fixed), "to encode fixed fields");
    randombytes_buf(change.random, sizeof(change.random));
    spean_record_id_derive(&change.record, &h->ledger->id, &h->writer->log->org, change.random);
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

/* Who writes: we, and the other node too if its seed is known. */
static void take_writers(struct history *h, const uint8_t *other_seed)
{
    h->writers[0] = (struct writer){.log = spean_core_own_log(h->core),
                                    .seed = spean_keys_signing_seed(spean_core_keys(h->core))};
    h->writers[1] = (struct writer){.log = other_log(h->core), .seed = other_seed};
    h->writers_count = other_seed == NULL ? 1 : 2;
    h->writer = &h->writers[0];
}

static void begin(struct history *h, struct spean_core *core, uint32_t cases_count,
                  const uint8_t *other_seed)
{
    *h = (struct history){.core = core};
    h->ledger = spean_authority_ledger(spean_core_authority(core));
    take_writers(h, other_seed);
    h->cases_count = cases_count;
    h->cases = calloc(h->cases_count, sizeof(*h->cases));
    scratch_want(h->cases != NULL || h->cases_count == 0, "memory for cases");
    scratch_need(spean_run_new(&h->run), "memory for a run");
    const struct spean_org_secret *secret = spean_keys_org_at(spean_core_keys(core), 0);
    scratch_need(spean_grant_pair(h->pair, secret->secret, &secret->key, &secret->key),
                 "to derive the org's key with itself");
}

static void end(struct history *h)
{
    if (h->tx != NULL) {
        commit(h);
    }
    spean_run_free(h->run);
    free(h->cases);
}

void history_write(struct spean_core *core, uint32_t changes, const char *endpoint,
                   const uint8_t *other_seed)
{
    static struct history h;
    begin(&h, core, changes / HISTORY_CHANGES_A_CASE, other_seed);
    put_agency(&h, endpoint);
    put_cases(&h);
    end(&h);
}

void history_write_grants(struct spean_core *core, uint32_t grants, const uint8_t *other_seed)
{
    static struct history h;
    begin(&h, core, 1, other_seed);
    begin_case(&h, &h.cases[0]);
    for (uint32_t i = 1; i < grants; i++) {
        h.writer = &h.writers[i % h.writers_count];
        put_grant(&h, &h.cases[0]);
    }
    end(&h);
}
