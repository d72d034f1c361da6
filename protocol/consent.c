#include "protocol/consent.h"

#include <assert.h>
#include <string.h>

#include "protocol/codes.h"
#include "protocol/limits.h"
#include "protocol/reader.h"
#include "protocol/schema.h"

#define PURPOSE_REFER   "refer"
#define STATUS_GIVEN    "given"
#define STATUS_RENEWED  "renewed"
#define BASIS_VITAL     "vital_interest"
#define OVERRIDE_REASON 1u /* Sub-fields of map override, map recipient and map safe_contact. */
#define OVERRIDE_ROLE   2u
#define WHO_ORG         1u
#define WHO_KIND        2u
#define WHO_AGENCY      3u

static bool is_same(struct spean_view a, struct spean_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool is_text(struct spean_view view, const char *text)
{
    return is_same(view, (struct spean_view){(const uint8_t *)text, strlen(text)});
}

/* The functions below read values that spean_schema_check_value() has passed. */

static struct spean_view text_of(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    return spean_reader_str(&r, 0, SPEAN_VALUE_BYTES_MAX);
}

static struct spean_day day_of(struct spean_view value)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    const uint32_t count = spean_reader_array(&r, 1, 3);
    return (struct spean_day){
        .year = (uint16_t)spean_reader_uint(&r, UINT16_MAX),
        .month = count > 1 ? (uint8_t)spean_reader_uint(&r, UINT8_MAX) : 0,
        .day = count > 2 ? (uint8_t)spean_reader_uint(&r, UINT8_MAX) : 0,
    };
}

/* The sub-field number of an encoded map, empty if it is not there. */
static struct spean_view sub_of(struct spean_view map, uint64_t number)
{
    struct spean_reader r;
    spean_reader_init(&r, map);
    const uint32_t count = spean_reader_map(&r, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const uint64_t key = spean_reader_uint(&r, UINT64_MAX);
        const struct spean_view value = spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX);
        if (!spean_reader_failed(&r) && key == number) {
            return value;
        }
    }
    return (struct spean_view){NULL, 0};
}

spean_err spean_consent_terms_decode(struct spean_consent_terms *out, struct spean_view value)
{
    assert(out != NULL);

    const struct spean_schema_field *field =
        spean_schema_field(SPEAN_TYPE_CONSENT, SPEAN_FIELD_CONSENT_TERMS);
    assert(field != NULL);
    const spean_err err = spean_schema_check_value(field, value);
    if (err != SPEAN_OK) {
        return err;
    }

    const struct spean_view effective = sub_of(value, SPEAN_SUB_CONSENT_TERMS_EFFECTIVE_ON);
    const struct spean_view expires = sub_of(value, SPEAN_SUB_CONSENT_TERMS_EXPIRES_ON);
    const struct spean_view override = sub_of(value, SPEAN_SUB_CONSENT_TERMS_OVERRIDE);
    const struct spean_view basis = text_of(sub_of(value, SPEAN_SUB_CONSENT_TERMS_LEGAL_BASIS));
    const struct spean_day open = {0, 0, 0};
    *out = (struct spean_consent_terms){
        .legal_basis = basis,
        .purposes = sub_of(value, SPEAN_SUB_CONSENT_TERMS_PURPOSES),
        .recipients = sub_of(value, SPEAN_SUB_CONSENT_TERMS_RECIPIENTS),
        .sections = sub_of(value, SPEAN_SUB_CONSENT_TERMS_SECTIONS),
        .withhold_from = sub_of(value, SPEAN_SUB_CONSENT_TERMS_WITHHOLD_FROM),
        .effective_on = effective.len > 0 ? day_of(effective) : open,
        .expires_on = expires.len > 0 ? day_of(expires) : open,
        .gives_override = is_text(basis, BASIS_VITAL) &&
                          sub_of(override, OVERRIDE_REASON).len > 0 &&
                          sub_of(override, OVERRIDE_ROLE).len > 0,
    };
    return SPEAN_OK;
}

/* Say whether an encoded array of codes has code; false if it is empty or not readable. */
static bool has_code(struct spean_view array, struct spean_view code)
{
    struct spean_reader r;
    spean_reader_init(&r, array);
    const uint32_t count = spean_reader_array(&r, 0, SPEAN_SCHEMA_ELEMENTS_MAX);
    bool found = false;
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        found = is_same(spean_reader_str(&r, 1, SPEAN_CODE_BYTES_MAX), code) || found;
    }
    return found && spean_reader_end(&r) == SPEAN_OK;
}

/* Order a day against a date, of which only the known parts count: negative, 0, positive. */
static int compare_day(const struct spean_day *day, const struct spean_day *date)
{
    if (day->year != date->year) {
        return day->year < date->year ? -1 : 1;
    }
    if (date->month == 0 || day->month != date->month) {
        return date->month == 0 ? 0 : day->month < date->month ? -1 : 1;
    }
    if (date->day == 0 || day->day == date->day) {
        return 0;
    }
    return day->day < date->day ? -1 : 1;
}

bool spean_consent_is_in_force(const struct spean_consent_terms *terms, struct spean_view status,
                               bool is_withdrawn, const struct spean_day *today)
{
    assert(terms != NULL);
    assert(today != NULL);

    const struct spean_view refer = {(const uint8_t *)PURPOSE_REFER, strlen(PURPOSE_REFER)};
    const bool given = is_text(status, STATUS_GIVEN) || is_text(status, STATUS_RENEWED);
    if (!given || is_withdrawn || !has_code(terms->purposes, refer)) {
        return false;
    }
    const bool begun =
        terms->effective_on.year == 0 || compare_day(today, &terms->effective_on) >= 0;
    const bool lasts = terms->expires_on.year == 0 || compare_day(today, &terms->expires_on) <= 0;
    return begun && lasts;
}

/* How the three things that an element can name compare with somebody. */
struct comparison {
    unsigned named;
    unsigned matched;
    bool is_kind_doubtful; /* A kind is named, and who's is not known. */
};

static bool is_bytes(struct spean_view value, const void *bytes, size_t len)
{
    struct spean_reader r;
    spean_reader_init(&r, value);
    const struct spean_view view = spean_reader_bin(&r, len, len);
    return !spean_reader_failed(&r) && bytes != NULL && memcmp(view.data, bytes, len) == 0;
}

static struct comparison compare_with(struct spean_view element, const struct spean_recipient *who)
{
    const struct spean_view org = sub_of(element, WHO_ORG);
    const struct spean_view kind = sub_of(element, WHO_KIND);
    const struct spean_view agency = sub_of(element, WHO_AGENCY);
    struct comparison result = {0, 0, kind.len > 0 && who->kind.len == 0};

    result.named = (org.len > 0 ? 1u : 0) + (kind.len > 0 ? 1u : 0) + (agency.len > 0 ? 1u : 0);
    if (org.len > 0) {
        result.matched += is_bytes(org, who->org, SPEAN_ID_BYTES) ? 1u : 0;
    }
    if (kind.len > 0 && who->kind.len > 0) {
        result.matched += is_same(text_of(kind), who->kind) ? 1u : 0;
    }
    if (agency.len > 0) {
        result.matched += is_bytes(agency, who->agency, SPEAN_RECORD_ID_BYTES) ? 1u : 0;
    }
    return result;
}

bool spean_consent_covers(const struct spean_consent_terms *terms,
                          const struct spean_recipient *who)
{
    assert(terms != NULL);
    assert(who != NULL);

    struct spean_reader r;
    spean_reader_init(&r, terms->recipients);
    const uint32_t count = spean_reader_array(&r, 0, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < count && !spean_reader_failed(&r); i++) {
        const struct comparison found =
            compare_with(spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX), who);
        if (found.named > 0 && found.matched == found.named) {
            return true;
        }
    }
    return false;
}

bool spean_consent_has_section(const struct spean_consent_terms *terms, struct spean_view section)
{
    assert(terms != NULL);
    return section.len > 0 && has_code(terms->sections, section);
}

static bool is_named(struct spean_view list, const struct spean_recipient *who)
{
    /* [map withhold] takes everything that [map recipient] takes. */
    const struct spean_schema_field *field =
        spean_schema_field(SPEAN_TYPE_CASE, SPEAN_FIELD_CASE_WITHHOLD_FROM);
    assert(field != NULL);
    if (spean_schema_check_value(field, list) != SPEAN_OK) {
        return true;
    }

    struct spean_reader r;
    spean_reader_init(&r, list);
    const uint32_t count = spean_reader_array(&r, 0, SPEAN_SCHEMA_ELEMENTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct comparison found =
            compare_with(spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX), who);
        if (found.matched > 0 || found.is_kind_doubtful) {
            return true;
        }
    }
    return false;
}

bool spean_consent_withholds(const struct spean_view *lists, size_t lists_count,
                             const struct spean_recipient *who)
{
    assert(lists != NULL || lists_count == 0);
    assert(who != NULL);

    for (size_t i = 0; i < lists_count; i++) {
        if (lists[i].len > 0 && is_named(lists[i], who)) {
            return true;
        }
    }
    return false;
}

/* What one sibling says of one flag. */
enum says { SAYS_NOTHING, SAYS_YES, SAYS_NO };

static enum says flag_of(struct spean_view map, uint64_t number)
{
    const struct spean_view flag = sub_of(map, number);
    if (flag.len == 0) {
        return SAYS_NOTHING;
    }
    struct spean_reader r;
    spean_reader_init(&r, flag);
    return spean_reader_bool(&r) ? SAYS_YES : SAYS_NO;
}

static void join_flag(bool *joined, bool *denied, enum says says)
{
    *denied = *denied || says == SAYS_NO;
    *joined = (*joined || says == SAYS_YES) && !*denied;
}

struct spean_safe_contact spean_consent_safe_contact(const struct spean_view *siblings,
                                                     size_t siblings_count)
{
    assert(siblings != NULL || siblings_count == 0);

    const struct spean_schema_field *field =
        spean_schema_field(SPEAN_TYPE_CASE, SPEAN_FIELD_CASE_SAFE_CONTACT);
    assert(field != NULL);
    struct spean_safe_contact joined = {false, false};
    struct spean_safe_contact denied = {false, false};
    for (size_t i = 0; i < siblings_count; i++) {
        if (spean_schema_check_value(field, siblings[i]) != SPEAN_OK) {
            return (struct spean_safe_contact){false, false};
        }
        join_flag(&joined.is_safe, &denied.is_safe,
                  flag_of(siblings[i], SPEAN_SUB_SAFE_CONTACT_SAFE));
        join_flag(&joined.may_leave_message, &denied.may_leave_message,
                  flag_of(siblings[i], SPEAN_SUB_SAFE_CONTACT_MAY_LEAVE_MESSAGE));
    }
    return joined;
}
