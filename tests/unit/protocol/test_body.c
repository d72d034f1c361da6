#include "protocol/body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/partkey.h"

#define SEQ 7u

static const uint8_t salt[SPEAN_BODY_SALT_BYTES] = {0x51};
static const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES] = {0x4e};
static const struct spean_view words = {(const uint8_t *)"a person's words", 16};

struct fixture {
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_keyed_part part;
    struct spean_id log;
    struct spean_tag tag;
    uint8_t sealed[SPEAN_BODY_BYTES_MAX];
    struct spean_view body;
    uint8_t opened[SPEAN_BODY_BYTES_MAX];
};

static void tag_for(struct fixture *f)
{
    struct spean_id proof;
    spean_partkey_proof(&proof, f->key, &f->part);
    spean_partkey_tag(&f->tag, &proof, &f->log);
}

static spean_err seal(struct fixture *f, struct spean_view content, size_t cap)
{
    return spean_body_seal(f->sealed, cap, f->key, nonce, &f->log, SEQ, &f->tag, content, &f->body);
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    f.key[0] = 0x6b;
    f.log.bytes[0] = 0x70;
    f.part = (struct spean_keyed_part){{{0x11}}, 2};
    tag_for(&f);
    *state = &f;
    return seal(&f, words, sizeof(f.sealed)) == SPEAN_OK ? 0 : -1;
}

static spean_err open_at(struct fixture *f, uint64_t seq, struct spean_view body)
{
    struct spean_view content = {NULL, 0};
    return spean_body_open(f->opened, sizeof(f->opened), f->key, &f->part, &f->log, seq, &f->tag,
                           body, &content);
}

static void a_public_body_is_the_salt_and_the_content(void **state)
{
    struct fixture *const f = *state;
    struct spean_view body;
    struct spean_view content;
    assert_int_equal(spean_body_wrap(f->opened, sizeof(f->opened), salt, words, &body), SPEAN_OK);
    assert_int_equal(body.len, 32);
    assert_memory_equal(body.data, salt, 16);
    assert_memory_equal(body.data + 16, words.data, 16);
    assert_int_equal(spean_body_unwrap(body, &content), SPEAN_OK);
    assert_int_equal(content.len, words.len);
    assert_ptr_equal(content.data, body.data + 16);
}

static void a_public_body_shorter_than_its_salt_is_refused(void **state)
{
    struct fixture *const f = *state;
    struct spean_view content = {NULL, 3};
    for (size_t len = 0; len < SPEAN_BODY_SALT_BYTES; len++) {
        assert_int_equal(spean_body_unwrap((struct spean_view){f->opened, len}, &content),
                         SPEAN_EFORMAT);
    }
    assert_int_equal(content.len, 3);
    assert_int_equal(spean_body_unwrap((struct spean_view){f->opened, 16}, &content), SPEAN_OK);
    assert_int_equal(content.len, 0);
}

static void the_longest_public_content_fits_and_one_byte_more_does_not(void **state)
{
    struct fixture *const f = *state;
    const struct spean_view longest = {f->opened, 61424};
    const struct spean_view longer = {f->opened, 61425};
    struct spean_view body;
    assert_int_equal(spean_body_wrap(f->sealed, sizeof(f->sealed), salt, longest, &body), SPEAN_OK);
    assert_int_equal(body.len, 61440);
    assert_int_equal(spean_body_wrap(f->sealed, SIZE_MAX, salt, longer, &body), SPEAN_ELIMIT);
    assert_int_equal(spean_body_wrap(f->sealed, 31, salt, words, &body), SPEAN_ELIMIT);
    assert_int_equal(spean_body_wrap(f->sealed, 15, salt, words, &body), SPEAN_ELIMIT);
    assert_int_equal(spean_body_unwrap((struct spean_view){f->sealed, 61441}, &body), SPEAN_ELIMIT);
}

static void a_sealed_body_opens_at_its_place(void **state)
{
    struct fixture *const f = *state;
    struct spean_view content = {NULL, 0};
    assert_int_equal(f->body.len, 24 + 256 + 16);
    assert_memory_equal(f->body.data, nonce, sizeof(nonce));
    assert_int_equal(
        spean_body_open(f->opened, 256, f->key, &f->part, &f->log, SEQ, &f->tag, f->body, &content),
        SPEAN_OK);
    assert_int_equal(content.len, words.len);
    assert_memory_equal(content.data, words.data, words.len);
}

static void a_sealed_body_opens_as_that_of_no_other_part(void **state)
{
    struct fixture *const f = *state;
    f->part.part++;
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
    tag_for(f); /* The same key, granted for another part too. */
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
    f->part.part--;
    f->part.record.bytes[15] ^= 1;
    tag_for(f);
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
}

static void a_sealed_body_opens_at_no_other_place(void **state)
{
    struct fixture *const f = *state;
    assert_int_equal(open_at(f, SEQ + 1, f->body), SPEAN_ESIGNATURE);
    f->log.bytes[31] ^= 1;
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
    tag_for(f); /* The same key, in another log. */
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
}

static void a_key_that_does_not_give_the_tag_opens_nothing(void **state)
{
    struct fixture *const f = *state;
    for (size_t bit = 0; bit < sizeof(f->tag) * 8; bit++) {
        f->tag.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
        f->tag.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    f->key[31] ^= 1;
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
}

static void a_body_sealed_under_a_key_of_another_tag_is_refused_though_it_would_open(void **state)
{
    struct fixture *const f = *state;
    f->tag.bytes[0] ^= 1;
    assert_int_equal(seal(f, words, sizeof(f->sealed)), SPEAN_OK);
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
}

static void a_sealed_body_with_any_bit_changed_is_refused(void **state)
{
    struct fixture *const f = *state;
    for (size_t bit = 0; bit < f->body.len * 8; bit++) {
        f->sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_at(f, SEQ, f->body), SPEAN_ESIGNATURE);
        f->sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_OK);
}

static void a_sealed_body_truncated_at_any_byte_is_refused(void **state)
{
    struct fixture *const f = *state;
    for (size_t len = 0; len < f->body.len; len++) {
        const spean_err expected = len < 40 ? SPEAN_EFORMAT : SPEAN_ESIGNATURE;
        assert_int_equal(open_at(f, SEQ, (struct spean_view){f->sealed, len}), expected);
    }
    assert_int_equal(open_at(f, SEQ, (struct spean_view){f->sealed, 61441}), SPEAN_ELIMIT);
}

static void padding_that_is_not_the_one_for_its_content_is_refused(void **state)
{
    struct fixture *const f = *state;
    static const uint8_t unpadded[200] = {0};
    const size_t lens[] = {0, 16, 200};
    uint8_t ad[56];
    memcpy(ad, f->log.bytes, 32);
    spean_u64_put(ad + 32, SEQ);
    memcpy(ad + 40, f->tag.bytes, 16);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        assert_int_equal(spean_aead_seal(f->sealed + 24, 1000, f->key, nonce,
                                         (struct spean_view){ad, sizeof(ad)},
                                         (struct spean_view){unpadded, lens[i]}),
                         SPEAN_OK);
        const struct spean_view body = {f->sealed, 24 + lens[i] + 16};
        assert_int_equal(open_at(f, SEQ, body), SPEAN_EFORMAT);
    }
}

static void the_longest_sealed_content_fits_and_one_byte_more_does_not(void **state)
{
    struct fixture *const f = *state;
    static const uint8_t content[60000] = {1};
    const struct spean_view longest = {content, SPEAN_BODY_SEALED_CONTENT_BYTES_MAX};
    const struct spean_view longer = {content, SPEAN_BODY_SEALED_CONTENT_BYTES_MAX + 1};
    assert_int_equal(spean_body_sealed_len(longest.len), 59392 + 40);
    assert_int_equal(spean_body_sealed_len(longer.len), 0);
    assert_int_equal(spean_body_sealed_len(SIZE_MAX), 0);
    assert_int_equal(seal(f, longest, sizeof(f->sealed)), SPEAN_OK);
    assert_int_equal(open_at(f, SEQ, f->body), SPEAN_OK);
    assert_int_equal(seal(f, longer, sizeof(f->sealed)), SPEAN_ELIMIT);
}

static void a_buffer_one_byte_too_small_is_a_limit_and_untouched(void **state)
{
    struct fixture *const f = *state;
    struct spean_view content = {NULL, 0};
    memset(f->opened, 0xee, sizeof(f->opened));
    assert_int_equal(
        spean_body_open(f->opened, 255, f->key, &f->part, &f->log, SEQ, &f->tag, f->body, &content),
        SPEAN_ELIMIT);
    assert_null(content.data);
    memset(f->sealed, 0xee, sizeof(f->sealed));
    assert_int_equal(seal(f, words, 295), SPEAN_ELIMIT);
    assert_memory_equal(f->sealed, f->opened, sizeof(f->sealed));
}

#define BODY_TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BODY_TEST(a_public_body_is_the_salt_and_the_content),
        BODY_TEST(a_public_body_shorter_than_its_salt_is_refused),
        BODY_TEST(the_longest_public_content_fits_and_one_byte_more_does_not),
        BODY_TEST(a_sealed_body_opens_at_its_place),
        BODY_TEST(a_sealed_body_opens_as_that_of_no_other_part),
        BODY_TEST(a_sealed_body_opens_at_no_other_place),
        BODY_TEST(a_key_that_does_not_give_the_tag_opens_nothing),
        BODY_TEST(a_body_sealed_under_a_key_of_another_tag_is_refused_though_it_would_open),
        BODY_TEST(a_sealed_body_with_any_bit_changed_is_refused),
        BODY_TEST(a_sealed_body_truncated_at_any_byte_is_refused),
        BODY_TEST(padding_that_is_not_the_one_for_its_content_is_refused),
        BODY_TEST(the_longest_sealed_content_fits_and_one_byte_more_does_not),
        BODY_TEST(a_buffer_one_byte_too_small_is_a_limit_and_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
