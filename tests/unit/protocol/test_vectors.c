/* The bytes of tests/vectors/ about hashes, encodings, bodies, the schema and joining. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/aead.h"
#include "protocol/body.h"
#include "protocol/hash.h"
#include "protocol/invite.h"
#include "protocol/join.h"
#include "protocol/padme.h"
#include "protocol/pair.h"
#include "protocol/partkey.h"
#include "protocol/reader.h"
#include "protocol/schema.h"
#include "protocol/sign.h"
#include "protocol/writer.h"
#include "tests/support/vectorkit.h"

static void hashes_are_under_their_domains(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("hashes.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "hashes"), i, v)
    {
        const struct spean_view msg = vector_bytes(kit, v, "message");
        uint8_t out[SPEAN_ID_BYTES];
        spean_hash(out, 32, vector_text(v, "domain"), msg.data, msg.len);
        assert_vector(v, "h", out, 32);
        spean_hash(out, 16, vector_text(v, "domain"), msg.data, msg.len);
        assert_vector(v, "h16", out, 16);
        assert_vector(v, "h8", out, 8);
    }
    json_array_foreach(vectorkit_list(kit, "macs"), i, v)
    {
        const struct spean_view msg = vector_bytes(kit, v, "message");
        const struct spean_view key = vector_bytes(kit, v, "key");
        uint8_t out[SPEAN_ID_BYTES];
        struct spean_hash h;
        spean_hash_begin_keyed(&h, vector_text(v, "domain"), key.data, key.len, sizeof(out));
        spean_hash_update(&h, msg.data, msg.len);
        spean_hash_end(&h, out, sizeof(out));
        assert_vector(v, "mac", out, sizeof(out));
    }
    vectorkit_close(kit);
}

static void signatures_are_under_their_domains(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("hashes.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "signatures"), i, v)
    {
        const struct spean_view msg = vector_bytes(kit, v, "message");
        const struct spean_view seed = vector_bytes(kit, v, "seed");
        struct spean_key key;
        struct spean_signature sig;
        spean_sign_public(&key, seed.data);
        assert_vector(v, "public", key.bytes, sizeof(key.bytes));
        spean_sign(&sig, vector_text(v, "domain"), msg, seed.data);
        assert_vector(v, "signature", sig.bytes, sizeof(sig.bytes));
        assert_int_equal(spean_verify(&sig, vector_text(v, "domain"), msg, &key), SPEAN_OK);
        assert_int_equal(spean_verify(&sig, SPEAN_DOMAIN_TEST, msg, &key), SPEAN_ESIGNATURE);
    }
    vectorkit_close(kit);
}

static void both_sides_of_a_pair_derive_its_key(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("hashes.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "pairs"), i, v)
    {
        const struct spean_key one = vector_key(v, "public");
        const struct spean_key other = vector_key(v, "other_public");
        const struct spean_view secret = vector_bytes(kit, v, "secret");
        const struct spean_view other_secret = vector_bytes(kit, v, "other_secret");
        uint8_t key[SPEAN_KEY_BYTES];
        const char *const domain = vector_text(v, "domain");
        assert_int_equal(spean_pair_key(key, domain, secret.data, &one, &other), SPEAN_OK);
        assert_vector(v, "pair_key", key, sizeof(key));
        assert_int_equal(spean_pair_key(key, domain, other_secret.data, &other, &one), SPEAN_OK);
        assert_vector(v, "pair_key", key, sizeof(key));
    }
    vectorkit_close(kit);
}

static void what_is_sealed_has_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("hashes.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "seals"), i, v)
    {
        const struct spean_view plain = vector_bytes(kit, v, "plain");
        uint8_t out[256];
        assert_int_equal(spean_aead_seal(out, sizeof(out), vector_bytes(kit, v, "key").data,
                                         vector_bytes(kit, v, "nonce").data,
                                         vector_bytes(kit, v, "associated"), plain),
                         SPEAN_OK);
        assert_vector(v, "sealed", out, plain.len + SPEAN_AEAD_TAG_BYTES);
    }
    vectorkit_close(kit);
}

static void write_token(struct vectorkit *kit, struct spean_writer *w, const json_t *token)
{
    const char *const what = json_string_value(json_array_get(token, 0));
    const json_t *const value = json_array_get(token, 1);
    const char *const text = json_string_value(value);
    if (strcmp(what, "nil") == 0) {
        spean_writer_nil(w);
    } else if (strcmp(what, "bool") == 0) {
        spean_writer_bool(w, strcmp(text, "true") == 0);
    } else if (strcmp(what, "uint") == 0) {
        spean_writer_uint(w, strtoull(text, NULL, 10));
    } else if (strcmp(what, "int") == 0) {
        spean_writer_int(w, strtoll(text, NULL, 10));
    } else if (strcmp(what, "bin") == 0) {
        const struct spean_view bytes = vector_hex(kit, value);
        spean_writer_bin(w, bytes.data, bytes.len);
    } else if (strcmp(what, "str") == 0) {
        spean_writer_str(w, text, json_string_length(value));
    } else if (strcmp(what, "array") == 0) {
        spean_writer_array(w, (uint32_t)strtoul(text, NULL, 10));
    } else {
        assert_string_equal(what, "map");
        spean_writer_map(w, (uint32_t)strtoul(text, NULL, 10));
    }
}

static void values_have_one_encoding(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("msgpack.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "values"), i, v)
    {
        struct spean_writer w;
        vectorkit_writer(kit, &w);
        size_t k;
        json_t *token;
        json_array_foreach(vector_list(v, "tokens"), k, token)
        {
            write_token(kit, &w, token);
        }
        struct spean_view out;
        assert_int_equal(spean_writer_end(&w, &out), SPEAN_OK);
        assert_vector_view(v, "encoded", out);
        struct spean_reader r;
        spean_reader_init(&r, out);
        assert_int_equal(spean_reader_value(&r, out.len).len, out.len);
        assert_int_equal(spean_reader_end(&r), SPEAN_OK);
    }
    vectorkit_close(kit);
}

static void every_other_encoding_is_refused(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("msgpack.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "refused"), i, v)
    {
        const struct spean_view bytes = vector_bytes(kit, v, "encoded");
        struct spean_reader r;
        spean_reader_init(&r, bytes);
        (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        assert_refused(v, spean_reader_end(&r));
    }
    vectorkit_close(kit);
}

static void padding_grows_in_steps(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("bodies.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "padded"), i, v)
    {
        assert_int_equal(spean_padme_len(vector_uint(v, "content")), vector_uint(v, "padded"));
    }
    vectorkit_close(kit);
}

static void bodies_have_the_vectors_bytes(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("bodies.json");
    uint8_t *const buf = vectorkit_alloc(kit, SPEAN_BODY_BYTES_MAX, 1);
    struct spean_view out;
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "public"), i, v)
    {
        assert_int_equal(spean_body_wrap(buf, SPEAN_BODY_BYTES_MAX,
                                         vector_bytes(kit, v, "salt").data,
                                         vector_bytes(kit, v, "content"), &out),
                         SPEAN_OK);
        assert_vector_view(v, "body", out);
    }
    json_array_foreach(vectorkit_list(kit, "sealed"), i, v)
    {
        const struct spean_id log = vector_id(v, "log");
        const struct spean_tag tag = vector_tag(v, "tag");
        const struct spean_keyed_part part = {vector_record(v, "record"), vector_uint(v, "part")};
        const struct spean_view key = vector_bytes(kit, v, "key");
        const uint64_t seq = vector_uint(v, "seq");
        assert_int_equal(spean_body_seal(buf, SPEAN_BODY_BYTES_MAX, key.data,
                                         vector_bytes(kit, v, "nonce").data, &log, seq, &tag,
                                         vector_bytes(kit, v, "content"), &out),
                         SPEAN_OK);
        assert_vector_view(v, "body", out);
        uint8_t *const opened = vectorkit_alloc(kit, out.len, 1);
        struct spean_view content;
        assert_int_equal(
            spean_body_open(opened, out.len, key.data, &part, &log, seq, &tag, out, &content),
            SPEAN_OK);
        assert_vector_view(v, "content", content);
    }
    vectorkit_close(kit);
}

static void a_part_key_has_another_tag_in_each_log(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("bodies.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "partkeys"), i, v)
    {
        const struct spean_id log = vector_id(v, "log");
        struct spean_id proof;
        struct spean_id commitment;
        struct spean_tag tag;
        const struct spean_keyed_part part = {vector_record(v, "record"), vector_uint(v, "part")};
        spean_partkey_proof(&proof, vector_bytes(kit, v, "key").data, &part);
        assert_vector(v, "proof", proof.bytes, sizeof(proof.bytes));
        spean_partkey_commitment(&commitment, &proof, &log);
        assert_vector(v, "commitment", commitment.bytes, sizeof(commitment.bytes));
        spean_partkey_tag(&tag, &proof, &log);
        assert_vector(v, "tag", tag.bytes, sizeof(tag.bytes));
    }
    vectorkit_close(kit);
}

static void the_schema_is_that_of_its_document(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("schema.json");
    const json_t *const top = vectorkit_top(kit);
    size_t count = 0;
    const struct spean_schema_field *const fields = spean_schema_fields(&count);
    assert_int_equal(count, vector_count(top, "fields"));
    size_t i;
    json_t *row;
    json_array_foreach(vectorkit_list(kit, "fields"), i, row)
    {
        const unsigned ours[] = {fields[i].type, fields[i].number, fields[i].kind, fields[i].writer,
                                 fields[i].part};
        for (size_t k = 0; k < 5; k++) {
            assert_int_equal(ours[k], json_integer_value(json_array_get(row, k)));
        }
    }
    struct spean_id hash;
    spean_schema_hash(&hash);
    assert_vector(top, "hash", hash.bytes, sizeof(hash.bytes));

    const json_t *const v = json_object_get(top, "consent_terms");
    const struct spean_record_id consent = vector_record(v, "consent");
    spean_schema_terms_hash(&hash, &consent, vector_bytes(kit, v, "terms"));
    assert_vector(v, "hash", hash.bytes, sizeof(hash.bytes));
    vectorkit_close(kit);
}

static void invitations_have_the_vectors_text(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("joining.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "invitations"), i, v)
    {
        struct spean_invite invite = {
            .handle = vector_handle(v, "handle"),
            .transport = vector_key(v, "transport"),
            .expires = (uint32_t)vector_uint(v, "expires"),
            .node = vector_has(v, "org"),
        };
        if (invite.node) {
            invite.org = vector_id(v, "org");
        }
        vector_fixed(v, "secret", invite.secret, sizeof(invite.secret));
        const struct spean_view endpoint = vector_str(v, "endpoint");
        assert_true(endpoint.len < sizeof(invite.endpoint));
        memcpy(invite.endpoint, endpoint.data, endpoint.len);
        char text[SPEAN_INVITE_TEXT_LEN_MAX + 1];
        assert_int_equal(spean_invite_encode(text, &invite), SPEAN_OK);
        assert_string_equal(text, vector_text(v, "text"));
    }
    vectorkit_close(kit);
}

static void macs_and_digits_of_joining_are_the_vectors(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("joining.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "joins"), i, v)
    {
        const struct spean_join join = {
            .handle = vector_handle(v, "handle"),
            .inviter = vector_key(v, "inviter"),
            .newcomer = vector_key(v, "newcomer"),
            .statement = vector_id(v, "statement"),
        };
        uint8_t mac[SPEAN_JOIN_MAC_BYTES];
        spean_join_mac(mac, &join, vector_bytes(kit, v, "secret").data);
        assert_vector(v, "mac", mac, sizeof(mac));
        const struct spean_view fresh = vector_bytes(kit, v, "fresh");
        char digits[SPEAN_JOIN_LETTER_LEN + 1];
        spean_join_digits(digits, &join, fresh.data);
        assert_string_equal(digits, vector_text(v, "digits"));
        spean_join_letter_digits(digits, &join, fresh.data);
        assert_string_equal(digits, vector_text(v, "letter_digits"));
    }
    vectorkit_close(kit);
}

static void a_further_node_joins_by_the_vectors_hash_mac_and_digits(void **state)
{
    (void)state;
    struct vectorkit *const kit = vectorkit_open("joining.json");
    size_t i;
    json_t *v;
    json_array_foreach(vectorkit_list(kit, "nodes"), i, v)
    {
        struct spean_statement_node node = {.signing = vector_key(v, "signing"),
                                            .sealing = vector_key(v, "sealing"),
                                            .transport = vector_key(v, "newcomer")};
        vector_fixed(v, "acceptance", node.acceptance.bytes, sizeof(node.acceptance.bytes));
        const struct spean_id org = vector_id(v, "org");
        const struct spean_join join = {
            .handle = vector_handle(v, "handle"),
            .inviter = vector_key(v, "inviter"),
            .newcomer = node.transport,
            .statement = spean_join_node(&org, &node),
        };
        assert_vector(v, "hash", join.statement.bytes, sizeof(join.statement.bytes));
        assert_int_equal(spean_statement_accepted(&node, &org, &join.handle), SPEAN_OK);
        uint8_t mac[SPEAN_JOIN_MAC_BYTES];
        spean_join_mac(mac, &join, vector_bytes(kit, v, "secret").data);
        assert_vector(v, "mac", mac, sizeof(mac));
        char digits[SPEAN_JOIN_DIGITS_LEN + 1];
        spean_join_digits(digits, &join, vector_bytes(kit, v, "fresh").data);
        assert_string_equal(digits, vector_text(v, "digits"));
    }
    vectorkit_close(kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_under_their_domains),
        cmocka_unit_test(signatures_are_under_their_domains),
        cmocka_unit_test(both_sides_of_a_pair_derive_its_key),
        cmocka_unit_test(what_is_sealed_has_the_vectors_bytes),
        cmocka_unit_test(values_have_one_encoding),
        cmocka_unit_test(every_other_encoding_is_refused),
        cmocka_unit_test(padding_grows_in_steps),
        cmocka_unit_test(bodies_have_the_vectors_bytes),
        cmocka_unit_test(a_part_key_has_another_tag_in_each_log),
        cmocka_unit_test(the_schema_is_that_of_its_document),
        cmocka_unit_test(invitations_have_the_vectors_text),
        cmocka_unit_test(macs_and_digits_of_joining_are_the_vectors),
        cmocka_unit_test(a_further_node_joins_by_the_vectors_hash_mac_and_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
