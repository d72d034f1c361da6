#include "node/recipient.h"

#include "protocol/schema_numbers.h"

void spean_recipient_init(const struct spean_records *at, const struct spean_id *org,
                          struct spean_recipient_of *out)
{
    *out = (struct spean_recipient_of){.org = *org};
    out->who.org = &out->org;
    if (spean_records_agency_of(at, org, &out->agency) &&
        spean_records_load(at, &out->agency, &out->about) == SPEAN_OK) {
        out->who.agency = &out->agency;
        out->who.kind = spean_records_text(
            spean_records_value(&out->about, SPEAN_PART_PUBLIC, SPEAN_FIELD_AGENCY_KIND));
    }
}

void spean_recipient_fini(struct spean_recipient_of *of)
{
    spean_records_unload(&of->about);
}
