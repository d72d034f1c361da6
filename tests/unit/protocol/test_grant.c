#include "protocol/grant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/hash.h"
#include "protocol/pair.h"
#include "protocol/partkey.h"

#define ORGS 3u /* The author, a receiver, and one that is not named. */

static const uint8_t part_key[SPEAN_KEY_BYTES] = {0x6b, 1};
static const struct spean_grant_key older[] = {{1, {0x01}}, {2, {0x02}}};
static const struct spean_context_row rows[] = {{3, 9, 0xaa}, {4, 1, 0xbb}};
static const struct spean_grant_lists lists = {older, 2, rows, 2};

struct org {
    struct spean_id id;
    uint8_t secret[SPEAN_KEY_BYTES];
    struct spean_key sealing;
};

struct fixture {
    struct org orgs[ORGS];
    uint8_t pairs[2][SPEAN_KEY_BYTES]; /* The author with itself and with the receiver. */
    struct spean_grant_receiver receivers[2];
    struct spean_grant_outer outer;
    struct spean_grant_terms terms;
    uint8_t buf[SPEAN_GRANT_BYTES_MAX];
    struct spean_view content;
    struct spean_grant grant;
    uint8_t opened[SPEAN_GRANT_BYTES_MAX];
};

static struct org org_of(uint8_t number)
{
    struct org o = {.id = {{number}},
                    .secret = {0x5e, number}}; /* Low bits of byte 0 do not count. */
    spean_x25519_public(&o.sealing, o.secret);
    return o;
}

/* The pair key of org number with the author, from the side of org number. */
static void pair_of(const struct fixture *f, size_t number, uint8_t out[SPEAN_KEY_BYTES])
{
    const struct org *const o = &f->orgs[number];
    assert_int_equal(spean_grant_pair(out, o->secret, &o->sealing, &f->orgs[0].sealing), SPEAN_OK);
}

static void encode(struct fixture *f)
{
    assert_int_equal(
        spean_grant_encode(&f->outer, &f->terms, &lists, f->buf, sizeof(f->buf), &f->content),
        SPEAN_OK);
    assert_int_equal(spean_grant_decode(f->content, &f->grant), SPEAN_OK);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    for (uint8_t i = 0; i < ORGS; i++) {
        f.orgs[i] = org_of(i + 1);
    }
    for (size_t i = 0; i < 2; i++) {
        const spean_err err =
            spean_grant_pair(f.pairs[i], f.orgs[0].secret, &f.orgs[0].sealing, &f.orgs[i].sealing);
        if (err != SPEAN_OK) {
            return -1;
        }
        f.receivers[i] = (struct spean_grant_receiver){f.orgs[i].id, f.pairs[i]};
        f.terms.audience[i] = f.orgs[i].id;
    }
    f.outer = (struct spean_grant_outer){.place = {{{0x70}}, 9, f.orgs[0].id},
                                         .author_generation = 4,
                                         .key = part_key,
                                         .nonce = {0x4e},
                                         .receivers = f.receivers,
                                         .receivers_count = 2};
    f.terms.record.bytes[0] = 0x11;
    f.terms.part = 2;
    f.terms.generation = 3;
    f.terms.owner = f.orgs[0].id;
    f.terms.audience_count = 2;
    encode(&f);
    *state = &f;
    return 0;
}

/* What org number finds in the grant. */
static spean_err open_as(struct fixture *f, size_t number, uint8_t key[SPEAN_KEY_BYTES])
{
    uint8_t pairs[1][SPEAN_KEY_BYTES];
    pair_of(f, number, pairs[0]);
    return spean_grant_open(&f->grant, &f->outer.place, &f->orgs[number].id,
                            (const uint8_t(*)[SPEAN_KEY_BYTES])pairs, 1, key);
}

static spean_err open_terms(struct fixture *f, const uint8_t *key, struct spean_grant_terms *terms)
{
    return spean_grant_open_terms(&f->grant, &f->outer.place, key, f->opened, sizeof(f->opened),
                                  terms);
}

static void everybody_named_gets_the_key_and_the_terms(void **state)
{
    struct fixture *const f = *state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t key[SPEAN_KEY_BYTES];
        struct spean_grant_terms terms;
        struct spean_grant_key back;
        assert_int_equal(open_as(f, i, key), SPEAN_OK);
        assert_memory_equal(key, part_key, sizeof(key));
        assert_int_equal(open_terms(f, key, &terms), SPEAN_OK);
        assert_true(spean_record_id_equal(&terms.record, &f->terms.record));
        assert_int_equal(terms.part, 2);
        assert_int_equal(terms.generation, 3);
        assert_true(spean_id_equal(&terms.owner, &f->orgs[0].id));
        assert_int_equal(terms.audience_count, 2);
        assert_memory_equal(terms.audience, f->terms.audience, sizeof(terms.audience));
        for (size_t k = 0; k < 2; k++) {
            assert_true(spean_grant_key_next(&terms.older, &back));
            assert_int_equal(back.generation, older[k].generation);
            assert_memory_equal(back.key, older[k].key, SPEAN_KEY_BYTES);
        }
        assert_false(spean_grant_key_next(&terms.older, &back));
        struct spean_context_row row;
        assert_int_equal(terms.rows_count, 2);
        for (size_t k = 0; k < 2; k++) {
            assert_true(spean_context_row_next(&terms.rows, &row));
            assert_int_equal(row.log, rows[k].log);
            assert_int_equal(row.seq, rows[k].seq);
            assert_int_equal(row.entry, rows[k].entry);
        }
        assert_false(spean_context_row_next(&terms.rows, &row));
    }
}

static void who_is_not_named_opens_nothing(void **state)
{
    struct fixture *const f = *state;
    uint8_t key[SPEAN_KEY_BYTES] = {0xee};
    assert_int_equal(open_as(f, 2, key), SPEAN_ENOTFOUND);
    assert_int_equal(key[0], 0xee);
    assert_int_equal(spean_grant_open(&f->grant, &f->outer.place, &f->orgs[1].id, NULL, 0, key),
                     SPEAN_ENOTFOUND);
}

static void nothing_that_names_anybody_is_in_clear(void **state)
{
    struct fixture *const f = *state;
    for (size_t i = 0; i + SPEAN_ID_BYTES <= f->content.len; i++) {
        for (size_t k = 0; k < 2; k++) {
            const uint8_t *const at = f->content.data + i;
            assert_memory_not_equal(at, f->orgs[k].id.bytes, SPEAN_ID_BYTES);
            assert_memory_not_equal(at, f->orgs[k].sealing.bytes, SPEAN_KEY_BYTES);
            assert_memory_not_equal(at, part_key, SPEAN_KEY_BYTES);
        }
    }
}

static void an_older_generation_of_the_receiver_is_tried_after_the_newest(void **state)
{
    struct fixture *const f = *state;
    uint8_t pairs[2][SPEAN_KEY_BYTES] = {{0x99}};
    uint8_t key[SPEAN_KEY_BYTES];
    pair_of(f, 1, pairs[1]);
    assert_int_equal(spean_grant_open(&f->grant, &f->outer.place, &f->orgs[1].id,
                                      (const uint8_t(*)[SPEAN_KEY_BYTES])pairs, 2, key),
                     SPEAN_OK);
    assert_memory_equal(key, part_key, sizeof(key));
}

static void hints_differ_for_each_receiver_and_nonce_and_ascend(void **state)
{
    struct fixture *const f = *state;
    const struct spean_grant first = f->grant;
    assert_true(memcmp(first.boxes[0].hint, first.boxes[1].hint, SPEAN_GRANT_HINT_BYTES) < 0);
    f->outer.nonce[0]++;
    encode(f);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < 2; k++) {
            assert_memory_not_equal(first.boxes[i].hint, f->grant.boxes[k].hint,
                                    SPEAN_GRANT_HINT_BYTES);
        }
    }
}

static void hints_and_the_seal_are_as_the_protocol_spells_them(void **state)
{
    struct fixture *const f = *state;
    uint8_t message[32 + 32 + 32 + 32 + 24];
    uint8_t hint[16];
    memcpy(message, f->pairs[1], 32);
    memcpy(message + 32, f->orgs[0].id.bytes, 32);
    memcpy(message + 64, f->orgs[1].id.bytes, 32);
    memcpy(message + 96, f->grant.commitment.bytes, 32);
    memcpy(message + 128, f->outer.nonce, 24);
    spean_hash(hint, sizeof(hint), "spean/hint/1", message, sizeof(message));
    assert_true(memcmp(f->grant.boxes[0].hint, hint, 8) == 0 ||
                memcmp(f->grant.boxes[1].hint, hint, 8) == 0);

    uint8_t ad[44] = {0};
    memcpy(ad, f->outer.place.log.bytes, 32);
    spean_u64_put(ad + 32, f->outer.place.seq);
    ad[43] = 1;
    assert_int_equal(spean_aead_open(f->opened, sizeof(f->opened), part_key, f->outer.nonce,
                                     (struct spean_view){ad, sizeof(ad)}, f->grant.sealed),
                     SPEAN_OK);
    assert_int_equal(f->opened[0], 0x97); /* An array of seven. */
}

static void boxes_that_were_swapped_do_not_open(void **state)
{
    struct fixture *const f = *state;
    uint8_t key[SPEAN_KEY_BYTES];
    uint8_t kept[SPEAN_GRANT_BOX_BYTES];
    memcpy(kept, f->grant.boxes[0].box, sizeof(kept));
    memcpy(f->grant.boxes[0].box, f->grant.boxes[1].box, sizeof(kept));
    memcpy(f->grant.boxes[1].box, kept, sizeof(kept));
    assert_int_equal(open_as(f, 0, key), SPEAN_ESIGNATURE);
    assert_int_equal(open_as(f, 1, key), SPEAN_ESIGNATURE);
}

static void a_grant_at_another_place_does_not_open(void **state)
{
    struct fixture *const f = *state;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_grant_terms terms;
    f->outer.place.seq++;
    assert_int_equal(open_as(f, 1, key), SPEAN_ESIGNATURE);
    assert_int_equal(open_terms(f, part_key, &terms), SPEAN_ESIGNATURE);
    f->outer.place.seq--;
    f->outer.place.log.bytes[0]++;
    assert_int_equal(open_as(f, 1, key), SPEAN_ESIGNATURE);
    assert_int_equal(open_terms(f, part_key, &terms), SPEAN_ESIGNATURE);
    f->outer.place.log.bytes[0]--;
    f->outer.place.author.bytes[0]++;
    assert_int_equal(open_as(f, 1, key), SPEAN_ENOTFOUND);
}

/* Put another key into the box of org 1, sealed as an author would who cheats. */
static void cheat(struct fixture *f)
{
    static const uint8_t other[SPEAN_KEY_BYTES] = {0x6b, 2};
    uint8_t key[SPEAN_KEY_BYTES];
    uint8_t ad[52];
    for (size_t i = 0; i < 2; i++) {
        struct spean_grant_box *const box = &f->grant.boxes[i];
        memcpy(ad, f->outer.place.log.bytes, 32);
        spean_u64_put(ad + 32, f->outer.place.seq);
        memset(ad + 40, 0, 4);
        memcpy(ad + 44, box->hint, 8);
        const struct spean_view bound = {ad, sizeof(ad)};
        if (spean_aead_open(key, sizeof(key), f->pairs[1], f->grant.nonce, bound,
                            (struct spean_view){box->box, sizeof(box->box)}) == SPEAN_OK) {
            assert_int_equal(spean_aead_seal(box->box, sizeof(box->box), f->pairs[1],
                                             f->grant.nonce, bound,
                                             (struct spean_view){other, sizeof(other)}),
                             SPEAN_OK);
            return;
        }
    }
    fail_msg("no box is for org 1 as the protocol binds it");
}

static void another_key_in_a_box_opens_no_terms(void **state)
{
    struct fixture *const f = *state;
    uint8_t key[SPEAN_KEY_BYTES] = {0xee};
    struct spean_grant_terms terms = {.part = 77};
    cheat(f);
    assert_int_equal(open_as(f, 1, key), SPEAN_OK);
    assert_memory_not_equal(key, part_key, sizeof(key));
    assert_int_equal(open_terms(f, key, &terms), SPEAN_ESIGNATURE);
    assert_int_equal(terms.part, 77);
    assert_int_equal(open_as(f, 0, key), SPEAN_OK);
    assert_int_equal(open_terms(f, key, &terms), SPEAN_OK);
}

/* Seal other terms under the key, as an author would who knows another's; keep the commitment. */
static void commit_to_another_part(struct fixture *f)
{
    const struct spean_id committed = f->grant.commitment;
    encode(f);
    assert_memory_not_equal(committed.bytes, f->grant.commitment.bytes, SPEAN_ID_BYTES);
    f->grant.commitment = committed;
}

static void terms_of_another_part_than_the_one_committed_to_are_refused(void **state)
{
    struct fixture *const f = *state;
    struct spean_grant_terms terms = {.part = 77};
    f->terms.part = 3;
    commit_to_another_part(f);
    assert_int_equal(open_terms(f, part_key, &terms), SPEAN_ESIGNATURE);
    f->terms.part = 2;
    f->terms.record.bytes[15] ^= 1;
    commit_to_another_part(f);
    assert_int_equal(open_terms(f, part_key, &terms), SPEAN_ESIGNATURE);
    assert_int_equal(terms.part, 77);
}

static void another_key_than_the_one_committed_to_opens_no_terms(void **state)
{
    struct fixture *const f = *state;
    static const uint8_t other[SPEAN_KEY_BYTES] = {0x6b, 2};
    struct spean_grant_terms terms;
    assert_int_equal(open_terms(f, other, &terms), SPEAN_ESIGNATURE);
    f->grant.commitment.bytes[31] ^= 1;
    assert_int_equal(open_terms(f, part_key, &terms), SPEAN_ESIGNATURE);
}

static void a_bit_changed_where_it_concerns_a_receiver_is_noticed(void **state)
{
    struct fixture *const f = *state;
    static uint8_t bytes[SPEAN_GRANT_BYTES_MAX];
    uint8_t pairs[1][SPEAN_KEY_BYTES];
    uint32_t opened = 0;
    pair_of(f, 1, pairs[0]);
    memcpy(bytes, f->content.data, f->content.len);
    for (size_t bit = 0; bit < f->content.len * 8; bit++) {
        uint8_t key[SPEAN_KEY_BYTES];
        struct spean_grant_terms terms;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const spean_err err =
            spean_grant_decode((struct spean_view){bytes, f->content.len}, &f->grant);
        const bool got =
            err == SPEAN_OK &&
            spean_grant_open(&f->grant, &f->outer.place, &f->orgs[1].id,
                             (const uint8_t(*)[SPEAN_KEY_BYTES])pairs, 1, key) == SPEAN_OK &&
            open_terms(f, key, &terms) == SPEAN_OK;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        opened += got ? 1 : 0;
    }
    /* What is not bound: the author's generation, which only helps to find a key, and the other
     * receiver's box and, as long as hints ascend, hint. */
    assert_true(opened >= 48 * 8);
    assert_true(opened <= 7 + 56 * 8);
}

static void a_grant_truncated_at_any_byte_is_refused(void **state)
{
    struct fixture *const f = *state;
    struct spean_grant grant;
    for (size_t len = 0; len < f->content.len; len++) {
        assert_int_not_equal(spean_grant_decode((struct spean_view){f->buf, len}, &grant),
                             SPEAN_OK);
    }
    f->buf[f->content.len] = 0;
    assert_int_equal(spean_grant_decode((struct spean_view){f->buf, f->content.len + 1}, &grant),
                     SPEAN_EFORMAT);
}

static void boxes_that_do_not_ascend_are_refused(void **state)
{
    struct fixture *const f = *state;
    struct spean_grant grant;
    const size_t box_bytes = 1 + 2 + 8 + 2 + 48;
    uint8_t *const last = f->buf + f->content.len - box_bytes;
    uint8_t kept[61];
    memcpy(kept, last, box_bytes);
    memcpy(last, last - box_bytes, box_bytes); /* Twice the same. */
    assert_int_equal(spean_grant_decode(f->content, &grant), SPEAN_EFORMAT);
    memcpy(last - box_bytes, kept, box_bytes); /* The higher one first. */
    assert_int_equal(spean_grant_decode(f->content, &grant), SPEAN_EFORMAT);
}

static void points_of_low_order_make_no_pair(void **state)
{
    struct fixture *const f = *state;
    const struct spean_key low[] = {{{0}}, {{1}}};
    uint8_t out[SPEAN_KEY_BYTES] = {0xee};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(spean_grant_pair(out, f->orgs[0].secret, &f->orgs[0].sealing, &low[i]),
                         SPEAN_ESIGNATURE);
        assert_int_equal(
            spean_grant_node_pair(out, f->orgs[0].secret, &f->orgs[0].sealing, &low[i]),
            SPEAN_ESIGNATURE);
    }
    assert_int_equal(out[0], 0xee);
}

static void pair_keys_of_organisations_and_of_nodes_differ(void **state)
{
    struct fixture *const f = *state;
    uint8_t node[SPEAN_KEY_BYTES];
    assert_int_equal(
        spean_grant_node_pair(node, f->orgs[0].secret, &f->orgs[0].sealing, &f->orgs[1].sealing),
        SPEAN_OK);
    assert_memory_not_equal(node, f->pairs[1], sizeof(node));
}

static spean_err try_encode(struct fixture *f, uint32_t older_count)
{
    const struct spean_grant_lists some = {older, older_count, NULL, 0};
    return spean_grant_encode(&f->outer, &f->terms, &some, f->buf, sizeof(f->buf), &f->content);
}

static spean_err try_context(struct fixture *f, const struct spean_context_row *context,
                             uint32_t count)
{
    const struct spean_grant_lists some = {NULL, 0, context, count};
    return spean_grant_encode(&f->outer, &f->terms, &some, f->buf, sizeof(f->buf), &f->content);
}

static void a_context_that_a_receiver_would_refuse_is_not_written(void **state)
{
    struct fixture *const f = *state;
    static struct spean_context_row many[SPEAN_CONTEXT_ROWS_MAX + 1];
    const struct spean_context_row descending[] = {rows[1], rows[0]};
    const struct spean_context_row twice[] = {rows[0], rows[0]};
    const struct spean_context_row zero = {3, 0, 0xaa};
    for (uint32_t i = 0; i <= SPEAN_CONTEXT_ROWS_MAX; i++) {
        many[i] = (struct spean_context_row){i, 1, 0};
    }
    assert_int_equal(try_context(f, descending, 2), SPEAN_EINPUT);
    assert_int_equal(try_context(f, twice, 2), SPEAN_EINPUT);
    assert_int_equal(try_context(f, &zero, 1), SPEAN_EINPUT);
    assert_int_equal(try_context(f, many, SPEAN_CONTEXT_ROWS_MAX + 1), SPEAN_EINPUT);
    assert_int_equal(try_context(f, many, SPEAN_CONTEXT_ROWS_MAX), SPEAN_OK);
    f->terms.generation = 1; /* Nobody was left out by the first. */
    assert_int_equal(try_context(f, rows, 1), SPEAN_EINPUT);
    assert_int_equal(try_context(f, NULL, 0), SPEAN_OK);
}

static void what_a_receiver_would_refuse_is_not_written(void **state)
{
    struct fixture *const f = *state;
    f->receivers[1] = f->receivers[0];
    assert_int_equal(try_encode(f, 2), SPEAN_EINPUT);
    assert_int_equal(setup(state), 0);
    f->terms.audience[1] = f->terms.audience[0];
    assert_int_equal(try_encode(f, 2), SPEAN_EINPUT);
    assert_int_equal(setup(state), 0);
    f->terms.generation = 2; /* Not above the older ones. */
    assert_int_equal(try_encode(f, 2), SPEAN_EINPUT);
    f->terms.generation = 0;
    assert_int_equal(try_encode(f, 0), SPEAN_EINPUT);
    f->terms.generation = SPEAN_PART_GENERATIONS_MAX + 1;
    assert_int_equal(try_encode(f, 0), SPEAN_EINPUT);
    assert_int_equal(setup(state), 0);
    f->outer.receivers_count = 0;
    assert_int_equal(try_encode(f, 2), SPEAN_EINPUT);
    f->outer.receivers_count = SPEAN_GRANT_BOXES_MAX + 1;
    assert_int_equal(try_encode(f, 2), SPEAN_EINPUT);
    assert_int_equal(setup(state), 0);
    f->outer.author_generation = 0;
    assert_int_equal(try_encode(f, 2), SPEAN_EINPUT);
    f->outer.author_generation = SPEAN_ORG_GENERATIONS_MAX + 1;
    assert_int_equal(try_encode(f, 2), SPEAN_EINPUT);
}

static void a_buffer_that_is_too_small_keeps_no_secret(void **state)
{
    struct fixture *const f = *state;
    const size_t whole = f->content.len;
    for (size_t cap = 0; cap < whole; cap++) {
        memset(f->buf, 0xee, sizeof(f->buf));
        assert_int_equal(spean_grant_encode(&f->outer, &f->terms, &lists, f->buf, cap, &f->content),
                         SPEAN_ELIMIT);
        for (size_t i = 0; i + SPEAN_KEY_BYTES <= cap; i++) {
            assert_memory_not_equal(f->buf + i, older[0].key, SPEAN_KEY_BYTES);
        }
    }
}

static void the_largest_grant_fits_a_body(void **state)
{
    struct fixture *const f = *state;
    static struct spean_grant_key keys[SPEAN_PART_GENERATIONS_MAX];
    static struct spean_grant_receiver receivers[SPEAN_GRANT_BOXES_MAX];
    static struct spean_context_row context[SPEAN_CONTEXT_ROWS_MAX];
    for (uint32_t i = 0; i < SPEAN_GRANT_BOXES_MAX; i++) {
        receivers[i] = (struct spean_grant_receiver){{{(uint8_t)i}}, f->pairs[1]};
        f->terms.audience[i] = receivers[i].party;
    }
    for (uint32_t i = 0; i < SPEAN_PART_GENERATIONS_MAX; i++) {
        keys[i].generation = i + 1;
    }
    for (uint32_t i = 0; i < SPEAN_CONTEXT_ROWS_MAX; i++) {
        context[i] = (struct spean_context_row){UINT64_MAX - SPEAN_CONTEXT_ROWS_MAX + i, UINT64_MAX,
                                                UINT64_MAX};
    }
    f->outer.receivers = receivers;
    f->outer.receivers_count = SPEAN_GRANT_BOXES_MAX;
    f->outer.author_generation = SPEAN_ORG_GENERATIONS_MAX;
    f->outer.place.seq = UINT64_MAX;
    f->terms.audience_count = SPEAN_AUDIENCE_ORGS_MAX;
    f->terms.generation = SPEAN_PART_GENERATIONS_MAX;
    f->terms.part = UINT64_MAX;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_grant_terms terms;
    const struct spean_grant_lists largest = {keys, SPEAN_PART_GENERATIONS_MAX - 1, context,
                                              SPEAN_CONTEXT_ROWS_MAX};
    assert_int_equal(
        spean_grant_encode(&f->outer, &f->terms, &largest, f->buf, sizeof(f->buf), &f->content),
        SPEAN_OK);
    assert_true(f->content.len <= SPEAN_BODY_BYTES_MAX - 16);
    assert_int_equal(spean_grant_decode(f->content, &f->grant), SPEAN_OK);
    assert_int_equal(spean_grant_open(&f->grant, &f->outer.place, &receivers[63].party,
                                      (const uint8_t(*)[SPEAN_KEY_BYTES]) & f->pairs[1], 1, key),
                     SPEAN_OK);
    assert_int_equal(open_terms(f, key, &terms), SPEAN_OK);
    assert_int_equal(terms.older_count, SPEAN_PART_GENERATIONS_MAX - 1);
    assert_int_equal(terms.rows_count, SPEAN_CONTEXT_ROWS_MAX);
}

/* Make an org-key grant from node 0 to node 1, and take its wrapping key out as node 1. */
static void give_secrets(struct fixture *f, uint8_t key[SPEAN_KEY_BYTES])
{
    memcpy(f->outer.place.author.bytes, f->orgs[0].sealing.bytes, SPEAN_KEY_BYTES);
    assert_int_equal(spean_grant_node_pair(f->pairs[1], f->orgs[0].secret, &f->orgs[0].sealing,
                                           &f->orgs[1].sealing),
                     SPEAN_OK);
    struct spean_grant_receiver to = {.pair_key = f->pairs[1]};
    memcpy(to.party.bytes, f->orgs[1].sealing.bytes, SPEAN_KEY_BYTES);
    f->outer.receivers = &to;
    f->outer.receivers_count = 1;
    f->outer.author_generation = 0;
    assert_int_equal(
        spean_grant_encode_secrets(&f->outer, older, 2, f->buf, sizeof(f->buf), &f->content),
        SPEAN_OK);
    f->outer.receivers = f->receivers;
    assert_int_equal(spean_grant_decode(f->content, &f->grant), SPEAN_OK);
    assert_int_equal(f->grant.author_generation, 0);
    assert_int_equal(spean_grant_open(&f->grant, &f->outer.place, &to.party,
                                      (const uint8_t(*)[SPEAN_KEY_BYTES]) & f->pairs[1], 1, key),
                     SPEAN_OK);
}

static void an_org_key_grant_hands_all_secrets_to_a_node(void **state)
{
    struct fixture *const f = *state;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_grant_secrets secrets;
    struct spean_grant_key back;
    give_secrets(f, key);
    assert_int_equal(spean_grant_open_secrets(&f->grant, &f->outer.place, key, f->opened,
                                              sizeof(f->opened), &secrets),
                     SPEAN_OK);
    assert_int_equal(secrets.generation, 2);
    assert_int_equal(secrets.secrets_count, 2);
    assert_true(spean_grant_key_next(&secrets.secrets, &back));
    assert_true(spean_grant_key_next(&secrets.secrets, &back));
    assert_int_equal(back.generation, 2);
    assert_memory_equal(back.key, older[1].key, SPEAN_KEY_BYTES);
    assert_false(spean_grant_key_next(&secrets.secrets, &back));
}

static void one_kind_of_grant_is_not_read_as_the_other(void **state)
{
    struct fixture *const f = *state;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_grant_secrets secrets;
    struct spean_grant_terms terms;
    assert_int_equal(spean_grant_open_secrets(&f->grant, &f->outer.place, part_key, f->opened,
                                              sizeof(f->opened), &secrets),
                     SPEAN_ELIMIT); /* Seven elements where three belong. */
    give_secrets(f, key);
    assert_int_equal(open_terms(f, key, &terms), SPEAN_EFORMAT);
}

static void secrets_under_another_key_than_the_one_committed_to_are_refused(void **state)
{
    struct fixture *const f = *state;
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_grant_secrets secrets = {.generation = 77};
    const struct spean_keyed_part part = {f->terms.record, f->terms.part};
    struct spean_id proof;
    give_secrets(f, key);
    spean_partkey_proof(&proof, key, &part); /* That of a part says nothing here. */
    spean_partkey_commitment(&f->grant.commitment, &proof, &f->outer.place.log);
    assert_int_equal(spean_grant_open_secrets(&f->grant, &f->outer.place, key, f->opened,
                                              sizeof(f->opened), &secrets),
                     SPEAN_ESIGNATURE);
    assert_int_equal(secrets.generation, 77);
}

static void secrets_out_of_order_or_of_none_are_not_written(void **state)
{
    struct fixture *const f = *state;
    const struct spean_grant_key descending[] = {older[1], older[0]};
    f->outer.author_generation = 0;
    assert_int_equal(
        spean_grant_encode_secrets(&f->outer, descending, 2, f->buf, sizeof(f->buf), &f->content),
        SPEAN_EINPUT);
    assert_int_equal(
        spean_grant_encode_secrets(&f->outer, older, 0, f->buf, sizeof(f->buf), &f->content),
        SPEAN_EINPUT);
    const struct spean_grant_key beyond = {SPEAN_ORG_GENERATIONS_MAX + 1, {0x03}};
    assert_int_equal(
        spean_grant_encode_secrets(&f->outer, &beyond, 1, f->buf, sizeof(f->buf), &f->content),
        SPEAN_EINPUT);
    f->outer.author_generation = 1;
    assert_int_equal(
        spean_grant_encode_secrets(&f->outer, older, 2, f->buf, sizeof(f->buf), &f->content),
        SPEAN_EINPUT);
}

/* Organisations 1 (the owner), 2, 3 for judging. */
static const struct spean_id audience_12[] = {{{1}}, {{2}}};
static const struct spean_id audience_2[] = {{{2}}};
static const struct spean_id audience_123[] = {{{1}}, {{2}}, {{3}}};

static struct spean_grant_facts facts(uint8_t author, uint64_t generation, uint8_t proof,
                                      const struct spean_id *audience, uint32_t count)
{
    return (struct spean_grant_facts){.author = {{author}},
                                      .owner = {{1}},
                                      .generation = generation,
                                      .proof = {{proof}},
                                      .audience = audience,
                                      .audience_count = count};
}

static void only_the_owner_opens_generation_1(void **state)
{
    (void)state;
    const struct spean_id owner = {{1}};
    const struct spean_id somebody = {{2}};
    const struct spean_grant_facts good = facts(1, 1, 7, audience_12, 2);
    const struct spean_grant_facts bad = facts(2, 1, 7, audience_12, 2);
    assert_int_equal(spean_grant_judge(NULL, 0, &good, &owner), SPEAN_ASIDE_NOT);
    assert_int_equal(spean_grant_judge(NULL, 0, &good, NULL), SPEAN_ASIDE_NOT);
    assert_int_equal(spean_grant_judge(NULL, 0, &bad, &owner), SPEAN_ASIDE_OWNER);
    assert_int_equal(spean_grant_judge(NULL, 0, &good, &somebody), SPEAN_ASIDE_OWNER);
}

static void a_party_opens_the_next_generation_for_no_more_than_before(void **state)
{
    (void)state;
    const struct spean_grant_facts first = facts(1, 1, 7, audience_12, 2);
    const struct spean_grant_facts same = facts(2, 2, 8, audience_12, 2);
    const struct spean_grant_facts three = facts(1, 1, 7, audience_123, 3);
    const struct spean_grant_facts without_owner = facts(2, 2, 8, audience_2, 1);
    const struct spean_grant_facts more = facts(2, 2, 8, audience_123, 3);
    const struct spean_grant_facts stranger = facts(3, 2, 8, audience_12, 2);
    const struct spean_grant_facts too_soon = facts(2, 3, 8, audience_12, 2);
    assert_int_equal(spean_grant_judge(&first, 1, &same, NULL), SPEAN_ASIDE_NOT);
    assert_int_equal(spean_grant_judge(&three, 1, &same, NULL), SPEAN_ASIDE_NOT); /* Fewer. */
    assert_int_equal(spean_grant_judge(&first, 1, &without_owner, NULL), SPEAN_ASIDE_OWNER);
    assert_int_equal(spean_grant_judge(&first, 1, &more, NULL), SPEAN_ASIDE_LARGER);
    assert_int_equal(spean_grant_judge(&first, 1, &stranger, NULL), SPEAN_ASIDE_AUDIENCE);
    assert_int_equal(spean_grant_judge(&first, 1, &too_soon, NULL), SPEAN_ASIDE_GENERATION);
    assert_int_equal(spean_grant_judge(NULL, 0, &same, NULL), SPEAN_ASIDE_GENERATION);
}

static void who_was_left_out_of_a_generation_opens_none_after_it(void **state)
{
    (void)state;
    const struct spean_grant_facts accepted[] = {facts(1, 1, 7, audience_123, 3),
                                                 facts(1, 2, 8, audience_12, 2)};
    const struct spean_grant_facts left_out = facts(3, 3, 9, audience_12, 2);
    assert_int_equal(spean_grant_judge(accepted, 2, &left_out, NULL), SPEAN_ASIDE_AUDIENCE);
}

static void only_the_owner_adds_organisations_and_only_to_the_same_key(void **state)
{
    (void)state;
    const struct spean_grant_facts accepted[] = {facts(1, 1, 7, audience_12, 2),
                                                 facts(2, 2, 8, audience_12, 2)};
    const struct spean_grant_facts added = facts(1, 2, 8, audience_123, 3);
    const struct spean_grant_facts other_key = facts(1, 2, 9, audience_123, 3);
    const struct spean_grant_facts by_party = facts(2, 2, 8, audience_123, 3);
    assert_int_equal(spean_grant_judge(accepted, 2, &added, NULL), SPEAN_ASIDE_NOT);
    assert_int_equal(spean_grant_judge(accepted, 2, &other_key, NULL), SPEAN_ASIDE_LARGER);
    assert_int_equal(spean_grant_judge(accepted, 2, &by_party, NULL), SPEAN_ASIDE_LARGER);
}

static void grants_that_claim_another_owner_are_no_ground_for_more(void **state)
{
    (void)state;
    struct spean_grant_facts foreign = facts(3, 1, 7, audience_123, 3);
    foreign.owner.bytes[0] = 3;
    const struct spean_grant_facts next = facts(2, 2, 8, audience_12, 2);
    assert_int_equal(spean_grant_judge(&foreign, 1, &foreign, NULL), SPEAN_ASIDE_NOT);
    assert_int_equal(spean_grant_judge(&foreign, 1, &next, NULL), SPEAN_ASIDE_GENERATION);
}

static const struct spean_id owner_1 = {{1}};

/* One encoded row of a context: log, seq, entry. */
#define ROW(log, seq, entry)                                                                       \
    {                                                                                              \
        0x93, 0xc4, 8, 0, 0, 0, 0, 0, 0, 0, log, seq, 0xc4, 8, 0, 0, 0, 0, 0, 0, 0, entry          \
    }

/* Grants that leave org 3 out of generation 2: by org 2 in log 0x22 at seq 5, with these rows. */
static struct spean_grant_facts leaving_out(struct spean_view context)
{
    struct spean_grant_facts grant = facts(2, 2, 8, audience_12, 2);
    grant.log = 0x22;
    grant.seq = 5;
    grant.rows = context;
    return grant;
}

/* Entry 7 of log 0x33 begins with 0xaa; nothing else is on a chain. */
static bool on_chain(void *ctx, const struct spean_context_row *row)
{
    (void)ctx;
    return row->log == 0x33 && row->seq == 7 && row->entry == 0xaa;
}

static bool left_out(const struct spean_grant_facts *accepted, uint32_t count, uint8_t org,
                     uint64_t seq, uint64_t generation, bool *missing)
{
    const struct spean_grant_change change = {{{org}}, 0x33, seq, generation};
    return spean_grant_left_out(accepted, count, &owner_1, &change, on_chain, NULL, missing);
}

static void of_an_organisation_left_out_only_what_the_context_covers_folds(void **state)
{
    (void)state;
    static const uint8_t row[] = ROW(0x33, 7, 0xaa);
    const struct spean_grant_facts accepted[] = {
        facts(1, 1, 7, audience_123, 3), leaving_out((struct spean_view){row, sizeof(row)})};
    bool missing = true;
    assert_false(left_out(accepted, 2, 3, 1, 1, &missing));
    assert_false(left_out(accepted, 2, 3, 7, 1, &missing));
    assert_false(missing);
    assert_true(left_out(accepted, 2, 3, 8, 1, &missing));
    assert_false(missing);
    assert_true(left_out(accepted, 2, 3, UINT64_MAX, 2, &missing)); /* The key leaked. */
}

static void of_an_organisation_that_stays_everything_folds(void **state)
{
    (void)state;
    const struct spean_grant_facts accepted[] = {facts(1, 1, 7, audience_123, 3),
                                                 leaving_out((struct spean_view){NULL, 0})};
    bool missing = true;
    assert_false(left_out(accepted, 2, 2, 8, 1, &missing));
    assert_false(left_out(accepted, 2, 1, 8, 2, &missing));
    assert_false(left_out(accepted, 1, 3, 8, 1, &missing)); /* There is no generation 2. */
    assert_false(left_out(NULL, 0, 3, 8, 1, &missing));
    assert_false(missing);
}

static void a_row_that_does_not_count_covers_nothing_and_is_told(void **state)
{
    (void)state;
    static const uint8_t other[] = ROW(0x33, 7, 0xab);
    static const uint8_t elsewhere[] = ROW(0x34, 7, 0xaa);
    struct spean_grant_facts accepted[] = {facts(1, 1, 7, audience_123, 3),
                                           leaving_out((struct spean_view){other, sizeof(other)})};
    bool missing = false;
    assert_true(left_out(accepted, 2, 3, 6, 1, &missing));
    assert_true(missing);
    assert_true(left_out(accepted, 2, 3, 8, 1, &missing)); /* It would not cover this one. */
    assert_false(missing);
    accepted[1] = leaving_out((struct spean_view){elsewhere, sizeof(elsewhere)});
    assert_true(left_out(accepted, 2, 3, 6, 1, &missing));
    assert_false(missing);
}

static void any_grant_of_the_generation_may_cover_and_any_may_keep_it_in(void **state)
{
    (void)state;
    static const uint8_t row[] = ROW(0x33, 7, 0xaa);
    struct spean_grant_facts accepted[] = {facts(1, 1, 7, audience_123, 3),
                                           leaving_out((struct spean_view){NULL, 0}),
                                           leaving_out((struct spean_view){row, sizeof(row)})};
    bool missing = false;
    assert_false(left_out(accepted, 3, 3, 7, 1, &missing));
    assert_true(left_out(accepted, 3, 3, 8, 1, &missing));
    accepted[2] = facts(1, 2, 9, audience_123, 3); /* At the same time, with another key. */
    assert_false(left_out(accepted, 3, 3, 8, 1, &missing));
}

static void what_is_written_under_a_key_given_back_folds_again(void **state)
{
    (void)state;
    const struct spean_grant_facts accepted[] = {
        facts(1, 1, 7, audience_123, 3), leaving_out((struct spean_view){NULL, 0}),
        facts(1, 3, 9, audience_12, 2), facts(1, 3, 9, audience_123, 3)};
    bool missing = false;
    assert_true(left_out(accepted, 4, 3, 8, 1, &missing));
    assert_true(left_out(accepted, 4, 3, 9, 2, &missing));
    assert_false(left_out(accepted, 4, 3, 10, 3, &missing));
}

static void before_a_grant_its_own_log_is_covered_and_rows_for_it_say_nothing(void **state)
{
    (void)state;
    static const uint8_t row[] = ROW(0x33, 7, 0xaa);
    struct spean_grant_facts accepted[] = {facts(1, 1, 7, audience_123, 3),
                                           leaving_out((struct spean_view){row, sizeof(row)})};
    accepted[1].author = (struct spean_id){{3}}; /* Org 3 hands over and goes. */
    accepted[1].log = 0x33;
    bool missing = true;
    assert_false(left_out(accepted, 2, 3, 4, 1, &missing));
    assert_true(left_out(accepted, 2, 3, 6, 1, &missing));
    assert_false(missing);
}

static void grants_that_claim_another_owner_leave_nobody_out(void **state)
{
    (void)state;
    struct spean_grant_facts accepted[] = {facts(1, 1, 7, audience_123, 3),
                                           leaving_out((struct spean_view){NULL, 0})};
    bool missing = false;
    accepted[1].owner.bytes[0] = 9;
    assert_false(left_out(accepted, 2, 3, 8, 1, &missing));
}

static void every_reason_has_a_name_and_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < SPEAN_ASIDES_COUNT; i++) {
        assert_true(strlen(spean_aside_name((enum spean_aside)i)) > 0);
        assert_true(strlen(spean_aside_text((enum spean_aside)i)) > 0);
    }
    assert_string_equal(spean_aside_name(SPEAN_ASIDE_KEY), "key");
}

#define GRANT_TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GRANT_TEST(everybody_named_gets_the_key_and_the_terms),
        GRANT_TEST(who_is_not_named_opens_nothing),
        GRANT_TEST(nothing_that_names_anybody_is_in_clear),
        GRANT_TEST(an_older_generation_of_the_receiver_is_tried_after_the_newest),
        GRANT_TEST(hints_differ_for_each_receiver_and_nonce_and_ascend),
        GRANT_TEST(hints_and_the_seal_are_as_the_protocol_spells_them),
        GRANT_TEST(boxes_that_were_swapped_do_not_open),
        GRANT_TEST(a_grant_at_another_place_does_not_open),
        GRANT_TEST(another_key_in_a_box_opens_no_terms),
        GRANT_TEST(terms_of_another_part_than_the_one_committed_to_are_refused),
        GRANT_TEST(another_key_than_the_one_committed_to_opens_no_terms),
        GRANT_TEST(a_bit_changed_where_it_concerns_a_receiver_is_noticed),
        GRANT_TEST(a_grant_truncated_at_any_byte_is_refused),
        GRANT_TEST(boxes_that_do_not_ascend_are_refused),
        GRANT_TEST(points_of_low_order_make_no_pair),
        GRANT_TEST(pair_keys_of_organisations_and_of_nodes_differ),
        GRANT_TEST(what_a_receiver_would_refuse_is_not_written),
        GRANT_TEST(a_context_that_a_receiver_would_refuse_is_not_written),
        GRANT_TEST(a_buffer_that_is_too_small_keeps_no_secret),
        GRANT_TEST(the_largest_grant_fits_a_body),
        GRANT_TEST(an_org_key_grant_hands_all_secrets_to_a_node),
        GRANT_TEST(one_kind_of_grant_is_not_read_as_the_other),
        GRANT_TEST(secrets_under_another_key_than_the_one_committed_to_are_refused),
        GRANT_TEST(secrets_out_of_order_or_of_none_are_not_written),
        cmocka_unit_test(only_the_owner_opens_generation_1),
        cmocka_unit_test(a_party_opens_the_next_generation_for_no_more_than_before),
        cmocka_unit_test(who_was_left_out_of_a_generation_opens_none_after_it),
        cmocka_unit_test(only_the_owner_adds_organisations_and_only_to_the_same_key),
        cmocka_unit_test(grants_that_claim_another_owner_are_no_ground_for_more),
        cmocka_unit_test(of_an_organisation_left_out_only_what_the_context_covers_folds),
        cmocka_unit_test(of_an_organisation_that_stays_everything_folds),
        cmocka_unit_test(a_row_that_does_not_count_covers_nothing_and_is_told),
        cmocka_unit_test(any_grant_of_the_generation_may_cover_and_any_may_keep_it_in),
        cmocka_unit_test(what_is_written_under_a_key_given_back_folds_again),
        cmocka_unit_test(before_a_grant_its_own_log_is_covered_and_rows_for_it_say_nothing),
        cmocka_unit_test(grants_that_claim_another_owner_leave_nobody_out),
        cmocka_unit_test(every_reason_has_a_name_and_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
