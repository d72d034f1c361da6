/* protocol/caseid.h - codes that people read aloud: KH-2611-0317-B for a case, R-58Q2 for a
 * referral.
 *
 * Neither is an identity: that is the record id. A case code is chosen by its organisation (country
 * of the office, month, number in the month) and has a check character, so that one misheard or two
 * swapped characters are noticed. A referral code is the beginning of the referral's record id, as
 * much of it as tells the referrals of one node apart. Both keep to an alphabet without I, L, O, U.
 */
#ifndef SPEAN_PROTOCOL_CASEID_H
#define SPEAN_PROTOCOL_CASEID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_CASEID_LEN        14u   /* KH-2611-0317-B */
#define SPEAN_CASEID_NUMBER_MAX 9999u /* Cases of one organisation in one month. */
#define SPEAN_CASEID_YEAR_MIN   2000u
#define SPEAN_CASEID_YEAR_MAX   2099u

#define SPEAN_REFERRAL_CODE_CHARS_MIN 4u  /* 20 bits, after R- */
#define SPEAN_REFERRAL_CODE_CHARS_MAX 26u /* A whole record id. */
#define SPEAN_REFERRAL_CODE_LEN_MAX   (2u + SPEAN_REFERRAL_CODE_CHARS_MAX)

#define SPEAN_CASEID_TYPED_BYTES_MAX 256u /* Of what a person typed. */

struct spean_caseid {
    char country[3]; /* Two letters A-Z and a NUL. */
    uint16_t year;
    uint8_t month;
    uint16_t number; /* From 1. */
};

/*
 * Write id with its check character and a NUL. SPEAN_EINPUT: a part is out of its range; beyond
 * SPEAN_CASEID_NUMBER_MAX the caller starts the next month's numbers early.
 */
SPEAN_CHECK spean_err spean_caseid_make(char out[SPEAN_CASEID_LEN + 1],
                                        const struct spean_caseid *id);

/*
 * Read a case code as people type it: either case, with or without hyphens and spaces, Khmer and
 * full-width digits, full-width letters, O for 0, I and L for 1.
 * SPEAN_EINPUT: not such a code, or the check character does not fit: ask again.
 */
SPEAN_CHECK spean_err spean_caseid_parse(struct spean_caseid *out, struct spean_view typed);

/*
 * Write R- and the first chars_count characters of the referral's record id, and a NUL.
 * chars_count is from SPEAN_REFERRAL_CODE_CHARS_MIN to SPEAN_REFERRAL_CODE_CHARS_MAX.
 */
void spean_caseid_referral_make(char out[SPEAN_REFERRAL_CODE_LEN_MAX + 1],
                                const struct spean_record_id *record, size_t chars_count);

/* Count the characters that the codes of two records have in common at the beginning. */
size_t spean_caseid_referral_common(const struct spean_record_id *a,
                                    const struct spean_record_id *b);

/*
 * Read a referral code as people type it (see spean_caseid_parse) and write it as
 * spean_caseid_referral_make() would. SPEAN_EINPUT: not such a code; ask again.
 */
SPEAN_CHECK spean_err spean_caseid_referral_parse(char out[SPEAN_REFERRAL_CODE_LEN_MAX + 1],
                                                  struct spean_view typed);

/* Say whether record's code begins with code, which comes from one of the functions above. */
bool spean_caseid_referral_matches(const char *code, const struct spean_record_id *record);

#endif
