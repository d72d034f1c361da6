#include "protocol/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/sign.h"
#include "protocol/writer.h"

static struct spean_header sample(void)
{
    struct spean_header h = {.format = 1,
                             .seq = 7,
                             .time = 1790000000,
                             .kind = SPEAN_ENTRY_CHANGE,
                             .flags = SPEAN_ENTRY_ENDS_COMMIT,
                             .has_tag = true,
                             .body_len = 300};
    memset(h.previous.bytes, 0x11, sizeof(h.previous.bytes));
    memset(h.tag.bytes, 0x22, sizeof(h.tag.bytes));
    memset(h.body_hash.bytes, 0x33, sizeof(h.body_hash.bytes));
    return h;
}

static struct spean_view encoded(const struct spean_header *h, uint8_t *buf)
{
    struct spean_view out = {0};
    assert_int_equal(spean_header_encode(h, buf, SPEAN_HEADER_BYTES_MAX, &out), SPEAN_OK);
    return out;
}

static void a_header_reads_back_as_it_was_written(void **state)
{
    (void)state;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    const struct spean_header h = sample();
    struct spean_header back;
    assert_int_equal(spean_header_decode(encoded(&h, buf), &back), SPEAN_OK);
    assert_int_equal(back.seq, h.seq);
    assert_int_equal(back.time, h.time);
    assert_int_equal(back.kind, h.kind);
    assert_int_equal(back.flags, h.flags);
    assert_true(back.has_tag);
    assert_true(spean_tag_equal(&back.tag, &h.tag));
    assert_true(spean_id_equal(&back.previous, &h.previous));
    assert_int_equal(back.body_len, h.body_len);
    assert_true(spean_id_equal(&back.body_hash, &h.body_hash));
    assert_int_equal(back.rest_count, 0);
}

static void a_header_truncated_at_any_byte_is_refused(void **state)
{
    (void)state;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    const struct spean_header h = sample();
    const struct spean_view whole = encoded(&h, buf);
    for (size_t len = 0; len < whole.len; len++) {
        struct spean_header back;
        assert_int_not_equal(spean_header_decode((struct spean_view){whole.data, len}, &back),
                             SPEAN_OK);
    }
}

static void bytes_after_a_header_are_refused(void **state)
{
    (void)state;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    const struct spean_header h = sample();
    struct spean_view whole = encoded(&h, buf);
    buf[whole.len] = 0xc0;
    whole.len++;
    struct spean_header back;
    assert_int_equal(spean_header_decode(whole, &back), SPEAN_EFORMAT);
}

static void a_header_above_its_limit_is_refused_before_it_is_read(void **state)
{
    (void)state;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX + 1] = {0};
    struct spean_header back;
    assert_int_equal(spean_header_decode((struct spean_view){buf, sizeof(buf)}, &back),
                     SPEAN_ELIMIT);
}

static void format_1_has_exactly_nine_elements(void **state)
{
    (void)state;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    const uint8_t nil[] = {0xc0};
    struct spean_header h = sample();
    h.rest = (struct spean_view){nil, sizeof(nil)};
    h.rest_count = 1;
    struct spean_header back;
    assert_int_equal(spean_header_decode(encoded(&h, buf), &back), SPEAN_EFORMAT);
}

static void a_later_format_is_kept_with_what_it_appends(void **state)
{
    (void)state;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    const uint8_t rest[] = {0xc3, 0x05};
    struct spean_header h = sample();
    h.format = 2;
    h.kind = 77;
    h.rest = (struct spean_view){rest, sizeof(rest)};
    h.rest_count = 2;
    struct spean_header back;
    assert_int_equal(spean_header_decode(encoded(&h, buf), &back), SPEAN_OK);
    assert_int_equal(back.kind, 77);
    assert_int_equal(back.rest_count, 2);
    assert_int_equal(back.rest.len, sizeof(rest));
    assert_memory_equal(back.rest.data, rest, sizeof(rest));
}

static void write_with_body_len(struct spean_writer *w, uint64_t seq, uint64_t body_len)
{
    const uint8_t zeros[32] = {0};
    spean_writer_array(w, 9);
    spean_writer_uint(w, 1);
    spean_writer_uint(w, seq);
    spean_writer_bin(w, zeros, 32);
    spean_writer_uint(w, 0);
    spean_writer_uint(w, 1);
    spean_writer_uint(w, 1);
    spean_writer_nil(w);
    spean_writer_uint(w, body_len);
    spean_writer_bin(w, zeros, 32);
}

static spean_err decode_with(uint64_t seq, uint64_t body_len)
{
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    struct spean_writer w;
    struct spean_view bytes = {0};
    struct spean_header back;
    spean_writer_init(&w, buf, sizeof(buf));
    write_with_body_len(&w, seq, body_len);
    assert_int_equal(spean_writer_end(&w, &bytes), SPEAN_OK);
    return spean_header_decode(bytes, &back);
}

static void seq_and_body_length_stay_within_their_ranges(void **state)
{
    (void)state;
    assert_int_equal(decode_with(1, 1), SPEAN_OK);
    assert_int_equal(decode_with(1, SPEAN_BODY_BYTES_MAX), SPEAN_OK);
    assert_int_equal(decode_with(0, 1), SPEAN_EFORMAT);
    assert_int_equal(decode_with(1, 0), SPEAN_EFORMAT);
    assert_int_equal(decode_with(1, SPEAN_BODY_BYTES_MAX + 1), SPEAN_ELIMIT);
}

static void the_same_header_has_another_id_in_another_log(void **state)
{
    (void)state;
    uint8_t buf[SPEAN_HEADER_BYTES_MAX];
    const struct spean_header h = sample();
    const struct spean_view whole = encoded(&h, buf);
    const struct spean_id log_a = {{1}};
    const struct spean_id log_b = {{2}};
    struct spean_id a;
    struct spean_id b;
    spean_entry_id(&a, &log_a, whole);
    spean_entry_id(&b, &log_b, whole);
    assert_false(spean_id_equal(&a, &b));
}

static void a_body_of_another_length_or_content_is_refused(void **state)
{
    (void)state;
    const uint8_t body[] = {1, 2, 3};
    const uint8_t other[] = {1, 2, 4};
    struct spean_header h = sample();
    h.body_len = sizeof(body);
    spean_body_hash(&h.body_hash, (struct spean_view){body, sizeof(body)});
    assert_int_equal(spean_body_check(&h, (struct spean_view){body, sizeof(body)}), SPEAN_OK);
    assert_int_equal(spean_body_check(&h, (struct spean_view){body, 2}), SPEAN_ESIGNATURE);
    assert_int_equal(spean_body_check(&h, (struct spean_view){other, 3}), SPEAN_ESIGNATURE);
}

static void a_commit_signature_holds_for_one_key_log_and_entry_only(void **state)
{
    (void)state;
    const uint8_t seed[SPEAN_KEY_BYTES] = {9};
    const uint8_t other_seed[SPEAN_KEY_BYTES] = {8};
    const struct spean_id log = {{1}};
    const struct spean_id entry = {{2}};
    struct spean_key key;
    struct spean_key other;
    spean_sign_public(&key, seed);
    spean_sign_public(&other, other_seed);
    struct spean_signature sig;
    spean_commit_sign(&sig, &log, &entry, seed);
    assert_int_equal(spean_commit_verify(&sig, &log, &entry, &key), SPEAN_OK);
    assert_int_equal(spean_commit_verify(&sig, &log, &entry, &other), SPEAN_ESIGNATURE);
    assert_int_equal(spean_commit_verify(&sig, &entry, &log, &key), SPEAN_ESIGNATURE);
    sig.bytes[0] ^= 1;
    assert_int_equal(spean_commit_verify(&sig, &log, &entry, &key), SPEAN_ESIGNATURE);
}

static void a_signer_made_ready_signs_what_its_seed_signs(void **state)
{
    (void)state;
    const uint8_t seed[SPEAN_KEY_BYTES] = {9};
    const struct spean_id log = {{1}};
    const struct spean_id entry = {{2}};
    struct spean_signer signer;
    struct spean_signature by_seed;
    struct spean_signature by_signer;
    spean_signer_init(&signer, seed);
    spean_commit_sign(&by_seed, &log, &entry, seed);
    spean_commit_sign_by(&by_signer, &log, &entry, &signer);
    spean_signer_fini(&signer);
    assert_memory_equal(by_signer.bytes, by_seed.bytes, sizeof(by_seed.bytes));
}

static void only_a_change_with_a_tag_is_sealed(void **state)
{
    (void)state;
    for (uint64_t kind = 0; kind < 8; kind++) {
        const struct spean_header tagged = {.kind = kind, .has_tag = true};
        const struct spean_header bare = {.kind = kind};
        assert_false(spean_header_is_sealed(&bare));
        assert_int_equal(spean_header_is_sealed(&tagged), kind == SPEAN_ENTRY_CHANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_reads_back_as_it_was_written),
        cmocka_unit_test(a_header_truncated_at_any_byte_is_refused),
        cmocka_unit_test(bytes_after_a_header_are_refused),
        cmocka_unit_test(a_header_above_its_limit_is_refused_before_it_is_read),
        cmocka_unit_test(format_1_has_exactly_nine_elements),
        cmocka_unit_test(a_later_format_is_kept_with_what_it_appends),
        cmocka_unit_test(seq_and_body_length_stay_within_their_ranges),
        cmocka_unit_test(the_same_header_has_another_id_in_another_log),
        cmocka_unit_test(a_body_of_another_length_or_content_is_refused),
        cmocka_unit_test(a_commit_signature_holds_for_one_key_log_and_entry_only),
        cmocka_unit_test(a_signer_made_ready_signs_what_its_seed_signs),
        cmocka_unit_test(only_a_change_with_a_tag_is_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
