/* tools/hsdsshape.h - the keys of HSDS 3 objects that are read, and what their values must be. */
#ifndef SPEAN_TOOLS_HSDSSHAPE_H
#define SPEAN_TOOLS_HSDSSHAPE_H

#include <stdbool.h>

#include <jansson.h>

enum spean_hsds_kind {
    SPEAN_HSDS_ORGANIZATION,
    SPEAN_HSDS_SERVICE,
    SPEAN_HSDS_AT_LOCATION,
    SPEAN_HSDS_LOCATION,
    SPEAN_HSDS_CONTACT,
    SPEAN_HSDS_PHONE,
    SPEAN_HSDS_ADDRESS,
    /* What follows holds no lists. */
    SPEAN_HSDS_IDENTIFIER,
    SPEAN_HSDS_LANGUAGE,
    SPEAN_HSDS_SCHEDULE,
    SPEAN_HSDS_AREA,
    SPEAN_HSDS_ATTRIBUTE,
};

enum spean_hsds_shape {
    SPEAN_HSDS_ANY, /* Says nothing by itself; whatever it is, it is passed over. */
    SPEAN_HSDS_TEXT,
    SPEAN_HSDS_DIGITS, /* A text or a whole number. */
    SPEAN_HSDS_OBJECT,
    SPEAN_HSDS_LIST,
};

/* One key that is known. */
struct spean_hsds_key {
    const char *name; /* NULL ends an array. */
    enum spean_hsds_shape shape;
    enum spean_hsds_kind items; /* Of the objects in a list. */
};

/* Give what an object of this kind is called ("phone"). */
const char *spean_hsds_kind_name(enum spean_hsds_kind kind);

/* Say whether objects of this kind hold no lists of others. */
bool spean_hsds_kind_is_leaf(enum spean_hsds_kind kind);

/* Find a key of an object; NULL: it is not one that is read. */
const struct spean_hsds_key *spean_hsds_key(enum spean_hsds_kind kind, const char *name);

/* Say what value must be and is not, translated; NULL: it is, or it is absent or null, which
 * says nothing. */
const char *spean_hsds_misfit(enum spean_hsds_shape shape, const json_t *value);

#endif
