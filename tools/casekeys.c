#include "tools/casekeys.h"

#include <stddef.h>
#include <string.h>

#include "tools/htcds.h"

/* As GET /api/v2/cases of Primero has a case: the fields of its model and of the form "Basic
 * Identity" of its default configuration (primeroIMS/primero of 2023, app/models/child.rb and
 * db/configuration). As OSCaR serialises a client for other systems and in its own API
 * (Children-in-Families/oscar-web, app/serializers). */
static const struct {
    enum spean_caserows_format format;
    const char *key;
    const char *column; /* NULL: it names the case; the upper of several counts. */
} keys[] = {
    /* KoBo: the first stays when answers are edited, the others are drawn anew each time. */
    {SPEAN_CASEROWS_JSON, "meta/rootUuid", NULL},
    {SPEAN_CASEROWS_JSON, "_uuid", NULL},
    {SPEAN_CASEROWS_JSON, "meta/instanceID", NULL},
    {SPEAN_CASEROWS_JSON, "meta-instanceID", NULL}, /* ODK Central. */
    {SPEAN_CASEROWS_PRIMERO, "id", NULL},
    {SPEAN_CASEROWS_PRIMERO, "case_id", NULL},
    {SPEAN_CASEROWS_PRIMERO, "status", "cas_Status"},
    {SPEAN_CASEROWS_PRIMERO, "name", "spean_FullName"},
    {SPEAN_CASEROWS_PRIMERO, "name_first", "prs_FirstName"},
    {SPEAN_CASEROWS_PRIMERO, "name_middle", "prs_MiddleName"},
    {SPEAN_CASEROWS_PRIMERO, "name_last", "prs_SecondName"},
    {SPEAN_CASEROWS_PRIMERO, "sex", "prs_Gender"},
    {SPEAN_CASEROWS_PRIMERO, "date_of_birth", "prs_Birthdate"},
    {SPEAN_CASEROWS_PRIMERO, "marital_status", "prs_MaritalStatus"},
    {SPEAN_CASEROWS_PRIMERO, "maritial_status", "prs_MaritalStatus"}, /* As its forms spell it. */
    {SPEAN_CASEROWS_PRIMERO, "nationality", "prs_Citizenship"},
    {SPEAN_CASEROWS_PRIMERO, "occupation", "prs_Title"},
    {SPEAN_CASEROWS_PRIMERO, "closure_reason", "spean_ClosureReason"},
    {SPEAN_CASEROWS_PRIMERO, "national_id_no", "prs_IdentityNumber"},
    {SPEAN_CASEROWS_PRIMERO, "telephone_current", "prs_MobilePhone"},
    {SPEAN_CASEROWS_PRIMERO, "address_current", "prs_MailingStreet"},
    {SPEAN_CASEROWS_PRIMERO, "registration_date", "spean_OpenedOn"},
    {SPEAN_CASEROWS_PRIMERO, "date_closure", "spean_ClosedOn"},
    {SPEAN_CASEROWS_PRIMERO, "risk_level", "spean_RiskLevel"},
    {SPEAN_CASEROWS_OSCAR, "global_id", NULL},
    {SPEAN_CASEROWS_OSCAR, "slug", NULL},
    {SPEAN_CASEROWS_OSCAR, "status", "cas_Status"},
    {SPEAN_CASEROWS_OSCAR, "given_name", "prs_FirstName"},
    {SPEAN_CASEROWS_OSCAR, "family_name", "prs_SecondName"},
    {SPEAN_CASEROWS_OSCAR, "local_given_name", "spean_FirstNameOther"},
    {SPEAN_CASEROWS_OSCAR, "local_family_name", "spean_SecondNameOther"},
    {SPEAN_CASEROWS_OSCAR, "gender", "prs_Gender"},
    {SPEAN_CASEROWS_OSCAR, "date_of_birth", "prs_Birthdate"},
    {SPEAN_CASEROWS_OSCAR, "marital_status", "prs_MaritalStatus"},
    {SPEAN_CASEROWS_OSCAR, "nationality", "prs_Citizenship"},
    {SPEAN_CASEROWS_OSCAR, "client_phone", "prs_MobilePhone"},
    {SPEAN_CASEROWS_OSCAR, "telephone_number", "prs_HomePhone"},
    {SPEAN_CASEROWS_OSCAR, "client_email", "prs_Email"},
    {SPEAN_CASEROWS_OSCAR, "current_address", "prs_MailingStreet"},
    {SPEAN_CASEROWS_OSCAR, "initial_referral_date", "spean_OpenedOn"},
    {SPEAN_CASEROWS_OSCAR, "reason_for_referral", "hte_Description"},
};
#define KEYS_COUNT (sizeof(keys) / sizeof(keys[0]))

const char *spean_casekeys_column(enum spean_caserows_format format, const char *key)
{
    if (format == SPEAN_CASEROWS_JSON || format == SPEAN_CASEROWS_CSV) {
        return spean_htcds_column_find(key);
    }
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        if (keys[i].format == format && strcmp(keys[i].key, key) == 0) {
            return keys[i].column;
        }
    }
    return NULL;
}

size_t spean_casekeys_id_rank(enum spean_caserows_format format, const char *key)
{
    const enum spean_caserows_format as =
        format == SPEAN_CASEROWS_CSV ? SPEAN_CASEROWS_JSON : format;
    size_t rank = 0;
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        rank += keys[i].format == as && keys[i].column == NULL ? 1 : 0;
        if (keys[i].format == as && keys[i].column == NULL && strcmp(keys[i].key, key) == 0) {
            return rank;
        }
    }
    return 0;
}

bool spean_casekeys_is_bookkeeping(const char *key)
{
    static const char *const names[] = {"_id",
                                        "_index",
                                        "_submission_time",
                                        "_validation_status",
                                        "_status",
                                        "_version_",
                                        "__version__",
                                        "_xform_id_string",
                                        "_submitted_by",
                                        "formhub/uuid",
                                        "_bamboo_dataset_id",
                                        "meta/deprecatedID",
                                        "SubmissionDate",
                                        "SubmitterID",
                                        "SubmitterName",
                                        "FormVersion",
                                        "KEY",
                                        "__system",
                                        "meta/instanceName"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], key) == 0) {
            return true;
        }
    }
    return false;
}

json_t *spean_casekeys_id(enum spean_caserows_format format, const json_t *object)
{
    for (size_t i = 0; i < KEYS_COUNT; i++) {
        json_t *const value = keys[i].format == format && keys[i].column == NULL
                                  ? json_object_get(object, keys[i].key)
                                  : NULL;
        if (value != NULL && !json_is_null(value)) {
            return value;
        }
    }
    return NULL;
}

const char *spean_casekeys_source(enum spean_caserows_format format)
{
    return format == SPEAN_CASEROWS_PRIMERO ? "primero"
           : format == SPEAN_CASEROWS_OSCAR ? "oscar"
                                            : NULL;
}
