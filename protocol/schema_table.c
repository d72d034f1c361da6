#include "protocol/schema_table.h"

#include <stddef.h>

/* The tables of docs/SCHEMA.md; a test compares the two in both directions. Rows are sorted. */

#define PLAIN(t)                                                                                   \
    {                                                                                              \
        .type = SPEAN_VALUE_##t                                                                    \
    }
#define MANY(t)                                                                                    \
    {                                                                                              \
        .type = SPEAN_VALUE_##t, .array = true                                                     \
    }
#define STR(max)                                                                                   \
    {                                                                                              \
        .type = SPEAN_VALUE_STR, .bytes_max = (max)                                                \
    }
#define CODE(list)                                                                                 \
    {                                                                                              \
        .type = SPEAN_VALUE_CODE, .codes = (list)                                                  \
    }
#define CODES(list)                                                                                \
    {                                                                                              \
        .type = SPEAN_VALUE_CODE, .codes = (list), .array = true                                   \
    }
#define MAP(name)                                                                                  \
    {                                                                                              \
        .type = SPEAN_VALUE_MAP, .map = &map_##name                                                \
    }
#define MAPS(name)                                                                                 \
    {                                                                                              \
        .type = SPEAN_VALUE_MAP, .map = &map_##name, .array = true                                 \
    }

#define DEFINE_MAP(name)                                                                           \
    static const struct spean_schema_map map_##name = {                                            \
        #name, name##_subs, sizeof(name##_subs) / sizeof(name##_subs[0])}

static const struct spean_schema_sub address_subs[] = {
    {1, "kind", CODE("address_kind")},
    {2, "place", PLAIN(PLACE)},
    {3, "lines", PLAIN(TEXT)},
    {4, "postal_code", STR(16)},
};
DEFINE_MAP(address);

static const struct spean_schema_sub identifier_subs[] = {
    {1, "scheme", CODE("identifier_scheme")},
    {2, "value", STR(128)},
    {3, "valid_from", PLAIN(DATE)},
    {4, "valid_to", PLAIN(DATE)},
    {5, "source", STR(256)},
};
DEFINE_MAP(identifier);

static const struct spean_schema_sub licence_status_subs[] = {
    {1, "status", CODE("licence_status")},
    {2, "as_of", PLAIN(DATE)},
    {3, "source", STR(256)},
};
DEFINE_MAP(licence_status);

static const struct spean_schema_sub partner_link_subs[] = {
    {1, "agency", PLAIN(RECORD)},
    {2, "relation", CODE("partner_relation")},
    {3, "since", PLAIN(DATE)},
    {4, "until", PLAIN(DATE)},
};
DEFINE_MAP(partner_link);

static const struct spean_schema_sub phone_subs[] = {
    {1, "number", STR(20)},
    {2, "type", CODE("phone_type")},
    {3, "languages", MANY(LANG)},
    {4, "extension", STR(16)},
};
DEFINE_MAP(phone);

static const struct spean_schema_sub service_subs[] = {
    {1, "code", CODE("service")},     {2, "status", CODE("service_status")},
    {3, "eligibility", PLAIN(TEXT)},  {4, "area", MANY(PLACE)},
    {5, "languages", MANY(LANG)},     {6, "fees", PLAIN(TEXT)},
    {7, "capacity", PLAIN(UINT)},     {8, "assured_on", PLAIN(DATE)},
    {9, "name", PLAIN(TEXT)},         {10, "hours", PLAIN(TEXT)},
    {11, "description", PLAIN(TEXT)},
};
DEFINE_MAP(service);

static const struct spean_schema_sub endpoint_subs[] = {
    {1, "node_key", PLAIN(BIN32)},
    {2, "address", STR(256)},
    {3, "kind", CODE("endpoint_kind")},
    {4, "name", STR(64)},
};
DEFINE_MAP(endpoint);

static const struct spean_schema_sub observation_subs[] = {
    {1, "by_org", PLAIN(ORG)},
    {2, "on", PLAIN(DATE)},
    {3, "type", CODE("observation_type")},
    {4, "text", PLAIN(TEXT)},
    {5, "cases", PLAIN(UINT)},
    {6, "evidence", CODE("cost_evidence")},
    {7, "replies_to", PLAIN(ITEM)},
};
DEFINE_MAP(observation);

static const struct spean_schema_sub person_name_subs[] = {
    {1, "script", CODE("script")}, {2, "full", STR(256)}, {3, "family", STR(256)},
    {4, "given", STR(256)},        {5, "kana", STR(256)},
};
DEFINE_MAP(person_name);

static const struct spean_schema_sub person_language_subs[] = {
    {1, "code", PLAIN(LANG)},
    {2, "speaks", PLAIN(BOOL)},
    {3, "reads", PLAIN(BOOL)},
    {4, "needs_interpreter", PLAIN(BOOL)},
};
DEFINE_MAP(person_language);

static const struct spean_schema_sub contact_subs[] = {
    {1, "channel", CODE("contact_channel")},
    {2, "value", STR(256)},
    {3, "best_time", PLAIN(TEXT)},
    {4, "ask_for", STR(256)},
};
DEFINE_MAP(contact);

static const struct spean_schema_sub safe_contact_subs[] = {
    {1, "safe", PLAIN(BOOL)},
    {2, "may_leave_message", PLAIN(BOOL)},
};
DEFINE_MAP(safe_contact);

static const struct spean_schema_sub recipient_subs[] = {
    {1, "org", PLAIN(ORG)},
    {2, "kind", CODE("agency_kind")},
    {3, "agency", PLAIN(RECORD)},
};
DEFINE_MAP(recipient);

static const struct spean_schema_sub withhold_subs[] = {
    {1, "org", PLAIN(ORG)},
    {2, "kind", CODE("agency_kind")},
    {3, "agency", PLAIN(RECORD)},
    {4, "who", PLAIN(TEXT)},
};
DEFINE_MAP(withhold);

static const struct spean_schema_sub party_subs[] = {
    {1, "agency", PLAIN(RECORD)},
    {2, "kind", CODE("agency_kind")},
    {3, "name", STR(256)},
};
DEFINE_MAP(party);

static const struct spean_schema_sub employment_subs[] = {
    {1, "employer", MAP(party)},
    {2, "supervising", MAP(party)},
    {3, "sending", MAP(party)},
    {4, "from", PLAIN(DATE)},
    {5, "to", PLAIN(DATE)},
    {6, "wage", PLAIN(MONEY)},
    {7, "wage_period", CODE("wage_period")},
    {8, "hours", PLAIN(UINT)},
    {9, "lodging", CODE("lodging")},
    {10, "end_reason", CODE("end_reason")},
};
DEFINE_MAP(employment);

static const struct spean_schema_sub trafficking_status_subs[] = {
    {1, "status", CODE("trafficking_status")},
    {2, "decided_by_kind", CODE("trafficking_decider")},
    {3, "decided_on", PLAIN(DATE)},
};
DEFINE_MAP(trafficking_status);

static const struct spean_schema_sub cost_subs[] = {
    {1, "category", CODE("cost_category")},
    {2, "amount", PLAIN(MONEY)},
    {3, "paid_to", MAP(party)},
    {4, "paid_by", CODE("cost_payer")},
    {5, "paid_on", PLAIN(DATE)},
    {6, "stage", CODE("cost_stage")},
    {7, "funded_from", CODE("cost_funding")},
    {8, "evidence", CODE("cost_evidence")},
    {9, "disclosed_in_advance", PLAIN(BOOL)},
    {10, "assessment", CODE("cost_assessment")},
    {11, "rule", STR(256)},
    {12, "refunded", PLAIN(MONEY)},
    {13, "note", PLAIN(TEXT)},
};
DEFINE_MAP(cost);

static const struct spean_schema_sub debt_subs[] = {
    {1, "lender_kind", CODE("lender_kind")},
    {2, "lender", MAP(party)},
    {3, "principal", PLAIN(MONEY)},
    {4, "rate", PLAIN(UINT)},
    {5, "secured_on", PLAIN(TEXT)},
    {6, "outstanding", PLAIN(MONEY)},
    {7, "as_of", PLAIN(DATE)},
};
DEFINE_MAP(debt);

static const struct spean_schema_sub remedy_subs[] = {
    {1, "body", MAP(party)},
    {2, "filed_on", PLAIN(DATE)},
    {3, "claim", PLAIN(TEXT)},
    {4, "amount", PLAIN(MONEY)},
    {5, "decision", CODE("remedy_decision")},
    {6, "paid", PLAIN(MONEY)},
    {7, "status", CODE("remedy_status")},
    {8, "decided_on", PLAIN(DATE)},
};
DEFINE_MAP(remedy);

static const struct spean_schema_sub service_request_subs[] = {
    {1, "code", CODE("service")},
    {2, "detail", PLAIN(TEXT)},
    {3, "language", PLAIN(LANG)},
};
DEFINE_MAP(service_request);

static const struct spean_schema_sub note_subs[] = {
    {1, "text", PLAIN(TEXT)},
    {2, "on", PLAIN(DATE)},
};
DEFINE_MAP(note);

static const struct spean_schema_sub notice_subs[] = {
    {1, "id", PLAIN(CODE)},
    {2, "version", PLAIN(CODE)},
    {3, "language", PLAIN(LANG)},
};
DEFINE_MAP(notice);

static const struct spean_schema_sub override_subs[] = {
    {1, "reason", CODE("override_reason")},
    {2, "approved_by_role", CODE("person_role")},
};
DEFINE_MAP(override);

static const struct spean_schema_sub consent_terms_subs[] = {
    {1, "legal_basis", CODE("legal_basis")},
    {2, "purposes", CODES("purpose")},
    {3, "recipients", MAPS(recipient)},
    {4, "sections", CODES("section")},
    {5, "withhold_from", MAPS(recipient)},
    {6, "indicated_by", CODE("indicated_by")},
    {7, "witnessed_by_role", CODE("person_role")},
    {8, "notice", MAP(notice)},
    {9, "medium", CODE("medium")},
    {10, "effective_on", PLAIN(DATE)},
    {11, "expires_on", PLAIN(DATE)},
    {12, "override", MAP(override)},
};
DEFINE_MAP(consent_terms);

static const struct spean_schema_sub consent_ref_subs[] = {
    {1, "consent", PLAIN(RECORD)},
    {2, "hash", PLAIN(BIN32)},
    {3, "terms", MAP(consent_terms)},
};
DEFINE_MAP(consent_ref);

static const struct spean_schema_sub withdrawal_subs[] = {
    {1, "on", PLAIN(DATE)},
    {2, "channel", CODE("withdrawal_channel")},
    {3, "by_org", PLAIN(ORG)},
};
DEFINE_MAP(withdrawal);

static const struct spean_schema_sub step_subs[] = {
    {1, "step", CODE("step")},
    {2, "follows", MANY(ITEM)},
    {3, "at", PLAIN(TIME)},
    {4, "reason", PLAIN(CODE)},
    {5, "respond_by", PLAIN(TIME)},
    {6, "assigned_ref", PLAIN(CODE)},
    {7, "first_contact_by", PLAIN(DATE)},
    {8, "review_by", PLAIN(DATE)},
    {9, "outcome", CODE("outcome")},
    {10, "services_provided", CODES("service")},
    {11, "child", PLAIN(RECORD)},
    {12, "client_informed", CODE("client_informed")},
    {13, "next_step", CODE("next_step")},
    {14, "next_referral", PLAIN(RECORD)},
    {15, "data_purged", CODE("data_purged")},
    {16, "changed", MANY(UINT)},
};
DEFINE_MAP(step);

static const struct spean_schema_sub purge_receipt_subs[] = {
    {1, "at", PLAIN(TIME)},
    {2, "by_org", PLAIN(ORG)},
    {3, "reason", CODE("deletion_reason")},
    {4, "method", CODE("purge_method")},
    {5, "parts", MANY(UINT)},
    {6, "keys_destroyed", PLAIN(BOOL)},
    {7, "fields_kept", MANY(UINT)},
};
DEFINE_MAP(purge_receipt);

static const struct spean_schema_sub mapping_subs[] = {
    {1, "scheme", STR(128)},
    {2, "value", STR(256)},
};
DEFINE_MAP(mapping);

static const struct spean_schema_sub document_subs[] = {
    {1, "type", CODE("document_type")},      {2, "number", STR(64)},
    {3, "held_by", CODE("document_holder")}, {4, "holder", MAP(party)},
    {5, "country", PLAIN(COUNTRY)},          {6, "expires_on", PLAIN(DATE)},
};
DEFINE_MAP(document);

const struct spean_schema_type spean_schema_table_types[] = {
    {SPEAN_TYPE_AGENCY, "agency", {[0] = "public"}},
    {SPEAN_TYPE_CASE, "case", {[1] = "case"}},
    {SPEAN_TYPE_CONSENT, "consent", {[1] = "consent"}},
    {SPEAN_TYPE_REFERRAL, "referral", {[1] = "steps", [2] = "preview", [3] = "payload"}},
    {SPEAN_TYPE_FILE, "file", {[1] = "file"}},
    {SPEAN_TYPE_CODE_LIST, "code_list", {[0] = "public"}},
    {SPEAN_TYPE_CODE, "code", {[0] = "public"}},
};
const size_t spean_schema_table_types_count =
    sizeof(spean_schema_table_types) / sizeof(spean_schema_table_types[0]);

#define FIELD(type_, number_, name_, kind_, writer_, part_, ...)                                   \
    {                                                                                              \
        .type = SPEAN_TYPE_##type_, .number = SPEAN_FIELD_##type_##_##number_, .name = (name_),    \
        .kind = SPEAN_KIND_##kind_, .writer = SPEAN_WRITER_##writer_, .part = SPEAN_PART_##part_,  \
        .value = __VA_ARGS__                                                                       \
    }
/* A field that belongs to a section of a case; a consent names sections. */
#define SHARED(type_, number_, name_, kind_, writer_, part_, section_, ...)                        \
    {                                                                                              \
        .type = SPEAN_TYPE_##type_, .number = SPEAN_FIELD_##type_##_##number_, .name = (name_),    \
        .kind = SPEAN_KIND_##kind_, .writer = SPEAN_WRITER_##writer_, .part = SPEAN_PART_##part_,  \
        .section = (section_), .value = __VA_ARGS__                                                \
    }

const struct spean_schema_field spean_schema_table_fields[] = {
    FIELD(AGENCY, ORG, "org", FIXED, FIXED, PUBLIC, PLAIN(ORG)),
    FIELD(AGENCY, KIND, "kind", VALUE, OWNER, PUBLIC, CODE("agency_kind")),
    FIELD(AGENCY, NAMES, "names", VALUE, OWNER, PUBLIC, PLAIN(TEXT)),
    FIELD(AGENCY, ALIASES, "aliases", SET, OWNER, PUBLIC, PLAIN(TEXT)),
    FIELD(AGENCY, DESCRIPTION, "description", VALUE, OWNER, PUBLIC, PLAIN(TEXT)),
    FIELD(AGENCY, COUNTRY, "country", VALUE, OWNER, PUBLIC, PLAIN(COUNTRY)),
    FIELD(AGENCY, ADDRESSES, "addresses", SET, OWNER, PUBLIC, MAP(address)),
    FIELD(AGENCY, IDENTIFIERS, "identifiers", SET, OWNER, PUBLIC, MAP(identifier)),
    FIELD(AGENCY, LICENCE_STATUS, "licence_status", LIST, OWNER, PUBLIC, MAP(licence_status)),
    FIELD(AGENCY, PARENT, "parent", VALUE, OWNER, PUBLIC, PLAIN(RECORD)),
    FIELD(AGENCY, PARTNER_LINKS, "partner_links", SET, OWNER, PUBLIC, MAP(partner_link)),
    FIELD(AGENCY, PHONES, "phones", SET, OWNER, PUBLIC, MAP(phone)),
    FIELD(AGENCY, EMAIL, "email", VALUE, OWNER, PUBLIC, STR(254)),
    FIELD(AGENCY, WEBSITE, "website", VALUE, OWNER, PUBLIC, STR(1024)),
    FIELD(AGENCY, LANGUAGES, "languages", SET, OWNER, PUBLIC, PLAIN(LANG)),
    FIELD(AGENCY, HOURS, "hours", VALUE, OWNER, PUBLIC, PLAIN(TEXT)),
    FIELD(AGENCY, SERVICES, "services", SET, OWNER, PUBLIC, MAP(service)),
    FIELD(AGENCY, STATUS, "status", VALUE, OWNER, PUBLIC, CODE("agency_status")),
    FIELD(AGENCY, ALERT, "alert", VALUE, OWNER, PUBLIC, PLAIN(TEXT)),
    FIELD(AGENCY, ENDPOINTS, "endpoints", SET, OWNER, PUBLIC, MAP(endpoint)),
    FIELD(AGENCY, OBSERVATIONS, "observations", LIST, MEMBER, PUBLIC, MAP(observation)),
    FIELD(AGENCY, SAME_AS, "same_as", SET, MEMBER, PUBLIC, PLAIN(RECORD)),
    FIELD(CASE, SHORT_REF, "short_ref", VALUE, OWNER, CASE, STR(32)),
    FIELD(CASE, STATUS, "status", VALUE, OWNER, CASE, CODE("case_status")),
    FIELD(CASE, OPENED_ON, "opened_on", VALUE, OWNER, CASE, PLAIN(DATE)),
    FIELD(CASE, CLOSED_ON, "closed_on", VALUE, OWNER, CASE, PLAIN(DATE)),
    FIELD(CASE, CLOSURE_REASON, "closure_reason", VALUE, OWNER, CASE, CODE("closure_reason")),
    FIELD(CASE, TRANSFERRED_FROM, "transferred_from", VALUE, OWNER, CASE, PLAIN(RECORD)),
    FIELD(CASE, SAME_AS, "same_as", SET, OWNER, CASE, PLAIN(RECORD)),
    FIELD(CASE, REFERRALS, "referrals", SET, OWNER, CASE, PLAIN(RECORD)),
    SHARED(CASE, NAMES, "names", SET, OWNER, CASE, "identity", MAP(person_name)),
    SHARED(CASE, BIRTH_DATE, "birth_date", VALUE, OWNER, CASE, "identity", PLAIN(DATE)),
    FIELD(CASE, AGE_BAND, "age_band", VALUE, OWNER, CASE, CODE("age_band")),
    SHARED(CASE, GENDER, "gender", VALUE, OWNER, CASE, "identity", CODE("gender")),
    SHARED(CASE, CITIZENSHIP, "citizenship", SET, OWNER, CASE, "identity", PLAIN(COUNTRY)),
    SHARED(CASE, LANGUAGES, "languages", SET, OWNER, CASE, "languages", MAP(person_language)),
    SHARED(CASE, DOCUMENTS, "documents", LIST, OWNER, CASE, "documents", MAP(document)),
    SHARED(CASE, CONTACTS, "contacts", LIST, OWNER, CASE, "contacts", MAP(contact)),
    FIELD(CASE, SAFE_CONTACT, "safe_contact", STRICTEST, OWNER, CASE, MAP(safe_contact)),
    FIELD(CASE, WITHHOLD_FROM, "withhold_from", STRICTEST, OWNER, CASE, MAPS(withhold)),
    SHARED(CASE, MARITAL_STATUS, "marital_status", VALUE, OWNER, CASE, "family",
           CODE("marital_status")),
    SHARED(CASE, DEPENDANTS, "dependants", VALUE, OWNER, CASE, "family", PLAIN(UINT)),
    SHARED(CASE, PREGNANT, "pregnant", VALUE, OWNER, CASE, "health", PLAIN(BOOL)),
    SHARED(CASE, HOME, "home", VALUE, OWNER, CASE, "identity", PLAIN(PLACE)),
    SHARED(CASE, SCHEME, "scheme", VALUE, OWNER, CASE, "migration", CODE("scheme")),
    SHARED(CASE, SCHEME_VERSION, "scheme_version", VALUE, OWNER, CASE, "migration", STR(32)),
    SHARED(CASE, FIELD, "field", VALUE, OWNER, CASE, "migration", CODE("ssw_field")),
    SHARED(CASE, JOB_TITLE, "job_title", VALUE, OWNER, CASE, "employment", PLAIN(TEXT)),
    SHARED(CASE, STATUS_EXPIRES_ON, "status_expires_on", VALUE, OWNER, CASE, "migration",
           PLAIN(DATE)),
    SHARED(CASE, EMPLOYMENTS, "employments", LIST, OWNER, CASE, "employment", MAP(employment)),
    FIELD(CASE, LOCATION_SIDE, "location_side", VALUE, OWNER, CASE, CODE("location_side")),
    SHARED(CASE, PLACE, "place", VALUE, OWNER, CASE, "migration", PLAIN(PLACE)),
    SHARED(CASE, ISSUES, "issues", SET, OWNER, CASE, "issues", CODE("issue")),
    SHARED(CASE, NARRATIVE, "narrative", VALUE, OWNER, CASE, "narrative", PLAIN(TEXT)),
    FIELD(CASE, RISK_LEVEL, "risk_level", VALUE, OWNER, CASE, CODE("risk_level")),
    SHARED(CASE, ASSESSED_ON, "assessed_on", VALUE, OWNER, CASE, "risk", PLAIN(DATE)),
    SHARED(CASE, TRAFFICKING_STATUS, "trafficking_status", VALUE, OWNER, CASE, "risk",
           MAP(trafficking_status)),
    SHARED(CASE, SUPPORT_PLAN, "support_plan", VALUE, OWNER, CASE, "support_plan", PLAIN(TEXT)),
    SHARED(CASE, COSTS, "costs", LIST, OWNER, CASE, "costs", MAP(cost)),
    SHARED(CASE, DEBTS, "debts", LIST, OWNER, CASE, "debts", MAP(debt)),
    SHARED(CASE, REMEDIES, "remedies", LIST, OWNER, CASE, "remedies", MAP(remedy)),
    FIELD(CONSENT, CASE, "case", FIXED, FIXED, CONSENT, PLAIN(RECORD)),
    FIELD(CONSENT, TERMS, "terms", FIXED, FIXED, CONSENT, MAP(consent_terms)),
    FIELD(CONSENT, STATUS, "status", VALUE, OWNER, CONSENT, CODE("consent_status")),
    FIELD(CONSENT, WITHDRAWN, "withdrawn", ONE_WAY, OWNER, CONSENT, MAP(withdrawal)),
    FIELD(CONSENT, OVERRIDE_NOTE, "override_note", VALUE, OWNER, CONSENT, PLAIN(TEXT)),
    FIELD(CONSENT, NOTE, "note", VALUE, OWNER, CONSENT, PLAIN(TEXT)),
    FIELD(REFERRAL, FROM, "from", FIXED, FIXED, STEPS, PLAIN(ORG)),
    FIELD(REFERRAL, TO, "to", FIXED, FIXED, STEPS, PLAIN(ORG)),
    FIELD(REFERRAL, KIND, "kind", FIXED, FIXED, STEPS, CODE("referral_kind")),
    FIELD(REFERRAL, CONSENT, "consent", FIXED, FIXED, STEPS, MAP(consent_ref)),
    FIELD(REFERRAL, PARENT, "parent", FIXED, FIXED, STEPS, PLAIN(RECORD)),
    FIELD(REFERRAL, REPLACES, "replaces", FIXED, FIXED, STEPS, PLAIN(RECORD)),
    FIELD(REFERRAL, ORIGIN_STEPS, "origin_steps", LIST, ORIGIN, STEPS, MAP(step)),
    FIELD(REFERRAL, URGENCY, "urgency", VALUE, ORIGIN, STEPS, CODE("urgency")),
    FIELD(REFERRAL, RESPOND_BY, "respond_by", VALUE, ORIGIN, STEPS, PLAIN(TIME)),
    FIELD(REFERRAL, SERVICES_REQUESTED, "services_requested", SET, ORIGIN, PREVIEW,
          MAP(service_request)),
    FIELD(REFERRAL, ALREADY_PROVIDED, "already_provided", SET, ORIGIN, PREVIEW, CODE("service")),
    FIELD(REFERRAL, REASON, "reason", VALUE, ORIGIN, PREVIEW, PLAIN(TEXT)),
    FIELD(REFERRAL, LANGUAGES, "languages", SET, ORIGIN, PREVIEW, PLAIN(LANG)),
    FIELD(REFERRAL, NEEDS_INTERPRETER, "needs_interpreter", VALUE, ORIGIN, PREVIEW, PLAIN(BOOL)),
    FIELD(REFERRAL, WORKER_GENDER, "worker_gender", VALUE, ORIGIN, PREVIEW, CODE("worker_gender")),
    FIELD(REFERRAL, LOCATION_SIDE, "location_side", VALUE, ORIGIN, PREVIEW, CODE("location_side")),
    FIELD(REFERRAL, AGE_BAND, "age_band", VALUE, ORIGIN, PREVIEW, CODE("age_band")),
    FIELD(REFERRAL, RISK_LEVEL, "risk_level", VALUE, ORIGIN, PREVIEW, CODE("risk_level")),
    FIELD(REFERRAL, SAFE_CONTACT, "safe_contact", STRICTEST, ORIGIN, PREVIEW, MAP(safe_contact)),
    FIELD(REFERRAL, WITHHOLD_FROM, "withhold_from", STRICTEST, ORIGIN, PREVIEW, MAPS(withhold)),
    FIELD(REFERRAL, INFORMED, "informed", VALUE, ORIGIN, PREVIEW, PLAIN(BOOL)),
    FIELD(REFERRAL, ORIGIN_NOTES, "origin_notes", LIST, ORIGIN, PAYLOAD, MAP(note)),
    FIELD(REFERRAL, FILES, "files", SET, ORIGIN, PAYLOAD, PLAIN(RECORD)),
    SHARED(REFERRAL, NAMES, "names", SET, ORIGIN, PAYLOAD, "identity", MAP(person_name)),
    SHARED(REFERRAL, BIRTH_DATE, "birth_date", VALUE, ORIGIN, PAYLOAD, "identity", PLAIN(DATE)),
    SHARED(REFERRAL, GENDER, "gender", VALUE, ORIGIN, PAYLOAD, "identity", CODE("gender")),
    SHARED(REFERRAL, CITIZENSHIP, "citizenship", SET, ORIGIN, PAYLOAD, "identity", PLAIN(COUNTRY)),
    SHARED(REFERRAL, PERSON_LANGUAGES, "person_languages", SET, ORIGIN, PAYLOAD, "languages",
           MAP(person_language)),
    SHARED(REFERRAL, DOCUMENTS, "documents", LIST, ORIGIN, PAYLOAD, "documents", MAP(document)),
    SHARED(REFERRAL, CONTACTS, "contacts", LIST, ORIGIN, PAYLOAD, "contacts", MAP(contact)),
    SHARED(REFERRAL, MARITAL_STATUS, "marital_status", VALUE, ORIGIN, PAYLOAD, "family",
           CODE("marital_status")),
    SHARED(REFERRAL, DEPENDANTS, "dependants", VALUE, ORIGIN, PAYLOAD, "family", PLAIN(UINT)),
    SHARED(REFERRAL, PREGNANT, "pregnant", VALUE, ORIGIN, PAYLOAD, "health", PLAIN(BOOL)),
    SHARED(REFERRAL, HOME, "home", VALUE, ORIGIN, PAYLOAD, "identity", PLAIN(PLACE)),
    SHARED(REFERRAL, SCHEME, "scheme", VALUE, ORIGIN, PAYLOAD, "migration", CODE("scheme")),
    SHARED(REFERRAL, SCHEME_VERSION, "scheme_version", VALUE, ORIGIN, PAYLOAD, "migration",
           STR(32)),
    SHARED(REFERRAL, FIELD, "field", VALUE, ORIGIN, PAYLOAD, "migration", CODE("ssw_field")),
    SHARED(REFERRAL, JOB_TITLE, "job_title", VALUE, ORIGIN, PAYLOAD, "employment", PLAIN(TEXT)),
    SHARED(REFERRAL, STATUS_EXPIRES_ON, "status_expires_on", VALUE, ORIGIN, PAYLOAD, "migration",
           PLAIN(DATE)),
    SHARED(REFERRAL, EMPLOYMENTS, "employments", LIST, ORIGIN, PAYLOAD, "employment",
           MAP(employment)),
    SHARED(REFERRAL, PLACE, "place", VALUE, ORIGIN, PAYLOAD, "migration", PLAIN(PLACE)),
    SHARED(REFERRAL, ISSUES, "issues", SET, ORIGIN, PAYLOAD, "issues", CODE("issue")),
    SHARED(REFERRAL, NARRATIVE, "narrative", VALUE, ORIGIN, PAYLOAD, "narrative", PLAIN(TEXT)),
    SHARED(REFERRAL, ASSESSED_ON, "assessed_on", VALUE, ORIGIN, PAYLOAD, "risk", PLAIN(DATE)),
    SHARED(REFERRAL, TRAFFICKING_STATUS, "trafficking_status", VALUE, ORIGIN, PAYLOAD, "risk",
           MAP(trafficking_status)),
    SHARED(REFERRAL, SUPPORT_PLAN, "support_plan", VALUE, ORIGIN, PAYLOAD, "support_plan",
           PLAIN(TEXT)),
    SHARED(REFERRAL, COSTS, "costs", LIST, ORIGIN, PAYLOAD, "costs", MAP(cost)),
    SHARED(REFERRAL, DEBTS, "debts", LIST, ORIGIN, PAYLOAD, "debts", MAP(debt)),
    SHARED(REFERRAL, REMEDIES, "remedies", LIST, ORIGIN, PAYLOAD, "remedies", MAP(remedy)),
    FIELD(REFERRAL, TARGET_STEPS, "target_steps", LIST, TARGET, STEPS, MAP(step)),
    FIELD(REFERRAL, INTERIM_NOTES, "interim_notes", LIST, TARGET, PAYLOAD, MAP(note)),
    FIELD(REFERRAL, CLOSING_NOTE, "closing_note", VALUE, TARGET, PAYLOAD, PLAIN(TEXT)),
    FIELD(REFERRAL, CONSENT_WITHDRAWN, "consent_withdrawn", ONE_WAY, EITHER, STEPS,
          MAP(withdrawal)),
    FIELD(REFERRAL, PURGE_RECEIPTS, "purge_receipts", LIST, EITHER, STEPS, MAP(purge_receipt)),
    FIELD(FILE, ABOUT, "about", FIXED, FIXED, FILE, PLAIN(RECORD)),
    FIELD(FILE, NAME, "name", VALUE, OWNER, FILE, STR(256)),
    FIELD(FILE, MEDIA_TYPE, "media_type", VALUE, OWNER, FILE, STR(128)),
    FIELD(FILE, SIZE, "size", VALUE, OWNER, FILE, PLAIN(UINT)),
    FIELD(FILE, HASH, "hash", VALUE, OWNER, FILE, PLAIN(BIN32)),
    FIELD(FILE, CHUNKS, "chunks", LIST, OWNER, FILE, PLAIN(BYTES)),
    FIELD(CODE_LIST, LIST, "list", FIXED, FIXED, PUBLIC, PLAIN(CODE)),
    FIELD(CODE_LIST, TITLE, "title", VALUE, STEWARD, PUBLIC, PLAIN(TEXT)),
    FIELD(CODE_LIST, DESCRIPTION, "description", VALUE, STEWARD, PUBLIC, PLAIN(TEXT)),
    FIELD(CODE_LIST, VERSION, "version", VALUE, STEWARD, PUBLIC, STR(32)),
    FIELD(CODE_LIST, VALID_FROM, "valid_from", VALUE, STEWARD, PUBLIC, PLAIN(DATE)),
    FIELD(CODE_LIST, VALID_TO, "valid_to", VALUE, STEWARD, PUBLIC, PLAIN(DATE)),
    FIELD(CODE_LIST, PUBLISHED, "published", VALUE, STEWARD, PUBLIC, PLAIN(BOOL)),
    FIELD(CODE, LIST, "list", FIXED, FIXED, PUBLIC, PLAIN(CODE)),
    FIELD(CODE, CODE, "code", FIXED, FIXED, PUBLIC, PLAIN(CODE)),
    FIELD(CODE, LABELS, "labels", VALUE, STEWARD, PUBLIC, PLAIN(TEXT)),
    FIELD(CODE, MAPPINGS, "mappings", SET, STEWARD, PUBLIC, MAP(mapping)),
    FIELD(CODE, VALID_FROM, "valid_from", VALUE, STEWARD, PUBLIC, PLAIN(DATE)),
    FIELD(CODE, VALID_TO, "valid_to", VALUE, STEWARD, PUBLIC, PLAIN(DATE)),
    FIELD(CODE, SUPERSEDED_BY, "superseded_by", VALUE, STEWARD, PUBLIC, PLAIN(CODE)),
    FIELD(CODE, NOTE, "note", VALUE, STEWARD, PUBLIC, PLAIN(TEXT)),
    FIELD(CODE, PUBLISHED, "published", VALUE, STEWARD, PUBLIC, PLAIN(BOOL)),
    FIELD(CODE, MAPPED_TO, "mapped_to", VALUE, STEWARD, PUBLIC, PLAIN(CODE)),
};
const size_t spean_schema_table_fields_count =
    sizeof(spean_schema_table_fields) / sizeof(spean_schema_table_fields[0]);
