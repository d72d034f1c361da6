#include "protocol/fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/schema.h"
#include "tests/support/foldkit.h"
#include "tests/unit/protocol/hex.h"

#define FIELD         16u
#define STATE_BYTES   FOLDKIT_STATE_BYTES
#define WRITE         SPEAN_VERB_WRITE
#define PERMUTED_MAX  7u
#define RANDOM_ROUNDS 40u

static int setup(void **state)
{
    *state = foldkit_new();
    return 0;
}

static int teardown(void **state)
{
    foldkit_free(*state);
    return 0;
}

static const struct spean_field *field_of(const struct spean_part *part, uint64_t kind)
{
    const struct spean_field *const field = spean_part_find(part, FIELD, kind);
    assert_non_null(field);
    return field;
}

/* Assert that a field's writes have these values, in canonical order. */
static void assert_writes(const struct spean_part *part, uint64_t kind, const char *values)
{
    const struct spean_field *const field = field_of(part, kind);
    assert_int_equal(spean_field_writes_count(field), strlen(values));
    for (size_t i = 0; i < strlen(values); i++) {
        struct spean_write w;
        spean_field_get_write(field, i, &w);
        assert_int_equal(foldkit_number(w.value), values[i]);
    }
}

/* Say whether value is in the set; it was added or removed some time. */
static bool in_set(const struct spean_part *part, uint8_t value)
{
    const struct spean_field *const field = field_of(part, SPEAN_KIND_SET);
    for (size_t i = 0; i < spean_field_elements_count(field); i++) {
        struct spean_view element;
        const bool is_in = spean_field_get_element(field, i, &element);
        if (foldkit_number(element) == value) {
            return is_in;
        }
    }
    fail_msg("element %u was never there", value);
    return false;
}

static void unequal_concurrent_writes_are_siblings_and_a_conflict(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_write(k, 2, 1, SPEAN_KIND_VALUE, WRITE, 'b');
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_VALUE, "ab");
    assert_true(spean_field_conflict(field_of(part, SPEAN_KIND_VALUE)));
    spean_part_free(part);
}

static void equal_concurrent_writes_are_no_conflict(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_write(k, 2, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_VALUE, "aa");
    assert_false(spean_field_conflict(field_of(part, SPEAN_KIND_VALUE)));
    spean_part_free(part);
}

static void a_write_that_saw_the_siblings_decides(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_write(k, 2, 1, SPEAN_KIND_VALUE, WRITE, 'b');
    struct foldkit_entry *const decision = foldkit_write(k, 3, 1, SPEAN_KIND_VALUE, WRITE, 'c');
    foldkit_saw(decision, 1, 1);
    foldkit_saw(decision, 2, 1);
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_VALUE, "c");
    assert_false(spean_field_conflict(field_of(part, SPEAN_KIND_VALUE)));
    spean_part_free(part);
}

static void own_earlier_writes_are_covered_without_a_row(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_write(k, 1, 5, SPEAN_KIND_VALUE, WRITE, 'b');
    foldkit_seal(k);
    const uint32_t backwards[] = {1, 0};
    struct spean_part *part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_VALUE, "b");
    spean_part_free(part);
    part = foldkit_fold(k, backwards);
    assert_writes(part, SPEAN_KIND_VALUE, "b");
    spean_part_free(part);
}

static void a_row_that_names_another_entry_covers_nothing(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    struct foldkit_entry *const liar = foldkit_write(k, 2, 1, SPEAN_KIND_VALUE, WRITE, 'b');
    foldkit_saw(liar, 1, 1);
    liar->rows[0].lies = true;
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_VALUE, "ab");
    assert_true(k->missing[1]);
    spean_part_free(part);
}

static void a_row_for_the_own_log_covers_nothing_and_is_not_missed(void **state)
{
    struct foldkit *const k = *state;
    struct foldkit_entry *const e = foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_saw(e, 1, 1);
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_VALUE, "a");
    assert_false(k->missing[0]);
    spean_part_free(part);
}

static void a_row_counts_when_its_entry_comes_later(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_write(k, 1, 2, SPEAN_KIND_SET, SPEAN_VERB_ADD, 'x');
    foldkit_saw(foldkit_write(k, 2, 1, SPEAN_KIND_VALUE, WRITE, 'b'), 1, 2);
    foldkit_seal(k);
    struct spean_part *const part = foldkit_part();
    foldkit_arrive(k, part, 0);
    foldkit_arrive(k, part, 2);
    assert_true(k->missing[2]);
    assert_writes(part, SPEAN_KIND_VALUE, "ab");
    foldkit_arrive(k, part, 1);
    assert_false(k->missing[2]);
    assert_writes(part, SPEAN_KIND_VALUE, "b");
    spean_part_free(part);
}

static void the_provisional_value_is_the_latest_then_the_highest_entry_id(void **state)
{
    struct foldkit *const k = *state;
    const struct foldkit_entry *const a = foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    const struct foldkit_entry *const b = foldkit_write(k, 2, 1, SPEAN_KIND_VALUE, WRITE, 'b');
    foldkit_seal(k);
    struct spean_write shown;
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_true(spean_field_get_shown(field_of(part, SPEAN_KIND_VALUE), &shown));
    assert_int_equal(foldkit_number(shown.value), spean_id_compare(&a->id, &b->id) > 0 ? 'a' : 'b');

    foldkit_write(k, 3, 1, SPEAN_KIND_VALUE, WRITE, 'c')->time = 7;
    foldkit_seal(k);
    foldkit_arrive(k, part, 2);
    assert_true(spean_field_get_shown(field_of(part, SPEAN_KIND_VALUE), &shown));
    assert_int_equal(foldkit_number(shown.value), 'c');
    spean_part_free(part);
}

static void different_fields_just_merge(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_write(k, 2, 1, SPEAN_KIND_VALUE, WRITE, 'b')->ops[0].field = FIELD + 1;
    foldkit_write(k, 3, 1, SPEAN_KIND_STRICTEST, WRITE, 'c');
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_int_equal(spean_part_fields_count(part), 3);
    assert_int_equal(spean_field_kind(spean_part_field(part, 0)), SPEAN_KIND_VALUE);
    assert_int_equal(spean_field_kind(spean_part_field(part, 1)), SPEAN_KIND_STRICTEST);
    assert_int_equal(spean_field_number(spean_part_field(part, 2)), FIELD + 1);
    assert_writes(part, SPEAN_KIND_VALUE, "a");
    spean_part_free(part);
}

static void an_add_wins_over_a_concurrent_remove(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_SET, SPEAN_VERB_ADD, 'x');
    foldkit_write(k, 2, 1, SPEAN_KIND_SET, SPEAN_VERB_REMOVE, 'x');
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_true(in_set(part, 'x'));
    spean_part_free(part);
}

static void a_remove_takes_out_what_it_saw_also_when_it_comes_first(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_SET, SPEAN_VERB_ADD, 'x');
    foldkit_saw(foldkit_write(k, 2, 1, SPEAN_KIND_SET, SPEAN_VERB_REMOVE, 'x'), 1, 1);
    foldkit_write(k, 1, 2, SPEAN_KIND_SET, SPEAN_VERB_ADD, 'y');
    foldkit_seal(k);
    const uint32_t remove_first[] = {1, 2, 0};
    struct spean_part *part = foldkit_fold(k, NULL);
    assert_false(in_set(part, 'x'));
    assert_true(in_set(part, 'y'));
    spean_part_free(part);
    part = foldkit_fold(k, remove_first);
    assert_false(in_set(part, 'x'));
    spean_part_free(part);
}

static void an_element_can_be_removed_and_added_again_by_its_author(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_SET, SPEAN_VERB_ADD, 'x');
    foldkit_write(k, 1, 2, SPEAN_KIND_SET, SPEAN_VERB_REMOVE, 'x');
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_false(in_set(part, 'x'));
    foldkit_write(k, 1, 3, SPEAN_KIND_SET, SPEAN_VERB_ADD, 'x');
    foldkit_seal(k);
    foldkit_arrive(k, part, 2);
    assert_true(in_set(part, 'x'));
    spean_part_free(part);
}

static void list_items_stand_by_time_whatever_their_order(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'b')->time = 20;
    foldkit_write(k, 2, 1, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'a')->time = 10;
    struct foldkit_entry *const both = foldkit_write(k, 1, 2, SPEAN_KIND_LIST, 1, 'c');
    both->time = 30;
    both->ops_count = 2;
    both->ops[1] = (struct foldkit_op){FIELD, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'd', {0}};
    foldkit_seal(k);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_LIST, "abcd");
    spean_part_free(part);
}

/* Assert which of a list's two items are struck. */
static void assert_struck(const struct spean_part *part, bool first, bool second)
{
    struct spean_write items[2];
    assert_writes(part, SPEAN_KIND_LIST, "ab");
    spean_field_get_write(field_of(part, SPEAN_KIND_LIST), 0, &items[0]);
    spean_field_get_write(field_of(part, SPEAN_KIND_LIST), 1, &items[1]);
    assert_int_equal(items[0].struck, first);
    assert_int_equal(items[1].struck, second);
}

static void a_strike_marks_the_item_it_names_before_and_after_it_comes(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'a');
    foldkit_write(k, 1, 2, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'b');
    struct foldkit_entry *const strike = foldkit_write(k, 2, 1, SPEAN_KIND_LIST, 0, 0);
    strike->ops[0].struck = (struct spean_dot){1, 2, 0};
    foldkit_seal(k);
    const uint32_t strike_first[] = {2, 0, 1};
    struct spean_part *part = foldkit_fold(k, NULL);
    assert_struck(part, false, true);
    spean_part_free(part);
    part = foldkit_fold(k, strike_first);
    assert_struck(part, false, true);
    spean_part_free(part);
}

static void strictest_siblings_stay_and_are_no_conflict(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_STRICTEST, WRITE, 'a');
    foldkit_write(k, 2, 1, SPEAN_KIND_STRICTEST, WRITE, 'b');
    foldkit_saw(foldkit_write(k, 3, 1, SPEAN_KIND_STRICTEST, WRITE, 'c'), 1, 1);
    foldkit_seal(k);
    struct spean_write shown;
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_STRICTEST, "bc");
    assert_false(spean_field_conflict(field_of(part, SPEAN_KIND_STRICTEST)));
    assert_false(spean_field_get_shown(field_of(part, SPEAN_KIND_STRICTEST), &shown));
    spean_part_free(part);
}

static void one_way_writes_stay_for_ever_and_the_lowest_entry_id_is_shown(void **state)
{
    struct foldkit *const k = *state;
    const struct foldkit_entry *const a = foldkit_write(k, 1, 1, SPEAN_KIND_ONE_WAY, WRITE, 'a');
    const struct foldkit_entry *const b = foldkit_write(k, 1, 2, SPEAN_KIND_ONE_WAY, WRITE, 'b');
    foldkit_seal(k);
    struct spean_write shown;
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_ONE_WAY, "ab");
    assert_true(spean_field_get_shown(field_of(part, SPEAN_KIND_ONE_WAY), &shown));
    assert_int_equal(foldkit_number(shown.value), spean_id_compare(&a->id, &b->id) < 0 ? 'a' : 'b');
    spean_part_free(part);
}

static void operations_of_unknown_kinds_are_kept_by_dot(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 2, 1, 77, 9, 'b');
    foldkit_write(k, 1, 1, 6, 3, 'a');
    foldkit_seal(k);
    const uint8_t first[] = {0x94, FIELD, 6, 3, 'a'};
    struct spean_dot dot;
    struct spean_view operation;
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_int_equal(spean_part_fields_count(part), 0);
    assert_int_equal(spean_part_unknown_count(part), 2);
    spean_part_get_unknown(part, 0, &dot, &operation);
    assert_int_equal(dot.log, 1);
    assert_int_equal(operation.len, sizeof(first));
    assert_memory_equal(operation.data, first, sizeof(first));
    spean_part_free(part);
}

static void a_creating_change_names_owner_and_fixed_fields(void **state)
{
    struct foldkit *const k = *state;
    const uint8_t fixed[] = {0x81, 0x01, 0x05};
    struct foldkit_entry *const create = foldkit_add(k, 3, 1, 1);
    create->creates = true;
    create->fixed = 5;
    foldkit_seal(k);
    struct spean_part_info info;
    struct spean_part *const part = foldkit_fold(k, NULL);
    spean_part_get_info(part, &info);
    assert_true(info.created);
    assert_int_equal(info.owner.bytes[0], 3);
    assert_int_equal(info.fixed.len, sizeof(fixed));
    assert_memory_equal(info.fixed.data, fixed, sizeof(fixed));
    spean_part_free(part);
}

static void of_two_creating_changes_the_lowest_bytes_stand_in_either_order(void **state)
{
    struct foldkit *const k = *state;
    for (uint8_t i = 0; i < 2; i++) {
        struct foldkit_entry *const create = foldkit_add(k, 3, i + 1u, 1);
        create->creates = true;
        create->fixed = (uint8_t)(9 - i);
    }
    foldkit_seal(k);
    const uint32_t backwards[] = {1, 0};
    struct spean_part_info info;
    struct spean_part *part = foldkit_fold(k, NULL);
    spean_part_get_info(part, &info);
    assert_int_equal(info.fixed.data[2], 8);
    spean_part_free(part);
    part = foldkit_fold(k, backwards);
    spean_part_get_info(part, &info);
    assert_int_equal(info.fixed.data[2], 8);
    spean_part_free(part);
}

static bool never_counts(void *ctx, const struct spean_context_row *row)
{
    (void)ctx;
    (void)row;
    return false;
}

static bool always_counts(void *ctx, const struct spean_context_row *row)
{
    (void)ctx;
    (void)row;
    return true;
}

static void a_change_to_another_part_is_refused_and_changes_nothing(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_seal(k);
    struct spean_change change = k->entries[0].change;
    const struct spean_fold_input input = {.change = &change, .log = 1, .seq = 1};
    bool missing = true;
    struct spean_part *const part = foldkit_part();
    change.part++;
    assert_int_equal(spean_part_apply(part, &input, never_counts, NULL, &missing), SPEAN_EINPUT);
    change = k->entries[0].change;
    change.type++;
    assert_int_equal(spean_part_apply(part, &input, never_counts, NULL, &missing), SPEAN_EINPUT);
    change = k->entries[0].change;
    change.record.bytes[15]++;
    assert_int_equal(spean_part_apply(part, &input, never_counts, NULL, &missing), SPEAN_EINPUT);
    assert_int_equal(spean_part_fields_count(part), 0);
    assert_true(missing);
    spean_part_free(part);
}

/* Pieces of states: a part without owner, up to its fields; a dot, a clock row, a write's middle.
 */
#define HEAD  "9702c4101100000000000000000000000000000001c0c0"
#define DOT   "93c4080000000000000005"
#define ENTRY "c420aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ORG   "c420bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define REST  "09" ENTRY ORG "a16b"
#define CLOCK "92c4080000000000000005"

/* Fold the only entry of k, at time 9, and assert the canonical state in hex. */
static void assert_state(struct foldkit *k, const char *hex)
{
    foldkit_seal(k);
    struct spean_fold_input input = {.change = &k->entries[0].change, .time = 9};
    input.log = k->entries[0].log;
    input.seq = k->entries[0].seq;
    memset(input.entry.bytes, 0xaa, sizeof(input.entry.bytes));
    memset(input.org.bytes, 0xbb, sizeof(input.org.bytes));
    uint8_t expected[512];
    const size_t len = from_spaced_hex(expected, sizeof(expected), hex);

    bool missing = true;
    uint8_t buf[1024];
    struct spean_part *const part = foldkit_part();
    assert_int_equal(spean_part_apply(part, &input, always_counts, NULL, &missing), SPEAN_OK);
    assert_false(missing);
    const struct spean_view encoded = foldkit_state(part, buf);
    assert_int_equal(encoded.len, len);
    assert_memory_equal(encoded.data, expected, len);
    spean_part_free(part);
}

/* These states are written out by hand from P10.9 and P10.2: log 5 at seq 3, and log 9 up to 4. */
static void the_state_of_a_value_is_as_the_protocol_spells_it(void **state)
{
    struct foldkit *const k = *state;
    foldkit_saw(foldkit_write(k, 5, 3, SPEAN_KIND_VALUE, WRITE, 7), 9, 4);
    assert_state(k, HEAD "91 931001 92 92" CLOCK "02 92c408000000000000000904 91 96" DOT "0300" REST
                         "07 90");
}

static void the_state_of_a_set_is_as_the_protocol_spells_it(void **state)
{
    struct foldkit *const k = *state;
    struct foldkit_entry *const e = foldkit_write(k, 5, 3, SPEAN_KIND_SET, SPEAN_VERB_ADD, 7);
    e->ops_count = 2;
    e->ops[1] = (struct foldkit_op){FIELD, SPEAN_KIND_SET, SPEAN_VERB_REMOVE, 6, {0}};
    assert_state(k,
                 HEAD "91 931002 92 93 06 91" CLOCK "03 90 93 07 91" CLOCK "02 91" DOT "0300 90");
}

static void the_state_of_a_list_is_as_the_protocol_spells_it(void **state)
{
    struct foldkit *const k = *state;
    struct foldkit_entry *const e = foldkit_write(k, 5, 3, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 7);
    e->ops_count = 3;
    e->ops[1] = (struct foldkit_op){FIELD, SPEAN_KIND_LIST, SPEAN_VERB_STRIKE, 0, {5, 3, 0}};
    e->ops[2] = (struct foldkit_op){FIELD, SPEAN_KIND_LIST, SPEAN_VERB_STRIKE, 0, {5, 2, 1}};
    assert_state(k, HEAD "91 931003 92 91 97" DOT "0300" REST "c3 07 91" DOT "0201 90");
}

static void the_state_of_a_one_way_field_is_as_the_protocol_spells_it(void **state)
{
    struct foldkit *const k = *state;
    foldkit_write(k, 5, 1, SPEAN_KIND_ONE_WAY, WRITE, 7);
    assert_state(k, HEAD "91 931005 92 90 91 96" DOT "0100" REST "07 90");
}

static void the_state_of_a_created_record_is_as_the_protocol_spells_it(void **state)
{
    struct foldkit *const k = *state;
    struct foldkit_entry *const create = foldkit_write(k, 5, 3, 6, 2, 7);
    create->creates = true;
    create->fixed = 4;
    assert_state(k, "9702c4101100000000000000000000000000000001" ORG "810104 90 91 92" DOT
                    "0300 9410060207");
}

/* Seeded generator (xorshift64*), so that a failure can be repeated. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

static uint64_t below(uint64_t *seed, uint64_t bound)
{
    return next_random(seed) % bound;
}

static struct foldkit_op random_op(uint64_t *seed, uint64_t field, uint64_t seqs)
{
    struct foldkit_op op = {.field = field};
    op.kind = 1 + below(seed, 6); /* The sixth is not known. */
    op.value = (uint8_t)below(seed, 3);
    const bool two_verbs = op.kind == SPEAN_KIND_SET || op.kind == SPEAN_KIND_LIST;
    op.verb = two_verbs ? below(seed, 2) : WRITE;
    op.struck =
        (struct spean_dot){1 + below(seed, 3), 1 + below(seed, seqs), (uint32_t)below(seed, 2)};
    return op;
}

/* A history of count entries over three logs, each of which may have seen any that were before. */
static void random_history(struct foldkit *k, uint32_t count, uint64_t *seed)
{
    uint64_t heads[4] = {0};
    k->count = 0;
    memset(k->entries, 0, sizeof(k->entries));
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t log = 1 + below(seed, 3);
        heads[log]++;
        struct foldkit_entry *const e = foldkit_add(k, log, heads[log], below(seed, 4));
        e->ops_count = (uint32_t)below(seed, 3);
        for (uint32_t n = 0; n < e->ops_count; n++) {
            e->ops[n] = random_op(seed, FIELD + n, count);
        }
        for (uint64_t other = 1; other <= 3; other++) {
            if (other != log && heads[other] > 0 && below(seed, 2) == 0) {
                foldkit_saw(e, other, 1 + below(seed, heads[other]));
                e->rows[e->rows_count - 1].lies = below(seed, 8) == 0;
            }
        }
        e->creates = below(seed, 8) == 0;
        e->fixed = (uint8_t)below(seed, 3);
    }
    foldkit_seal(k);
}

static void swap(uint32_t *a, uint32_t *b)
{
    const uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

/* Fold in this order and assert that the state is the expected bytes. */
static void assert_folds_to(struct foldkit *k, const uint32_t *order, struct spean_view expected,
                            bool reload, uint64_t seed)
{
    static uint8_t buf[STATE_BYTES];
    memset(k->arrived, 0, sizeof(k->arrived));
    memset(k->missing, 0, sizeof(k->missing));
    struct spean_part *part = foldkit_part();
    for (uint32_t i = 0; i < k->count; i++) {
        foldkit_arrive(k, part, order[i]);
        if (reload) {
            foldkit_reload(&part);
        }
    }
    const struct spean_view got = foldkit_state(part, buf);
    if (got.len != expected.len || memcmp(got.data, expected.data, got.len) != 0) {
        print_error("seed %llu, reload %d, order", (unsigned long long)seed, reload);
        for (uint32_t i = 0; i < k->count; i++) {
            print_error(" %u", order[i]);
        }
        fail_msg("another state");
    }
    spean_part_free(part);
}

/* The state from scratch: all entries are there before the first is folded. */
static struct spean_view state_from_scratch(struct foldkit *k, uint8_t *buf)
{
    memset(k->arrived, 1, sizeof(k->arrived));
    memset(k->missing, 0, sizeof(k->missing));
    struct spean_part *const part = foldkit_part();
    for (uint32_t i = 0; i < k->count; i++) {
        foldkit_arrive(k, part, i);
    }
    const struct spean_view state = foldkit_state(part, buf);
    spean_part_free(part);
    return state;
}

/* Fold in every order (Heap's algorithm), and assert that all come to the state from scratch. */
static void assert_order_is_nothing(struct foldkit *k, bool reload, uint64_t seed)
{
    static uint8_t buf[STATE_BYTES];
    uint32_t order[PERMUTED_MAX];
    uint32_t turns[PERMUTED_MAX] = {0};
    assert_true(k->count <= PERMUTED_MAX);
    const struct spean_view expected = state_from_scratch(k, buf);
    for (uint32_t i = 0; i < k->count; i++) {
        order[i] = i;
    }
    assert_folds_to(k, order, expected, reload, seed);
    for (uint32_t i = 1; i < k->count;) {
        if (turns[i] == i) {
            turns[i] = 0;
            i++;
            continue;
        }
        swap(&order[i % 2 == 0 ? 0 : turns[i]], &order[i]);
        assert_folds_to(k, order, expected, reload, seed);
        turns[i]++;
        i = 1;
    }
}

/* Seven changes over three logs: every kind, strikes and removes, and contexts across them. */
static void seven_changes(struct foldkit *k)
{
    foldkit_write(k, 1, 1, SPEAN_KIND_VALUE, WRITE, 'a');
    foldkit_write(k, 2, 1, SPEAN_KIND_LIST, SPEAN_VERB_APPEND, 'i');
    struct foldkit_entry *e = foldkit_write(k, 1, 2, SPEAN_KIND_SET, SPEAN_VERB_ADD, 'x');
    e->ops_count = 2;
    e->ops[1] = (struct foldkit_op){FIELD, SPEAN_KIND_ONE_WAY, WRITE, 'o', {0}};
    e = foldkit_write(k, 3, 1, SPEAN_KIND_SET, SPEAN_VERB_REMOVE, 'x');
    foldkit_saw(e, 1, 2);
    e->ops_count = 2;
    e->ops[1] = (struct foldkit_op){FIELD, SPEAN_KIND_LIST, 0, 0, {2, 1, 0}};
    e = foldkit_write(k, 2, 2, SPEAN_KIND_VALUE, WRITE, 'b');
    foldkit_saw(e, 1, 1);
    foldkit_saw(e, 3, 1);
    e = foldkit_write(k, 1, 3, SPEAN_KIND_STRICTEST, WRITE, 's');
    e->ops_count = 2;
    e->ops[1] = (struct foldkit_op){FIELD, 6, 2, 'u', {0}};
    e = foldkit_write(k, 3, 2, SPEAN_KIND_VALUE, WRITE, 'c');
    foldkit_saw(e, 2, 1);
    e->ops_count = 2;
    e->ops[1] = (struct foldkit_op){FIELD, SPEAN_KIND_ONE_WAY, WRITE, 'p', {0}};
    foldkit_seal(k);
}

static void seven_changes_fold_alike_in_all_5040_orders(void **state)
{
    struct foldkit *const k = *state;
    seven_changes(k);
    assert_order_is_nothing(k, false, 0);
    struct spean_part *const part = foldkit_fold(k, NULL);
    assert_writes(part, SPEAN_KIND_VALUE, "bc");
    assert_false(in_set(part, 'x'));
    spean_part_free(part);
}

static void small_histories_fold_alike_in_all_orders_also_across_restarts(void **state)
{
    struct foldkit *const k = *state;
    for (uint64_t round = 1; round <= RANDOM_ROUNDS; round++) {
        uint64_t seed = round;
        random_history(k, 5, &seed);
        assert_order_is_nothing(k, round % 2 == 0, round);
    }
}

static void larger_histories_fold_alike_in_random_orders(void **state)
{
    struct foldkit *const k = *state;
    static uint8_t buf[STATE_BYTES];
    uint32_t order[FOLDKIT_ENTRIES_MAX];
    for (uint64_t round = 1; round <= RANDOM_ROUNDS; round++) {
        uint64_t seed = round << 32;
        random_history(k, 60, &seed);
        const struct spean_view expected = state_from_scratch(k, buf);
        for (uint32_t i = 0; i < k->count; i++) {
            order[i] = i;
        }
        for (uint32_t i = k->count; i-- > 1;) {
            swap(&order[i], &order[below(&seed, i + 1)]);
        }
        assert_folds_to(k, order, expected, round % 4 == 0, round << 32);
    }
}

static void a_change_that_comes_again_changes_nothing(void **state)
{
    struct foldkit *const k = *state;
    static uint8_t once[STATE_BYTES];
    static uint8_t twice[STATE_BYTES];
    for (uint64_t round = 1; round <= RANDOM_ROUNDS; round++) {
        uint64_t seed = round;
        random_history(k, 20, &seed);
        struct spean_part *const part = foldkit_fold(k, NULL);
        const struct spean_view before = foldkit_state(part, once);
        for (uint32_t i = 0; i < k->count; i++) {
            foldkit_arrive(k, part, (uint32_t)below(&seed, k->count));
        }
        const struct spean_view after = foldkit_state(part, twice);
        assert_int_equal(after.len, before.len);
        assert_memory_equal(after.data, before.data, before.len);
        spean_part_free(part);
    }
}

static void decoding_and_encoding_give_the_same_bytes_and_hash(void **state)
{
    struct foldkit *const k = *state;
    static uint8_t before[STATE_BYTES];
    static uint8_t after[STATE_BYTES];
    uint64_t seed = 4711;
    random_history(k, 200, &seed);
    struct spean_part *part = foldkit_fold(k, NULL);
    struct spean_id hash;
    struct spean_id hash_after;
    const struct spean_view first = foldkit_state(part, before);
    spean_part_hash(&hash, first);
    foldkit_reload(&part);
    const struct spean_view second = foldkit_state(part, after);
    spean_part_hash(&hash_after, second);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    assert_true(spean_id_equal(&hash, &hash_after));
    spean_part_free(part);
}

static void a_state_truncated_at_any_byte_or_with_one_more_is_refused(void **state)
{
    struct foldkit *const k = *state;
    static uint8_t buf[STATE_BYTES];
    seven_changes(k);
    struct spean_part *part = foldkit_fold(k, NULL);
    const struct spean_view whole = foldkit_state(part, buf);
    spean_part_free(part);
    part = NULL;
    for (size_t len = 0; len < whole.len; len++) {
        assert_int_not_equal(spean_part_decode((struct spean_view){buf, len}, &part), SPEAN_OK);
    }
    buf[whole.len] = 0xc0;
    assert_int_equal(spean_part_decode((struct spean_view){buf, whole.len + 1}, &part),
                     SPEAN_EFORMAT);
    assert_null(part);
}

static void states_that_are_not_canonical_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        HEAD "92931001929090 930f01929090 90",                        /* fields descend */
        HEAD "92931001929090 931001929090 90",                        /* a field twice */
        HEAD "91931000929090 90",                                     /* kind fixed */
        HEAD "91931006929090 90",                                     /* unknown kind */
        HEAD "9193100192 91" CLOCK "00 90 90",                        /* clock row of 0 */
        HEAD "9193100192 92" CLOCK "01" CLOCK "02 90 90",             /* clock row twice */
        HEAD "9193100192 91" CLOCK "03 9196" DOT "0300" REST "07 90", /* covered */
        HEAD "9193100192 90 9296" DOT "0300" REST "07 96" DOT "0300" REST "07 90",
        HEAD "9193100192 90 9296" DOT "0400" REST "07 96" DOT "0300" REST "07 90",
        HEAD "9193100192 90 9196" DOT "0000" REST "07 90",              /* seq 0 */
        HEAD "9193100192 90 9196" DOT "03cd0100" REST "07 90",          /* index 256 */
        HEAD "9193100291 9307 91" CLOCK "03 91" DOT "0300 90",          /* covered add */
        HEAD "9193100292 9307 90 90 9307 90 90 90",                     /* element twice */
        HEAD "9193100292 9308 90 90 9307 90 90 90",                     /* they descend */
        HEAD "9193100392 9197" DOT "0300" REST "c207 91" DOT "0300 90", /* strike of held */
        HEAD "9193100392 90 92" DOT "0400" DOT "0300 90",               /* strikes descend */
        HEAD "9193100392 9297" DOT "0301" REST "c207 97" DOT "0300" REST "c207 90 90",
        HEAD "9193100392 9297" DOT "0300" REST "c207 97" DOT "0300" REST "c207 90 90",
        HEAD "90 91 92" DOT "0300 9410010007", /* a known kind */
        HEAD "90 92 92" DOT "0300 9410060007 92" DOT "0300 9410060007",
        "9702c4101100000000000000000000000000000001 c0 80 9090",      /* fixed, no owner */
        "9702c4101100000000000000000000000000000001" ENTRY "c0 9090", /* owner, no fixed */
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        uint8_t buf[512];
        const size_t len = from_spaced_hex(buf, sizeof(buf), refused[i]);
        struct spean_part *part = NULL;
        const spean_err err = spean_part_decode((struct spean_view){buf, len}, &part);
        if (err == SPEAN_OK) {
            fail_msg("state %zu was accepted", i);
        }
        assert_true(err == SPEAN_EFORMAT || err == SPEAN_ELIMIT);
    }
}

static void states_beside_the_refused_ones_are_read(void **state)
{
    (void)state;
    static const char *const accepted[] = {
        HEAD "9090",
        HEAD "92930f01929090 931001929090 90",
        HEAD "9193100192 91" CLOCK "02 9196" DOT "0300" REST "07 90",
        HEAD "9193100292 9307 90 90 9308 90 90 90",
        HEAD "9193100392 9297" DOT "0300" REST "c207 97" DOT "0301" REST "c307 90 90",
        HEAD "9193100392 90 92" DOT "0300" DOT "0400 90",
        HEAD "90 91 92" DOT "0300 9410060007",
        "9702c4101100000000000000000000000000000001" ENTRY "80 9090",
    };
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        static uint8_t again[STATE_BYTES];
        uint8_t buf[512];
        const size_t len = from_spaced_hex(buf, sizeof(buf), accepted[i]);
        struct spean_part *part = NULL;
        assert_int_equal(spean_part_decode((struct spean_view){buf, len}, &part), SPEAN_OK);
        assert_int_equal(foldkit_state(part, again).len, len);
        assert_memory_equal(again, buf, len);
        spean_part_free(part);
    }
}

/* Fold a change of 256 removes that has seen 256 logs from first on: 65,536 rows of clocks. */
static spean_err apply_wide(struct spean_part *part, uint64_t seq, uint64_t first)
{
    static uint8_t buf[SPEAN_CHANGE_BYTES_MAX];
    static uint8_t values[SPEAN_CHANGE_OPERATIONS_MAX][2];
    struct spean_operation ops[SPEAN_CHANGE_OPERATIONS_MAX];
    struct spean_context_row rows[SPEAN_CONTEXT_ROWS_MAX];
    for (uint32_t i = 0; i < SPEAN_CHANGE_OPERATIONS_MAX; i++) {
        values[i][0] = i < 128 ? (uint8_t)i : 0xcc;
        values[i][1] = (uint8_t)i;
        ops[i] = (struct spean_operation){.field = FIELD,
                                          .kind = SPEAN_KIND_SET,
                                          .verb = SPEAN_VERB_REMOVE,
                                          .value = {values[i], i < 128 ? 1 : 2}};
        rows[i] = (struct spean_context_row){first + i, 1, 0};
    }
    const struct spean_change change = {.type = 2, .record = {{0x11}}, .part = 1};
    struct spean_change decoded;
    struct spean_view content = {NULL, 0};
    assert_int_equal(spean_change_encode(&change, ops, SPEAN_CHANGE_OPERATIONS_MAX, rows,
                                         SPEAN_CONTEXT_ROWS_MAX, buf, sizeof(buf), &content),
                     SPEAN_OK);
    assert_int_equal(spean_change_decode(content, &decoded), SPEAN_OK);
    const struct spean_fold_input input = {.change = &decoded, .log = 1, .seq = seq};
    bool missing = false;
    return spean_part_apply(part, &input, always_counts, NULL, &missing);
}

static void a_part_has_a_largest_size(void **state)
{
    (void)state;
    struct spean_part *const part = foldkit_part();
    uint64_t seq = 1;
    /* 1 field, 256 elements with the author's row each, and 65,536 rows a change. */
    for (uint64_t rows = 1 + 512; rows + 65536 <= SPEAN_PART_ROWS_MAX; rows += 65536) {
        assert_int_equal(apply_wide(part, seq, 1000 * seq), SPEAN_OK);
        seq++;
    }
    assert_int_equal(apply_wide(part, seq, 1000 * seq), SPEAN_ELIMIT);
    spean_part_free(part);
}

#define FOLD_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLD_TEST(unequal_concurrent_writes_are_siblings_and_a_conflict),
        FOLD_TEST(equal_concurrent_writes_are_no_conflict),
        FOLD_TEST(a_write_that_saw_the_siblings_decides),
        FOLD_TEST(own_earlier_writes_are_covered_without_a_row),
        FOLD_TEST(a_row_that_names_another_entry_covers_nothing),
        FOLD_TEST(a_row_for_the_own_log_covers_nothing_and_is_not_missed),
        FOLD_TEST(a_row_counts_when_its_entry_comes_later),
        FOLD_TEST(the_provisional_value_is_the_latest_then_the_highest_entry_id),
        FOLD_TEST(different_fields_just_merge),
        FOLD_TEST(an_add_wins_over_a_concurrent_remove),
        FOLD_TEST(a_remove_takes_out_what_it_saw_also_when_it_comes_first),
        FOLD_TEST(an_element_can_be_removed_and_added_again_by_its_author),
        FOLD_TEST(list_items_stand_by_time_whatever_their_order),
        FOLD_TEST(a_strike_marks_the_item_it_names_before_and_after_it_comes),
        FOLD_TEST(strictest_siblings_stay_and_are_no_conflict),
        FOLD_TEST(one_way_writes_stay_for_ever_and_the_lowest_entry_id_is_shown),
        FOLD_TEST(operations_of_unknown_kinds_are_kept_by_dot),
        FOLD_TEST(a_creating_change_names_owner_and_fixed_fields),
        FOLD_TEST(of_two_creating_changes_the_lowest_bytes_stand_in_either_order),
        FOLD_TEST(a_change_to_another_part_is_refused_and_changes_nothing),
        FOLD_TEST(the_state_of_a_value_is_as_the_protocol_spells_it),
        FOLD_TEST(the_state_of_a_set_is_as_the_protocol_spells_it),
        FOLD_TEST(the_state_of_a_list_is_as_the_protocol_spells_it),
        FOLD_TEST(the_state_of_a_one_way_field_is_as_the_protocol_spells_it),
        FOLD_TEST(the_state_of_a_created_record_is_as_the_protocol_spells_it),
        FOLD_TEST(seven_changes_fold_alike_in_all_5040_orders),
        FOLD_TEST(small_histories_fold_alike_in_all_orders_also_across_restarts),
        FOLD_TEST(larger_histories_fold_alike_in_random_orders),
        FOLD_TEST(a_change_that_comes_again_changes_nothing),
        FOLD_TEST(decoding_and_encoding_give_the_same_bytes_and_hash),
        FOLD_TEST(a_state_truncated_at_any_byte_or_with_one_more_is_refused),
        FOLD_TEST(states_that_are_not_canonical_are_refused),
        FOLD_TEST(states_beside_the_refused_ones_are_read),
        FOLD_TEST(a_part_has_a_largest_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
