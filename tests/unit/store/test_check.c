#include "store/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/body.h"
#include "store/documents.h"
#include "store/entries.h"
#include "store/evidence.h"
#include "store/peer.h"
#include "tests/support/identitykit.h"
#include "tests/unit/store/logs_fixture.h"

/*
 * A store with something in every table: two orgs with a node each. The founder's log (number 0)
 * has 12 entries in runs of 4, every third one tagged, the bodies of the last run not held. Of the
 * newcomer's (number 1) 5 entries arrived; a cut took two back; there is evidence that it forked.
 */
#define CHARTER_KEY   7
#define FOUNDER       1
#define FOUNDER_NODE  10
#define NEWCOMER      21
#define NEWCOMER_NODE 30
#define ENTRIES       15

static struct fixture_document f1;
static struct fixture_document f2;
static struct fixture_document n1;
static struct fixture_document n2;
static struct fixture_document c1;
static struct fixture_document c2;
static struct fixture_document more;
static struct spean_authority *authority;
static struct logkit *founder;
static struct logkit *newcomer;
static const struct spean_tag tag = {{1, 2, 3}};

/* What the last check reported. */
static uint32_t kinds;
static uint64_t problems;

static void note(void *ctx, const struct spean_check_problem *problem)
{
    (void)ctx;
    kinds |= 1u << problem->kind;
    problems++;
}

static struct logkit *log_of(unsigned node, const struct spean_id *org)
{
    struct logkit *k = logkit_new((uint8_t)node);
    fixture_seed(k->seed, node);
    k->signing = fixture_key(node);
    spean_log_id(&k->log, &c1.doc.id, org, &k->signing);
    return k;
}

static void append(struct logs_fixture *f, const struct logkit *k, uint32_t first, uint32_t last,
                   bool bodies)
{
    logs_fixture_decode(f, k, first, last, bodies);
    const struct spean_log *log = spean_authority_log(authority, &k->log);
    assert_non_null(log);
    const struct spean_log_arrival arrival = {.from = &f->from, .now_s = LOGS_FIXTURE_NOW_S};
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_log_append(tx, f->run, log, &arrival), SPEAN_OK);
    logs_fixture_commit(tx);
}

static void put_documents(struct logs_fixture *f)
{
    fixture_org_first(&f1, FOUNDER);
    fixture_org_first(&n1, NEWCOMER);
    fixture_genesis(&c1, &f1.doc.id, CHARTER_KEY);
    const struct spean_handle handle = spean_handle_of(&c1.doc.id);
    fixture_org_node(&f2, &f1.doc, &f1.doc.id, &handle, true, FOUNDER_NODE, FOUNDER);
    fixture_org_node(&n2, &n1.doc, &n1.doc.id, &handle, true, NEWCOMER_NODE, NEWCOMER);
    fixture_charter_member(&c2, &c1.doc, &n1.doc.id, SPEAN_MEMBER_ACTIVE, CHARTER_KEY);
    const struct spean_view all[] = {c1.view, f1.view, f2.view, c2.view, n1.view, n2.view};
    struct spean_authority_change changes[6];
    uint32_t kept = 0;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(
        spean_documents_put(tx, authority, all, 6, SPEAN_PENDING_REFUSE, changes, &kept), SPEAN_OK);
    assert_int_equal(kept, 6);
    logs_fixture_commit(tx);
}

static void put_evidence(struct logs_fixture *f)
{
    struct logkit *other = logkit_branch(newcomer, 1);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    uint8_t *bufs = malloc(2 * SPEAN_FRAME_BYTES_MAX);
    assert_non_null(bufs);
    const struct spean_evidence evidence = {
        .log = newcomer->log,
        .after = logkit_place(newcomer, 1),
        .runs = {logkit_run(newcomer, 2, 2, false, bufs),
                 logkit_run(other, 2, 2, false, bufs + SPEAN_FRAME_BYTES_MAX)},
    };
    struct spean_view bytes;
    assert_int_equal(spean_evidence_encode(&evidence, f->out, SPEAN_FRAME_BYTES_MAX, &bytes),
                     SPEAN_OK);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_evidence_put(tx, spean_authority_log(authority, &newcomer->log), bytes),
                     SPEAN_OK);
    logs_fixture_commit(tx);
    free(bufs);
    logkit_free(other);
}

static void put_peer(struct logs_fixture *f)
{
    const struct spean_peer peer = {n1.doc.id, newcomer->signing};
    const struct spean_place place = logkit_place(founder, 4);
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_peer_contact(tx, &peer, SPEAN_PEER_DIALLED, 5), SPEAN_OK);
    assert_int_equal(spean_peer_holds(tx, &peer, &founder->log, &place), SPEAN_OK);
    logs_fixture_commit(tx);
}

static void cut_back(struct logs_fixture *f, const struct logkit *k, uint32_t seq)
{
    const struct spean_place place = logkit_place(k, seq);
    bool above = true;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(spean_log_cut_back(tx, &k->log, &place, &above), SPEAN_OK);
    assert_false(above);
    logs_fixture_commit(tx);
}

static int setup(void **state)
{
    (void)logs_fixture_setup(state);
    struct logs_fixture *f = *state;
    assert_int_equal(spean_authority_new(&authority, NULL), SPEAN_OK);
    put_documents(f);
    founder = log_of(FOUNDER_NODE, &f1.doc.id);
    newcomer = log_of(NEWCOMER_NODE, &n1.doc.id);
    for (uint8_t i = 1; i <= 12; i++) {
        logkit_add(founder, SPEAN_ENTRY_CHANGE, i % 3 == 0 ? &tag : NULL, 300, i, i, i % 2 == 0);
    }
    logkit_fill(newcomer, 5);
    append(f, founder, 1, 4, true);
    append(f, newcomer, 1, 3, true);
    append(f, founder, 5, 8, true);
    append(f, newcomer, 4, 5, true);
    append(f, founder, 9, 12, false);
    cut_back(f, newcomer, 3);
    put_evidence(f);
    put_peer(f);
    return 0;
}

static int teardown(void **state)
{
    spean_authority_free(authority);
    logkit_free(founder);
    logkit_free(newcomer);
    return logs_fixture_teardown(state);
}

/* Check all with an authority, into kinds and problems; returns the entries read. */
static uint64_t check_with(struct logs_fixture *f, const struct spean_authority *with)
{
    struct spean_check *check;
    kinds = 0;
    problems = 0;
    assert_int_equal(spean_check_new(f->store->db, with, note, NULL, &check), SPEAN_OK);
    bool done = false;
    while (!done) {
        assert_int_equal(spean_check_step(check, &done), SPEAN_OK);
    }
    assert_int_equal(spean_check_problems(check), problems);
    const uint64_t entries = spean_check_entries(check);
    spean_check_free(check);
    return entries;
}

static uint64_t check(struct logs_fixture *f)
{
    return check_with(f, authority);
}

static void assert_clean(struct logs_fixture *f)
{
    (void)check(f);
    assert_int_equal(problems, 0);
}

static void assert_found(struct logs_fixture *f, enum spean_check_kind kind)
{
    (void)check(f);
    if ((kinds & 1u << kind) == 0) {
        print_error("not found: %s; but kinds 0x%x\n", spean_check_text(kind), kinds);
        fail();
    }
}

/* A row of a table and what it held. */
struct row {
    enum spean_table table;
    struct spean_db_key key;
    size_t len;
    uint8_t value[65536];
};
static struct row row;

/* Take the row at index of a table. */
static void take(struct logs_fixture *f, enum spean_table table, uint32_t index)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_READ);
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    assert_int_equal(spean_cursor_init(&cursor, tx, table, (struct spean_view){0}), SPEAN_OK);
    assert_int_equal(spean_cursor_first(&cursor, &key, &value), SPEAN_OK);
    for (uint32_t i = 0; i < index; i++) {
        assert_int_equal(spean_cursor_next(&cursor, &key, &value), SPEAN_OK);
    }
    assert_true(value.len <= sizeof(row.value));
    row.table = table;
    row.key = (struct spean_db_key){0};
    spean_db_key_put_bytes(&row.key, key.data, key.len);
    row.len = value.len;
    if (value.len > 0) {
        (void)memcpy(row.value, value.data, value.len);
    }
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
}

static void put(struct logs_fixture *f)
{
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    (void)spean_tx_put(tx, row.table, spean_db_key_view(&row.key),
                       (struct spean_view){row.value, row.len});
    logs_fixture_commit(tx);
}

/* -- Nothing wrong --------------------------------------------------------------------------- */

static void a_whole_store_has_no_problems(void **state)
{
    struct logs_fixture *f = *state;
    assert_int_equal(check(f), ENTRIES);
    assert_int_equal(problems, 0);
}

static void every_kind_has_a_text(void **state)
{
    (void)state;
    for (int kind = 0; kind < SPEAN_CHECKS_COUNT; kind++) {
        assert_true(strlen(spean_check_text((enum spean_check_kind)kind)) > 0);
    }
}

/* -- Damage ---------------------------------------------------------------------------------- */

static void one_bit_is_found_in_every_table(void **state)
{
    struct logs_fixture *f = *state;
    static const struct {
        enum spean_table table;
        uint32_t index;
        size_t pos;
        enum spean_check_kind kind;
    } cases[] = {
        {SPEAN_TABLE_DOCUMENTS, 0, 5, SPEAN_CHECK_DOCUMENT}, /* The chain. */
        {SPEAN_TABLE_DOCUMENTS, 2, SPEAN_ID_BYTES, SPEAN_CHECK_DOCUMENT},
        {SPEAN_TABLE_DOCUMENTS, 5, SPEAN_ID_BYTES + 70, SPEAN_CHECK_DOCUMENT},
        {SPEAN_TABLE_DOCUMENT_IDS, 1, 7, SPEAN_CHECK_DOCUMENT},
        {SPEAN_TABLE_LOGS, 0, 0, SPEAN_CHECK_LOG},
        {SPEAN_TABLE_LOGS, 0, 5, SPEAN_CHECK_LOG},
        {SPEAN_TABLE_LOG_IDS, 0, 3, SPEAN_CHECK_LOG},
        {SPEAN_TABLE_ENTRIES, 4, 0, SPEAN_CHECK_ENTRY},
        {SPEAN_TABLE_ENTRIES, 11, SPEAN_ID_BYTES + 50, SPEAN_CHECK_ENTRY},
        {SPEAN_TABLE_ENTRIES, 14, SPEAN_ID_BYTES + 50, SPEAN_CHECK_HEAD},
        {SPEAN_TABLE_SIGNATURES, 1, 63, SPEAN_CHECK_SIGNATURE},
        {SPEAN_TABLE_BODIES, 3, 299, SPEAN_CHECK_BODY},
        {SPEAN_TABLE_ARRIVALS, 1, 0, SPEAN_CHECK_ARRIVAL},
        {SPEAN_TABLE_ASIDE, 0, 0, SPEAN_CHECK_ASIDE},
        {SPEAN_TABLE_ASIDE, 1, 20, SPEAN_CHECK_ASIDE}, /* The signature. */
        {SPEAN_TABLE_ASIDE, 1, 100, SPEAN_CHECK_ASIDE},
        {SPEAN_TABLE_EVIDENCE, 0, 0, SPEAN_CHECK_EVIDENCE},
        {SPEAN_TABLE_EVIDENCE, 0, 200, SPEAN_CHECK_EVIDENCE},
        {SPEAN_TABLE_PEERS, 0, 0, SPEAN_CHECK_PEER},
        {SPEAN_TABLE_PEER_HEADS, 0, 0, SPEAN_CHECK_PEER},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        take(f, cases[i].table, cases[i].index);
        assert_true(cases[i].pos < row.len);
        row.value[cases[i].pos] ^= 1;
        put(f);
        assert_found(f, cases[i].kind);
        row.value[cases[i].pos] ^= 1;
        put(f);
        assert_clean(f);
    }
}

static void a_missing_row_is_found_in_every_table(void **state)
{
    struct logs_fixture *f = *state;
    static const struct {
        enum spean_table table;
        uint32_t index;
        enum spean_check_kind kind;
    } cases[] = {
        {SPEAN_TABLE_DOCUMENTS, 1, SPEAN_CHECK_DOCUMENT},
        {SPEAN_TABLE_DOCUMENT_IDS, 1, SPEAN_CHECK_DOCUMENT},
        {SPEAN_TABLE_LOGS, 0, SPEAN_CHECK_STRAY},
        {SPEAN_TABLE_LOG_IDS, 1, SPEAN_CHECK_LOG},
        {SPEAN_TABLE_ENTRIES, 0, SPEAN_CHECK_ENTRY},
        {SPEAN_TABLE_ENTRIES, 5, SPEAN_CHECK_ENTRY},
        {SPEAN_TABLE_ENTRIES, 11, SPEAN_CHECK_HEAD},
        {SPEAN_TABLE_ENTRIES, 14, SPEAN_CHECK_ENTRY},
        {SPEAN_TABLE_SIGNATURES, 2, SPEAN_CHECK_UNSIGNED},
        {SPEAN_TABLE_BODIES, 2, SPEAN_CHECK_TAG}, /* The third entry is tagged. */
        {SPEAN_TABLE_TAGS, 0, SPEAN_CHECK_TAG},
        {SPEAN_TABLE_TAGS, 3, SPEAN_CHECK_TAG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        take(f, cases[i].table, cases[i].index);
        logs_fixture_delete(f, row.table, spean_db_key_view(&row.key));
        assert_found(f, cases[i].kind);
        put(f);
        assert_clean(f);
    }
}

static void a_row_too_many_is_found(void **state)
{
    struct logs_fixture *f = *state;
    static const struct {
        enum spean_table table;
        size_t key_pos; /* Of the first row; changed, it names what is not there. */
        uint8_t flip;
        enum spean_check_kind kind;
    } cases[] = {
        {SPEAN_TABLE_DOCUMENT_IDS, 3, 1, SPEAN_CHECK_DOCUMENT},
        {SPEAN_TABLE_LOG_IDS, 3, 1, SPEAN_CHECK_LOG},
        {SPEAN_TABLE_LOGS, 3, 7, SPEAN_CHECK_LOG},
        {SPEAN_TABLE_ENTRIES, 3, 7, SPEAN_CHECK_STRAY},   /* Of log 7. */
        {SPEAN_TABLE_ENTRIES, 11, 64, SPEAN_CHECK_STRAY}, /* Above the head. */
        {SPEAN_TABLE_SIGNATURES, 3, 7, SPEAN_CHECK_STRAY},
        {SPEAN_TABLE_SIGNATURES, 11, 64, SPEAN_CHECK_STRAY},
        {SPEAN_TABLE_BODIES, 3, 7, SPEAN_CHECK_STRAY},
        {SPEAN_TABLE_BODIES, 11, 64, SPEAN_CHECK_STRAY},
        {SPEAN_TABLE_TAGS, 0, 1, SPEAN_CHECK_TAG},  /* Another tag. */
        {SPEAN_TABLE_TAGS, 16, 1, SPEAN_CHECK_TAG}, /* The other state. */
        {SPEAN_TABLE_TAGS, 20, 7, SPEAN_CHECK_TAG},
        {SPEAN_TABLE_ARRIVALS, 11, 64, SPEAN_CHECK_ARRIVAL},
        {SPEAN_TABLE_ASIDE, 3, 7, SPEAN_CHECK_ASIDE},
        {SPEAN_TABLE_ASIDE, 11, 64, SPEAN_CHECK_ASIDE},
        {SPEAN_TABLE_EVIDENCE, 3, 1, SPEAN_CHECK_EVIDENCE},
        {SPEAN_TABLE_PEER_HEADS, 7, 7, SPEAN_CHECK_PEER},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        take(f, cases[i].table, 0);
        row.key.bytes[cases[i].key_pos] ^= cases[i].flip;
        put(f);
        assert_found(f, cases[i].kind);
        logs_fixture_delete(f, row.table, spean_db_key_view(&row.key));
        assert_clean(f);
    }
}

static void a_key_of_another_length_is_found(void **state)
{
    struct logs_fixture *f = *state;
    for (int table = SPEAN_TABLE_DOCUMENTS; table <= SPEAN_TABLE_PEER_HEADS; table++) {
        take(f, (enum spean_table)table, 0);
        row.key.len--;
        put(f);
        (void)check(f);
        assert_int_not_equal(problems, 0);
        logs_fixture_delete(f, row.table, spean_db_key_view(&row.key));
        assert_clean(f);
    }
}

static void a_row_cut_short_is_found_in_every_table(void **state)
{
    struct logs_fixture *f = *state;
    for (int table = SPEAN_TABLE_DOCUMENTS; table <= SPEAN_TABLE_PEER_HEADS; table++) {
        take(f, (enum spean_table)table, 0);
        const size_t whole = row.len;
        for (size_t cut = 1; cut <= whole; cut += 1 + whole / 20) {
            row.len = whole - cut;
            put(f);
            (void)check(f);
            assert_int_not_equal(problems, 0);
        }
        row.len = whole;
        put(f);
        assert_clean(f);
    }
}

static void a_log_row_that_says_another_thing_is_found(void **state)
{
    struct logs_fixture *f = *state;
    const struct spean_logs_row good = logs_fixture_row(f, founder);
    struct spean_logs_row bad[4] = {good, good, good, good};
    static const enum spean_check_kind want[4] = {SPEAN_CHECK_BYTES, SPEAN_CHECK_HEAD,
                                                  SPEAN_CHECK_LOG, SPEAN_CHECK_STRAY};
    bad[0].bytes++;
    bad[1].head.entry.bytes[0] ^= 1;
    bad[2].signing.bytes[0] ^= 1;
    bad[3].head = logkit_place(founder, 8);
    for (size_t i = 0; i < 4; i++) {
        struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
        assert_int_equal(spean_logs_put(tx, &bad[i]), SPEAN_OK);
        logs_fixture_commit(tx);
        assert_found(f, want[i]);
    }
}

static void a_chain_of_whole_entries_that_do_not_follow_is_found(void **state)
{
    struct logs_fixture *f = *state;
    struct logkit *other = logkit_branch(founder, 4);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 300, 77, 7, true);
    take(f, SPEAN_TABLE_ENTRIES, 4);
    const struct logkit_entry *e = &other->entries[4];
    (void)memcpy(row.value, e->id.bytes, SPEAN_ID_BYTES);
    (void)memcpy(row.value + SPEAN_ID_BYTES, e->header.data, e->header.len);
    row.len = SPEAN_ID_BYTES + e->header.len;
    put(f);
    assert_found(f, SPEAN_CHECK_ENTRY); /* The one after it names another. */
    logkit_free(other);
}

static void a_log_beyond_its_cut_is_found(void **state)
{
    struct logs_fixture *f = *state;
    fixture_org_cut(&more, &f2.doc, FOUNDER_NODE, 8, 5, FOUNDER);
    struct spean_authority_change changes[1];
    uint32_t kept = 0;
    struct spean_tx *tx = logs_fixture_begin(f, SPEAN_TX_WRITE);
    assert_int_equal(
        spean_documents_put(tx, authority, &more.view, 1, SPEAN_PENDING_REFUSE, changes, &kept),
        SPEAN_OK);
    logs_fixture_commit(tx);
    assert_found(f, SPEAN_CHECK_BEYOND);
}

static void a_log_of_which_no_document_speaks_is_found(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_authority *none;
    assert_int_equal(spean_authority_new(&none, NULL), SPEAN_OK);
    assert_int_equal(check_with(f, none), ENTRIES);
    assert_int_equal(kinds, 1u << SPEAN_CHECK_UNKNOWN | 1u << SPEAN_CHECK_EVIDENCE);
    spean_authority_free(none);
}

/* -- Slices ---------------------------------------------------------------------------------- */

#define LONG_LOG 700u /* Signatures for more than one slice. */

static struct spean_check *begin_long(struct logs_fixture *f)
{
    logkit_fill(founder, LONG_LOG);
    for (uint32_t seq = 13; seq <= founder->count; seq++) {
        append(f, founder, seq, seq, true);
    }
    struct spean_check *check_long;
    kinds = 0;
    problems = 0;
    assert_int_equal(spean_check_new(f->store->db, authority, note, NULL, &check_long), SPEAN_OK);
    bool done = true;
    assert_int_equal(spean_check_step(check_long, &done), SPEAN_OK);
    assert_false(done);
    return check_long;
}

static void finish_long(struct spean_check *check_long)
{
    bool done = false;
    for (int slices = 0; !done; slices++) {
        assert_true(slices < 20);
        assert_int_equal(spean_check_step(check_long, &done), SPEAN_OK);
    }
    spean_check_free(check_long);
    assert_int_equal(problems, 0);
}

static void a_store_may_grow_between_slices(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_check *check_long = begin_long(f);
    logkit_fill(founder, 2);
    append(f, founder, founder->count - 1, founder->count, true);
    finish_long(check_long);
}

static void a_log_may_be_cut_between_slices(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_check *check_long = begin_long(f);
    cut_back(f, founder, 13);
    finish_long(check_long);
}

static void a_log_may_change_its_branch_between_slices(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_check *check_long = begin_long(f);
    cut_back(f, founder, 13);
    struct logkit *other = logkit_branch(founder, 13);
    logkit_add(other, SPEAN_ENTRY_CHANGE, NULL, 30, 0xdd, 5, true);
    logkit_fill(other, LONG_LOG);
    for (uint32_t first = 14; first <= other->count; first += 100) {
        append(f, other, first, other->count - first < 100 ? other->count : first + 99, true);
    }
    finish_long(check_long);
    logkit_free(other);
}

static void damage_in_a_later_slice_is_found(void **state)
{
    struct logs_fixture *f = *state;
    struct spean_check *check_long = begin_long(f);
    const struct spean_db_key key = spean_entries_key(0, founder->count - 3);
    logs_fixture_damage(f, SPEAN_TABLE_SIGNATURES, spean_db_key_view(&key), 5);
    bool done = false;
    while (!done) {
        assert_int_equal(spean_check_step(check_long, &done), SPEAN_OK);
    }
    spean_check_free(check_long);
    assert_int_equal(kinds, 1u << SPEAN_CHECK_SIGNATURE);
    assert_int_equal(problems, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_store_has_no_problems),
        cmocka_unit_test(every_kind_has_a_text),
        TEST(one_bit_is_found_in_every_table),
        TEST(a_missing_row_is_found_in_every_table),
        TEST(a_row_too_many_is_found),
        TEST(a_key_of_another_length_is_found),
        TEST(a_row_cut_short_is_found_in_every_table),
        TEST(a_log_row_that_says_another_thing_is_found),
        TEST(a_chain_of_whole_entries_that_do_not_follow_is_found),
        TEST(a_log_beyond_its_cut_is_found),
        TEST(a_log_of_which_no_document_speaks_is_found),
        TEST(a_store_may_grow_between_slices),
        TEST(a_log_may_be_cut_between_slices),
        TEST(a_log_may_change_its_branch_between_slices),
        TEST(damage_in_a_later_slice_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
