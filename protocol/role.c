#include "protocol/role.h"

#include <assert.h>

#include "protocol/reader.h"
#include "protocol/schema.h"

/* An organisation that fixed fields name. */
struct party {
    bool is_there; /* The field is there, though it may name nobody. */
    bool is_named;
    struct spean_id org;
};

static struct party party_of(struct spean_view fixed, uint64_t field)
{
    struct party p = {0};
    struct spean_view value;
    p.is_there = spean_fixed_get(fixed, field, &value);
    if (p.is_there) {
        struct spean_reader r;
        spean_reader_init(&r, value);
        spean_reader_bin_fixed(&r, p.org.bytes, sizeof(p.org.bytes));
        p.is_named = spean_reader_end(&r) == SPEAN_OK;
    }
    return p;
}

static bool names(const struct party *p, const struct spean_id *org)
{
    return p->is_named && spean_id_equal(&p->org, org);
}

/* What the author is to the record. */
static unsigned roles_of(uint64_t type, const struct spean_id *owner, struct spean_view fixed,
                         const struct spean_role_author *author)
{
    if (!author->is_member) {
        return 0;
    }
    const bool referral = type == SPEAN_TYPE_REFERRAL;
    const struct party origin = party_of(fixed, SPEAN_FIELD_REFERRAL_FROM);
    const struct party target = party_of(fixed, SPEAN_FIELD_REFERRAL_TO);
    const struct party agency = party_of(fixed, SPEAN_FIELD_AGENCY_ORG);
    const struct spean_schema_parties parties = {
        .type = type,
        .owner = owner,
        .origin = referral && origin.is_named ? &origin.org : NULL,
        .target = referral && target.is_named ? &target.org : NULL,
        .agency = type == SPEAN_TYPE_AGENCY && agency.is_there ? &agency.org : NULL,
    };
    return spean_schema_roles(&parties, &author->org, author->is_steward);
}

enum spean_aside spean_role_judge(const struct spean_change *change, const struct spean_id *owner,
                                  struct spean_view fixed, const struct spean_role_author *author)
{
    assert(change != NULL);
    assert(owner != NULL);
    assert(author != NULL);

    const unsigned roles = roles_of(change->type, owner, fixed, author);
    struct spean_view left = change->operations;
    struct spean_operation op;
    while (spean_operation_next(&left, &op)) {
        if (!spean_schema_may_write(op.field, roles)) {
            return SPEAN_ASIDE_WRITER;
        }
    }
    return SPEAN_ASIDE_NOT;
}

/* Say whether all fields of a creating change are fixed ones. */
static bool only_fixed(struct spean_view fixed)
{
    struct spean_reader r;
    spean_reader_init(&r, fixed);
    const uint32_t count = spean_reader_map(&r, SPEAN_CHANGE_FIXED_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t field = spean_reader_uint(&r, UINT64_MAX);
        (void)spean_reader_value(&r, SPEAN_VALUE_BYTES_MAX); /* Stepped over. */
        if (spean_schema_writer_of(field) != SPEAN_WRITER_FIXED) {
            return false;
        }
    }
    return !spean_reader_failed(&r);
}

/* Say whether the author creates in its own name (SCHEMA.md: agency, referral). */
static bool in_own_name(const struct spean_change *change, const struct spean_id *author)
{
    if (change->type == SPEAN_TYPE_REFERRAL) {
        const struct party origin = party_of(change->fixed, SPEAN_FIELD_REFERRAL_FROM);
        return names(&origin, author);
    }
    if (change->type == SPEAN_TYPE_AGENCY) {
        const struct party agency = party_of(change->fixed, SPEAN_FIELD_AGENCY_ORG);
        return !agency.is_there || names(&agency, author);
    }
    return true;
}

enum spean_aside spean_role_judge_create(const struct spean_change *change,
                                         const struct spean_id *ledger,
                                         const struct spean_role_author *author)
{
    assert(change != NULL);
    assert(change->creates);
    assert(ledger != NULL);
    assert(author != NULL);

    struct spean_record_id derived;
    spean_record_id_derive(&derived, ledger, &author->org, change->random);
    if (!spean_record_id_equal(&derived, &change->record)) {
        return SPEAN_ASIDE_RECORD;
    }
    if (!only_fixed(change->fixed)) {
        return SPEAN_ASIDE_FIXED;
    }
    if (!in_own_name(change, &author->org)) {
        return SPEAN_ASIDE_PARTY;
    }
    return spean_role_judge(change, &author->org, change->fixed, author);
}
