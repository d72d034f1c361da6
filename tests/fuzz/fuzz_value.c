/*
 * Values of records, which come from any partner: the first byte chooses what they are taken for.
 * Each field of the schema shows any canonical value as JSON; one that fits the field is read
 * back from there to the same bytes, or, like a time behind the year 9999, not at all. Terms of a
 * consent, steps of a referral and endpoints that are accepted can be asked everything.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "node/endpoint.h"
#include "node/json_value.h"
#include "protocol/change.h"
#include "protocol/consent.h"
#include "protocol/referral.h"
#include "protocol/schema.h"
#include "protocol/writer.h"
#include "tests/fuzz/fuzz.h"

static void check_shown(const struct spean_schema_field *field, struct spean_view value)
{
    json_t *json = NULL;
    spean_err err = spean_json_value_show(&field->value, value, &json);
    if (err != SPEAN_OK) {
        assert(err == SPEAN_EFORMAT);
        err = spean_value_check(value);
        assert(err != SPEAN_OK);
        return;
    }
    assert(json != NULL);
    /* Nil clears a field, and is no value of it. */
    if (!json_is_null(json) && spean_schema_check_value(field, value) == SPEAN_OK) {
        static uint8_t buf[SPEAN_VALUE_BYTES_MAX];
        struct spean_json_why why;
        struct spean_writer w;
        struct spean_view again = {0};
        spean_writer_init(&w, buf, sizeof(buf));
        err = spean_json_value_encode(&w, &field->value, "value", json, &why);
        assert(err == SPEAN_OK || err == SPEAN_EINPUT);
        if (err == SPEAN_OK) {
            err = spean_writer_end(&w, &again);
            assert(err == SPEAN_OK);
            assert(again.len == value.len);
            assert(memcmp(again.data, value.data, value.len) == 0);
        }
    }
    json_decref(json);
}

static void check_terms(struct spean_view value)
{
    static const struct spean_id org = {{7}};
    static const uint8_t code[] = "ngo";
    const struct spean_view kind = {code, sizeof(code) - 1};
    const struct spean_recipient who = {.org = &org, .kind = kind};
    const struct spean_day today = {.year = 2026, .month = 11, .day = 22};
    struct spean_consent_terms terms;
    if (spean_consent_terms_decode(&terms, value) != SPEAN_OK) {
        return;
    }
    (void)spean_consent_covers(&terms, &who);
    (void)spean_consent_has_section(&terms, kind);
    (void)spean_consent_withholds(&terms.withhold_from, 1, &who);
    (void)spean_consent_is_in_force(&terms, kind, false, &today);
    const bool withdrawn = spean_consent_is_in_force(&terms, kind, true, &today);
    assert(!withdrawn);
}

/* What one says twice is as if it were said once; beside what cannot be read, nothing is allowed.
 */
static void check_contact(struct spean_view value)
{
    static const uint8_t nothing[] = {0xc1};
    const struct spean_view twice[] = {value, value};
    const struct spean_view unreadable[] = {value, {nothing, sizeof(nothing)}};
    const struct spean_safe_contact contact = spean_consent_safe_contact(twice, 1);
    const struct spean_safe_contact again = spean_consent_safe_contact(twice, 2);
    const struct spean_safe_contact denied = spean_consent_safe_contact(unreadable, 2);
    assert(again.is_safe == contact.is_safe);
    assert(again.may_leave_message == contact.may_leave_message);
    assert(!denied.is_safe && !denied.may_leave_message);
}

static void check_step(struct spean_view value)
{
    struct spean_referral_item item = {0};
    if (spean_referral_item_decode(&item, value) == SPEAN_OK) {
        assert(item.step <= SPEAN_STEP_UNKNOWN);
        assert(item.follows_count <= SPEAN_REFERRAL_FOLLOWS_MAX);
    }
}

static void check_endpoint(struct spean_view element)
{
    struct spean_node_endpoint endpoint;
    struct spean_node_endpoint read;
    uint8_t buf[SPEAN_NODE_ENDPOINT_BYTES_MAX];
    if (!spean_endpoint_read(element, &endpoint)) {
        return;
    }
    struct spean_view again = {0};
    const spean_err err = spean_endpoint_write(&endpoint, buf, sizeof(buf), &again);
    assert(err == SPEAN_OK);
    const bool readable = spean_endpoint_read(again, &read);
    assert(readable);
    assert(spean_key_equal(&read.node, &endpoint.node));
    assert(strcmp(read.address, endpoint.address) == 0);
    assert(strcmp(read.name, endpoint.name) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct spean_view) = {check_terms, check_contact, check_step,
                                                        check_endpoint};
    size_t fields_count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&fields_count);
    if (size == 0) {
        return 0;
    }
    const struct spean_view value = {data + 1, size - 1};
    const size_t checks_count = sizeof(checks) / sizeof(checks[0]);
    if (data[0] < checks_count) {
        checks[data[0]](value);
    } else {
        check_shown(&fields[(data[0] - checks_count) % fields_count], value);
    }
    return 0;
}
