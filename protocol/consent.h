/* protocol/consent.h - what a person allowed: for how long, to whom, which sections, and how they
 * may be reached.
 *
 * For acting, so every doubt is decided the careful way: terms that cannot be read wholly allow
 * nothing, a wish that cannot be read counts as the strictest one. Dates are compared with a day
 * that the caller gives; no clock is read.
 */
#ifndef SPEAN_PROTOCOL_CONSENT_H
#define SPEAN_PROTOCOL_CONSENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

struct spean_day {
    uint16_t year;
    uint8_t month; /* 1 to 12; 0 in a date known only to the year. */
    uint8_t day;   /* 1 to 31; 0 in a date known only to the month. */
};

/* An organisation that may be told something. What is not known is NULL or empty. */
struct spean_recipient {
    const struct spean_id *org;
    struct spean_view kind; /* Code of agency_kind. */
    const struct spean_record_id *agency;
};

/* Decoded terms; views into the value they were decoded from. Empty for what was left out. */
struct spean_consent_terms {
    struct spean_view legal_basis;
    struct spean_view purposes;      /* Encoded [code]. */
    struct spean_view recipients;    /* Encoded [map recipient]. */
    struct spean_view sections;      /* Encoded [code]. */
    struct spean_view withhold_from; /* Encoded [map recipient]. */
    struct spean_day effective_on;   /* Year 0: from the beginning. */
    struct spean_day expires_on;     /* Year 0: without end. */
    bool
        gives_override; /* To act without consent, in vital interest: a reason, and who approved. */
};

/*
 * Decode the encoded terms of a consent. SPEAN_EFORMAT, SPEAN_EINPUT, SPEAN_ELIMIT: they are not
 * as the schema says, or say more than this program understands, which may be a restriction: share
 * nothing by them. *out is written on success only.
 */
SPEAN_CHECK spean_err spean_consent_terms_decode(struct spean_consent_terms *out,
                                                 struct spean_view value);

/*
 * Say whether referring is allowed on day today: status is given or renewed, nobody said that it
 * was withdrawn, refer is among the purposes, and today lies within its dates, the last one
 * included. A date known to the month or year stands for all its days.
 */
bool spean_consent_is_in_force(const struct spean_consent_terms *terms, struct spean_view status,
                               bool is_withdrawn, const struct spean_day *today);

/*
 * Say whether who is among the recipients: one of them fits in all it names. Whom the person
 * withheld it from is asked separately.
 */
bool spean_consent_covers(const struct spean_consent_terms *terms,
                          const struct spean_recipient *who);

/* Say whether section, a code of that list, may be shared. */
bool spean_consent_has_section(const struct spean_consent_terms *terms, struct spean_view section);

/*
 * Say whether one of the lists, encoded [map recipient] or [map withhold], names who in anything:
 * the terms' own list and all siblings of withhold_from. A list that cannot be read, and a kind
 * named while who's is not known, count as naming it. Empty views name nobody.
 */
bool spean_consent_withholds(const struct spean_view *lists, size_t lists_count,
                             const struct spean_recipient *who);

/* Whether and how the person may be contacted. */
struct spean_safe_contact {
    bool is_safe;
    bool may_leave_message;
};

/*
 * Join the siblings of a field safe_contact: a flag is true only if somebody says so and nobody
 * denies it; one that cannot be read denies both.
 */
struct spean_safe_contact spean_consent_safe_contact(const struct spean_view *siblings,
                                                     size_t siblings_count);

#endif
