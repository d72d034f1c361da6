#include "tests/unit/tools/orgkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "protocol/sign.h"
#include "protocol/text.h"
#include "tests/unit/tools/clikit.h"

#define HEX_TURNS 3u

static char hex_buf[HEX_TURNS][2 * SPEAN_DOCUMENT_ENCODED_BYTES_MAX + 1];

const char *orgkit_hex(const uint8_t *bytes, size_t len)
{
    static size_t turn;
    char *const out = hex_buf[turn++ % HEX_TURNS];
    spean_text_hex_encode(out, sizeof(hex_buf[0]), (struct spean_view){bytes, len});
    return out;
}

/* Version 1, signed by the admin key. */
static void statement_first(struct orgkit *kit)
{
    struct spean_key admin;
    struct spean_key sealing;
    struct spean_id recovery;
    uint8_t body_buf[SPEAN_DOCUMENT_BYTES_MAX];
    struct spean_view body;
    struct spean_document doc;
    spean_sign_public(&admin, spean_adminkey_admin_seed(kit->admin));
    randombytes_buf(sealing.bytes, sizeof(sealing.bytes));
    randombytes_buf(recovery.bytes, sizeof(recovery.bytes));
    const struct spean_statement_draft draft = {
        .version = 1,
        .threshold = 1,
        .admins_count = 1,
        .admins = &admin,
        .recovery = &recovery,
        .generation = 1,
        .sealing = &sealing,
    };
    assert_int_equal(spean_statement_compose(&draft, body_buf, sizeof(body_buf), &body), SPEAN_OK);
    assert_int_equal(spean_document_begin(&doc, body), SPEAN_OK);
    assert_int_equal(spean_document_sign(&doc, spean_adminkey_admin_seed(kit->admin)), SPEAN_OK);
    assert_int_equal(spean_document_encode(&doc, kit->first, sizeof(kit->first), &kit->first_bytes),
                     SPEAN_OK);
    spean_adminkey_set_org(kit->admin, &doc.id);
}

void orgkit_make(struct orgkit *kit)
{
    assert_int_equal(spean_adminkey_new(&kit->admin), SPEAN_OK);
    randombytes_buf(kit->signing_seed, sizeof(kit->signing_seed));
    spean_sign_public(&kit->node.signing, kit->signing_seed);
    randombytes_buf(kit->node.sealing.bytes, SPEAN_KEY_BYTES);
    randombytes_buf(kit->node.transport.bytes, SPEAN_KEY_BYTES);
    statement_first(kit);
}

void orgkit_fini(struct orgkit *kit)
{
    spean_adminkey_free(kit->admin);
}

void orgkit_save(const struct orgkit *kit, const char *folder)
{
    char path[160];
    const struct spean_unlock unlock = {
        .kind = SPEAN_UNLOCK_PASSPHRASE,
        .bytes = {(const uint8_t *)ORGKIT_SECRET, strlen(ORGKIT_SECRET)},
        .ops = SPEAN_WRAP_OPS_MIN,
        .mib = SPEAN_WRAP_MIB_MIN,
    };
    scratch_write(folder, "secret", ORGKIT_SECRET "\n", path, sizeof(path));
    assert_true(snprintf(path, sizeof(path), "%s/admin.key", folder) < (int)sizeof(path));
    assert_int_equal(spean_adminkey_write(kit->admin, path, &unlock), SPEAN_OK);
}

json_t *orgkit_node(const struct orgkit *kit, json_t *more)
{
    json_t *const chain = json_pack("[s]", orgkit_hex(kit->first_bytes.data, kit->first_bytes.len));
    assert_non_null(chain);
    assert_int_equal(more == NULL ? 0 : json_array_extend(chain, more), 0);
    json_t *const node = json_pack("{s:o,s:b}", "statement", chain, "in_ledger", 0);
    assert_non_null(node);
    const struct {
        const char *key;
        const uint8_t *bytes;
    } rows[] = {{"org", spean_adminkey_org(kit->admin)->bytes},
                {"signing", kit->node.signing.bytes},
                {"sealing", kit->node.sealing.bytes},
                {"transport", kit->node.transport.bytes}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            json_object_set_new(node, rows[i].key, json_string(orgkit_hex(rows[i].bytes, 32))), 0);
    }
    return node;
}

json_t *orgkit_accept(struct orgkit *kit, const struct spean_handle *handle)
{
    spean_statement_accept(&kit->node, spean_adminkey_org(kit->admin), handle, kit->signing_seed);
    json_t *const answer =
        json_pack("{s:s}", "acceptance",
                  orgkit_hex(kit->node.acceptance.bytes, sizeof(kit->node.acceptance.bytes)));
    assert_non_null(answer);
    return answer;
}

json_t *orgkit_opened(struct orgkit *kit, const struct spean_handle *handle)
{
    struct spean_composed second;
    json_t *const node = orgkit_node(kit, NULL);
    json_t *const acceptance = orgkit_accept(kit, handle);
    assert_int_equal(spean_compose_node(kit->admin, node, handle, acceptance, &second), SPEAN_OK);
    json_t *const chain = json_incref(json_object_get(node, "statement"));
    assert_int_equal(json_array_append_new(chain, second.hex), 0);
    json_decref(node);
    json_decref(acceptance);
    return chain;
}

void orgkit_decode(const json_t *value, uint8_t *buf, struct spean_document *doc)
{
    const char *const hex = json_string_value(value);
    assert_non_null(hex);
    const size_t len = strlen(hex) / 2;
    assert_true(len <= SPEAN_DOCUMENT_ENCODED_BYTES_MAX);
    assert_int_equal(
        spean_text_hex_decode(buf, len, (struct spean_view){(const uint8_t *)hex, strlen(hex)}),
        SPEAN_OK);
    assert_int_equal(spean_document_decode(doc, (struct spean_view){buf, len}), SPEAN_OK);
}
