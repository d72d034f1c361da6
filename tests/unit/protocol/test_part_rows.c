/*
 * protocol/fold.h: a part whose list items and strikes are kept elsewhere folds to the same bytes
 * as one that is held whole (P10.5, P10.9).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/foldkit.h"

#define ROWS_MAX   512u
#define ITEM_BYTES 256u
#define ROUNDS     60u
#define ENTRIES    40u
#define FIELD      7u
#define FIELDS     3u

/* A row that is kept elsewhere. */
struct kept {
    bool strike;
    uint64_t field;
    struct spean_dot dot;
    uint64_t time;
    struct spean_id entry;
    uint8_t bytes[ITEM_BYTES];
    size_t len;
};

struct env {
    struct foldkit *k;
    struct kept rows[ROWS_MAX];
    uint32_t count;
    uint8_t trunk[FOLDKIT_STATE_BYTES];
    size_t trunk_len;
    size_t state_len;
    uint8_t poured[FOLDKIT_STATE_BYTES];
    size_t poured_len;
    uint8_t buf[FOLDKIT_STATE_BYTES];
};

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->k = foldkit_new();
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    foldkit_free(e->k);
    free(e);
    return 0;
}

/* -- Rows ------------------------------------------------------------------------------------ */

static struct kept *row_find(struct env *e, uint64_t field, const struct spean_dot *dot)
{
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->rows[i].field == field && spean_dot_compare(&e->rows[i].dot, dot) == 0) {
            return &e->rows[i];
        }
    }
    return NULL;
}

/* Keep a row; an item takes the place of the strike that was before it. */
static struct kept *row_keep(struct env *e, uint64_t field, const struct spean_dot *dot)
{
    struct kept *row = row_find(e, field, dot);
    if (row == NULL) {
        assert_true(e->count < ROWS_MAX);
        row = &e->rows[e->count++];
    }
    *row = (struct kept){.field = field, .dot = *dot};
    return row;
}

static void keep_list(struct env *e, const struct spean_field *list)
{
    for (size_t i = 0; i < spean_field_writes_count(list); i++) {
        struct spean_write item;
        struct spean_view bytes;
        spean_field_get_write(list, i, &item);
        struct kept *row = row_keep(e, spean_field_number(list), &item.dot);
        row->time = item.time;
        row->entry = item.entry;
        assert_int_equal(spean_item_encode(&item, row->bytes, ITEM_BYTES, &bytes), SPEAN_OK);
        row->len = bytes.len;
    }
    for (size_t i = 0; i < spean_field_strikes_count(list); i++) {
        struct spean_dot dot;
        spean_field_get_strike(list, i, &dot);
        row_keep(e, spean_field_number(list), &dot)->strike = true;
    }
}

/* Keep all rows that part holds elsewhere, and its trunk; free it. */
static void put_away(struct env *e, struct spean_part *part)
{
    for (size_t i = 0; i < spean_part_fields_count(part); i++) {
        if (spean_field_kind(spean_part_field(part, i)) == SPEAN_KIND_LIST) {
            keep_list(e, spean_part_field(part, i));
        }
    }
    struct spean_view trunk;
    assert_int_equal(
        spean_part_encode_trunk(part, e->trunk, sizeof(e->trunk), &trunk, &e->state_len), SPEAN_OK);
    assert_true(trunk.len <= spean_part_encoded_max(part));
    e->trunk_len = trunk.len;
    spean_part_free(part);
}

static struct spean_part *take_trunk(struct env *e)
{
    struct spean_part *part = NULL;
    assert_int_equal(spean_part_decode_trunk((struct spean_view){e->trunk, e->trunk_len}, &part),
                     SPEAN_OK);
    return part;
}

static spean_err hold(struct spean_part *part, const struct kept *row)
{
    struct spean_write item;
    if (row->strike) {
        return spean_part_hold_strike(part, row->field, &row->dot);
    }
    assert_int_equal(spean_item_decode((struct spean_view){row->bytes, row->len}, &item), SPEAN_OK);
    return spean_part_hold_item(part, row->field, &item);
}

/* Hold the rows that an entry names, as whoever stores the part does. */
static void hold_named(struct env *e, struct spean_part *part, uint32_t index)
{
    const struct foldkit_entry *const entry = &e->k->entries[index];
    const struct spean_fold_input input = {
        .change = &entry->change, .log = entry->log, .seq = entry->seq};
    struct spean_view left = entry->change.operations;
    struct spean_operation op;
    for (uint32_t i = 0; spean_operation_next(&left, &op); i++) {
        struct spean_dot dot;
        if (!spean_fold_item(&input, &op, i, &dot) || !spean_part_is_away(part, op.field)) {
            continue;
        }
        const struct kept *const row = row_find(e, op.field, &dot);
        const struct spean_field *const list = spean_part_find(part, op.field, SPEAN_KIND_LIST);
        if (row != NULL && !spean_field_holds(list, &dot)) {
            assert_int_equal(hold(part, row), SPEAN_OK);
        }
    }
}

/* Fold entry after entry into the trunk. */
static void fold_away(struct env *e, const uint32_t *order)
{
    memset(e->k->arrived, 0, sizeof(e->k->arrived));
    memset(e->k->missing, 0, sizeof(e->k->missing));
    e->count = 0;
    put_away(e, foldkit_part());
    for (uint32_t i = 0; i < e->k->count; i++) {
        struct spean_part *const part = take_trunk(e);
        hold_named(e, part, order[i]);
        for (uint32_t k = 0; k < e->k->count; k++) {
            if (e->k->arrived[k] && e->k->missing[k]) {
                hold_named(e, part, k); /* What waited for it is folded again. */
            }
        }
        foldkit_arrive(e->k, part, order[i]);
        put_away(e, part);
    }
}

/* -- Pouring --------------------------------------------------------------------------------- */

static spean_err pour_bytes(void *ctx, struct spean_view bytes)
{
    struct env *const e = ctx;
    assert_true(bytes.len <= sizeof(e->poured) - e->poured_len);
    memcpy(e->poured + e->poured_len, bytes.data, bytes.len);
    e->poured_len += bytes.len;
    return SPEAN_OK;
}

static int items_compare(const void *a, const void *b)
{
    const struct kept *const x = *(const struct kept *const *)a;
    const struct kept *const y = *(const struct kept *const *)b;
    if (x->strike || y->strike) {
        return spean_dot_compare(&x->dot, &y->dot);
    }
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    const int order = spean_id_compare(&x->entry, &y->entry);
    return order != 0 ? order : (x->dot.index > y->dot.index) - (x->dot.index < y->dot.index);
}

static spean_err pour_rows(struct env *e, uint64_t field, uint32_t count, bool strikes)
{
    const struct kept *rows[ROWS_MAX];
    uint32_t found = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->rows[i].field == field && e->rows[i].strike == strikes) {
            rows[found++] = &e->rows[i];
        }
    }
    assert_int_equal(found, count);
    qsort(rows, found, sizeof(const struct kept *), items_compare);
    for (uint32_t i = 0; i < found; i++) {
        uint8_t buf[SPEAN_DOT_BYTES_MAX];
        const struct spean_view bytes = strikes ? spean_dot_encode(&rows[i]->dot, buf)
                                                : (struct spean_view){rows[i]->bytes, rows[i]->len};
        assert_int_equal(pour_bytes(e, bytes), SPEAN_OK);
    }
    return SPEAN_OK;
}

static spean_err pour_items(void *ctx, uint64_t field, uint32_t count)
{
    return pour_rows(ctx, field, count, false);
}

static spean_err pour_strikes(void *ctx, uint64_t field, uint32_t count)
{
    return pour_rows(ctx, field, count, true);
}

static void assert_pours(struct env *e, const struct spean_part *whole)
{
    const struct spean_part_sink sink = {
        .bytes = pour_bytes, .items = pour_items, .strikes = pour_strikes, .ctx = e};
    static uint8_t room[FOLDKIT_STATE_BYTES];
    struct spean_part *const trunk = take_trunk(e);
    e->poured_len = 0;
    assert_int_equal(spean_part_pour(trunk, room, sizeof(room), &sink), SPEAN_OK);
    spean_part_free(trunk);
    const struct spean_view expected = foldkit_state(whole, e->buf);
    assert_int_equal(e->poured_len, expected.len);
    assert_int_equal(e->state_len, expected.len);
    assert_memory_equal(e->poured, expected.data, expected.len);
}

/* -- Histories ------------------------------------------------------------------------------- */

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Mostly appends and strikes, also of what never comes, and some writes of other kinds. */
static void write_some(struct env *e, uint32_t *seed)
{
    uint64_t heads[4] = {0};
    e->k->count = 0;
    memset(e->k->entries, 0, sizeof(e->k->entries));
    for (uint32_t i = 0; i < ENTRIES; i++) {
        const uint64_t log = 1 + next(seed) % 3;
        struct foldkit_entry *const entry = foldkit_add(e->k, log, ++heads[log], next(seed) % 3);
        entry->ops_count = 1 + next(seed) % FIELDS;
        for (uint32_t n = 0; n < entry->ops_count; n++) {
            struct foldkit_op *const op = &entry->ops[n];
            op->field = FIELD + n;
            op->kind = next(seed) % 4 == 0 ? 1 + next(seed) % 6 : SPEAN_KIND_LIST;
            op->value = (uint8_t)(next(seed) % 100);
            if (op->kind == SPEAN_KIND_SET || op->kind == SPEAN_KIND_LIST) {
                op->verb = next(seed) % 2;
            }
            op->struck = (struct spean_dot){1 + next(seed) % 3, 1 + next(seed) % (ENTRIES / 2), n};
        }
        if (log != 1 && heads[1] > 0) {
            foldkit_saw(entry, 1, 1 + next(seed) % heads[1]);
            entry->rows[entry->rows_count - 1].lies = next(seed) % 8 == 0;
        }
    }
    foldkit_seal(e->k);
}

static void shuffle(uint32_t *order, uint32_t count, uint32_t *seed)
{
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    for (uint32_t i = count; i-- > 1;) {
        const uint32_t other = next(seed) % (i + 1);
        const uint32_t kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

static void rows_kept_elsewhere_change_no_byte_of_the_state_in_any_order(void **state)
{
    struct env *e = *state;
    uint32_t seed = 20261122;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t order[ENTRIES];
        write_some(e, &seed);
        shuffle(order, ENTRIES, &seed);
        struct spean_part *const whole = foldkit_fold(e->k, NULL);
        fold_away(e, order);
        assert_pours(e, whole);
        spean_part_free(whole);
    }
}

/* One item that is struck before it comes, two others, and a strike of what never comes. */
static void write_four(struct env *e)
{
    struct foldkit_entry *const strikes =
        foldkit_write(e->k, 1, 1, SPEAN_KIND_LIST, SPEAN_VERB_STRIKE, 0);
    strikes->ops[0].struck = (struct spean_dot){2, 1, 0};
    (void)foldkit_write(e->k, 2, 1, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'a');
    (void)foldkit_write(e->k, 2, 2, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'b');
    struct foldkit_entry *const never =
        foldkit_write(e->k, 1, 2, SPEAN_KIND_LIST, SPEAN_VERB_STRIKE, 0);
    never->ops[0].struck = (struct spean_dot){2, 9, 0};
    foldkit_seal(e->k);
}

static void a_strike_that_came_before_its_item_is_found_when_that_comes(void **state)
{
    static const uint32_t order[] = {0, 1, 2, 3};
    struct env *e = *state;
    write_four(e);
    fold_away(e, order);
    struct spean_part *part = take_trunk(e);
    const struct spean_dot dot = {2, 1, 0};
    const struct kept *const row = row_find(e, e->rows[0].field, &dot);
    struct spean_write item;
    assert_non_null(row);
    assert_false(row->strike);
    assert_int_equal(spean_item_decode((struct spean_view){row->bytes, row->len}, &item), SPEAN_OK);
    assert_true(item.struck);
    const struct spean_field *const list = spean_part_find(part, row->field, SPEAN_KIND_LIST);
    assert_int_equal(spean_field_items_away(list), 2);
    assert_int_equal(spean_field_strikes_away(list), 1);
    spean_part_free(part);
}

static void only_rows_that_the_trunk_counts_are_taken_back_and_once(void **state)
{
    static const uint32_t order[] = {0, 1, 2, 3};
    struct env *e = *state;
    write_four(e);
    fold_away(e, order);
    struct spean_part *part = take_trunk(e);
    for (uint32_t i = 0; i < e->count; i++) {
        assert_int_equal(hold(part, &e->rows[i]), SPEAN_OK);
        assert_int_equal(hold(part, &e->rows[i]), SPEAN_EFORMAT);
    }
    struct kept other = e->rows[0];
    assert_false(spean_part_is_away(part, other.field));
    other.dot.seq += 100;
    other.strike = true;
    assert_int_equal(hold(part, &other), SPEAN_EFORMAT);
    other.field += 100;
    assert_int_equal(hold(part, &other), SPEAN_EFORMAT);
    spean_part_free(part);
}

static void a_part_with_all_rows_taken_back_encodes_as_if_they_had_never_gone(void **state)
{
    static const uint32_t order[] = {3, 2, 1, 0};
    struct env *e = *state;
    write_four(e);
    struct spean_part *const whole = foldkit_fold(e->k, NULL);
    fold_away(e, order);
    struct spean_part *part = take_trunk(e);
    for (uint32_t i = 0; i < e->count; i++) {
        assert_int_equal(hold(part, &e->rows[i]), SPEAN_OK);
    }
    const struct spean_view expected = foldkit_state(whole, e->buf);
    const struct spean_view got = foldkit_state(part, e->poured);
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.data, expected.data, expected.len);
    spean_part_free(part);
    spean_part_free(whole);
}

static void a_trunk_truncated_at_any_byte_or_with_one_more_is_refused(void **state)
{
    static const uint32_t order[] = {0, 1, 2, 3};
    struct env *e = *state;
    struct spean_part *part = NULL;
    write_four(e);
    fold_away(e, order);
    for (size_t len = 0; len < e->trunk_len; len++) {
        uint8_t *const exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, e->trunk, len);
        assert_int_not_equal(spean_part_decode_trunk((struct spean_view){exact, len}, &part),
                             SPEAN_OK);
        free(exact);
    }
    e->trunk[e->trunk_len] = 0xc0;
    assert_int_not_equal(
        spean_part_decode_trunk((struct spean_view){e->trunk, e->trunk_len + 1}, &part), SPEAN_OK);
}

/* The trunk ends: [field 7, items 2, strikes 1], bytes. */
static void a_trunk_that_counts_what_cannot_be_is_refused(void **state)
{
    static const uint32_t order[] = {0, 1, 2, 3};
    struct env *e = *state;
    struct spean_part *part = NULL;
    write_four(e);
    fold_away(e, order);
    size_t at = e->trunk_len;
    while (at > 0 && e->trunk[at - 1] != 0x93) {
        at--; /* Behind the head of the last array. */
    }
    const struct {
        size_t at;
        uint8_t byte;
    } cases[] = {
        {at, (uint8_t)(e->trunk[at] + 1)}, /* Another field. */
        {at - 2, 0x90},                    /* No list, though there is one. */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t before = e->trunk[cases[i].at];
        e->trunk[cases[i].at] = cases[i].byte;
        assert_int_not_equal(
            spean_part_decode_trunk((struct spean_view){e->trunk, e->trunk_len}, &part), SPEAN_OK);
        e->trunk[cases[i].at] = before;
    }
    e->trunk[at + 1] = 0;
    e->trunk[at + 2] = 0; /* A list without rows. */
    assert_int_not_equal(
        spean_part_decode_trunk((struct spean_view){e->trunk, e->trunk_len}, &part), SPEAN_OK);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(rows_kept_elsewhere_change_no_byte_of_the_state_in_any_order),
        T(a_strike_that_came_before_its_item_is_found_when_that_comes),
        T(only_rows_that_the_trunk_counts_are_taken_back_and_once),
        T(a_part_with_all_rows_taken_back_encodes_as_if_they_had_never_gone),
        T(a_trunk_truncated_at_any_byte_or_with_one_more_is_refused),
        T(a_trunk_that_counts_what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
