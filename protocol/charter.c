#include "protocol/charter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/writer.h"

#define KEY_STEWARDS      1u
#define KEY_MEMBERS       2u
#define KEY_RELAYS        3u
#define KEY_LIMITS        4u
#define KEY_ERASURE_DELAY 5u
#define KEY_ENTRY_FORMAT  6u
#define KEY_SCHEMA        7u
#define KEY_CUTS          8u
#define KEY_PINS          9u
#define KEY_JOIN          10u
#define KEY_NAME          11u
#define KEY_RANDOM        12u
#define KEYS_COUNT        12u

#define LIMIT_QUOTA          1u
#define LIMIT_HEADS_INTERVAL 2u
#define LIMITS_COUNT         2u

#define ROWS_MAX SPEAN_DOCUMENT_BYTES_MAX /* A body has no room for as many. */

static void read_id(struct spean_reader *r, struct spean_id *id)
{
    spean_reader_bin_fixed(r, id->bytes, sizeof(id->bytes));
}

static void read_key(struct spean_reader *r, struct spean_key *key)
{
    spean_reader_bin_fixed(r, key->bytes, sizeof(key->bytes));
}

static void read_stewards(struct spean_reader *r, struct spean_charter *c)
{
    c->has_stewards = true;
    (void)spean_reader_array(r, 2, 2);
    c->threshold = (uint32_t)spean_reader_uint(r, SPEAN_STEWARDS_MAX);
    c->stewards_count = spean_reader_array(r, 1, SPEAN_STEWARDS_MAX);
    for (uint32_t i = 0; i < c->stewards_count && !spean_reader_failed(r); i++) {
        (void)spean_reader_array(r, 2, 2);
        read_id(r, &c->stewards[i].org);
        read_key(r, &c->stewards[i].key);
        if (i > 0 && spean_key_compare(&c->stewards[i - 1].key, &c->stewards[i].key) >= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
    if (c->threshold <= c->stewards_count / 2 || c->threshold > c->stewards_count) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

static void read_member(struct spean_reader *r, struct spean_charter_member *member)
{
    (void)spean_reader_array(r, 2, 2);
    read_id(r, &member->org);
    const uint64_t status = spean_reader_uint(r, UINT64_MAX);
    if (status != SPEAN_MEMBER_ACTIVE && status != SPEAN_MEMBER_REMOVED) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
    member->status = status == SPEAN_MEMBER_REMOVED ? SPEAN_MEMBER_REMOVED : SPEAN_MEMBER_ACTIVE;
}

static void read_relay(struct spean_reader *r, struct spean_relay *relay)
{
    (void)spean_reader_array(r, 2, 2);
    read_id(r, &relay->org);
    read_key(r, &relay->signing);
}

static void read_cut(struct spean_reader *r, struct spean_charter_cut *cut)
{
    (void)spean_reader_array(r, 4, 4);
    read_id(r, &cut->org);
    read_key(r, &cut->signing);
    spean_cut_read(r, &cut->cut);
}

static void read_pin(struct spean_reader *r, struct spean_pin *pin)
{
    (void)spean_reader_array(r, 2, 2);
    read_id(r, &pin->org);
    read_id(r, &pin->statement);
}

static int member_order(const void *a, const void *b)
{
    const struct spean_charter_member *const left = a;
    const struct spean_charter_member *const right = b;
    return spean_id_compare(&left->org, &right->org);
}

static int relay_order(const void *a, const void *b)
{
    const struct spean_relay *const left = a;
    const struct spean_relay *const right = b;
    const int order = spean_id_compare(&left->org, &right->org);
    return order != 0 ? order : spean_key_compare(&left->signing, &right->signing);
}

static int cut_order(const void *a, const void *b)
{
    const struct spean_charter_cut *const left = a;
    const struct spean_charter_cut *const right = b;
    const int order = spean_id_compare(&left->org, &right->org);
    return order != 0 ? order : spean_key_compare(&left->signing, &right->signing);
}

static int pin_order(const void *a, const void *b)
{
    const struct spean_pin *const left = a;
    const struct spean_pin *const right = b;
    return spean_id_compare(&left->org, &right->org);
}

static int steward_order(const void *a, const void *b)
{
    const struct spean_steward *const left = a;
    const struct spean_steward *const right = b;
    return spean_key_compare(&left->key, &right->key);
}

/* One row of any list, so that one loop reads and compares them all. */
union row {
    struct spean_charter_member member;
    struct spean_relay relay;
    struct spean_charter_cut cut;
    struct spean_pin pin;
};

static void read_row(struct spean_reader *r, unsigned key, union row *row)
{
    if (key == KEY_MEMBERS) {
        read_member(r, &row->member);
    } else if (key == KEY_RELAYS) {
        read_relay(r, &row->relay);
    } else if (key == KEY_CUTS) {
        read_cut(r, &row->cut);
    } else {
        read_pin(r, &row->pin);
    }
}

static int row_order(unsigned key, const union row *a, const union row *b)
{
    if (key == KEY_MEMBERS) {
        return member_order(&a->member, &b->member);
    }
    if (key == KEY_RELAYS) {
        return relay_order(&a->relay, &b->relay);
    }
    return key == KEY_CUTS ? cut_order(&a->cut, &b->cut) : pin_order(&a->pin, &b->pin);
}

/* Check the rows of a list and return them without the head of the array. */
static struct spean_view read_rows(struct spean_reader *r, unsigned key)
{
    const uint32_t count = spean_reader_array(r, key == KEY_RELAYS ? 0 : 1, ROWS_MAX);
    const uint8_t *const start = r->pos;
    union row last;
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        union row row;
        read_row(r, key, &row);
        if (i > 0 && row_order(key, &last, &row) >= 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        last = row;
    }
    const struct spean_view rows = {start, (size_t)(r->pos - start)};
    return rows;
}

static void read_limits(struct spean_reader *r, struct spean_charter *c)
{
    const uint32_t count = spean_reader_map(r, LIMITS_COUNT);
    for (uint32_t i = 0; i < count && !spean_reader_failed(r); i++) {
        const uint64_t key = spean_reader_uint(r, UINT64_MAX);
        const uint64_t value = spean_reader_uint(r, UINT64_MAX);
        if (key == LIMIT_QUOTA) {
            c->has_quota = true;
            c->quota_bytes = value;
        } else if (key == LIMIT_HEADS_INTERVAL) {
            c->has_heads_interval = true;
            c->heads_interval_s = value;
        } else {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
    }
    if (count == 0) {
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

static void read_parameter(struct spean_reader *r, uint64_t key, struct spean_charter *c)
{
    switch (key) {
    case KEY_LIMITS:
        read_limits(r, c);
        return;
    case KEY_ERASURE_DELAY:
        c->has_erasure_delay = true;
        c->erasure_delay_s = spean_reader_uint(r, SPEAN_ERASURE_DELAY_MAX);
        return;
    case KEY_ENTRY_FORMAT:
        c->has_entry_format = true;
        c->entry_format = spean_reader_uint(r, UINT64_MAX);
        if (c->entry_format == 0) {
            spean_reader_fail(r, SPEAN_EFORMAT);
        }
        return;
    case KEY_SCHEMA:
        c->has_schema = true;
        read_id(r, &c->schema);
        return;
    case KEY_NAME:
        c->name = spean_reader_str(r, 1, SPEAN_LEDGER_NAME_BYTES_MAX);
        return;
    case KEY_RANDOM:
        c->random = spean_reader_bin(r, SPEAN_CHARTER_RANDOM_BYTES, SPEAN_CHARTER_RANDOM_BYTES);
        return;
    default:
        spean_reader_fail(r, SPEAN_EFORMAT);
    }
}

static void read_change(struct spean_reader *r, struct spean_charter *c)
{
    const uint64_t key = spean_reader_uint(r, UINT64_MAX);
    switch (key) {
    case KEY_STEWARDS:
        read_stewards(r, c);
        return;
    case KEY_MEMBERS:
        c->members = read_rows(r, KEY_MEMBERS);
        return;
    case KEY_RELAYS:
        c->has_relays = true;
        c->relays = read_rows(r, KEY_RELAYS);
        return;
    case KEY_CUTS:
        c->cuts = read_rows(r, KEY_CUTS);
        return;
    case KEY_PINS:
        c->pins = read_rows(r, KEY_PINS);
        return;
    case KEY_JOIN:
        c->has_join = true;
        read_id(r, &c->join);
        return;
    default:
        read_parameter(r, key, c);
    }
}

/* P4.2: exactly the keys of a genesis, with or without limits. */
static bool genesis_complete(const struct spean_charter *c)
{
    const bool has_all = c->has_stewards && c->members.len > 0 && c->has_erasure_delay &&
                         c->has_entry_format && c->has_schema && c->name.len > 0 &&
                         c->random.len > 0;
    const bool has_other = c->has_relays || c->cuts.len > 0 || c->pins.len > 0 || c->has_join;
    return has_all && !has_other;
}

spean_err spean_charter_decode(struct spean_charter *charter, const struct spean_document *doc)
{
    assert(charter != NULL);
    assert(doc != NULL);

    if (doc->type != SPEAN_DOCUMENT_CHARTER) {
        return SPEAN_EFORMAT;
    }
    memset(charter, 0, sizeof(*charter));
    struct spean_reader r;
    spean_reader_init(&r, doc->changes); /* Its keys ascend: the envelope's decoder has checked. */
    const uint32_t count = spean_reader_map(&r, KEYS_COUNT);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        read_change(&r, charter);
    }
    const bool complete = doc->version == 1 ? genesis_complete(charter)
                                            : charter->name.len == 0 && charter->random.len == 0;
    if (count == 0 || !complete) {
        spean_reader_fail(&r, SPEAN_EFORMAT);
    }
    return spean_reader_end(&r);
}

static bool more(const struct spean_reader *r)
{
    return r->pos != r->end && !spean_reader_failed(r);
}

bool spean_charter_next_member(struct spean_reader *r, struct spean_charter_member *member)
{
    assert(r != NULL);
    assert(member != NULL);

    if (!more(r)) {
        return false;
    }
    read_member(r, member);
    return !spean_reader_failed(r);
}

bool spean_charter_next_relay(struct spean_reader *r, struct spean_relay *relay)
{
    assert(r != NULL);
    assert(relay != NULL);

    if (!more(r)) {
        return false;
    }
    read_relay(r, relay);
    return !spean_reader_failed(r);
}

bool spean_charter_next_cut(struct spean_reader *r, struct spean_charter_cut *cut)
{
    assert(r != NULL);
    assert(cut != NULL);

    if (!more(r)) {
        return false;
    }
    read_cut(r, cut);
    return !spean_reader_failed(r);
}

bool spean_charter_next_pin(struct spean_reader *r, struct spean_pin *pin)
{
    assert(r != NULL);
    assert(pin != NULL);

    if (!more(r)) {
        return false;
    }
    read_pin(r, pin);
    return !spean_reader_failed(r);
}

static void write_id(struct spean_writer *w, const struct spean_id *id)
{
    spean_writer_bin(w, id->bytes, sizeof(id->bytes));
}

static void write_key(struct spean_writer *w, const struct spean_key *key)
{
    spean_writer_bin(w, key->bytes, sizeof(key->bytes));
}

static void write_stewards(struct spean_writer *w, const struct spean_charter_draft *draft)
{
    if (draft->stewards_count == 0) {
        return;
    }
    qsort(draft->stewards, draft->stewards_count, sizeof(*draft->stewards), steward_order);
    spean_writer_uint(w, KEY_STEWARDS);
    spean_writer_array(w, 2);
    spean_writer_uint(w, draft->threshold);
    spean_writer_array(w, draft->stewards_count);
    for (uint32_t i = 0; i < draft->stewards_count; i++) {
        spean_writer_array(w, 2);
        write_id(w, &draft->stewards[i].org);
        write_key(w, &draft->stewards[i].key);
    }
}

static void write_members(struct spean_writer *w, const struct spean_charter_draft *draft)
{
    if (draft->members_count == 0) {
        return;
    }
    qsort(draft->members, draft->members_count, sizeof(*draft->members), member_order);
    spean_writer_uint(w, KEY_MEMBERS);
    spean_writer_array(w, draft->members_count);
    for (uint32_t i = 0; i < draft->members_count; i++) {
        spean_writer_array(w, 2);
        write_id(w, &draft->members[i].org);
        spean_writer_uint(w, (uint64_t)draft->members[i].status);
    }
}

static void write_relays(struct spean_writer *w, const struct spean_charter_draft *draft)
{
    if (!draft->has_relays) {
        return;
    }
    if (draft->relays_count > 0) {
        qsort(draft->relays, draft->relays_count, sizeof(*draft->relays), relay_order);
    }
    spean_writer_uint(w, KEY_RELAYS);
    spean_writer_array(w, draft->relays_count);
    for (uint32_t i = 0; i < draft->relays_count; i++) {
        spean_writer_array(w, 2);
        write_id(w, &draft->relays[i].org);
        write_key(w, &draft->relays[i].signing);
    }
}

static void write_limits(struct spean_writer *w, const struct spean_charter_draft *draft)
{
    const bool quota = draft->quota_bytes != NULL;
    const bool interval = draft->heads_interval_s != NULL;
    if (!quota && !interval) {
        return;
    }
    spean_writer_uint(w, KEY_LIMITS);
    spean_writer_map(w, quota && interval ? 2 : 1);
    if (quota) {
        spean_writer_uint(w, LIMIT_QUOTA);
        spean_writer_uint(w, *draft->quota_bytes);
    }
    if (interval) {
        spean_writer_uint(w, LIMIT_HEADS_INTERVAL);
        spean_writer_uint(w, *draft->heads_interval_s);
    }
}

static void write_cuts(struct spean_writer *w, const struct spean_charter_draft *draft)
{
    if (draft->cuts_count == 0) {
        return;
    }
    qsort(draft->cuts, draft->cuts_count, sizeof(*draft->cuts), cut_order);
    spean_writer_uint(w, KEY_CUTS);
    spean_writer_array(w, draft->cuts_count);
    for (uint32_t i = 0; i < draft->cuts_count; i++) {
        spean_writer_array(w, 4);
        write_id(w, &draft->cuts[i].org);
        write_key(w, &draft->cuts[i].signing);
        spean_cut_write(w, &draft->cuts[i].cut);
    }
}

static void write_pins(struct spean_writer *w, const struct spean_charter_draft *draft)
{
    if (draft->pins_count == 0) {
        return;
    }
    qsort(draft->pins, draft->pins_count, sizeof(*draft->pins), pin_order);
    spean_writer_uint(w, KEY_PINS);
    spean_writer_array(w, draft->pins_count);
    for (uint32_t i = 0; i < draft->pins_count; i++) {
        spean_writer_array(w, 2);
        write_id(w, &draft->pins[i].org);
        write_id(w, &draft->pins[i].statement);
    }
}

static void write_uint(struct spean_writer *w, unsigned key, const uint64_t *value)
{
    if (value != NULL) {
        spean_writer_uint(w, key);
        spean_writer_uint(w, *value);
    }
}

static void write_id_change(struct spean_writer *w, unsigned key, const struct spean_id *id)
{
    if (id != NULL) {
        spean_writer_uint(w, key);
        write_id(w, id);
    }
}

static uint32_t changes_count(const struct spean_charter_draft *draft)
{
    const bool present[] = {draft->stewards_count > 0,
                            draft->members_count > 0,
                            draft->has_relays,
                            draft->quota_bytes != NULL || draft->heads_interval_s != NULL,
                            draft->erasure_delay_s != NULL,
                            draft->entry_format != NULL,
                            draft->schema != NULL,
                            draft->cuts_count > 0,
                            draft->pins_count > 0,
                            draft->join != NULL,
                            draft->name.len > 0,
                            draft->random != NULL};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof(present) / sizeof(present[0]); i++) {
        count += present[i] ? 1 : 0;
    }
    return count;
}

static void write_changes(struct spean_writer *w, const struct spean_charter_draft *draft)
{
    spean_writer_map(w, changes_count(draft));
    write_stewards(w, draft);
    write_members(w, draft);
    write_relays(w, draft);
    write_limits(w, draft);
    write_uint(w, KEY_ERASURE_DELAY, draft->erasure_delay_s);
    write_uint(w, KEY_ENTRY_FORMAT, draft->entry_format);
    write_id_change(w, KEY_SCHEMA, draft->schema);
    write_cuts(w, draft);
    write_pins(w, draft);
    write_id_change(w, KEY_JOIN, draft->join);
    if (draft->name.len > 0) {
        spean_writer_uint(w, KEY_NAME);
        spean_writer_str(w, draft->name.data, draft->name.len);
    }
    if (draft->random != NULL) {
        spean_writer_uint(w, KEY_RANDOM);
        spean_writer_bin(w, draft->random, SPEAN_CHARTER_RANDOM_BYTES);
    }
}

spean_err spean_charter_compose(const struct spean_charter_draft *draft, uint8_t *buf, size_t cap,
                                struct spean_view *out)
{
    assert(draft != NULL);
    assert(out != NULL);

    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_document_write_head(&w, SPEAN_DOCUMENT_CHARTER, draft->version, &draft->previous);
    write_changes(&w, draft);
    struct spean_view body;
    const spean_err err = spean_writer_end(&w, &body);
    if (err != SPEAN_OK) {
        return err == SPEAN_EFORMAT ? SPEAN_EINPUT : err; /* The name is no valid text. */
    }
    if (body.len > SPEAN_DOCUMENT_BYTES_MAX) {
        return SPEAN_ELIMIT;
    }

    /* What we write passes the same door as what we are sent. */
    struct spean_document doc;
    struct spean_charter charter;
    if (spean_document_begin(&doc, body) != SPEAN_OK ||
        spean_charter_decode(&charter, &doc) != SPEAN_OK) {
        return SPEAN_EINPUT;
    }
    *out = body;
    return SPEAN_OK;
}
