/* Which record somebody means: a whole id, the beginning of one, or a short code. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "node/records.h"
#include "protocol/caseid.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/text.h"

#define RECORD_DIGITS ((uint32_t)(2 * SPEAN_RECORD_ID_BYTES))
#define ORG_DIGITS    ((uint32_t)(2 * SPEAN_ID_BYTES))

/* What was found so far. */
struct found {
    struct spean_record_id record;
    uint32_t count;
};

static void add_found(struct found *found, const struct spean_record_id *record)
{
    if (found->count > 0 && spean_record_id_equal(&found->record, record)) {
        return; /* A draft that was sent is a record too, for a moment. */
    }
    found->record = *record;
    found->count++;
}

/* Whether text is hex digits, and not more than max of them. */
static bool is_prefix(const char *text, size_t max)
{
    const size_t len = strlen(text);
    return len >= SPEAN_RECORDS_PREFIX_MIN && len <= max && strspn(text, "0123456789abcdef") == len;
}

static bool is_of_type(const struct spean_records *at, const struct spean_record_id *record,
                       uint64_t type)
{
    struct spean_record *held = NULL;
    struct spean_record_info info = {.type = 0};
    if (spean_record_get(at->view.tx, at->view.keys, record, &held) == SPEAN_OK) {
        spean_record_get_info(held, &info);
        spean_record_free(held);
    }
    return info.type == type;
}

static void find_prefix(const struct spean_records *at, uint64_t type, const char *text,
                        struct found *found)
{
    char digits[RECORD_DIGITS + 1];
    struct spean_record_id prefix;
    const size_t len = strlen(text);
    memset(digits, '0', RECORD_DIGITS);
    digits[RECORD_DIGITS] = '\0';
    memcpy(digits, text, len);
    const spean_err err =
        spean_text_hex_decode(prefix.bytes, SPEAN_RECORD_ID_BYTES,
                              (struct spean_view){(const uint8_t *)digits, RECORD_DIGITS});
    assert(err == SPEAN_OK); /* They are hex digits. */
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    while (found->count < 2 &&
           spean_record_prefix(at->view.tx, &prefix, (uint32_t)len, after, &record) == SPEAN_OK) {
        if (is_of_type(at, &record, type)) {
            add_found(found, &record);
        }
        after = &record;
    }
}

static void find_referral_code(const struct spean_records *at, const char *code,
                               struct found *found)
{
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    while (found->count < 2 &&
           spean_record_next(at->view.tx, SPEAN_TYPE_REFERRAL, after, &record) == SPEAN_OK) {
        if (spean_caseid_referral_matches(code, &record)) {
            add_found(found, &record);
        }
        after = &record;
    }
}

/* Drafts are no records yet. */
static void find_draft(const struct spean_records *at, const char *text, const char *code,
                       struct found *found)
{
    json_t *drafts = NULL;
    if (spean_records_drafts(at, &drafts) != SPEAN_OK) {
        return;
    }
    size_t index = 0;
    json_t *id = NULL;
    json_array_foreach(drafts, index, id)
    {
        const char *hex = json_string_value(id);
        struct spean_record_id record;
        const struct spean_view digits = {(const uint8_t *)hex, RECORD_DIGITS};
        if (hex == NULL || strlen(hex) != RECORD_DIGITS ||
            spean_text_hex_decode(record.bytes, SPEAN_RECORD_ID_BYTES, digits) != SPEAN_OK) {
            continue;
        }
        if (code != NULL ? spean_caseid_referral_matches(code, &record)
                         : strncmp(hex, text, strlen(text)) == 0) {
            add_found(found, &record);
        }
    }
    json_decref(drafts);
}

static void find_case_code(const struct spean_records *at, const char *code, struct found *found)
{
    const struct spean_view name = {(const uint8_t *)code, strlen(code)};
    struct spean_record_id record;
    const struct spean_record_id *after = NULL;
    while (found->count < 2 &&
           spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_SHORT_REF, name, after,
                               &record) == SPEAN_OK) {
        add_found(found, &record);
        after = &record;
    }
}

static void find(const struct spean_records *at, uint64_t type, const char *text,
                 struct found *found)
{
    const struct spean_view typed = {(const uint8_t *)text, strlen(text)};
    char code[SPEAN_RECORDS_CODE_BYTES];
    struct spean_caseid id;
    if (is_prefix(text, RECORD_DIGITS)) {
        find_prefix(at, type, text, found);
        if (type == SPEAN_TYPE_REFERRAL) {
            find_draft(at, text, NULL, found);
        }
        if (found->count > 0) {
            return;
        }
    }
    if (type == SPEAN_TYPE_REFERRAL && spean_caseid_referral_parse(code, typed) == SPEAN_OK) {
        find_referral_code(at, code, found);
        find_draft(at, text, code, found);
    }
    if (type == SPEAN_TYPE_CASE && spean_caseid_parse(&id, typed) == SPEAN_OK &&
        spean_caseid_make(code, &id) == SPEAN_OK) {
        find_case_code(at, code, found);
    }
}

spean_err spean_records_find_one(const struct spean_records *at, uint64_t type, const char *text,
                                 struct spean_record_id *out)
{
    struct found found = {.count = 0};
    find(at, type, text, &found);
    if (found.count != 1) {
        return found.count == 0 ? SPEAN_ENOTFOUND : SPEAN_EEXISTS;
    }
    *out = found.record;
    return SPEAN_OK;
}

bool spean_records_find(struct spean_records *at, uint64_t type, const char *text,
                        struct spean_record_id *out)
{
    const struct spean_schema_type *known = spean_schema_type(type);
    assert(known != NULL);
    const spean_err err = spean_records_find_one(at, type, text, out);
    char message[96];
    if (err == SPEAN_ENOTFOUND) {
        (void)snprintf(message, sizeof(message), "there is no %s of that id or code", known->name);
        spean_records_refuse(at, SPEAN_ENOTFOUND, NULL, message,
                             "look at the list; an id needs at least 4 of its digits");
        return false;
    }
    if (err != SPEAN_OK) {
        (void)snprintf(message, sizeof(message), "several records of type %s answer to that",
                       known->name);
        spean_records_refuse(at, SPEAN_EEXISTS, "ambiguous", message,
                             "give more of the id or code");
    }
    return err == SPEAN_OK;
}

bool spean_records_find_json(struct spean_records *at, uint64_t type, const char *key,
                             const json_t *json, struct spean_record_id *out)
{
    if (!json_is_string(json)) {
        char message[96];
        (void)snprintf(message, sizeof(message), "%s: expected the id or code of a record", key);
        spean_records_refuse(at, SPEAN_EINPUT, NULL, message, NULL);
        return false;
    }
    return spean_records_find(at, type, json_string_value(json), out);
}

bool spean_records_find_org(struct spean_records *at, const char *key, const json_t *json,
                            struct spean_id *out)
{
    char message[96];
    const char *text = json_string_value(json);
    if (text == NULL || !is_prefix(text, ORG_DIGITS)) {
        (void)snprintf(message, sizeof(message), "%s: expected an organisation's id", key);
        spean_records_refuse(at, SPEAN_EINPUT, NULL, message, "spean member list shows them");
        return false;
    }
    uint32_t count = 0;
    const uint32_t orgs_count = spean_authority_orgs_count(at->view.authority);
    for (uint32_t i = 0; i < orgs_count; i++) {
        const struct spean_authority_org org = spean_authority_org_at(at->view.authority, i);
        char hex[ORG_DIGITS + 1];
        spean_text_hex_encode(hex, sizeof(hex), (struct spean_view){org.id.bytes, SPEAN_ID_BYTES});
        if (strncmp(hex, text, strlen(text)) == 0) {
            *out = org.id;
            count++;
        }
    }
    if (count == 1) {
        return true;
    }
    (void)snprintf(message, sizeof(message),
                   count == 0 ? "%s: there is no organisation of that id"
                              : "%s: several organisations begin like this",
                   key);
    spean_records_refuse(at, count == 0 ? SPEAN_ENOTFOUND : SPEAN_EEXISTS,
                         count == 0 ? NULL : "ambiguous", message, "spean member list shows them");
    return false;
}

bool spean_records_agency_of(const struct spean_records *at, const struct spean_id *org,
                             struct spean_record_id *out)
{
    return spean_record_lookup(at->view.tx, at->view.keys, SPEAN_LOOKUP_SELF,
                               (struct spean_view){org->bytes, sizeof(org->bytes)}, NULL,
                               out) == SPEAN_OK;
}
