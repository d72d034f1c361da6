#include "protocol/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/domains.h"
#include "protocol/hash.h"
#include "tests/support/identitykit.h"

#define BUF_BYTES (SPEAN_DOCUMENT_BYTES_MAX + 1024u)

/* A writer into a buffer of its own, for bodies that the composer would never write. */
struct raw {
    uint8_t buf[BUF_BYTES];
    struct spean_writer w;
};

static struct raw raw;

static struct spean_writer *raw_begin(void)
{
    spean_writer_init(&raw.w, raw.buf, sizeof(raw.buf));
    return &raw.w;
}

static spean_err begin_raw(void)
{
    struct spean_document doc;
    const struct spean_view body = {raw.buf, raw.w.len};
    assert_int_equal(raw.w.err, SPEAN_OK);
    return spean_document_begin(&doc, body);
}

static void what_is_signed_and_encoded_decodes_to_the_same(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);

    assert_int_equal(d.doc.type, SPEAN_DOCUMENT_STATEMENT);
    assert_int_equal(d.doc.version, 1);
    assert_int_equal(d.doc.signatures_count, 1);
    assert_int_equal(spean_document_verify(&d.doc), SPEAN_OK);
    const struct spean_key signer = fixture_key(1);
    assert_true(spean_key_equal(&d.doc.signatures[0].key, &signer));
}

static void the_id_is_over_the_body_alone_p2_1(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);

    struct spean_id expected;
    spean_hash(expected.bytes, sizeof(expected.bytes), "spean/statement/1", d.doc.body.data,
               d.doc.body.len);
    assert_true(spean_id_equal(&d.doc.id, &expected));
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, 9);
    assert_int_equal(spean_document_sign(&d.doc, seed), SPEAN_OK);
    assert_true(spean_id_equal(&d.doc.id, &expected));
}

static void truncated_at_any_byte_is_refused(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);

    for (size_t len = 0; len < d.view.len; len++) {
        uint8_t *const copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, d.bytes, len);
        const struct spean_view cut = {copy, len};
        struct spean_document doc;
        assert_int_not_equal(spean_document_decode(&doc, cut), SPEAN_OK);
        free(copy);
    }
}

static void a_byte_too_many_is_refused(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);

    d.bytes[d.view.len] = 0xc0;
    const struct spean_view longer = {d.bytes, d.view.len + 1};
    struct spean_document doc;
    assert_int_equal(spean_document_decode(&doc, longer), SPEAN_EFORMAT);
}

static void any_changed_byte_is_noticed(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);

    for (size_t i = 0; i < d.view.len; i++) {
        d.bytes[i] ^= 0x01;
        struct spean_document doc;
        spean_err err = spean_document_decode(&doc, d.view);
        if (err == SPEAN_OK) {
            err = spean_document_verify(&doc);
        }
        assert_int_not_equal(err, SPEAN_OK);
        d.bytes[i] ^= 0x01;
    }
}

static void a_signature_for_the_charter_does_not_hold_for_a_statement(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);

    d.doc.type = SPEAN_DOCUMENT_CHARTER;
    assert_int_equal(spean_document_verify(&d.doc), SPEAN_ESIGNATURE);
}

static void signatures_out_of_order_or_doubled_are_refused_p2_1(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, 2);
    assert_int_equal(spean_document_sign(&d.doc, seed), SPEAN_OK);

    const struct spean_document_signature first = d.doc.signatures[0];
    d.doc.signatures[0] = d.doc.signatures[1];
    d.doc.signatures[1] = first;
    static uint8_t bytes[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    struct spean_view view;
    struct spean_document doc;
    assert_int_equal(spean_document_encode(&d.doc, bytes, sizeof(bytes), &view), SPEAN_OK);
    assert_int_equal(spean_document_decode(&doc, view), SPEAN_EFORMAT);

    d.doc.signatures[1] = d.doc.signatures[0];
    assert_int_equal(spean_document_encode(&d.doc, bytes, sizeof(bytes), &view), SPEAN_OK);
    assert_int_equal(spean_document_decode(&doc, view), SPEAN_EFORMAT);
}

static void a_key_signs_once(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);
    uint8_t seed[SPEAN_KEY_BYTES];
    fixture_seed(seed, 1);

    assert_int_equal(spean_document_sign(&d.doc, seed), SPEAN_EEXISTS);
    assert_int_equal(d.doc.signatures_count, 1);
}

static void sixty_four_signatures_fit_and_one_more_does_not(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);
    uint8_t seed[SPEAN_KEY_BYTES];
    for (unsigned n = 2; n <= SPEAN_DOCUMENT_SIGNATURES_MAX; n++) {
        fixture_seed(seed, n);
        assert_int_equal(spean_document_sign(&d.doc, seed), SPEAN_OK);
    }
    fixture_seed(seed, 99);
    assert_int_equal(spean_document_sign(&d.doc, seed), SPEAN_ELIMIT);

    static uint8_t bytes[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    struct spean_view view;
    struct spean_document doc;
    assert_int_equal(spean_document_encode(&d.doc, bytes, sizeof(bytes), &view), SPEAN_OK);
    assert_int_equal(spean_document_decode(&doc, view), SPEAN_OK);
    assert_int_equal(spean_document_verify(&doc), SPEAN_OK);
}

static void the_largest_body_with_all_signatures_fits_the_named_size(void **state)
{
    (void)state;
    static struct spean_document doc;
    static uint8_t body[SPEAN_DOCUMENT_BYTES_MAX];
    static uint8_t bytes[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    doc.body = (struct spean_view){body, sizeof(body)};
    doc.signatures_count = SPEAN_DOCUMENT_SIGNATURES_MAX;
    struct spean_view view;
    assert_int_equal(spean_document_encode(&doc, bytes, sizeof(bytes), &view), SPEAN_OK);
}

static void a_buffer_too_small_is_told(void **state)
{
    (void)state;
    static struct fixture_document d;
    fixture_org_first(&d, 1);
    uint8_t small[40];
    struct spean_view view = {NULL, 0};
    assert_int_equal(spean_document_encode(&d.doc, small, sizeof(small), &view), SPEAN_ELIMIT);
    assert_null(view.data);
}

static void only_version_1_has_no_previous_p2_2(void **state)
{
    (void)state;
    const struct spean_id id = fixture_id(1);

    struct spean_writer *w = raw_begin();
    spean_document_write_head(w, SPEAN_DOCUMENT_STATEMENT, 2, &id);
    spean_writer_map(w, 0);
    assert_int_equal(begin_raw(), SPEAN_OK);

    w = raw_begin();
    spean_writer_array(w, 5);
    spean_writer_uint(w, 1);
    spean_writer_uint(w, 1);
    spean_writer_uint(w, 2);
    spean_writer_nil(w);
    spean_writer_map(w, 0);
    assert_int_equal(begin_raw(), SPEAN_EFORMAT);

    w = raw_begin();
    spean_writer_array(w, 5);
    spean_writer_uint(w, 1);
    spean_writer_uint(w, 1);
    spean_writer_uint(w, 1);
    spean_writer_bin(w, id.bytes, sizeof(id.bytes));
    spean_writer_map(w, 0);
    assert_int_equal(begin_raw(), SPEAN_EFORMAT);
}

/* Write a body with these numbers in its first places, and no previous. */
static void write_numbers(uint64_t format, uint64_t type, uint64_t version)
{
    struct spean_writer *const w = raw_begin();
    spean_writer_array(w, 5);
    spean_writer_uint(w, format);
    spean_writer_uint(w, type);
    spean_writer_uint(w, version);
    spean_writer_nil(w);
    spean_writer_map(w, 0);
}

static void unknown_formats_types_and_version_0_are_refused(void **state)
{
    (void)state;
    write_numbers(1, 1, 1);
    assert_int_equal(begin_raw(), SPEAN_OK);
    write_numbers(2, 1, 1);
    assert_int_equal(begin_raw(), SPEAN_EVERSION);
    write_numbers(0, 1, 1);
    assert_int_equal(begin_raw(), SPEAN_EFORMAT);
    write_numbers(1, 0, 1);
    assert_int_equal(begin_raw(), SPEAN_EFORMAT);
    write_numbers(1, 3, 1);
    assert_int_equal(begin_raw(), SPEAN_ELIMIT);
    write_numbers(1, 1, 0);
    assert_int_equal(begin_raw(), SPEAN_EFORMAT);
}

static void changes_are_a_canonical_map(void **state)
{
    (void)state;
    struct spean_writer *w = raw_begin();
    spean_document_write_head(w, SPEAN_DOCUMENT_CHARTER, 1, NULL);
    spean_writer_array(w, 0);
    assert_int_equal(begin_raw(), SPEAN_EFORMAT);

    w = raw_begin();
    spean_document_write_head(w, SPEAN_DOCUMENT_CHARTER, 1, NULL);
    spean_writer_map(w, 2);
    spean_writer_uint(w, 2);
    spean_writer_nil(w);
    spean_writer_uint(w, 1);
    spean_writer_nil(w);
    assert_int_equal(begin_raw(), SPEAN_EFORMAT);
}

static void a_body_above_32_kib_is_refused_p1_5(void **state)
{
    (void)state;
    static uint8_t filling[SPEAN_DOCUMENT_BYTES_MAX];
    struct spean_writer *const w = raw_begin();
    spean_document_write_head(w, SPEAN_DOCUMENT_CHARTER, 1, NULL);
    spean_writer_map(w, 1);
    spean_writer_uint(w, 1);
    spean_writer_bin(w, filling, sizeof(filling));
    assert_int_equal(begin_raw(), SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_and_encoded_decodes_to_the_same),
        cmocka_unit_test(the_id_is_over_the_body_alone_p2_1),
        cmocka_unit_test(truncated_at_any_byte_is_refused),
        cmocka_unit_test(a_byte_too_many_is_refused),
        cmocka_unit_test(any_changed_byte_is_noticed),
        cmocka_unit_test(a_signature_for_the_charter_does_not_hold_for_a_statement),
        cmocka_unit_test(signatures_out_of_order_or_doubled_are_refused_p2_1),
        cmocka_unit_test(a_key_signs_once),
        cmocka_unit_test(sixty_four_signatures_fit_and_one_more_does_not),
        cmocka_unit_test(the_largest_body_with_all_signatures_fits_the_named_size),
        cmocka_unit_test(a_buffer_too_small_is_told),
        cmocka_unit_test(only_version_1_has_no_previous_p2_2),
        cmocka_unit_test(unknown_formats_types_and_version_0_are_refused),
        cmocka_unit_test(changes_are_a_canonical_map),
        cmocka_unit_test(a_body_above_32_kib_is_refused_p1_5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
