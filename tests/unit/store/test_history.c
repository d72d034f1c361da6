/* store/history.h: every change of a record that is here, in one order, also what counts no more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/history.h"
#include "tests/unit/store/world.h"

#define AT_ORIGIN 1002u /* A field that the origin writes, */
#define AT_TARGET 2033u /* and one that the target does. */
#define MANY      16u

static const uint8_t key_a[SPEAN_KEY_BYTES] = {0xa1};

/* A referral that organisation 0 made, with a node of each side. */
struct env {
    struct world *w;
    struct node *ours;
    struct node *theirs;
    struct spean_part_name part;
    uint64_t created;
    uint8_t fixed[WORLD_BYTES_MAX];
    struct spean_history_change changes[MANY];
    uint32_t count;
    bool more;
};

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->w = world_new();
    e->ours = node_new(e->w, 0);
    e->theirs = node_new(e->w, 1);
    e->part = (struct spean_part_name){world_record(e->w, 0, 7), SPEAN_PART_STEPS};
    const struct world_grant grant = world_referral_grant(&e->part, key_a);
    const struct world_change create = world_referral_create(e->w, &e->part, key_a, 7, e->fixed);
    (void)world_grant(e->w, 0, &grant);
    e->created = world_write(e->w, 0, &create);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    node_free(e->ours);
    node_free(e->theirs);
    world_free(e->w);
    free(e);
    return 0;
}

static uint64_t write(struct env *e, unsigned log, uint64_t field, uint8_t value)
{
    struct world_change change = world_referral_change(&e->part, key_a);
    change.ops_count = 1;
    change.ops[0] = (struct world_op){field, SPEAN_KIND_VALUE, SPEAN_VERB_WRITE, value, {0}};
    return world_write(e->w, log, &change);
}

static void take_and_fold(struct node *n)
{
    node_take_all(n);
    node_fold(n);
}

/* Read a stretch behind a place into e. */
static void list(struct env *e, struct node *n, const struct spean_history_place *after,
                 uint32_t cap)
{
    struct spean_tx *tx = node_read(n);
    assert_int_equal(spean_history_list(tx, n->keys, n->authority, &e->part.record, after,
                                        e->changes, cap, &e->count, &e->more),
                     SPEAN_OK);
    spean_tx_abort(tx);
}

/* What the change at index wrote; 255: it has no operation. */
static uint8_t value_at(struct env *e, struct node *n, uint32_t index)
{
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    struct spean_change change;
    struct spean_operation op;
    struct spean_tx *tx = node_read(n);
    assert_int_equal(spean_history_read(tx, n->keys, &e->changes[index], buf, &change), SPEAN_OK);
    struct spean_view left = change.operations;
    const bool some = spean_operation_next(&left, &op);
    const uint8_t value = some ? op.value.data[0] : 255;
    spean_tx_abort(tx);
    return value;
}

static void assert_at(const struct env *e, uint32_t index, unsigned log, uint64_t seq,
                      enum spean_history_fate fate)
{
    const struct spean_history_change *const change = &e->changes[index];
    assert_true(index < e->count);
    assert_memory_equal(&change->log, &e->w->logs[log]->log, sizeof(change->log));
    assert_memory_equal(&change->org, &e->w->orgs[world_org_of(log)].id, sizeof(change->org));
    assert_int_equal(change->place.seq, seq);
    assert_int_equal(change->part, e->part.part);
    assert_int_equal(change->fate, fate);
}

static void changes_of_all_logs_are_in_the_order_of_their_times(void **state)
{
    struct env *e = *state;
    const uint64_t first = write(e, 0, AT_ORIGIN, 1);
    const uint64_t theirs = write(e, 1, AT_TARGET, 2);
    const uint64_t last = write(e, 0, AT_ORIGIN, 3);
    take_and_fold(e->ours);
    take_and_fold(e->theirs);
    struct node *const nodes[] = {e->ours, e->theirs};
    for (size_t i = 0; i < 2; i++) {
        list(e, nodes[i], NULL, MANY);
        assert_int_equal(e->count, 4);
        assert_false(e->more);
        assert_at(e, 0, 0, e->created, SPEAN_HISTORY_FOLDED);
        assert_at(e, 1, 0, first, SPEAN_HISTORY_FOLDED);
        assert_at(e, 2, 1, theirs, SPEAN_HISTORY_FOLDED);
        assert_at(e, 3, 0, last, SPEAN_HISTORY_FOLDED);
        /* What was written over since is still told. */
        assert_int_equal(value_at(e, nodes[i], 0), 255);
        assert_int_equal(value_at(e, nodes[i], 1), 1);
        assert_int_equal(value_at(e, nodes[i], 2), 2);
        assert_int_equal(value_at(e, nodes[i], 3), 3);
    }
}

static void every_stretch_goes_on_where_the_one_before_ended(void **state)
{
    struct env *e = *state;
    struct spean_history_change all[MANY];
    for (uint8_t i = 0; i < 6; i++) {
        (void)write(e, i % 2, i % 2 == 0 ? AT_ORIGIN : AT_TARGET, i);
    }
    take_and_fold(e->ours);
    list(e, e->ours, NULL, MANY);
    assert_int_equal(e->count, 7);
    memcpy(all, e->changes, sizeof(all));
    for (uint32_t cap = 1; cap <= 8; cap++) {
        uint32_t seen = 0;
        do {
            list(e, e->ours, seen == 0 ? NULL : &all[seen - 1].place, cap);
            assert_true(e->count > 0);
            for (uint32_t i = 0; i < e->count; i++, seen++) {
                assert_memory_equal(&e->changes[i].entry, &all[seen].entry, SPEAN_ID_BYTES);
            }
            assert_true(e->more == (seen < 7));
        } while (e->more);
        assert_int_equal(seen, 7);
    }
    list(e, e->ours, &all[6].place, MANY);
    assert_int_equal(e->count, 0);
    assert_false(e->more);
}

static void what_is_set_aside_is_told_with_its_reason(void **state)
{
    struct env *e = *state;
    const uint64_t seq = write(e, 1, AT_ORIGIN, 5);
    take_and_fold(e->ours);
    list(e, e->ours, NULL, MANY);
    assert_int_equal(e->count, 2);
    assert_at(e, 1, 1, seq, SPEAN_HISTORY_ASIDE);
    assert_int_equal(e->changes[1].aside, SPEAN_ASIDE_WRITER);
    assert_int_equal(value_at(e, e->ours, 1), 5);
}

static void a_change_without_its_body_waits_and_is_read_when_it_comes(void **state)
{
    struct env *e = *state;
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    struct spean_change change;
    node_take_all(e->theirs);
    const uint64_t seq = write(e, 0, AT_ORIGIN, 6);
    node_take(e->theirs, 0, seq, false);
    node_fold(e->theirs);
    list(e, e->theirs, NULL, MANY);
    assert_int_equal(e->count, 2);
    assert_at(e, 1, 0, seq, SPEAN_HISTORY_WAITING);
    struct spean_tx *tx = node_read(e->theirs);
    assert_int_equal(spean_history_read(tx, e->theirs->keys, &e->changes[1], buf, &change),
                     SPEAN_ENOTFOUND);
    spean_tx_abort(tx);
    node_body(e->theirs, 0, seq);
    node_fold(e->theirs);
    list(e, e->theirs, NULL, MANY);
    assert_int_equal(e->count, 2);
    assert_at(e, 1, 0, seq, SPEAN_HISTORY_FOLDED);
    assert_int_equal(value_at(e, e->theirs, 1), 6);
}

static void of_an_erased_part_each_change_is_told_once_and_not_read(void **state)
{
    struct env *e = *state;
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    const uint64_t theirs = write(e, 1, AT_TARGET, 2);
    take_and_fold(e->theirs);
    (void)world_erase_part(e->w, 0, &e->part, key_a);
    (void)world_erase_part(e->w, 0, &e->part, key_a);
    take_and_fold(e->theirs);
    list(e, e->theirs, NULL, MANY);
    assert_int_equal(e->count, 2);
    assert_at(e, 0, 0, e->created, SPEAN_HISTORY_ERASED);
    assert_at(e, 1, 1, theirs, SPEAN_HISTORY_ERASED);
    struct spean_tx *tx = node_read(e->theirs);
    for (uint32_t i = 0; i < e->count; i++) {
        struct spean_change change;
        assert_int_equal(spean_history_read(tx, e->theirs->keys, &e->changes[i], buf, &change),
                         SPEAN_ENOTFOUND);
    }
    spean_tx_abort(tx);
}

static void what_a_cut_takes_back_is_told_no_more(void **state)
{
    struct env *e = *state;
    const uint64_t kept = write(e, 1, AT_TARGET, 1);
    (void)write(e, 1, AT_TARGET, 2);
    take_and_fold(e->ours);
    world_cut(e->w, 1, kept);
    node_documents(e->ours);
    node_fold(e->ours);
    list(e, e->ours, NULL, MANY);
    assert_int_equal(e->count, 2);
    assert_at(e, 1, 1, kept, SPEAN_HISTORY_FOLDED);
}

static void a_record_that_nobody_knows_has_no_history(void **state)
{
    struct env *e = *state;
    take_and_fold(e->ours);
    e->part.record.bytes[0] ^= 1u;
    list(e, e->ours, NULL, MANY);
    assert_int_equal(e->count, 0);
    assert_false(e->more);
}

static void locked_keys_open_no_change(void **state)
{
    struct env *e = *state;
    static uint8_t buf[SPEAN_BODY_BYTES_MAX];
    struct spean_change change;
    take_and_fold(e->ours);
    list(e, e->ours, NULL, MANY);
    spean_keys_lock(e->ours->keys);
    struct spean_tx *tx = node_read(e->ours);
    assert_int_equal(spean_history_read(tx, e->ours->keys, &e->changes[0], buf, &change),
                     SPEAN_ELOCKED);
    spean_tx_abort(tx);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(changes_of_all_logs_are_in_the_order_of_their_times),
        T(every_stretch_goes_on_where_the_one_before_ended),
        T(what_is_set_aside_is_told_with_its_reason),
        T(a_change_without_its_body_waits_and_is_read_when_it_comes),
        T(of_an_erased_part_each_change_is_told_once_and_not_read),
        T(what_a_cut_takes_back_is_told_no_more),
        T(a_record_that_nobody_knows_has_no_history),
        T(locked_keys_open_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
