#include "node/agency_find.h"

#include <assert.h>

#include "node/matching.h"
#include "protocol/change.h"
#include "protocol/schema_numbers.h"
#include "store/searchkey.h"

#define SUB_SERVICE_CODE     1u /* Of map service. */
#define SUB_IDENTIFIER_VALUE 2u /* Of map identifier. */

enum term { KIND, COUNTRY, STATUS, SERVICE, LANGUAGE, Q, TERMS };

bool spean_agency_find_read(struct spean_records *at, struct spean_agency_find *out)
{
    assert(out != NULL);
    struct spean_matching_term terms[TERMS] = {
        [KIND] = {"kind", NULL},       [COUNTRY] = {"country", NULL},   [STATUS] = {"status", NULL},
        [SERVICE] = {"service", NULL}, [LANGUAGE] = {"language", NULL}, [Q] = {"q", NULL},
    };
    *out = (struct spean_agency_find){.words = NULL};
    if (!spean_matching_read(at, NULL, terms, TERMS)) {
        return false;
    }
    out->kind = terms[KIND].value;
    out->country = terms[COUNTRY].value;
    out->status = terms[STATUS].value;
    out->service = terms[SERVICE].value;
    out->language = terms[LANGUAGE].value;
    return spean_matching_query(at, &terms[Q], &out->words);
}

void spean_agency_find_fini(struct spean_agency_find *find)
{
    assert(find != NULL);
    spean_searchkey_free(find->words);
    *find = (struct spean_agency_find){.words = NULL};
}

static bool has_value(const struct spean_records_item *item, uint64_t field, const char *wanted)
{
    return spean_matching_text(spean_records_value(item, SPEAN_PART_PUBLIC, field), wanted);
}

static bool has_identifier(const struct spean_part *part, const char *words)
{
    const struct spean_field *const f =
        part == NULL ? NULL : spean_part_find(part, SPEAN_FIELD_AGENCY_IDENTIFIERS, SPEAN_KIND_SET);
    const size_t count = f == NULL ? 0 : spean_field_elements_count(f);
    for (size_t i = 0; i < count; i++) {
        struct spean_view element;
        if (spean_field_get_element(f, i, &element) &&
            spean_matching_words(spean_matching_sub(element, SUB_IDENTIFIER_VALUE), words)) {
            return true;
        }
    }
    return false;
}

bool spean_agency_find_wants(struct spean_records *at, const struct spean_records_item *item,
                             void *ctx)
{
    const struct spean_agency_find *const find = ctx;
    const struct spean_part *const part = item->parts[SPEAN_PART_PUBLIC];
    (void)at;
    return has_value(item, SPEAN_FIELD_AGENCY_KIND, find->kind) &&
           has_value(item, SPEAN_FIELD_AGENCY_COUNTRY, find->country) &&
           has_value(item, SPEAN_FIELD_AGENCY_STATUS, find->status) &&
           spean_matching_member(part, SPEAN_FIELD_AGENCY_SERVICES, SUB_SERVICE_CODE,
                                 find->service) &&
           spean_matching_member(part, SPEAN_FIELD_AGENCY_LANGUAGES, 0, find->language) &&
           (find->words == NULL || spean_matching_names(part, find->words) ||
            has_identifier(part, find->words));
}
