#include "store/check_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "protocol/partkey.h"
#include "protocol/schema_numbers.h"
#include "store/body.h"
#include "store/logs.h"
#include "tests/unit/store/world.h"

#define AT_ORIGIN 1002u
#define AT_TARGET 2033u
#define MANY      60u
#define LIST      190u
#define ITEMS     5u /* Rows of each part: two items, their names, a strike. */

static const uint8_t key_a[SPEAN_KEY_BYTES] = {0xa1};

/* A sealed referral of organisation 0 with a change set aside and one whose context names an entry
 * that never was, a public agency of organisation 1, and a change that waits for its record. */
struct env {
    struct world *w;
    struct node *node;
    struct spean_part_name referral;
    struct spean_part_name agency;
    uint64_t denied; /* Of log 1. */
};

/* What the last check reported. */
struct seen {
    uint64_t kinds;
    uint64_t problems;
    uint64_t parts;
    uint64_t skipped;
    uint32_t slices;
};

static void write_value(struct env *e, unsigned log, uint64_t field, uint8_t value, bool lies)
{
    const struct world_change change = {
        .type = SPEAN_TYPE_REFERRAL,
        .record = e->referral.record,
        .part = SPEAN_PART_STEPS,
        .key = key_a,
        .ops_count = 1,
        .ops = {{field, SPEAN_KIND_VALUE, SPEAN_VERB_WRITE, value, {0}}},
        .rows_count = lies ? 1 : 0,
        .rows = {{0, 2, true}},
    };
    (void)world_write(e->w, log, &change);
}

/* Items of lists, and a strike of what has not come, in the sealed part and the public one. */
static void write_lists(struct env *e)
{
    uint8_t buf[SPEAN_DOT_BYTES_MAX];
    const struct spean_dot dot = {spean_short_of(&e->w->logs[1]->log), 99, 0};
    struct world_change change = {
        .type = SPEAN_TYPE_REFERRAL,
        .record = e->referral.record,
        .part = SPEAN_PART_STEPS,
        .key = key_a,
        .ops_count = 3,
        .ops = {{LIST, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 3, {0}},
                {LIST, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 4, {0}},
                {LIST, SPEAN_KIND_LIST, SPEAN_VERB_STRIKE, 0, spean_dot_encode(&dot, buf)}}};
    (void)world_write(e->w, 0, &change);
    change.type = SPEAN_TYPE_AGENCY;
    change.record = e->agency.record;
    change.part = SPEAN_PART_PUBLIC;
    change.key = NULL;
    (void)world_write(e->w, 1, &change);
}

static void write_world(struct env *e)
{
    uint8_t fixed[WORLD_BYTES_MAX];
    const struct world_grant grant = world_referral_grant(&e->referral, key_a);
    const struct world_change create = world_referral_create(e->w, &e->referral, key_a, 7, fixed);
    const struct world_change agency = {.type = SPEAN_TYPE_AGENCY,
                                        .record = e->agency.record,
                                        .creates = true,
                                        .random = 9,
                                        .fixed = world_fixed_none()};
    const struct world_change orphan = {.type = SPEAN_TYPE_AGENCY,
                                        .record = world_record(e->w, 2, 11),
                                        .fixed = world_fixed_none()};
    (void)world_grant(e->w, 0, &grant);
    (void)world_write(e->w, 0, &create);
    (void)world_write(e->w, 1, &agency);
    (void)world_write(e->w, 2, &orphan);
    write_value(e, 0, AT_ORIGIN, 5, false);
    write_value(e, 1, AT_TARGET, 6, true);
    write_value(e, 1, AT_ORIGIN, 7, false); /* Not this author's to write. */
    e->denied = 3;
    write_lists(e);
}

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->w = world_new();
    e->node = node_new(e->w, 0);
    e->referral = (struct spean_part_name){world_record(e->w, 0, 7), SPEAN_PART_STEPS};
    e->agency = (struct spean_part_name){world_record(e->w, 1, 9), SPEAN_PART_PUBLIC};
    write_world(e);
    node_take_all(e->node);
    node_fold(e->node);
    assert_int_equal(node_aside(e->node, 1, e->denied), SPEAN_ASIDE_WRITER);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    node_free(e->node);
    world_free(e->w);
    free(e);
    return 0;
}

static void note(void *ctx, const struct spean_check_problem *problem)
{
    struct seen *seen = ctx;
    char text[SPEAN_CHECK_TEXT_BYTES];
    spean_check_describe(problem, text);
    assert_true(strlen(text) > 0);
    seen->kinds |= 1u << problem->kind;
    seen->problems++;
}

static struct seen check(struct env *e)
{
    struct seen seen = {0};
    struct spean_check_records *c;
    assert_int_equal(spean_check_records_new(e->node->db, e->node->authority, e->node->keys,
                                             &e->w->orgs[0].id, note, &seen, &c),
                     SPEAN_OK);
    bool done = false;
    while (!done) {
        assert_int_equal(spean_check_records_step(c, &done), SPEAN_OK);
        seen.slices++;
    }
    assert_int_equal(spean_check_records_problems(c), seen.problems);
    seen.parts = spean_check_records_parts(c);
    seen.skipped = spean_check_records_skipped(c);
    spean_check_records_free(c);
    return seen;
}

static void assert_clean(struct env *e)
{
    const struct seen seen = check(e);
    assert_int_equal(seen.problems, 0);
    assert_int_equal(seen.skipped, 0);
    assert_int_equal(seen.parts, 2);
}

static void assert_found(struct env *e, enum spean_check_kind kind)
{
    const struct seen seen = check(e);
    if ((seen.kinds & 1u << kind) == 0) {
        print_error("not found: %s; but kinds 0x%llx\n", spean_check_text(kind),
                    (unsigned long long)seen.kinds);
        fail();
    }
}

/* A row of a table and what it held. */
struct row {
    enum spean_table table;
    struct spean_db_key key;
    size_t len;
    uint8_t value[8192];
};

/* Take the row at index of a table. */
static struct row take(struct env *e, enum spean_table table, uint32_t index)
{
    struct row row = {.table = table};
    struct spean_cursor cursor;
    struct spean_view key;
    struct spean_view value;
    struct spean_tx *tx = node_read(e->node);
    assert_int_equal(spean_cursor_init(&cursor, tx, table, (struct spean_view){0}), SPEAN_OK);
    assert_int_equal(spean_cursor_first(&cursor, &key, &value), SPEAN_OK);
    for (uint32_t i = 0; i < index; i++) {
        assert_int_equal(spean_cursor_next(&cursor, &key, &value), SPEAN_OK);
    }
    assert_true(value.len <= sizeof(row.value));
    spean_db_key_put_bytes(&row.key, key.data, key.len);
    row.len = value.len;
    if (value.len > 0) {
        (void)memcpy(row.value, value.data, value.len);
    }
    spean_cursor_fini(&cursor);
    spean_tx_abort(tx);
    return row;
}

static void write_row(struct env *e, const struct row *row, bool there)
{
    struct spean_tx *tx;
    const struct spean_view key = spean_db_key_view(&row->key);
    assert_int_equal(spean_tx_begin(e->node->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    if (there) {
        (void)spean_tx_put(tx, row->table, key, (struct spean_view){row->value, row->len});
    } else {
        (void)spean_tx_del(tx, row->table, key);
    }
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

/* -- Nothing wrong --------------------------------------------------------------------------- */

static void a_store_as_it_was_folded_has_no_problems(void **state)
{
    assert_clean(*state);
}

static void an_empty_store_has_no_problems(void **state)
{
    struct env *e = *state;
    struct spean_authority *none;
    struct spean_authority *const known = e->node->authority;
    assert_int_equal(spean_authority_new(&none, NULL), SPEAN_OK);
    e->node->authority = none;
    const struct seen seen = check(e);
    e->node->authority = known;
    spean_authority_free(none);
    assert_int_equal(seen.problems + seen.parts + seen.skipped, 0);
}

static void a_cut_or_an_erasure_leaves_no_problems(void **state)
{
    struct env *e = *state;
    (void)world_erase_part(e->w, 0, &e->referral, key_a);
    node_take_all(e->node);
    node_fold(e->node);
    assert_int_equal(check(e).problems, 0);
    world_cut(e->w, 1, 2);
    node_documents(e->node);
    node_fold(e->node);
    const struct seen seen = check(e);
    assert_int_equal(seen.problems, 0);
    assert_int_equal(seen.skipped, 0);
}

/* -- Damage ---------------------------------------------------------------------------------- */

static void a_state_that_was_changed_is_found_public_or_sealed(void **state)
{
    struct env *e = *state;
    for (uint32_t i = 0; i < 2; i++) {
        struct row row = take(e, SPEAN_TABLE_STATES, i);
        row.value[row.len - 1] ^= 1;
        write_row(e, &row, true);
        assert_found(e, SPEAN_CHECK_STATE);
        row.value[row.len - 1] ^= 1;
        write_row(e, &row, true);
        assert_clean(e);
    }
}

static void a_list_item_that_was_changed_or_is_missing_is_found_public_or_sealed(void **state)
{
    struct env *e = *state;
    for (uint32_t i = 0; i < 2 * ITEMS; i++) {
        struct row row = take(e, SPEAN_TABLE_ITEMS, i);
        row.value[row.len - 1] ^= 1;
        write_row(e, &row, true);
        assert_int_not_equal(check(e).problems, 0);
        write_row(e, &row, false);
        assert_found(e, SPEAN_CHECK_STATE);
        row.value[row.len - 1] ^= 1;
        write_row(e, &row, true);
        assert_clean(e);
    }
}

static void a_list_item_of_another_part_or_field_is_found(void **state)
{
    struct env *e = *state;
    static const size_t places[] = {0, 27, 28, 40}; /* Record, field, what it is, time or name. */
    for (uint32_t i = 0; i < 2 * ITEMS; i++) {
        for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
            struct row row = take(e, SPEAN_TABLE_ITEMS, i);
            row.key.bytes[places[p]] ^= 0x40;
            write_row(e, &row, true);
            assert_found(e, SPEAN_CHECK_STRAY);
            write_row(e, &row, false);
            assert_clean(e);
        }
    }
}

static void a_state_of_before_is_found_though_it_decodes(void **state)
{
    struct env *e = *state;
    const struct row before = take(e, SPEAN_TABLE_STATES, 0);
    const struct row before_part = take(e, SPEAN_TABLE_PARTS, 0);
    const struct row other = take(e, SPEAN_TABLE_STATES, 1);
    write_value(e, 0, AT_ORIGIN, 9, false);
    write_value(e, 0, AT_ORIGIN, 10, false);
    node_take_all(e->node);
    node_fold(e->node);
    assert_clean(e);
    write_row(e, &before, true);
    write_row(e, &before_part, true);
    write_row(e, &other, true);
    assert_found(e, SPEAN_CHECK_STATE);
}

static void a_missing_row_is_found_in_every_table(void **state)
{
    struct env *e = *state;
    static const struct {
        enum spean_table table;
        uint32_t index;
        enum spean_check_kind kind;
    } cases[] = {
        {SPEAN_TABLE_CHANGES, 0, SPEAN_CHECK_CHANGE},
        {SPEAN_TABLE_CHANGES, 1, SPEAN_CHECK_CHANGE},
        {SPEAN_TABLE_CHANGES, 4, SPEAN_CHECK_CHANGE},
        {SPEAN_TABLE_PARTS, 0, SPEAN_CHECK_STATE},
        {SPEAN_TABLE_PARTS, 1, SPEAN_CHECK_STATE},
        {SPEAN_TABLE_STATES, 0, SPEAN_CHECK_STATE},
        {SPEAN_TABLE_RECORDS, 0, SPEAN_CHECK_RECORD},
        {SPEAN_TABLE_RECORDS, 1, SPEAN_CHECK_RECORD},
        {SPEAN_TABLE_RECORD_TYPES, 0, SPEAN_CHECK_RECORD},
        {SPEAN_TABLE_FOLD_ASIDE, 0, SPEAN_CHECK_JUDGED},
        {SPEAN_TABLE_FOLD_WAITING, 0, SPEAN_CHECK_CHANGE},
        {SPEAN_TABLE_FOLD_ROWS, 0, SPEAN_CHECK_WAITING},
        {SPEAN_TABLE_FOLD_NAMED, 0, SPEAN_CHECK_WAITING},
        {SPEAN_TABLE_PART_KEYS, 0, SPEAN_CHECK_KEYS},
        {SPEAN_TABLE_PART_KEY_NUMBERS, 0, SPEAN_CHECK_KEYS},
        {SPEAN_TABLE_PART_TAGS, 0, SPEAN_CHECK_KEYS},
        {SPEAN_TABLE_PART_TAGS, 1, SPEAN_CHECK_KEYS},
        {SPEAN_TABLE_PART_GRANTS, 0, SPEAN_CHECK_JUDGED}, /* It is not set aside as one too many. */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct row row = take(e, cases[i].table, cases[i].index);
        write_row(e, &row, false);
        assert_found(e, cases[i].kind);
        write_row(e, &row, true);
        assert_clean(e);
    }
}

static void a_row_too_many_is_found(void **state)
{
    struct env *e = *state;
    static const struct {
        enum spean_table table;
        size_t key_pos; /* Of the first row; changed, it names what is not there. */
        enum spean_check_kind kind;
    } cases[] = {
        {SPEAN_TABLE_CHANGES, 0, SPEAN_CHECK_CHANGE},  /* Of another record. */
        {SPEAN_TABLE_CHANGES, 31, SPEAN_CHECK_CHANGE}, /* Another entry. */
        {SPEAN_TABLE_PARTS, 0, SPEAN_CHECK_STATE},
        {SPEAN_TABLE_STATES, 0, SPEAN_CHECK_STRAY},
        {SPEAN_TABLE_RECORDS, 0, SPEAN_CHECK_RECORD},
        {SPEAN_TABLE_RECORD_TYPES, 8, SPEAN_CHECK_RECORD},
        {SPEAN_TABLE_FOLD_ASIDE, 3, SPEAN_CHECK_JUDGED}, /* Of a log that is not there. */
        {SPEAN_TABLE_FOLD_ASIDE, 4, SPEAN_CHECK_JUDGED},
        {SPEAN_TABLE_FOLD_WAITING, 20, SPEAN_CHECK_WAITING},
        {SPEAN_TABLE_PART_KEYS, 3, SPEAN_CHECK_KEYS},
        {SPEAN_TABLE_PART_KEY_NUMBERS, 27, SPEAN_CHECK_KEYS},
        {SPEAN_TABLE_PART_GRANTS, 31, SPEAN_CHECK_GRANT}, /* Of another entry. */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct row row = take(e, cases[i].table, 0);
        row.key.bytes[cases[i].key_pos] ^= 0x40;
        write_row(e, &row, true);
        assert_found(e, cases[i].kind);
        write_row(e, &row, false);
        assert_clean(e);
    }
}

/* -- Grants ---------------------------------------------------------------------------------- */

static void take_and_fold(struct env *e)
{
    node_take_all(e->node);
    node_fold(e->node);
}

static void a_key_that_reaches_others_than_its_grants_say_is_found(void **state)
{
    struct env *e = *state;
    struct spean_tx *tx;
    struct spean_partkey key;
    assert_int_equal(spean_tx_begin(e->node->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_partkeys_next(tx, e->node->keys, &e->referral, 0, 0, &key), SPEAN_OK);
    assert_int_equal(key.audience_count, 2);
    key.audience_count = 1; /* The rest of the tags is then too many, too. */
    assert_int_equal(spean_partkeys_put(tx, e->node->keys, &key), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_found(e, SPEAN_CHECK_KEYS);
}

static void a_key_that_shows_where_nobody_was_granted_it_is_found(void **state)
{
    struct env *e = *state;
    struct spean_tx *tx;
    struct spean_partkey key;
    struct spean_tag tag;
    assert_int_equal(spean_tx_begin(e->node->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_partkeys_next(tx, e->node->keys, &e->referral, 0, 0, &key), SPEAN_OK);
    spean_partkey_tag(&tag, &key.proof, &e->w->logs[2]->log);
    assert_int_equal(spean_partkeys_put_tag(tx, &tag, key.number), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_found(e, SPEAN_CHECK_KEYS);
    assert_int_equal(spean_tx_begin(e->node->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_partkeys_del_tag(tx, &tag), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    assert_clean(e);
}

static void a_grant_that_was_judged_otherwise_is_found(void **state)
{
    struct env *e = *state;
    struct world_grant grant = world_referral_grant(&e->referral, key_a);
    grant.owner = 1; /* Not the owner. */
    const uint64_t seq = world_grant(e->w, 1, &grant);
    take_and_fold(e);
    assert_int_equal(node_aside(e->node, 1, seq), SPEAN_ASIDE_OWNER);
    assert_clean(e);
    struct row row = take(e, SPEAN_TABLE_FOLD_ASIDE, 1);
    write_row(e, &row, false);
    assert_found(e, SPEAN_CHECK_JUDGED);
    row.value[0] = SPEAN_ASIDE_LARGER;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_JUDGED);
    row.value[0] = SPEAN_ASIDE_OWNER;
    write_row(e, &row, true);
    assert_clean(e);
}

static void a_grant_that_is_not_kept_for_later_or_could_be_opened_is_found(void **state)
{
    struct env *e = *state;
    struct world_grant grant = world_referral_grant(&e->referral, key_a);
    grant.audience = 1u << 1; /* Not this node's organisation. */
    (void)world_grant(e->w, 1, &grant);
    take_and_fold(e);
    assert_clean(e);
    struct row row = take(e, SPEAN_TABLE_FOLD_UNOPENED, 0);
    write_row(e, &row, false);
    assert_found(e, SPEAN_CHECK_GRANT);
    row.value[0] ^= 1;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_GRANT);
    row.value[0] ^= 1;
    write_row(e, &row, true);
    assert_clean(e);
}

static void grants_are_not_opened_where_the_keys_are_locked_or_the_node_is_nobodys(void **state)
{
    struct env *e = *state;
    const struct row row = take(e, SPEAN_TABLE_PART_GRANTS, 0);
    struct spean_check_records *c;
    struct seen seen = {0};
    bool done = false;
    write_row(e, &row, false);
    assert_int_equal(spean_check_records_new(e->node->db, e->node->authority, e->node->keys, NULL,
                                             note, &seen, &c),
                     SPEAN_OK);
    while (!done) {
        assert_int_equal(spean_check_records_step(c, &done), SPEAN_OK);
    }
    spean_check_records_free(c);
    assert_int_equal(seen.kinds & 1u << SPEAN_CHECK_GRANT, 0);
    spean_keys_lock(e->node->keys);
    const struct seen locked = check(e);
    assert_int_equal(locked.problems, 0);
    assert_true(locked.skipped > 0);
}

static void a_key_of_another_length_is_found(void **state)
{
    struct env *e = *state;
    static const enum spean_table tables[] = {
        SPEAN_TABLE_CHANGES,    SPEAN_TABLE_PARTS,
        SPEAN_TABLE_RECORDS,    SPEAN_TABLE_RECORD_TYPES,
        SPEAN_TABLE_FOLD_ASIDE, SPEAN_TABLE_FOLD_WAITING,
        SPEAN_TABLE_PART_KEYS,  SPEAN_TABLE_PART_KEY_NUMBERS,
        SPEAN_TABLE_PART_TAGS,
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct row row = take(e, tables[i], 0);
        row.key.len--;
        write_row(e, &row, true);
        assert_int_not_equal(check(e).problems, 0);
        write_row(e, &row, false);
        assert_clean(e);
    }
}

static void an_entry_wrongly_set_aside_or_for_another_reason_is_found(void **state)
{
    struct env *e = *state;
    struct row row = take(e, SPEAN_TABLE_FOLD_ASIDE, 0);
    row.value[0] = SPEAN_ASIDE_PARTY;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_JUDGED);
    row.value[0] = SPEAN_ASIDE_WRITER;
    write_row(e, &row, true);
    assert_clean(e);
    row.key.bytes[row.key.len - 1]--; /* The change before it, which was folded. */
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_JUDGED);
}

static void a_change_listed_with_other_marks_is_found(void **state)
{
    struct env *e = *state;
    for (uint32_t i = 0; i < 5; i++) {
        struct row row = take(e, SPEAN_TABLE_CHANGES, i);
        for (unsigned bit = 0; bit < 3; bit++) {
            row.value[0] ^= (uint8_t)(1u << bit);
            write_row(e, &row, true);
            assert_found(e, SPEAN_CHECK_CHANGE);
            row.value[0] ^= (uint8_t)(1u << bit);
        }
        write_row(e, &row, true);
    }
    assert_clean(e);
}

static void a_tag_that_leads_to_another_key_is_found(void **state)
{
    struct env *e = *state;
    struct row row = take(e, SPEAN_TABLE_PART_TAGS, 0);
    row.value[3] ^= 0x40;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_KEYS);
}

/* Give the agency a name, and let organisation 1 say what it has seen. */
static void write_found(struct env *e)
{
    static const uint8_t names[] = {0x81, 0xa2, 'e', 'n', 0xa3, 'M', 'a', 'y'};
    const struct world_change change = {
        .type = SPEAN_TYPE_AGENCY,
        .record = e->agency.record,
        .ops_count = 1,
        .ops = {{SPEAN_FIELD_AGENCY_NAMES,
                 SPEAN_KIND_VALUE,
                 SPEAN_VERB_WRITE,
                 0,
                 {names, sizeof(names)}}},
    };
    (void)world_write(e->w, 1, &change);
    (void)world_heads(e->w, 1, 0, 2);
    node_take_all(e->node);
    node_fold(e->node);
    assert_clean(e);
}

static void a_name_that_leads_nowhere_or_elsewhere_is_found(void **state)
{
    static const enum spean_table tables[] = {SPEAN_TABLE_LOOKUPS, SPEAN_TABLE_LOOKUPS_OF};
    struct env *e = *state;
    write_found(e);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct row row = take(e, tables[i], 0);
        write_row(e, &row, false); /* Its record is not found by it. */
        assert_found(e, SPEAN_CHECK_LOOKUP);
        row.key.bytes[1] ^= 1; /* Another name, or another record's. */
        write_row(e, &row, true);
        assert_found(e, SPEAN_CHECK_LOOKUP);
        write_row(e, &row, false);
        row.key.bytes[1] ^= 1;
        write_row(e, &row, true);
        assert_clean(e);
        row.key.bytes[1] ^= 1; /* One too many. */
        write_row(e, &row, true);
        assert_found(e, SPEAN_CHECK_LOOKUP);
        write_row(e, &row, false);
        assert_clean(e);
    }
    struct row row = take(e, SPEAN_TABLE_LOOKUPS_OF, 0);
    row.value[row.len - 1] ^= 1;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_LOOKUP);
    row.value[row.len - 1] ^= 1;
    row.len--;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_LOOKUP);
}

static void what_a_node_has_seen_must_be_what_it_said(void **state)
{
    struct env *e = *state;
    write_found(e);
    struct row row = take(e, SPEAN_TABLE_KNOWLEDGE, 0);
    write_row(e, &row, false);
    assert_found(e, SPEAN_CHECK_SEEN);
    for (size_t i = 0; i < row.len; i++) {
        row.value[i] ^= 1;
        write_row(e, &row, true);
        assert_found(e, SPEAN_CHECK_SEEN);
        row.value[i] ^= 1;
    }
    row.len--;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_SEEN);
    row.len++;
    write_row(e, &row, true);
    assert_clean(e);
    row.key.bytes[3] ^= 2; /* A log that said nothing. */
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_SEEN);
}

static void a_row_cut_short_is_found_in_every_table(void **state)
{
    struct env *e = *state;
    static const enum spean_table tables[] = {
        SPEAN_TABLE_CHANGES,    SPEAN_TABLE_PARTS,     SPEAN_TABLE_STATES,   SPEAN_TABLE_RECORDS,
        SPEAN_TABLE_FOLD_ASIDE, SPEAN_TABLE_PART_KEYS, SPEAN_TABLE_PART_TAGS};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct row row = take(e, tables[i], 0);
        const size_t whole = row.len;
        for (size_t cut = 1; cut <= whole; cut += 1 + whole / 8) {
            row.len = whole - cut;
            write_row(e, &row, true);
            assert_int_not_equal(check(e).problems, 0);
        }
        row.len = whole;
        write_row(e, &row, true);
        assert_clean(e);
    }
}

/* -- What cannot be checked ------------------------------------------------------------------ */

static void locked_sealed_parts_are_counted_and_public_ones_checked(void **state)
{
    struct env *e = *state;
    spean_keys_lock(e->node->keys);
    struct seen seen = check(e);
    assert_int_equal(seen.problems, 0);
    assert_int_equal(seen.parts, 1);
    assert_int_equal(seen.skipped, 1);
    const bool public_first =
        memcmp(e->agency.record.bytes, e->referral.record.bytes, SPEAN_RECORD_ID_BYTES) < 0;
    struct row row = take(e, SPEAN_TABLE_STATES, public_first ? 0 : 1);
    row.value[row.len - 1] ^= 1;
    write_row(e, &row, true);
    assert_found(e, SPEAN_CHECK_STATE);
}

static void what_differs_while_something_waits_to_be_folded_is_not_called_damage(void **state)
{
    struct env *e = *state;
    struct row row = take(e, SPEAN_TABLE_STATES, 0);
    row.value[row.len - 1] ^= 1;
    write_row(e, &row, true);
    write_value(e, 0, AT_ORIGIN, 9, false);
    node_take_all(e->node);
    const struct seen seen = check(e);
    assert_int_equal(seen.problems, 0);
    assert_int_not_equal(seen.skipped, 0);
}

static void a_part_whose_body_was_lost_is_counted(void **state)
{
    struct env *e = *state;
    struct spean_logs_row log;
    struct spean_tx *tx;
    struct spean_id id = e->w->logs[0]->log;
    assert_int_equal(spean_tx_begin(e->node->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_logs_get(tx, &id, &log), SPEAN_OK);
    assert_int_equal(spean_body_del(tx, &log, 3), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
    const struct seen seen = check(e);
    assert_int_equal(seen.problems, 0);
    assert_int_equal(seen.parts, 1);
    assert_int_equal(seen.skipped, 1);
}

/* -- While others write ---------------------------------------------------------------------- */

struct writer {
    struct node *node;
    spean_err err;
};

static void *fold_all(void *arg)
{
    struct writer *writer = arg;
    bool more = true;
    while (writer->err == SPEAN_OK && more) {
        writer->err =
            spean_fold_step(writer->node->fold, writer->node->authority, 1, WORLD_NOW_S, &more);
    }
    return NULL;
}

static void what_another_thread_folds_meanwhile_is_no_problem(void **state)
{
    struct env *e = *state;
    for (uint8_t i = 0; i < MANY; i++) {
        write_value(e, i % 2, i % 2 == 0 ? AT_ORIGIN : AT_TARGET, i, false);
    }
    node_take_all(e->node);
    struct writer writer = {.node = e->node};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fold_all, &writer), 0);
    uint64_t found = 0;
    for (uint32_t i = 0; i < 20; i++) {
        found += check(e).problems;
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(writer.err, SPEAN_OK);
    assert_int_equal(found, 0);
    assert_clean(e);
}

static void slices_see_what_was_written_between_them(void **state)
{
    struct env *e = *state;
    struct seen seen = {0};
    struct spean_check_records *c;
    assert_int_equal(spean_check_records_new(e->node->db, e->node->authority, e->node->keys,
                                             &e->w->orgs[0].id, note, &seen, &c),
                     SPEAN_OK);
    bool done = false;
    for (uint32_t i = 0; !done; i++) {
        for (uint8_t j = 0; j < MANY && i < 3; j++) {
            for (unsigned log = 0; log < 2; log++) {
                write_value(e, log, log == 0 ? AT_ORIGIN : AT_TARGET, j, false);
            }
        }
        node_take_all(e->node);
        node_fold(e->node);
        assert_int_equal(spean_check_records_step(c, &done), SPEAN_OK);
    }
    assert_int_equal(seen.problems, 0);
    spean_check_records_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_store_as_it_was_folded_has_no_problems, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_store_has_no_problems, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_or_an_erasure_leaves_no_problems, setup, teardown),
        cmocka_unit_test_setup_teardown(a_state_that_was_changed_is_found_public_or_sealed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_list_item_that_was_changed_or_is_missing_is_found_public_or_sealed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_item_of_another_part_or_field_is_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_state_of_before_is_found_though_it_decodes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_missing_row_is_found_in_every_table, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_too_many_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_reaches_others_than_its_grants_say_is_found,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_that_shows_where_nobody_was_granted_it_is_found,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_grant_that_was_judged_otherwise_is_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_grant_that_is_not_kept_for_later_or_could_be_opened_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(
            grants_are_not_opened_where_the_keys_are_locked_or_the_node_is_nobodys, setup,
            teardown),
        cmocka_unit_test_setup_teardown(a_key_of_another_length_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(an_entry_wrongly_set_aside_or_for_another_reason_is_found,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_listed_with_other_marks_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_tag_that_leads_to_another_key_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_leads_nowhere_or_elsewhere_is_found, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_node_has_seen_must_be_what_it_said, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_cut_short_is_found_in_every_table, setup, teardown),
        cmocka_unit_test_setup_teardown(locked_sealed_parts_are_counted_and_public_ones_checked,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_differs_while_something_waits_to_be_folded_is_not_called_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(a_part_whose_body_was_lost_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(what_another_thread_folds_meanwhile_is_no_problem, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(slices_see_what_was_written_between_them, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
