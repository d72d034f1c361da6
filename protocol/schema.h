/* protocol/schema.h - record types, fields and values as data (docs/SCHEMA.md).
 *
 * For writing and showing. Merging does not read it: an operation carries its own kind, and who may
 * write a field follows from its number. A type, field or code that is not found here comes from a
 * newer program or another member: it is kept and shown as it is, never an error when reading.
 * Everything returned is constant and lives as long as the program.
 */
#ifndef SPEAN_PROTOCOL_SCHEMA_H
#define SPEAN_PROTOCOL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"
#include "protocol/schema_numbers.h"

#define SPEAN_SCHEMA_VERSION      1u   /* Goes into each change that we write. */
#define SPEAN_SCHEMA_PARTS_MAX    4u   /* Of one type, the public one included. */
#define SPEAN_SCHEMA_DEPTH_MAX    5u   /* Arrays and maps within each other in one value. */
#define SPEAN_SCHEMA_ELEMENTS_MAX 256u /* Of one array or map in a value. */

/* How writes to a field merge; the number stands in the operation. */
enum spean_kind {
    SPEAN_KIND_FIXED = 0, /* Set in the creating change; never an operation. */
    SPEAN_KIND_VALUE = 1,
    SPEAN_KIND_SET = 2,
    SPEAN_KIND_LIST = 3,
    SPEAN_KIND_STRICTEST = 4,
    SPEAN_KIND_ONE_WAY = 5
};

/* Who may write a field. */
enum spean_schema_writer {
    SPEAN_WRITER_FIXED = 0, /* The creating change. */
    SPEAN_WRITER_OWNER = 1,
    SPEAN_WRITER_ORIGIN = 2,
    SPEAN_WRITER_TARGET = 3,
    SPEAN_WRITER_EITHER = 4, /* Origin or target. */
    SPEAN_WRITER_MEMBER = 5,
    SPEAN_WRITER_STEWARD = 6, /* A steward's organisation, or the owner. */
    SPEAN_WRITER_NOBODY = 7   /* The number is outside every range. */
};

/* What an organisation is to a record; several at once, or none. */
#define SPEAN_ROLE_OWNER   (1u << 0)
#define SPEAN_ROLE_ORIGIN  (1u << 1)
#define SPEAN_ROLE_TARGET  (1u << 2)
#define SPEAN_ROLE_MEMBER  (1u << 3)
#define SPEAN_ROLE_STEWARD (1u << 4)

enum spean_value_type {
    SPEAN_VALUE_BOOL,
    SPEAN_VALUE_UINT,
    SPEAN_VALUE_BYTES,
    SPEAN_VALUE_BIN32,
    SPEAN_VALUE_ORG,
    SPEAN_VALUE_RECORD,
    SPEAN_VALUE_ITEM,
    SPEAN_VALUE_TIME,
    SPEAN_VALUE_STR,
    SPEAN_VALUE_CODE,
    SPEAN_VALUE_LANG,
    SPEAN_VALUE_COUNTRY,
    SPEAN_VALUE_TEXT,
    SPEAN_VALUE_MONEY,
    SPEAN_VALUE_DATE,
    SPEAN_VALUE_PLACE,
    SPEAN_VALUE_MAP,
    SPEAN_VALUE_TYPES_COUNT
};

struct spean_schema_map;

/* What a value looks like. */
struct spean_schema_value {
    enum spean_value_type type;
    bool array;                         /* An array of such values. */
    uint16_t bytes_max;                 /* Of a str; else 0. */
    const char *codes;                  /* Code list of a code; NULL for any. */
    const struct spean_schema_map *map; /* Of a map; else NULL. */
};

struct spean_schema_sub {
    uint16_t number;
    const char *name;
    struct spean_schema_value value;
};

struct spean_schema_map {
    const char *name;
    const struct spean_schema_sub *subs; /* Ascending by number. */
    size_t subs_count;
};

struct spean_schema_field {
    enum spean_record_type type;
    uint16_t number;
    const char *name; /* Unique within its type. */
    enum spean_kind kind;
    enum spean_schema_writer writer;
    enum spean_part_number part;
    const char *section;             /* Of a case, as a consent names it; NULL for none. */
    struct spean_schema_value value; /* Of a set its member, of a list its item. */
};

struct spean_schema_type {
    enum spean_record_type number;
    const char *name;
    const char *parts[SPEAN_SCHEMA_PARTS_MAX]; /* Names by part number; NULL for no such part. */
};

/* Return a record type, or NULL if it is not known. */
const struct spean_schema_type *spean_schema_type(uint64_t number);
const struct spean_schema_type *spean_schema_type_by_name(const char *name);

/* Return all fields, sorted by type, then number; *count is their number. */
const struct spean_schema_field *spean_schema_fields(size_t *count);

/* Return a field of a record type, or NULL if it is not known. */
const struct spean_schema_field *spean_schema_field(uint64_t type, uint64_t number);
const struct spean_schema_field *spean_schema_field_by_name(uint64_t type, const char *name);

/* Return a sub-field of map, or NULL if it is not known. */
const struct spean_schema_sub *spean_schema_sub(const struct spean_schema_map *map,
                                                uint64_t number);
const struct spean_schema_sub *spean_schema_sub_by_name(const struct spean_schema_map *map,
                                                        const char *name);

/*
 * Check, before we write it, that value fits field: for a set one member, for a list one item;
 * nil clears a field of kind value. Codes need not be known, only well formed.
 * SPEAN_EFORMAT: not canonical, another type, or bytes left over; SPEAN_EINPUT: an impossible date,
 * a malformed code, language, country or currency, an unknown sub-field, an empty map;
 * SPEAN_ELIMIT: too long. Somebody gave a wrong value, or our own encoder erred: refuse the change.
 */
SPEAN_CHECK spean_err spean_schema_check_value(const struct spean_schema_field *field,
                                               struct spean_view value);

/* Return who may write a field of this number, known or not, in whatever record type. */
enum spean_schema_writer spean_schema_writer_of(uint64_t number);

/* Who is who for one record. The ids are lent; NULL where there is none. */
struct spean_schema_parties {
    uint64_t type;
    const struct spean_id *owner;  /* Author of the creating change. */
    const struct spean_id *origin; /* Fixed field 1 of a referral. */
    const struct spean_id *target; /* Fixed field 2 of a referral. */
    const struct spean_id *agency; /* Fixed field 1 of an agency: the member it is about. */
};

/*
 * Return the roles (SPEAN_ROLE_...) of member organisation org in a record. An agency record that
 * is about no member has everybody as its owner.
 */
unsigned spean_schema_roles(const struct spean_schema_parties *parties, const struct spean_id *org,
                            bool is_steward);

/* Say whether somebody in these roles may write field number. Fixed fields: nobody. */
bool spean_schema_may_write(uint64_t number, unsigned roles);

/* Compute the hash of the schema that the charter names. */
void spean_schema_hash(struct spean_id *out);

/*
 * Compute the hash of consent terms that a referral carries beside them: consent is the consent's
 * record id, terms the encoded value of its field terms.
 */
void spean_schema_terms_hash(struct spean_id *out, const struct spean_record_id *consent,
                             struct spean_view terms);

#endif
