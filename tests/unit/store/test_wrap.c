#include "store/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/hash.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

#define DOMAIN        "spean/test/1"
#define PACKAGE_BYTES 512u

static const uint8_t credential_bytes[SPEAN_WRAP_CREDENTIAL_BYTES] = {1, 2, 3};
static const uint8_t content_bytes[] = "what nobody else may read";
static const struct spean_view content = {content_bytes, sizeof(content_bytes)};

static const struct spean_unlock credential = {
    .kind = SPEAN_UNLOCK_CREDENTIAL,
    .bytes = {credential_bytes, sizeof(credential_bytes)},
};

static struct spean_unlock passphrase(const char *text)
{
    return (struct spean_unlock){
        .kind = SPEAN_UNLOCK_PASSPHRASE,
        .bytes = {(const uint8_t *)text, strlen(text)},
        .ops = SPEAN_WRAP_OPS_MIN,
        .mib = SPEAN_WRAP_MIB_MIN,
    };
}

static size_t seal(const struct spean_unlock *unlock, uint8_t package[PACKAGE_BYTES])
{
    struct spean_wrap wrap;
    uint8_t key[SPEAN_KEY_BYTES];
    size_t len = 0;
    assert_int_equal(spean_wrap_new(DOMAIN, unlock, &wrap, key), SPEAN_OK);
    assert_int_equal(spean_wrap_seal(DOMAIN, &wrap, key, content, package, PACKAGE_BYTES, &len),
                     SPEAN_OK);
    return len;
}

static spean_err open_as(const char *domain, const uint8_t *package, size_t len,
                         const struct spean_unlock *unlock)
{
    struct spean_wrap wrap;
    uint8_t key[SPEAN_KEY_BYTES];
    uint8_t buf[PACKAGE_BYTES];
    size_t content_len = 0;
    const spean_err err = spean_wrap_open(domain, (struct spean_view){package, len}, unlock, &wrap,
                                          key, buf, sizeof(buf), &content_len);
    if (err == SPEAN_OK) {
        assert_int_equal(content_len, sizeof(content_bytes));
        assert_memory_equal(buf, content_bytes, sizeof(content_bytes));
    }
    return err;
}

static void the_credential_opens_what_it_sealed(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const size_t len = seal(&credential, package);
    assert_true(len <= content.len + SPEAN_WRAP_EXTRA_BYTES_MAX);
    assert_int_equal(open_as(DOMAIN, package, len, &credential), SPEAN_OK);
}

static void only_the_passphrase_opens_what_it_sealed(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const struct spean_unlock right = passphrase("spean\xe1\x9e\x9f\xe1\x9f\x92");
    const struct spean_unlock wrong = passphrase("spean");
    const size_t len = seal(&right, package);
    assert_int_equal(open_as(DOMAIN, package, len, &right), SPEAN_OK);
    assert_int_equal(open_as(DOMAIN, package, len, &wrong), SPEAN_EPASSPHRASE);
    assert_int_equal(open_as(DOMAIN, package, len, &credential), SPEAN_ESTATE);
}

static void another_credential_opens_nothing(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const size_t len = seal(&credential, package);
    for (size_t i = 0; i < SPEAN_WRAP_CREDENTIAL_BYTES; i += 31) {
        uint8_t other[SPEAN_WRAP_CREDENTIAL_BYTES];
        (void)memcpy(other, credential_bytes, sizeof(other));
        other[i] ^= 1;
        struct spean_unlock unlock = credential;
        unlock.bytes.data = other;
        assert_int_equal(open_as(DOMAIN, package, len, &unlock), SPEAN_EPASSPHRASE);
    }
}

static void a_package_of_one_kind_does_not_open_as_another(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const size_t len = seal(&credential, package);
    assert_int_equal(open_as("spean/other/1", package, len, &credential), SPEAN_EPASSPHRASE);
}

static void the_same_content_never_looks_the_same(void **state)
{
    (void)state;
    struct spean_wrap wrap;
    uint8_t key[SPEAN_KEY_BYTES];
    uint8_t first[PACKAGE_BYTES];
    uint8_t second[PACKAGE_BYTES];
    size_t len = 0;
    assert_int_equal(spean_wrap_new(DOMAIN, &credential, &wrap, key), SPEAN_OK);
    assert_int_equal(spean_wrap_seal(DOMAIN, &wrap, key, content, first, PACKAGE_BYTES, &len),
                     SPEAN_OK);
    assert_int_equal(spean_wrap_seal(DOMAIN, &wrap, key, content, second, PACKAGE_BYTES, &len),
                     SPEAN_OK);
    assert_memory_not_equal(first + len - content.len, second + len - content.len, content.len);
}

static void a_package_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const size_t len = seal(&credential, package);
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(open_as(DOMAIN, package, cut, &credential), SPEAN_EFORMAT);
    }
    package[len] = 0;
    assert_int_equal(open_as(DOMAIN, package, len + 1, &credential), SPEAN_EFORMAT);
}

static void a_package_with_any_byte_changed_is_refused(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const size_t len = seal(&credential, package);
    for (size_t i = 0; i < len; i++) {
        package[i] ^= 0x40;
        assert_int_not_equal(open_as(DOMAIN, package, len, &credential), SPEAN_OK);
        package[i] ^= 0x40;
    }
    package[len - 1] ^= 1;
    assert_int_equal(open_as(DOMAIN, package, len, &credential), SPEAN_ECORRUPT);
}

/* Open a box by hand with [domain, number] or [domain, number, more] as additional data. */
static void expect_opens(uint8_t *out, size_t cap, const uint8_t key[SPEAN_KEY_BYTES],
                         const uint8_t nonce[SPEAN_AEAD_NONCE_BYTES], uint64_t number,
                         struct spean_view more, struct spean_view box)
{
    uint8_t buf[PACKAGE_BYTES];
    struct spean_view ad = {0};
    struct spean_writer w;
    spean_writer_init(&w, buf, sizeof(buf));
    spean_writer_array(&w, more.len > 0 ? 3 : 2);
    spean_writer_str(&w, DOMAIN, strlen(DOMAIN));
    spean_writer_uint(&w, number);
    spean_writer_raw(&w, more);
    assert_int_equal(spean_writer_end(&w, &ad), SPEAN_OK);
    assert_int_equal(spean_aead_open(out, cap, key, nonce, ad, box), SPEAN_OK);
}

static void the_package_is_what_the_header_says(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const size_t len = seal(&credential, package);
    struct spean_reader r;
    spean_reader_init(&r, (struct spean_view){package, len});
    assert_int_equal(spean_reader_array(&r, 4, 4), 4);
    assert_int_equal(spean_reader_uint(&r, 9), 1);
    const struct spean_reader wrap_start = r;
    const struct spean_view wrap = spean_reader_value(&r, PACKAGE_BYTES);
    const struct spean_view nonce =
        spean_reader_bin(&r, SPEAN_AEAD_NONCE_BYTES, SPEAN_AEAD_NONCE_BYTES);
    const struct spean_view box = spean_reader_bin(&r, 0, PACKAGE_BYTES);
    assert_int_equal(spean_reader_end(&r), SPEAN_OK);

    struct spean_reader inner = wrap_start;
    uint8_t wrap_nonce[SPEAN_AEAD_NONCE_BYTES];
    assert_int_equal(spean_reader_array(&inner, 3, 3), 3);
    assert_int_equal(spean_reader_uint(&inner, 9), SPEAN_UNLOCK_CREDENTIAL);
    spean_reader_bin_fixed(&inner, wrap_nonce, sizeof(wrap_nonce));
    const struct spean_view wrapped = spean_reader_bin(&inner, 48, 48);
    assert_false(spean_reader_failed(&inner));

    uint8_t derived[SPEAN_KEY_BYTES];
    uint8_t key[SPEAN_KEY_BYTES];
    uint8_t plain[PACKAGE_BYTES];
    struct spean_hash h;
    spean_hash_begin_keyed(&h, "spean/store-credential/1", credential_bytes,
                           sizeof(credential_bytes), sizeof(derived));
    spean_hash_end(&h, derived, sizeof(derived));
    expect_opens(key, sizeof(key), derived, wrap_nonce, 2, (struct spean_view){0}, wrapped);
    expect_opens(plain, sizeof(plain), key, nonce.data, 1, wrap, box);
    assert_memory_equal(plain, content_bytes, sizeof(content_bytes));
}

/* A package of another version, or of other costs, that nobody sealed. */
static size_t forge(uint64_t version, uint64_t ops, uint64_t mib, uint8_t package[PACKAGE_BYTES])
{
    static const uint8_t zero[64] = {0};
    struct spean_writer w;
    spean_writer_init(&w, package, PACKAGE_BYTES);
    spean_writer_array(&w, 4);
    spean_writer_uint(&w, version);
    spean_writer_array(&w, 6);
    spean_writer_uint(&w, SPEAN_UNLOCK_PASSPHRASE);
    spean_writer_uint(&w, ops);
    spean_writer_uint(&w, mib);
    spean_writer_bin(&w, zero, SPEAN_WRAP_SALT_BYTES);
    spean_writer_bin(&w, zero, SPEAN_AEAD_NONCE_BYTES);
    spean_writer_bin(&w, zero, SPEAN_KEY_BYTES + SPEAN_AEAD_TAG_BYTES);
    spean_writer_bin(&w, zero, SPEAN_AEAD_NONCE_BYTES);
    spean_writer_bin(&w, zero, 64);
    struct spean_view out = {0};
    assert_int_equal(spean_writer_end(&w, &out), SPEAN_OK);
    return out.len;
}

static void absurd_costs_are_refused_before_they_are_paid(void **state)
{
    (void)state;
    static const struct {
        uint64_t ops;
        uint64_t mib;
    } rows[] = {
        {SPEAN_WRAP_OPS_MIN - 1, SPEAN_WRAP_MIB_MIN},
        {SPEAN_WRAP_OPS_MAX + 1, SPEAN_WRAP_MIB_MIN},
        {SPEAN_WRAP_OPS_MIN, SPEAN_WRAP_MIB_MIN - 1},
        {SPEAN_WRAP_OPS_MIN, SPEAN_WRAP_MIB_MAX + 1},
        {UINT32_MAX, SPEAN_WRAP_MIB_MIN},
        {SPEAN_WRAP_OPS_MIN, UINT32_MAX},
        {UINT64_MAX, UINT64_MAX},
        {0, 0},
    };
    const struct spean_unlock unlock = passphrase("x");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t package[PACKAGE_BYTES];
        const size_t len = forge(1, rows[i].ops, rows[i].mib, package);
        assert_int_equal(open_as(DOMAIN, package, len, &unlock), SPEAN_ELIMIT);
    }
}

static void a_newer_package_is_refused_by_name(void **state)
{
    (void)state;
    uint8_t package[PACKAGE_BYTES];
    const struct spean_unlock unlock = passphrase("x");
    const size_t len = forge(2, SPEAN_WRAP_OPS_MIN, SPEAN_WRAP_MIB_MIN, package);
    assert_int_equal(open_as(DOMAIN, package, len, &unlock), SPEAN_EVERSION);
    const size_t old_len = forge(0, SPEAN_WRAP_OPS_MIN, SPEAN_WRAP_MIB_MIN, package);
    assert_int_equal(open_as(DOMAIN, package, old_len, &unlock), SPEAN_EFORMAT);
}

static void what_cannot_unlock_anything_is_refused(void **state)
{
    (void)state;
    static const uint8_t bytes[SPEAN_WRAP_PASSPHRASE_BYTES_MAX + 1] = {0};
    const struct spean_unlock rows[] = {
        {.kind = SPEAN_UNLOCK_PASSPHRASE, .bytes = {bytes, 0}},
        {.kind = SPEAN_UNLOCK_PASSPHRASE, .bytes = {bytes, sizeof(bytes)}},
        {.kind = SPEAN_UNLOCK_PASSPHRASE, .bytes = {bytes, 8}, .ops = SPEAN_WRAP_OPS_MAX + 1},
        {.kind = SPEAN_UNLOCK_PASSPHRASE, .bytes = {bytes, 8}, .mib = SPEAN_WRAP_MIB_MIN - 1},
        {.kind = SPEAN_UNLOCK_CREDENTIAL, .bytes = {bytes, SPEAN_WRAP_CREDENTIAL_BYTES - 1}},
        {.kind = SPEAN_UNLOCK_CREDENTIAL, .bytes = {bytes, SPEAN_WRAP_CREDENTIAL_BYTES + 1}},
        {.bytes = {bytes, SPEAN_WRAP_CREDENTIAL_BYTES}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spean_wrap wrap;
        uint8_t key[SPEAN_KEY_BYTES];
        assert_int_equal(spean_wrap_new(DOMAIN, &rows[i], &wrap, key), SPEAN_EINPUT);
    }
}

static void buffers_that_are_too_small_are_refused(void **state)
{
    (void)state;
    struct spean_wrap wrap;
    uint8_t key[SPEAN_KEY_BYTES];
    uint8_t package[PACKAGE_BYTES];
    uint8_t buf[PACKAGE_BYTES];
    size_t len = 0;
    size_t ignored = 0;
    assert_int_equal(spean_wrap_new(DOMAIN, &credential, &wrap, key), SPEAN_OK);
    assert_int_equal(spean_wrap_seal(DOMAIN, &wrap, key, content, package, PACKAGE_BYTES, &len),
                     SPEAN_OK);
    assert_int_equal(spean_wrap_seal(DOMAIN, &wrap, key, content, package, len - 1, &ignored),
                     SPEAN_ELIMIT);
    assert_int_equal(spean_wrap_seal(DOMAIN, &wrap, key, content, package, len, &len), SPEAN_OK);
    assert_int_equal(spean_wrap_open(DOMAIN, (struct spean_view){package, len}, &credential, &wrap,
                                     key, buf, content.len - 1, &ignored),
                     SPEAN_ELIMIT);
    static const uint8_t big[SPEAN_WRAP_CONTENT_BYTES_MAX + 1] = {0};
    static uint8_t big_package[sizeof(big) + SPEAN_WRAP_EXTRA_BYTES_MAX];
    assert_int_equal(spean_wrap_seal(DOMAIN, &wrap, key, (struct spean_view){big, sizeof(big)},
                                     big_package, sizeof(big_package), &ignored),
                     SPEAN_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_credential_opens_what_it_sealed),
        cmocka_unit_test(only_the_passphrase_opens_what_it_sealed),
        cmocka_unit_test(another_credential_opens_nothing),
        cmocka_unit_test(a_package_of_one_kind_does_not_open_as_another),
        cmocka_unit_test(the_same_content_never_looks_the_same),
        cmocka_unit_test(a_package_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_package_with_any_byte_changed_is_refused),
        cmocka_unit_test(the_package_is_what_the_header_says),
        cmocka_unit_test(absurd_costs_are_refused_before_they_are_paid),
        cmocka_unit_test(a_newer_package_is_refused_by_name),
        cmocka_unit_test(what_cannot_unlock_anything_is_refused),
        cmocka_unit_test(buffers_that_are_too_small_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
