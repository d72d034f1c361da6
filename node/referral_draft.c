/* Drafts of referrals: JSON that never leaves this node until it is sent. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/json_value.h"
#include "node/referral.h"
#include "protocol/caseid.h"
#include "protocol/codes.h"
#include "protocol/limits.h"
#include "protocol/schema.h"
#include "protocol/schema_numbers.h"
#include "protocol/text.h"
#include "protocol/writer.h"

#define CODES_MAX 64u

/* What may stand in a draft, and which field of the schema says how its value looks. */
static const struct key {
    const char *name;
    uint64_t field;  /* Of a referral; 0: an id or section, see below. */
    bool many;       /* An array of such. */
    uint64_t record; /* The record type of an id; 0: none. */
} keys[] = {
    {"case", 0, false, SPEAN_TYPE_CASE},
    {"to", 0, false, 0},
    {"consent", 0, false, SPEAN_TYPE_CONSENT},
    {"kind", SPEAN_FIELD_REFERRAL_KIND, false, 0},
    {"services", SPEAN_FIELD_REFERRAL_SERVICES_REQUESTED, true, 0},
    {"urgency", SPEAN_FIELD_REFERRAL_URGENCY, false, 0},
    {"respond_by", SPEAN_FIELD_REFERRAL_RESPOND_BY, false, 0},
    {"reason", SPEAN_FIELD_REFERRAL_REASON, false, 0},
    {"sections", SPEAN_FIELD_REFERRAL_ALREADY_PROVIDED, true, 0}, /* Codes, like these. */
    {"already_provided", SPEAN_FIELD_REFERRAL_ALREADY_PROVIDED, true, 0},
    {"languages", SPEAN_FIELD_REFERRAL_LANGUAGES, true, 0},
    {"needs_interpreter", SPEAN_FIELD_REFERRAL_NEEDS_INTERPRETER, false, 0},
    {"worker_gender", SPEAN_FIELD_REFERRAL_WORKER_GENDER, false, 0},
    {"informed", SPEAN_FIELD_REFERRAL_INFORMED, false, 0},
    {"replaces", 0, false, SPEAN_TYPE_REFERRAL},
};

#define KEYS_COUNT (sizeof(keys) / sizeof(keys[0]))

static const struct key *key_of(const char *name)
{
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

static bool check_one(struct spean_records *at, const struct key *key, json_t *json)
{
    uint8_t buf[SPEAN_VALUE_BYTES_MAX + 16];
    struct spean_json_why why = {""};
    struct spean_writer w;
    struct spean_view value;
    const struct spean_schema_field *field = spean_schema_field(SPEAN_TYPE_REFERRAL, key->field);
    spean_writer_init(&w, buf, sizeof(buf));
    spean_err err = spean_json_value_encode(&w, &field->value, key->name, json, &why);
    if (err == SPEAN_OK) {
        err = spean_writer_end(&w, &value);
    }
    if (err != SPEAN_OK) {
        spean_records_refuse_why(at, err, &why);
    }
    return err == SPEAN_OK;
}

/* What follows from a referral hangs on its kind, so a draft names one that is known. */
static bool check_kind(struct spean_records *at, const json_t *json)
{
    const struct spean_view code = {(const uint8_t *)json_string_value(json),
                                    json_string_length(json)};
    if (code.data != NULL && spean_codes_find("referral_kind", code) != NULL) {
        return true;
    }
    spean_records_refuse(at, SPEAN_EINPUT, NULL, "kind: there is no such kind of referral",
                         "kinds are referral, transfer and information_request");
    return false;
}

static bool is_section(const char *code)
{
    size_t count = 0;
    const struct spean_schema_field *fields = spean_schema_fields(&count);
    for (size_t i = 0; code != NULL && i < count; i++) {
        if (fields[i].section != NULL && strcmp(fields[i].section, code) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_many(struct spean_records *at, const struct key *key, json_t *json)
{
    char message[160];
    if (!json_is_array(json) || json_array_size(json) > CODES_MAX) {
        (void)snprintf(message, sizeof(message), "%s: expected a list of at most %u", key->name,
                       CODES_MAX);
        spean_records_refuse(at, SPEAN_EINPUT, NULL, message, NULL);
        return false;
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        json_t *one = json_array_get(json, i);
        if (!check_one(at, key, one)) {
            return false;
        }
        if (strcmp(key->name, "sections") == 0 && !is_section(json_string_value(one))) {
            spean_records_refuse(at, SPEAN_EINPUT, NULL, "sections: a case has no such section",
                                 "sections are identity, languages, documents, contacts, family, "
                                 "health, migration, employment, issues, narrative, risk, "
                                 "support_plan, costs, debts and remedies");
            return false;
        }
    }
    return true;
}

/* Check the value of one key; *out is what is kept of it, a new reference. */
static bool read_key(struct spean_records *at, const struct key *key, json_t *json, json_t **out)
{
    if (key->field != 0) {
        if (!(key->many ? check_many(at, key, json) : check_one(at, key, json))) {
            return false;
        }
        if (key->field == SPEAN_FIELD_REFERRAL_KIND && !check_kind(at, json)) {
            return false;
        }
        *out = json_incref(json);
        return true;
    }
    if (key->record != 0) {
        struct spean_record_id record;
        if (!spean_records_find_json(at, key->record, key->name, json, &record)) {
            return false;
        }
        *out = spean_json_hex(record.bytes, SPEAN_RECORD_ID_BYTES);
    } else {
        struct spean_id org;
        if (!spean_records_find_org(at, key->name, json, &org)) {
            return false;
        }
        if (spean_id_equal(&org, spean_core_org(at->view.core))) {
            spean_records_refuse(at, SPEAN_EINPUT, NULL, "to: this is your own organisation",
                                 "choose another organisation");
            return false;
        }
        *out = spean_json_hex(org.bytes, SPEAN_ID_BYTES);
    }
    if (*out == NULL) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
    }
    return *out != NULL;
}

static bool is_complete(struct spean_records *at, const json_t *draft)
{
    if (json_object_get(draft, "case") != NULL && json_object_get(draft, "to") != NULL &&
        json_array_size(json_object_get(draft, "services")) > 0) {
        return true;
    }
    spean_records_refuse(at, SPEAN_EINPUT, NULL,
                         "a referral needs a case, an organisation to go to, and a service",
                         "give \"case\", \"to\" and \"services\"");
    return false;
}

static bool read_keys(struct spean_records *at, json_t *json, json_t *draft)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(json, name, value)
    {
        const struct key *key = key_of(name);
        json_t *kept = NULL;
        if (key == NULL) {
            char message[128];
            (void)snprintf(message, sizeof(message), "%.64s: a draft has no such field", name);
            spean_records_refuse(at, SPEAN_EINPUT, NULL, message, NULL);
            return false;
        }
        if (json_is_null(value)) {
            (void)json_object_del(draft, name); /* It need not be there. */
            continue;
        }
        if (!read_key(at, key, value, &kept)) {
            return false;
        }
        if (json_object_set_new(draft, name, kept) != 0) {
            spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
            return false;
        }
    }
    return true;
}

bool spean_referral_draft_read(struct spean_records *at, const json_t *base, json_t *json,
                               json_t **out)
{
    json_t *draft = base == NULL ? json_object() : json_deep_copy(base);
    if (draft == NULL) {
        spean_records_refuse(at, SPEAN_ENOMEM, NULL, NULL, NULL);
        return false;
    }
    if (!read_keys(at, json, draft) || !is_complete(at, draft)) {
        json_decref(draft);
        return false;
    }
    *out = draft;
    return true;
}

bool spean_referral_draft_take(struct spean_records *at, const struct spean_record_id *record,
                               json_t **out)
{
    const spean_err err = spean_records_local_get(at, record, "draft", out);
    if (err != SPEAN_OK) {
        spean_records_refuse(at, err, NULL, NULL, NULL);
    }
    return err == SPEAN_OK;
}

bool spean_referral_draft_id(const json_t *draft, const char *key, uint8_t *out, size_t len)
{
    const json_t *value = json_object_get(draft, key);
    const struct spean_view text = {(const uint8_t *)json_string_value(value),
                                    json_string_length(value)};
    return json_is_string(value) && spean_text_hex_decode(out, len, text) == SPEAN_OK;
}

json_t *spean_referral_draft_show(struct spean_records *at, const struct spean_record_id *record,
                                  const json_t *draft)
{
    char code[SPEAN_REFERRAL_CODE_LEN_MAX + 1];
    struct spean_id target = {{0}};
    const struct spean_id *own = spean_core_org(at->view.core);
    spean_caseid_referral_make(code, record, SPEAN_REFERRAL_CODE_CHARS_MIN);
    json_t *shown = json_deep_copy(draft);
    (void)json_object_del(shown, "random"); /* Ours alone. */
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:n, s:{}, s:{}, s:{}, s:{}, s:{s:i, s:[]}, s:i, s:s, s:[], s:[], s:[], "
        "s:o, s:n}",
        "id", spean_json_hex(record->bytes, SPEAN_RECORD_ID_BYTES), "code", code, "type",
        "referral", "created", "fixed", "state_hash", "fields", "conflicts", "waiting", "parts", 0,
        "keys", "unknown", 0, "state", spean_referral_state_name(SPEAN_REFERRAL_DRAFT), "flags",
        "steps", "trail", "draft", shown, "details");
    const bool named = spean_referral_draft_id(draft, "to", target.bytes, SPEAN_ID_BYTES);
    if (object == NULL || !named || !spean_json_set_org(object, "owner", own, &at->names) ||
        !spean_json_set_org(object, "origin", own, &at->names) ||
        !spean_json_set_org(object, "target", &target, &at->names) ||
        (at->dry_run && json_object_set_new(object, "dry_run", json_true()) != 0)) {
        json_decref(object);
        return NULL;
    }
    return object;
}
