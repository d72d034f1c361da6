#include "store/author.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/body.h"
#include "protocol/erasure.h"
#include "protocol/heads.h"
#include "protocol/pair.h"
#include "protocol/partkey.h"
#include "protocol/schema.h"
#include "protocol/writer.h"
#include "store/body.h"
#include "store/entries.h"
#include "store/logs.h"
#include "store/record.h"
#include "tests/unit/store/author_fixture.h"

/* Encoded values. */
#define NIL  "\xc0"
#define OPEN "\xa4open"
#define CLOSED                                                                                     \
    "\xa6"                                                                                         \
    "closed"
#define WAGE "\xa4wage"
#define HELLO                                                                                      \
    "\x81\xa2"                                                                                     \
    "en\xa5hello"
#define STEP_ONE "\x81\x01\xa4send"
#define ACCEPT                                                                                     \
    "\x81\x01\xa6"                                                                                 \
    "accept"
#define URGENT "\xa6urgent"

static const struct spean_view nothing = {NULL, 0};

static void random_of(uint8_t fill, uint8_t out[SPEAN_CHANGE_RANDOM_BYTES])
{
    (void)memset(out, fill, SPEAN_CHANGE_RANDOM_BYTES);
}

static void create_fixed(struct spean_draft *draft, uint64_t type, uint8_t fill,
                         struct spean_view fixed, struct spean_record_id *record)
{
    uint8_t random[SPEAN_CHANGE_RANDOM_BYTES];
    random_of(fill, random);
    assert_int_equal(spean_draft_create(draft, type, random, fixed, record, NULL), SPEAN_OK);
}

static struct spean_record_id create(struct spean_draft *draft, uint64_t type, uint8_t fill)
{
    struct spean_record_id record;
    create_fixed(draft, type, fill, nothing, &record);
    return record;
}

static void write_value(struct spean_draft *draft, uint64_t field, const char *value)
{
    assert_int_equal(spean_draft_op(draft, field, SPEAN_VERB_WRITE, fixture_text(value)), SPEAN_OK);
}

static void add_value(struct spean_draft *draft, uint64_t field, const char *value)
{
    assert_int_equal(spean_draft_op(draft, field, SPEAN_VERB_ADD, fixture_text(value)), SPEAN_OK);
}

static void change(struct spean_draft *draft, const struct spean_record_id *record, uint64_t type,
                   uint32_t part)
{
    assert_int_equal(spean_draft_change(draft, record, type, part), SPEAN_OK);
}

static void grant(struct spean_draft *draft, const struct spean_record_id *record, uint32_t part,
                  enum spean_draft_grant how, const struct spean_id *org)
{
    assert_int_equal(
        spean_draft_grant(draft, record, SPEAN_TYPE_REFERRAL, part, how, org, org == NULL ? 0 : 1),
        SPEAN_OK);
}

/* Commit a draft, which is freed; the error is what it gave. */
static spean_err commit(struct author_fixture *f, enum author_who who, struct spean_draft *draft)
{
    const spean_err err = author_fixture_commit(f, who, draft);
    spean_draft_free(draft);
    return err;
}

/* A draft that is refused leaves the log as it was. */
static void refuse(struct author_fixture *f, enum author_who who, struct spean_draft *draft,
                   spean_err expected)
{
    const struct spean_place before = author_fixture_head(f, who);
    (void)memset(&f->problem, 0x7f, sizeof(f->problem));
    assert_int_equal(commit(f, who, draft), expected);
    const struct spean_place after = author_fixture_head(f, who);
    assert_int_equal(before.seq, after.seq);
    assert_true(spean_id_equal(&before.entry, &after.entry));
}

static struct spean_record_id a_case(struct author_fixture *f, enum author_who who, uint8_t fill)
{
    struct spean_draft *draft = author_fixture_draft(f, who);
    const struct spean_record_id record = create(draft, SPEAN_TYPE_CASE, fill);
    write_value(draft, SPEAN_FIELD_CASE_STATUS, OPEN);
    assert_int_equal(commit(f, who, draft), SPEAN_OK);
    return record;
}

/* A referral from A to B as it is sent: B reads steps and preview, not the payload. */
static struct spean_record_id a_referral(struct author_fixture *f)
{
    const struct spean_id *b = &f->nodes[B1].org;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    struct spean_record_id record;
    create_fixed(draft, SPEAN_TYPE_REFERRAL, 9, author_fixture_referral(f), &record);
    add_value(draft, SPEAN_FIELD_REFERRAL_ORIGIN_STEPS, STEP_ONE);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PREVIEW);
    write_value(draft, SPEAN_FIELD_REFERRAL_REASON, HELLO);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD);
    write_value(draft, SPEAN_FIELD_REFERRAL_NARRATIVE, HELLO);
    grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_FIRST, b);
    grant(draft, &record, SPEAN_PART_PREVIEW, SPEAN_GRANT_FIRST, b);
    grant(draft, &record, SPEAN_PART_PAYLOAD, SPEAN_GRANT_FIRST, NULL);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    return record;
}

static struct spean_tx *read_tx(struct author_fixture *f, enum author_who who)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->nodes[who].store->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    return tx;
}

/* Say whether a field is shown as this, without a conflict; NULL: not there, or cleared. */
static bool shows(struct author_fixture *f, enum author_who who,
                  const struct spean_record_id *record, uint32_t part, uint64_t field,
                  const char *value)
{
    struct spean_part *state = author_fixture_part(f, who, record, part);
    const struct spean_field *found =
        state == NULL ? NULL : spean_part_find(state, field, SPEAN_KIND_VALUE);
    struct spean_write shown;
    bool same = value == NULL;
    if (found != NULL && spean_field_get_shown(found, &shown)) {
        same = value != NULL && !spean_field_conflict(found) && shown.value.len == strlen(value) &&
               memcmp(shown.value.data, value, shown.value.len) == 0;
    }
    spean_part_free(state);
    return same;
}

static size_t siblings(struct author_fixture *f, enum author_who who,
                       const struct spean_record_id *record, uint32_t part, uint64_t field)
{
    struct spean_part *state = author_fixture_part(f, who, record, part);
    assert_non_null(state);
    const struct spean_field *found = spean_part_find(state, field, SPEAN_KIND_VALUE);
    assert_non_null(found);
    const size_t count = spean_field_writes_count(found);
    spean_part_free(state);
    return count;
}

static struct spean_id hash_of(struct author_fixture *f, enum author_who who,
                               const struct spean_record_id *record, uint32_t part)
{
    const struct spean_part_name name = {*record, part};
    struct spean_id hash;
    struct spean_tx *tx = read_tx(f, who);
    const spean_err err = spean_record_hash(tx, f->nodes[who].keys, &name, &hash);
    spean_tx_abort(tx);
    assert_int_equal(err, SPEAN_OK);
    return hash;
}

static void assert_same(struct author_fixture *f, enum author_who a, enum author_who b,
                        const struct spean_record_id *record, uint32_t part)
{
    const struct spean_id left = hash_of(f, a, record, part);
    const struct spean_id right = hash_of(f, b, record, part);
    assert_true(spean_id_equal(&left, &right));
}

/* -- What is written ------------------------------------------------------------------------- */

static void a_case_can_be_read_when_it_is_folded(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_case(f, A1, 1);
    assert_true(shows(f, A1, &record, 1, SPEAN_FIELD_CASE_STATUS, OPEN));
    assert_int_equal(f->done.first_seq, 1);
    assert_int_equal(f->done.entries_count, 2);
    const struct spean_place head = author_fixture_head(f, A1);
    assert_int_equal(f->done.head.seq, head.seq);
    assert_true(spean_id_equal(&f->done.head.entry, &head.entry));
    assert_int_equal(author_fixture_asides(f, A1), 0);
}

static void the_actor_and_the_clock_stand_in_the_write(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_case(f, A1, 1);
    struct spean_part *part = author_fixture_part(f, A1, &record, 1);
    assert_non_null(part);
    struct spean_write shown;
    assert_true(spean_field_get_shown(
        spean_part_find(part, SPEAN_FIELD_CASE_STATUS, SPEAN_KIND_VALUE), &shown));
    assert_int_equal(shown.time, AUTHOR_NOW_S);
    assert_int_equal(shown.actor.len, 3);
    assert_memory_equal(shown.actor.data, "p-7", 3);
    spean_part_free(part);
}

static void a_grant_stands_before_what_it_opens(void **state)
{
    struct author_fixture *f = *state;
    (void)a_referral(f);
    struct spean_tx *tx = read_tx(f, A1);
    struct spean_logs_row row;
    assert_int_equal(spean_logs_get(tx, &f->nodes[A1].author.log->id, &row), SPEAN_OK);
    assert_int_equal(row.head.seq, 6);
    for (uint64_t seq = 1; seq <= 6; seq++) {
        struct spean_run_entry entry;
        assert_int_equal(spean_entries_get(tx, &row, seq, &entry), SPEAN_OK);
        assert_int_equal(entry.header.kind, seq <= 3 ? SPEAN_ENTRY_GRANT : SPEAN_ENTRY_CHANGE);
        assert_true(entry.header.has_tag);
        assert_int_equal(entry.header.flags, seq == 6 ? SPEAN_ENTRY_ENDS_COMMIT : 0);
    }
    spean_tx_abort(tx);
}

static void a_draft_is_committed_once(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    assert_int_equal(author_fixture_commit(f, A1, draft), SPEAN_OK);
    assert_int_equal(author_fixture_commit(f, A1, draft), SPEAN_ESTATE);
    spean_draft_free(draft);
}

static void a_public_record_needs_no_key(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    const struct spean_record_id record = create(draft, SPEAN_TYPE_AGENCY, 1);
    write_value(draft, SPEAN_FIELD_AGENCY_NAMES, HELLO);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    assert_int_equal(f->done.entries_count, 1);
    assert_true(shows(f, A1, &record, 0, SPEAN_FIELD_AGENCY_NAMES, HELLO));
    author_fixture_copy(f, A1, B1);
    assert_true(shows(f, B1, &record, 0, SPEAN_FIELD_AGENCY_NAMES, HELLO));
    assert_same(f, A1, B1, &record, 0);
}

static void nothing_of_a_case_can_be_read_in_the_store_of_another_organisation(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_case(f, A1, 1);
    author_fixture_copy(f, A1, B1);
    assert_null(author_fixture_part(f, B1, &record, 1));
    author_fixture_copy(f, A1, A2);
    assert_same(f, A1, A2, &record, 1);
}

static void a_referral_shows_the_target_what_it_was_granted(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    assert_same(f, A1, B1, &record, SPEAN_PART_STEPS);
    assert_same(f, A1, B1, &record, SPEAN_PART_PREVIEW);
    assert_null(author_fixture_part(f, B1, &record, SPEAN_PART_PAYLOAD));
    assert_int_equal(author_fixture_asides(f, B1), 0);
}

static void the_payload_follows_under_the_same_key_after_acceptance(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    struct spean_draft *draft = author_fixture_draft(f, B1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS);
    add_value(draft, SPEAN_FIELD_REFERRAL_TARGET_STEPS, ACCEPT);
    assert_int_equal(commit(f, B1, draft), SPEAN_OK);
    assert_int_equal(f->done.entries_count, 1);
    author_fixture_copy(f, B1, A1);

    draft = author_fixture_draft(f, A1);
    grant(draft, &record, SPEAN_PART_PAYLOAD, SPEAN_GRANT_MORE, &f->nodes[B1].org);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    author_fixture_copy(f, A1, B1);
    assert_same(f, A1, B1, &record, SPEAN_PART_STEPS);
    assert_same(f, A1, B1, &record, SPEAN_PART_PAYLOAD);

    draft = author_fixture_draft(f, B1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD);
    write_value(draft, SPEAN_FIELD_REFERRAL_CLOSING_NOTE, HELLO);
    assert_int_equal(commit(f, B1, draft), SPEAN_OK);
    author_fixture_copy(f, B1, A1);
    assert_true(
        shows(f, A1, &record, SPEAN_PART_PAYLOAD, SPEAN_FIELD_REFERRAL_CLOSING_NOTE, HELLO));
    assert_int_equal(author_fixture_asides(f, A1) + author_fixture_asides(f, B1), 0);
}

static void a_new_generation_shuts_out_whom_it_leaves_out(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PREVIEW);
    write_value(draft, SPEAN_FIELD_REFERRAL_REASON, NIL);
    grant(draft, &record, SPEAN_PART_PREVIEW, SPEAN_GRANT_RENEW, NULL);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    assert_true(shows(f, A1, &record, SPEAN_PART_PREVIEW, SPEAN_FIELD_REFERRAL_REASON, NIL));
    author_fixture_copy(f, A1, B1);
    assert_true(shows(f, B1, &record, SPEAN_PART_PREVIEW, SPEAN_FIELD_REFERRAL_REASON, HELLO));

    /* Let in again, it reads all that was written meanwhile: under the new key and the old one. */
    draft = author_fixture_draft(f, A1);
    grant(draft, &record, SPEAN_PART_PREVIEW, SPEAN_GRANT_MORE, &f->nodes[B1].org);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    author_fixture_copy(f, A1, B1);
    assert_same(f, A1, B1, &record, SPEAN_PART_PREVIEW);
    assert_int_equal(author_fixture_asides(f, A1), 0);
}

/* B steps its track: once before it is left out, once after. */
static void step_target(struct author_fixture *f, const struct spean_record_id *record)
{
    struct spean_draft *draft = author_fixture_draft(f, B1);
    change(draft, record, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS);
    add_value(draft, SPEAN_FIELD_REFERRAL_TARGET_STEPS, ACCEPT);
    assert_int_equal(commit(f, B1, draft), SPEAN_OK);
    author_fixture_copy(f, B1, A1);
}

static size_t target_steps(struct author_fixture *f, const struct spean_record_id *record)
{
    struct spean_part *part = author_fixture_part(f, A1, record, SPEAN_PART_STEPS);
    assert_non_null(part);
    const struct spean_field *field =
        spean_part_find(part, SPEAN_FIELD_REFERRAL_TARGET_STEPS, SPEAN_KIND_LIST);
    const size_t count = field == NULL ? 0 : spean_field_writes_count(field);
    spean_part_free(part);
    return count;
}

/* As many grants in one log as others would count (P8.4), less what one commit can make. */
static void no_grant_is_written_that_would_not_count(void **state)
{
    static const uint8_t junk[] = {1};
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    const struct spean_part_name part = {record, SPEAN_PART_PREVIEW};
    const struct spean_id log = f->nodes[A1].author.log->id;
    struct spean_tx *tx;
    struct spean_logs_row row;
    assert_int_equal(spean_tx_begin(f->nodes[A1].store->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_logs_get(tx, &log, &row), SPEAN_OK);
    for (uint64_t i = 0; i < SPEAN_PART_GRANTS_MAX - SPEAN_RUN_ENTRIES_MAX; i++) {
        struct spean_db_key key = spean_part_name_key(&part);
        spean_db_key_put_u32(&key, row.number);
        spean_db_key_put_u64(&key, 100000 + i);
        (void)spean_tx_put(tx, SPEAN_TABLE_PART_GRANTS, spean_db_key_view(&key),
                           (struct spean_view){junk, sizeof(junk)});
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    grant(draft, &record, SPEAN_PART_PREVIEW, SPEAN_GRANT_RENEW, NULL);
    refuse(f, A1, draft, SPEAN_ELIMIT);
}

static void of_whom_a_new_generation_leaves_out_what_was_read_stays_p8_5(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    step_target(f, &record);
    assert_int_equal(target_steps(f, &record), 1);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_RENEW, NULL);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    assert_int_equal(target_steps(f, &record), 1);
    assert_int_equal(author_fixture_asides(f, A1), 0);
    author_fixture_copy(f, A1, B1); /* It opens nothing of it, and goes on as before. */
    step_target(f, &record);
    assert_int_equal(target_steps(f, &record), 1);
    assert_int_equal(author_fixture_asides(f, A1), 1);
}

static void a_target_may_renew_a_key_for_those_who_had_it(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    struct spean_draft *draft = author_fixture_draft(f, B1);
    grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_RENEW, &f->nodes[A1].org);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS);
    add_value(draft, SPEAN_FIELD_REFERRAL_TARGET_STEPS, ACCEPT);
    assert_int_equal(commit(f, B1, draft), SPEAN_OK);
    author_fixture_copy(f, B1, A1);
    assert_same(f, A1, B1, &record, SPEAN_PART_STEPS);
    assert_int_equal(author_fixture_asides(f, A1), 0);
}

static void what_was_not_seen_stands_beside_and_what_was_seen_is_replaced(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_case(f, A1, 1);
    author_fixture_copy(f, A1, A2);
    static const char *const values[] = {CLOSED, URGENT};
    for (int who = A1; who <= A2; who++) {
        struct spean_draft *draft = author_fixture_draft(f, (enum author_who)who);
        change(draft, &record, SPEAN_TYPE_CASE, 1);
        write_value(draft, SPEAN_FIELD_CASE_STATUS, values[who]);
        assert_int_equal(commit(f, (enum author_who)who, draft), SPEAN_OK);
    }
    author_fixture_copy(f, A1, A2);
    author_fixture_copy(f, A2, A1);
    assert_int_equal(siblings(f, A1, &record, 1, SPEAN_FIELD_CASE_STATUS), 2);
    assert_same(f, A1, A2, &record, 1);

    struct spean_draft *draft = author_fixture_draft(f, A2);
    change(draft, &record, SPEAN_TYPE_CASE, 1);
    write_value(draft, SPEAN_FIELD_CASE_STATUS, OPEN);
    assert_int_equal(commit(f, A2, draft), SPEAN_OK);
    author_fixture_copy(f, A2, A1);
    assert_int_equal(siblings(f, A1, &record, 1, SPEAN_FIELD_CASE_STATUS), 1);
    assert_true(shows(f, A1, &record, 1, SPEAN_FIELD_CASE_STATUS, OPEN));
    assert_same(f, A1, A2, &record, 1);
}

static void several_changes_in_one_commit_follow_one_another(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    const struct spean_record_id record = create(draft, SPEAN_TYPE_CASE, 1);
    write_value(draft, SPEAN_FIELD_CASE_STATUS, OPEN);
    change(draft, &record, SPEAN_TYPE_CASE, 1);
    write_value(draft, SPEAN_FIELD_CASE_STATUS, CLOSED);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    assert_int_equal(f->done.entries_count, 3);
    assert_true(shows(f, A1, &record, 1, SPEAN_FIELD_CASE_STATUS, CLOSED));
}

static void an_agency_of_nobody_is_written_by_every_member(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    const struct spean_record_id record = create(draft, SPEAN_TYPE_AGENCY, 1);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    author_fixture_copy(f, A1, B1);
    draft = author_fixture_draft(f, B1);
    change(draft, &record, SPEAN_TYPE_AGENCY, 0);
    write_value(draft, SPEAN_FIELD_AGENCY_NAMES, HELLO);
    assert_int_equal(commit(f, B1, draft), SPEAN_OK);
    author_fixture_copy(f, B1, A1);
    assert_true(shows(f, A1, &record, 0, SPEAN_FIELD_AGENCY_NAMES, HELLO));
}

static void a_dry_run_writes_nothing_and_leaves_the_draft(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    struct spean_author_done done;
    assert_int_equal(spean_author_commit(&f->nodes[A1].author, draft, nothing, true, &done, NULL),
                     SPEAN_OK);
    assert_int_equal(done.head.seq, 0);
    assert_int_equal(done.entries_count, 2);
    assert_int_equal(author_fixture_head(f, A1).seq, 0);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    assert_int_equal(author_fixture_head(f, A1).seq, 2);
}

/* Numbers that everybody can foresee. */
static void counted(void *ctx, uint8_t *out, size_t len)
{
    uint8_t *next = ctx;
    (*next)++;
    (void)memset(out, *next, len);
}

static void the_same_draft_and_random_bytes_give_the_same_log(void **state)
{
    struct author_fixture *f = *state;
    void *other = NULL;
    (void)fixture_store_setup(&other); /* Asserts inside. */
    struct spean_author author = f->nodes[A1].author;
    author.random = counted;
    struct spean_place heads[2];
    for (int i = 0; i < 2; i++) {
        uint8_t next = 0;
        author.random_ctx = &next;
        author.db = i == 0 ? author.db : ((struct fixture *)other)->db;
        struct spean_draft *draft = author_fixture_draft(f, A1);
        (void)create(draft, SPEAN_TYPE_CASE, 1);
        write_value(draft, SPEAN_FIELD_CASE_STATUS, OPEN);
        assert_int_equal(spean_author_commit(&author, draft, nothing, false, &f->done, NULL),
                         SPEAN_OK);
        heads[i] = f->done.head;
        spean_draft_free(draft);
    }
    assert_true(spean_id_equal(&heads[0].entry, &heads[1].entry));
    (void)fixture_teardown(&other);
}

static void older_keys_come_with_the_newest(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    for (int i = 0; i < 2; i++) {
        struct spean_draft *draft = author_fixture_draft(f, A1);
        grant(draft, &record, SPEAN_PART_PAYLOAD, SPEAN_GRANT_RENEW, NULL);
        change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD);
        write_value(draft, SPEAN_FIELD_REFERRAL_SUPPORT_PLAN, HELLO);
        assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    }
    struct spean_draft *draft = author_fixture_draft(f, A1);
    grant(draft, &record, SPEAN_PART_PAYLOAD, SPEAN_GRANT_MORE, &f->nodes[B1].org);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    author_fixture_copy(f, A1, B1);
    assert_true(shows(f, B1, &record, SPEAN_PART_PAYLOAD, SPEAN_FIELD_REFERRAL_NARRATIVE, HELLO));
    assert_same(f, A1, B1, &record, SPEAN_PART_PAYLOAD);
}

static void parties_added_one_by_one_know_of_each_other(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    static const enum author_who added[] = {B1, C1};
    for (size_t i = 0; i < 2; i++) {
        struct spean_draft *draft = author_fixture_draft(f, A1);
        grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_MORE, &f->nodes[added[i]].org);
        grant(draft, &record, SPEAN_PART_PAYLOAD, SPEAN_GRANT_MORE, &f->nodes[added[i]].org);
        assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    }
    const struct spean_id both[] = {f->nodes[B1].org, f->nodes[C1].org};
    struct spean_draft *draft = author_fixture_draft(f, A1);
    assert_int_equal(spean_draft_grant(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD,
                                       SPEAN_GRANT_RENEW, both, 2),
                     SPEAN_OK);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD);
    write_value(draft, SPEAN_FIELD_REFERRAL_SUPPORT_PLAN, HELLO);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    for (size_t i = 0; i < 2; i++) {
        author_fixture_copy(f, A1, added[i]);
        assert_int_equal(author_fixture_asides(f, added[i]), 0);
        assert_same(f, A1, added[i], &record, SPEAN_PART_PAYLOAD);
    }
}

/* -- What is refused ------------------------------------------------------------------------- */

static void an_empty_draft_is_refused(void **state)
{
    struct author_fixture *f = *state;
    refuse(f, A1, author_fixture_draft(f, A1), SPEAN_EINPUT);
    assert_int_equal(f->problem.item, SPEAN_AUTHOR_NO_ITEM);
}

static void a_change_without_operations_is_refused(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_case(f, A1, 1);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    change(draft, &record, SPEAN_TYPE_CASE, 1);
    refuse(f, A1, draft, SPEAN_EINPUT);
    assert_int_equal(f->problem.item, 0);
    draft = author_fixture_draft(f, A1);
    const struct spean_record_id created = create(draft, SPEAN_TYPE_CASE, 2);
    change(draft, &created, SPEAN_TYPE_CASE, 1);
    refuse(f, A1, draft, SPEAN_EINPUT);
    assert_int_equal(f->problem.item, 1);
}

static void an_actor_is_short_text(void **state)
{
    struct author_fixture *f = *state;
    static const char longest[SPEAN_ACTOR_BYTES_MAX + 2] = "123456789012345678901234567890123";
    const struct spean_author *author = &f->nodes[A1].author;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    struct spean_view actor = {(const uint8_t *)longest, SPEAN_ACTOR_BYTES_MAX + 1};
    assert_int_equal(spean_author_commit(author, draft, actor, false, NULL, NULL), SPEAN_EINPUT);
    actor = fixture_text("\xff");
    assert_int_equal(spean_author_commit(author, draft, actor, false, NULL, NULL), SPEAN_EINPUT);
    actor = (struct spean_view){(const uint8_t *)longest, SPEAN_ACTOR_BYTES_MAX};
    assert_int_equal(spean_author_commit(author, draft, actor, false, NULL, NULL), SPEAN_OK);
    spean_draft_free(draft);
}

static void a_record_that_is_not_known_is_not_written(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = {{7}};
    struct spean_draft *draft = author_fixture_draft(f, A1);
    change(draft, &record, SPEAN_TYPE_CASE, 1);
    write_value(draft, SPEAN_FIELD_CASE_STATUS, OPEN);
    refuse(f, A1, draft, SPEAN_ENOTFOUND);
    draft = author_fixture_draft(f, A1);
    grant(draft, &record, 1, SPEAN_GRANT_FIRST, NULL);
    refuse(f, A1, draft, SPEAN_ENOTFOUND);
}

static void a_record_is_created_once(void **state)
{
    struct author_fixture *f = *state;
    (void)a_case(f, A1, 1);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    refuse(f, A1, draft, SPEAN_EEXISTS);
}

static void a_record_is_of_its_type(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    change(draft, &record, SPEAN_TYPE_CASE, 1);
    write_value(draft, SPEAN_FIELD_CASE_STATUS, OPEN);
    refuse(f, A1, draft, SPEAN_EINPUT);

    /* A case is not handed out by calling it a referral. */
    const struct spean_record_id own = a_case(f, A1, 3);
    draft = author_fixture_draft(f, A1);
    grant(draft, &own, 1, SPEAN_GRANT_MORE, &f->nodes[B1].org);
    refuse(f, A1, draft, SPEAN_EINPUT);
    draft = author_fixture_draft(f, A1);
    const struct spean_record_id created = create(draft, SPEAN_TYPE_CASE, 4);
    grant(draft, &created, 1, SPEAN_GRANT_FIRST, &f->nodes[B1].org);
    refuse(f, A1, draft, SPEAN_EINPUT);
}

static void a_field_of_another_party_is_named_and_refused(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    struct spean_draft *draft = author_fixture_draft(f, B1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS);
    add_value(draft, SPEAN_FIELD_REFERRAL_TARGET_STEPS, ACCEPT);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_STEPS);
    add_value(draft, SPEAN_FIELD_REFERRAL_TARGET_STEPS, ACCEPT);
    write_value(draft, SPEAN_FIELD_REFERRAL_URGENCY, URGENT);
    refuse(f, B1, draft, SPEAN_EDENIED);
    assert_int_equal(f->problem.item, 1);
    assert_int_equal(f->problem.field, SPEAN_FIELD_REFERRAL_URGENCY);
    assert_int_equal(f->problem.aside, SPEAN_ASIDE_WRITER);
}

static void a_referral_is_sent_in_ones_own_name(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, B1);
    struct spean_record_id record;
    create_fixed(draft, SPEAN_TYPE_REFERRAL, 1, author_fixture_referral(f), &record);
    refuse(f, B1, draft, SPEAN_EDENIED);
    assert_int_equal(f->problem.aside, SPEAN_ASIDE_PARTY);
    draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_REFERRAL, 1);
    refuse(f, A1, draft, SPEAN_EDENIED);
}

static void a_code_list_of_another_is_a_stewards_to_write(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    const struct spean_record_id record = create(draft, SPEAN_TYPE_CODE_LIST, 1);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    draft = author_fixture_draft(f, B1);
    const struct spean_record_id other = create(draft, SPEAN_TYPE_CODE_LIST, 2);
    assert_int_equal(commit(f, B1, draft), SPEAN_OK);
    author_fixture_copy(f, A1, B1);
    author_fixture_copy(f, B1, A1);

    draft = author_fixture_draft(f, B1);
    change(draft, &record, SPEAN_TYPE_CODE_LIST, 0);
    write_value(draft, SPEAN_FIELD_CODE_LIST_TITLE, HELLO);
    refuse(f, B1, draft, SPEAN_EDENIED);
    draft = author_fixture_draft(f, A1);
    change(draft, &other, SPEAN_TYPE_CODE_LIST, 0);
    write_value(draft, SPEAN_FIELD_CODE_LIST_TITLE, HELLO);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
}

static void a_part_whose_key_is_not_held_is_not_written(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    struct spean_draft *draft = author_fixture_draft(f, B1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD);
    write_value(draft, SPEAN_FIELD_REFERRAL_CLOSING_NOTE, HELLO);
    refuse(f, B1, draft, SPEAN_ENOTFOUND);
}

static void only_the_owner_grants_first_and_to_more(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    author_fixture_copy(f, A1, B1);
    static const enum spean_draft_grant hows[] = {SPEAN_GRANT_FIRST, SPEAN_GRANT_MORE};
    for (size_t i = 0; i < 2; i++) {
        struct spean_draft *draft = author_fixture_draft(f, B1);
        grant(draft, &record, SPEAN_PART_PAYLOAD, hows[i], NULL);
        refuse(f, B1, draft, SPEAN_EDENIED);
        assert_int_equal(f->problem.aside, SPEAN_ASIDE_OWNER);
    }
}

static void a_part_gets_one_first_key(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_FIRST, NULL);
    refuse(f, A1, draft, SPEAN_EEXISTS);
}

static void a_key_that_was_never_granted_goes_to_nobody(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    struct spean_record_id record;
    create_fixed(draft, SPEAN_TYPE_REFERRAL, 1, author_fixture_referral(f), &record);
    grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_MORE, &f->nodes[B1].org);
    refuse(f, A1, draft, SPEAN_ENOTFOUND);
    assert_int_equal(f->problem.item, 1);
}

static void a_renewed_key_goes_to_none_who_lacked_the_one_before(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    grant(draft, &record, SPEAN_PART_PAYLOAD, SPEAN_GRANT_RENEW, &f->nodes[B1].org);
    refuse(f, A1, draft, SPEAN_EDENIED);
    assert_int_equal(f->problem.aside, SPEAN_ASIDE_LARGER);
    assert_true(f->problem.has_org);
    assert_true(spean_id_equal(&f->problem.org, &f->nodes[B1].org));
}

static void an_organisation_that_cannot_be_reached_is_named(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_id *const orgs[] = {&f->absent, &f->stranger};
    static const spean_err errs[] = {SPEAN_ENOTFOUND, SPEAN_EDENIED};
    for (size_t i = 0; i < 2; i++) {
        struct spean_draft *draft = author_fixture_draft(f, A1);
        struct spean_record_id record;
        create_fixed(draft, SPEAN_TYPE_REFERRAL, 1, author_fixture_referral(f), &record);
        grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_FIRST, orgs[i]);
        refuse(f, A1, draft, errs[i]);
        assert_int_equal(f->problem.item, 1);
        assert_true(f->problem.has_org);
        assert_true(spean_id_equal(&f->problem.org, orgs[i]));
    }
}

static void a_removed_member_is_handed_nothing(void **state)
{
    struct author_fixture *f = *state;
    struct fixture_document removal;
    fixture_charter_member(&removal, &f->charter.doc, &f->nodes[B1].org, SPEAN_MEMBER_REMOVED,
                           AUTHOR_STEWARD);
    author_fixture_add(f, &removal);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    struct spean_record_id record;
    create_fixed(draft, SPEAN_TYPE_REFERRAL, 1, author_fixture_referral(f), &record);
    grant(draft, &record, SPEAN_PART_STEPS, SPEAN_GRANT_FIRST, &f->nodes[B1].org);
    refuse(f, A1, draft, SPEAN_EDENIED);
    assert_true(spean_id_equal(&f->problem.org, &f->nodes[B1].org));
}

static void a_closed_log_is_not_written(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    struct spean_log closed = *f->nodes[A1].author.log;
    closed.status = SPEAN_LOG_CLOSED;
    struct spean_author author = f->nodes[A1].author;
    author.log = &closed;
    assert_int_equal(spean_author_commit(&author, draft, nothing, false, NULL, &f->problem),
                     SPEAN_ESTATE);
    assert_int_equal(f->problem.item, SPEAN_AUTHOR_NO_ITEM);
    author.log = NULL;
    assert_int_equal(spean_author_commit(&author, draft, nothing, false, NULL, NULL), SPEAN_ESTATE);
    assert_int_equal(spean_author_heads(&author, NULL), SPEAN_ESTATE);
    assert_int_equal(spean_author_orgkey(&author, NULL), SPEAN_ESTATE);
    spean_draft_free(draft);
}

static void a_draft_is_written_into_its_own_log(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A2);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    refuse(f, A1, draft, SPEAN_ESTATE);
}

static void a_locked_node_writes_nothing(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_AGENCY, 1);
    spean_keys_lock(f->nodes[A1].keys);
    const struct spean_author *author = &f->nodes[A1].author;
    assert_int_equal(spean_author_commit(author, draft, nothing, false, NULL, NULL), SPEAN_ELOCKED);
    assert_int_equal(spean_author_heads(author, NULL), SPEAN_ELOCKED);
    assert_int_equal(spean_author_orgkey(author, NULL), SPEAN_ELOCKED);
    assert_int_equal(author_fixture_head(f, A1).seq, 0);
    spean_draft_free(draft);
}

static void what_is_not_folded_yet_is_not_built_on(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_author *author = &f->nodes[A1].author;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    assert_int_equal(spean_author_commit(author, draft, nothing, false, NULL, NULL), SPEAN_OK);
    spean_draft_free(draft);
    draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 2);
    assert_int_equal(spean_author_commit(author, draft, nothing, false, NULL, NULL), SPEAN_EWAIT);
    author_fixture_fold(&f->nodes[A1]);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
}

static void while_somebody_writes_nobody_else_does(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->nodes[A1].store->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_author_commit(&f->nodes[A1].author, draft, nothing, false, NULL, NULL),
                     SPEAN_EBUSY);
    spean_tx_abort(tx);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
}

static void a_node_without_the_newest_sealing_secret_grants_nothing(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A2);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    refuse(f, A2, draft, SPEAN_EWAIT);
    assert_int_equal(spean_author_orgkey(&f->nodes[A2].author, NULL), SPEAN_EWAIT);
    draft = author_fixture_draft(f, A2);
    (void)create(draft, SPEAN_TYPE_AGENCY, 1);
    assert_int_equal(commit(f, A2, draft), SPEAN_OK);
}

static void an_older_sealing_secret_grants_nothing(void **state)
{
    struct author_fixture *f = *state;
    const uint8_t secret[SPEAN_KEY_BYTES] = {8, 8, 8};
    struct spean_key sealing;
    spean_x25519_public(&sealing, secret);
    const struct spean_statement_draft rotation = {
        .version = 3,
        .previous = f->statement.doc.id,
        .generation = 2,
        .sealing = &sealing,
    };
    struct fixture_document document;
    fixture_statement(&document, &rotation, SIGNED_BY(AUTHOR_ADMIN));
    author_fixture_add(f, &document);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    refuse(f, A1, draft, SPEAN_EWAIT);

    assert_int_equal(spean_keys_add_org(f->nodes[A1].keys, f->nodes[A1].store->db, 2, secret),
                     SPEAN_OK);
    draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
}

/* -- Limits ---------------------------------------------------------------------------------- */

static void a_text(struct spean_draft *draft, uint64_t field, size_t len)
{
    uint8_t *buf = malloc(len + 16u);
    char *text = malloc(len);
    assert_non_null(buf);
    assert_non_null(text);
    (void)memset(text, 'x', len);
    struct spean_writer w;
    struct spean_view value;
    spean_writer_init(&w, buf, len + 16u);
    spean_writer_map(&w, 1);
    spean_writer_str(&w, "en", 2);
    spean_writer_str(&w, text, len);
    assert_int_equal(spean_writer_end(&w, &value), SPEAN_OK);
    assert_int_equal(spean_draft_op(draft, field, SPEAN_VERB_WRITE, value), SPEAN_OK);
    free(text);
    free(buf);
}

static void a_change_beyond_a_body_is_refused_and_named(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 1);
    (void)create(draft, SPEAN_TYPE_CASE, 2);
    a_text(draft, SPEAN_FIELD_CASE_NARRATIVE, 30000);
    a_text(draft, SPEAN_FIELD_CASE_SUPPORT_PLAN, 30000);
    refuse(f, A1, draft, SPEAN_ELIMIT);
    assert_int_equal(f->problem.item, 1);
}

static void a_commit_beyond_a_run_is_refused(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    for (uint8_t i = 1; i <= 4; i++) {
        (void)create(draft, SPEAN_TYPE_CASE, i);
        a_text(draft, SPEAN_FIELD_CASE_NARRATIVE, 32000);
    }
    refuse(f, A1, draft, SPEAN_ELIMIT); /* Padded and sealed, they are more than they were. */
    assert_int_equal(f->problem.item, 3);
}

static void implied_grants_count_among_the_entries(void **state)
{
    struct author_fixture *f = *state;
    struct spean_draft *draft = author_fixture_draft(f, A1);
    for (uint32_t i = 0; i <= SPEAN_RUN_ENTRIES_MAX / 2; i++) {
        (void)create(draft, SPEAN_TYPE_CASE, (uint8_t)i);
    }
    refuse(f, A1, draft, SPEAN_ELIMIT);
    assert_int_equal(f->problem.item, SPEAN_RUN_ENTRIES_MAX / 2);

    draft = author_fixture_draft(f, A1);
    for (uint32_t i = 0; i < SPEAN_RUN_ENTRIES_MAX / 2; i++) {
        (void)create(draft, SPEAN_TYPE_CASE, (uint8_t)i);
    }
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
    assert_int_equal(f->done.entries_count, SPEAN_RUN_ENTRIES_MAX);
}

static void the_quota_of_the_charter_binds(void **state)
{
    struct author_fixture *f = *state;
    const uint64_t quota = 1000;
    const struct spean_charter_draft limits = {
        .version = f->charter.doc.version + 1,
        .previous = f->charter.doc.id,
        .quota_bytes = &quota,
    };
    struct fixture_document document;
    fixture_charter(&document, &limits, SIGNED_BY(AUTHOR_STEWARD));
    author_fixture_add(f, &document);
    (void)a_case(f, A1, 1);
    assert_true(f->done.bytes > quota / 2 && f->done.bytes <= quota);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    (void)create(draft, SPEAN_TYPE_CASE, 2);
    refuse(f, A1, draft, SPEAN_EFULL);
}

static void a_full_map_leaves_nothing_of_a_commit(void **state)
{
    struct author_fixture *f = *state;
    struct author_node *node = &f->nodes[A1];
    const struct spean_record_id record = a_case(f, A1, 1);
    fixture_close(node->store);
    assert_int_equal(fixture_open(node->store, false, SPEAN_DB_MAP_BYTES_MIN), SPEAN_OK);
    node->author.db = node->store->db;
    spean_fold_free(node->fold);
    assert_int_equal(
        spean_fold_new(node->store->db, node->keys, &node->org, &node->signing, &node->fold),
        SPEAN_OK);

    spean_err err = SPEAN_OK;
    struct spean_place before = author_fixture_head(f, A1);
    for (uint8_t i = 2; err == SPEAN_OK; i++) {
        assert_true(i < 100);
        struct spean_draft *draft = author_fixture_draft(f, A1);
        (void)create(draft, SPEAN_TYPE_AGENCY, i);
        a_text(draft, SPEAN_FIELD_AGENCY_DESCRIPTION, 32000);
        before = author_fixture_head(f, A1);
        err = spean_author_commit(&node->author, draft, nothing, false, &f->done, NULL);
        spean_draft_free(draft);
        bool more = true;
        while (err == SPEAN_OK && more) {
            err = spean_fold_step(node->fold, node->authority, 1, AUTHOR_NOW_S, &more);
            err = err == SPEAN_EFULL ? SPEAN_EWAIT : err;
        }
    }
    assert_true(err == SPEAN_EFULL || err == SPEAN_EWAIT);
    const struct spean_place after = author_fixture_head(f, A1);
    assert_true(err == SPEAN_EWAIT || spean_id_equal(&before.entry, &after.entry));
    assert_true(shows(f, A1, &record, 1, SPEAN_FIELD_CASE_STATUS, OPEN));
}

/* -- Erasure --------------------------------------------------------------------------------- */

static void erase(struct author_fixture *f, const struct spean_record_id *record, uint32_t part)
{
    static const uint8_t salt[SPEAN_BODY_SALT_BYTES] = {4};
    const struct spean_part_name name = {*record, part};
    struct spean_partkey *key = calloc(1, sizeof(*key));
    assert_non_null(key);
    struct spean_tx *tx = read_tx(f, A1);
    assert_int_equal(spean_partkeys_newest(tx, f->nodes[A1].keys, &name, key), SPEAN_OK);
    spean_tx_abort(tx);
    uint8_t content[256];
    uint8_t bytes[512];
    struct spean_view erasure;
    struct spean_view body;
    assert_int_equal(spean_erasure_encode_part(record, part, &key->proof, 1, NULL, content,
                                               sizeof(content), &erasure),
                     SPEAN_OK);
    assert_int_equal(spean_body_wrap(bytes, sizeof(bytes), salt, erasure, &body), SPEAN_OK);
    author_fixture_raw(f, A1, SPEAN_ENTRY_ERASURE, NULL, body);
    author_fixture_fold(&f->nodes[A1]);
    free(key);
}

static void an_erased_part_gets_neither_changes_nor_a_new_key(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_referral(f);
    erase(f, &record, SPEAN_PART_PAYLOAD);
    struct spean_draft *draft = author_fixture_draft(f, A1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD);
    write_value(draft, SPEAN_FIELD_REFERRAL_NARRATIVE, HELLO);
    refuse(f, A1, draft, SPEAN_ESTATE);
    draft = author_fixture_draft(f, A1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PAYLOAD);
    add_value(draft, SPEAN_FIELD_REFERRAL_ORIGIN_NOTES, "\x81\x01" HELLO); /* Has no context. */
    refuse(f, A1, draft, SPEAN_ESTATE);
    static const enum spean_draft_grant hows[] = {SPEAN_GRANT_FIRST, SPEAN_GRANT_MORE,
                                                  SPEAN_GRANT_RENEW};
    for (size_t i = 0; i < 3; i++) {
        draft = author_fixture_draft(f, A1);
        grant(draft, &record, SPEAN_PART_PAYLOAD, hows[i], NULL);
        refuse(f, A1, draft, SPEAN_ESTATE);
    }
    draft = author_fixture_draft(f, A1);
    change(draft, &record, SPEAN_TYPE_REFERRAL, SPEAN_PART_PREVIEW);
    write_value(draft, SPEAN_FIELD_REFERRAL_REASON, NIL);
    assert_int_equal(commit(f, A1, draft), SPEAN_OK);
}

/* -- Heads and org keys ---------------------------------------------------------------------- */

static uint32_t read_heads(struct author_fixture *f, enum author_who who,
                           struct spean_heads_row *rows)
{
    struct spean_tx *tx = read_tx(f, who);
    struct spean_logs_row row;
    struct spean_run_entry entry;
    struct spean_view body;
    struct spean_view content;
    uint32_t count = 0;
    assert_int_equal(spean_logs_get(tx, &f->nodes[who].author.log->id, &row), SPEAN_OK);
    assert_int_equal(spean_entries_get(tx, &row, row.head.seq, &entry), SPEAN_OK);
    assert_int_equal(entry.header.kind, SPEAN_ENTRY_HEADS);
    assert_int_equal(spean_body_get(tx, row.number, &entry.header, &body), SPEAN_OK);
    assert_int_equal(spean_body_unwrap(body, &content), SPEAN_OK);
    assert_int_equal(spean_heads_decode(content, rows, &count), SPEAN_OK);
    spean_tx_abort(tx);
    return count;
}

static void heads_name_the_logs_that_moved_and_no_others(void **state)
{
    struct author_fixture *f = *state;
    struct spean_heads_row rows[SPEAN_HEADS_ROWS_MAX];
    struct spean_author *author = &f->nodes[B1].author;
    assert_int_equal(spean_author_heads(author, NULL), SPEAN_EEXISTS); /* Nothing is held. */

    (void)a_case(f, A1, 1);
    author_fixture_copy(f, A1, B1);
    assert_int_equal(spean_author_heads(author, &f->done), SPEAN_OK);
    assert_int_equal(f->done.entries_count, 1);
    author_fixture_fold(&f->nodes[B1]);
    assert_int_equal(read_heads(f, B1, rows), 1);
    const struct spean_place head = author_fixture_head(f, A1);
    assert_int_equal(rows[0].log, spean_short_of(&f->nodes[A1].author.log->id));
    assert_int_equal(rows[0].seq, head.seq);
    assert_memory_equal(rows[0].entry, head.entry.bytes, SPEAN_HEADS_ENTRY_BYTES);
    assert_int_equal(spean_author_heads(author, NULL), SPEAN_EEXISTS);

    (void)a_case(f, B1, 2);
    assert_int_equal(spean_author_heads(author, NULL), SPEAN_OK);
    author_fixture_fold(&f->nodes[B1]);
    assert_int_equal(read_heads(f, B1, rows), 1);
    assert_int_equal(rows[0].log, spean_short_of(&author->log->id));
    assert_int_equal(rows[0].seq, author_fixture_head(f, B1).seq - 1);
    assert_int_equal(spean_author_heads(author, NULL), SPEAN_EEXISTS);
}

static void an_org_key_opens_the_past_to_a_new_node(void **state)
{
    struct author_fixture *f = *state;
    const struct spean_record_id record = a_case(f, A1, 1);
    author_fixture_copy(f, A1, A2);
    assert_null(author_fixture_part(f, A2, &record, 1));
    assert_int_equal(spean_author_orgkey(&f->nodes[A1].author, &f->done), SPEAN_OK);
    author_fixture_fold(&f->nodes[A1]);
    author_fixture_copy(f, A1, A2);
    author_fixture_copy(f, A1, B1);
    assert_int_equal(spean_keys_org_count(f->nodes[A2].keys), 1);
    assert_int_equal(spean_keys_org_count(f->nodes[B1].keys), 1);
    assert_same(f, A1, A2, &record, 1);
}

static void an_org_key_needs_another_node(void **state)
{
    struct author_fixture *f = *state;
    assert_int_equal(spean_author_orgkey(&f->nodes[B1].author, NULL), SPEAN_EEXISTS);
    assert_int_equal(author_fixture_head(f, B1).seq, 0);
}

int main(void)
{
#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, author_fixture_setup, author_fixture_teardown)
#define TEST_NEW_NODE(name)                                                                        \
    cmocka_unit_test_setup_teardown(name, author_fixture_setup_new_node, author_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_case_can_be_read_when_it_is_folded),
        TEST(the_actor_and_the_clock_stand_in_the_write),
        TEST(a_grant_stands_before_what_it_opens),
        TEST(a_draft_is_committed_once),
        TEST(a_public_record_needs_no_key),
        TEST(nothing_of_a_case_can_be_read_in_the_store_of_another_organisation),
        TEST(a_referral_shows_the_target_what_it_was_granted),
        TEST(the_payload_follows_under_the_same_key_after_acceptance),
        TEST(a_new_generation_shuts_out_whom_it_leaves_out),
        TEST(older_keys_come_with_the_newest),
        TEST(parties_added_one_by_one_know_of_each_other),
        TEST(no_grant_is_written_that_would_not_count),
        TEST(of_whom_a_new_generation_leaves_out_what_was_read_stays_p8_5),
        TEST(a_target_may_renew_a_key_for_those_who_had_it),
        TEST(what_was_not_seen_stands_beside_and_what_was_seen_is_replaced),
        TEST(several_changes_in_one_commit_follow_one_another),
        TEST(an_agency_of_nobody_is_written_by_every_member),
        TEST(a_dry_run_writes_nothing_and_leaves_the_draft),
        TEST(the_same_draft_and_random_bytes_give_the_same_log),
        TEST(an_empty_draft_is_refused),
        TEST(a_change_without_operations_is_refused),
        TEST(an_actor_is_short_text),
        TEST(a_record_that_is_not_known_is_not_written),
        TEST(a_record_is_created_once),
        TEST(a_record_is_of_its_type),
        TEST(a_field_of_another_party_is_named_and_refused),
        TEST(a_referral_is_sent_in_ones_own_name),
        TEST(a_code_list_of_another_is_a_stewards_to_write),
        TEST(a_part_whose_key_is_not_held_is_not_written),
        TEST(only_the_owner_grants_first_and_to_more),
        TEST(a_part_gets_one_first_key),
        TEST(a_key_that_was_never_granted_goes_to_nobody),
        TEST(a_renewed_key_goes_to_none_who_lacked_the_one_before),
        TEST(an_organisation_that_cannot_be_reached_is_named),
        TEST(a_removed_member_is_handed_nothing),
        TEST(a_closed_log_is_not_written),
        TEST(a_draft_is_written_into_its_own_log),
        TEST(a_locked_node_writes_nothing),
        TEST(what_is_not_folded_yet_is_not_built_on),
        TEST(while_somebody_writes_nobody_else_does),
        TEST_NEW_NODE(a_node_without_the_newest_sealing_secret_grants_nothing),
        TEST(an_older_sealing_secret_grants_nothing),
        TEST(a_change_beyond_a_body_is_refused_and_named),
        TEST(a_commit_beyond_a_run_is_refused),
        TEST(implied_grants_count_among_the_entries),
        TEST(the_quota_of_the_charter_binds),
        TEST(a_full_map_leaves_nothing_of_a_commit),
        TEST(an_erased_part_gets_neither_changes_nor_a_new_key),
        TEST(heads_name_the_logs_that_moved_and_no_others),
        TEST_NEW_NODE(an_org_key_opens_the_past_to_a_new_node),
        TEST(an_org_key_needs_another_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
