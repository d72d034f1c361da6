/* A directory of its own for each test, with or without an open store in it. */
#ifndef SPEAN_TESTS_UNIT_STORE_FIXTURE_H
#define SPEAN_TESTS_UNIT_STORE_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "store/db.h"

#define FIXTURE_PATH_BYTES 256u
#define FIXTURE_MAP_BYTES  (16u * 1024u * 1024u)

struct fixture {
    char dir[FIXTURE_PATH_BYTES];   /* Exists. */
    char store[FIXTURE_PATH_BYTES]; /* dir/store, where the store is or would be. */
    struct spean_db *db;            /* Open, or NULL. */
};

/* cmocka set-up and tear-down. The first two put a struct fixture into *state. */
int fixture_dir_setup(void **state);
int fixture_store_setup(void **state);
int fixture_teardown(void **state);

/* Open the store of f and return what spean_db_open() said; f->db is set if it worked. */
spean_err fixture_open(struct fixture *f, bool create, uint64_t map_bytes);
void fixture_close(struct fixture *f);

/* Write dir/name into path. */
void fixture_path(const struct fixture *f, const char *name, char path[FIXTURE_PATH_BYTES]);

/* Write one row in a transaction of its own, or read one: asserts that it works. */
void fixture_put(struct fixture *f, enum spean_table table, const char *key,
                 struct spean_view value);
size_t fixture_get(struct fixture *f, enum spean_table table, const char *key, uint8_t *buf,
                   size_t size);

struct spean_view fixture_text(const char *text);

/* Begin a transaction; asserts that it works. */
struct spean_tx *fixture_begin(struct fixture *f, enum spean_tx_mode mode);

/* Write a row of SPEAN_TABLE_LOCAL in tx; say whether there is one. */
spean_err fixture_put_local(struct spean_tx *tx, const char *key, const char *value);
spean_err fixture_has_local(struct fixture *f, const char *key);

#endif
