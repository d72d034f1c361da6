/* Folding where memory runs out: the linker puts the functions below in the allocator's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/foldkit.h"

#define STATE_BYTES 4096u

static bool counting;
static uint32_t left; /* Allocations that still succeed. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool may_allocate(void)
{
    if (!counting) {
        return true;
    }
    if (left == 0) {
        return false;
    }
    left--;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return may_allocate() ? __real_realloc(memory, size) : NULL;
}

static bool always_counts(void *ctx, const struct spean_context_row *row)
{
    (void)ctx;
    (void)row;
    return true;
}

/* Changes of every kind, with contexts, a strike before its item, and more than first arrays hold.
 */
static void history(struct foldkit *k)
{
    for (uint64_t seq = 1; seq <= 6; seq++) {
        struct foldkit_entry *const e = foldkit_add(k, seq % 2, seq, seq);
        e->ops_count = 6;
        for (uint64_t kind = 1; kind <= 6; kind++) {
            const bool two_verbs = kind == SPEAN_KIND_SET || kind == SPEAN_KIND_LIST;
            e->ops[kind - 1] = (struct foldkit_op){
                .field = 16, .kind = kind, .verb = two_verbs, .value = (uint8_t)seq};
        }
        foldkit_saw(e, 7 + seq, 3);
        e->creates = seq == 1;
    }
    k->entries[0].ops[2].verb = SPEAN_VERB_STRIKE;
    k->entries[0].ops[2].struck = (struct spean_dot){1, 3, 2};
    foldkit_seal(k);
}

static spean_err fold_all(struct foldkit *k, struct spean_part *part)
{
    spean_err err = SPEAN_OK;
    for (uint32_t i = 0; i < k->count && err == SPEAN_OK; i++) {
        const struct foldkit_entry *const e = &k->entries[i];
        const struct spean_fold_input input = {
            .change = &e->change, .log = e->log, .seq = e->seq, .entry = e->id, .time = e->time};
        bool missing = false;
        err = spean_part_apply(part, &input, always_counts, NULL, &missing);
    }
    return err;
}

/* Fold with so many allocations, and free what there is. */
static spean_err fold_with(struct foldkit *k, uint32_t allocations)
{
    struct spean_part *const part = foldkit_part();
    left = allocations;
    counting = true;
    const spean_err err = fold_all(k, part);
    counting = false;
    spean_part_free(part);
    return err;
}

static void every_allocation_that_fails_in_folding_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    struct foldkit *const k = foldkit_new();
    history(k);
    uint32_t n = 0;
    for (spean_err err = fold_with(k, n); err != SPEAN_OK; err = fold_with(k, n)) {
        assert_int_equal(err, SPEAN_ENOMEM);
        n++;
    }
    assert_true(n > 60); /* A field each, an item each, and more. */
    foldkit_free(k);
}

static spean_err decode_with(struct spean_view encoded, uint32_t allocations)
{
    struct spean_part *part = NULL;
    left = allocations;
    counting = true;
    const spean_err err = spean_part_decode(encoded, &part);
    counting = false;
    spean_part_free(part);
    return err;
}

static void every_allocation_that_fails_in_decoding_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    struct foldkit *const k = foldkit_new();
    uint8_t buf[STATE_BYTES];
    struct spean_view encoded = {NULL, 0};
    history(k);
    struct spean_part *const part = foldkit_part();
    assert_int_equal(fold_all(k, part), SPEAN_OK);
    assert_int_equal(spean_part_encode(part, buf, sizeof(buf), &encoded), SPEAN_OK);
    spean_part_free(part);
    uint32_t n = 0;
    for (spean_err err = decode_with(encoded, n); err != SPEAN_OK; err = decode_with(encoded, n)) {
        assert_int_equal(err, SPEAN_ENOMEM);
        n++;
    }
    assert_true(n > 50);
    foldkit_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_that_fails_in_folding_is_told_and_leaks_nothing),
        cmocka_unit_test(every_allocation_that_fails_in_decoding_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
