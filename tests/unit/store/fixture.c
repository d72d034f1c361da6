#include "tests/unit/store/fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void fixture_path(const struct fixture *f, const char *name, char path[FIXTURE_PATH_BYTES])
{
    const int n = snprintf(path, FIXTURE_PATH_BYTES, "%s/%s", f->dir, name);
    assert_true(n > 0 && (size_t)n < FIXTURE_PATH_BYTES);
}

int fixture_dir_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    const char *tmp = getenv("TMPDIR");
    const int n = snprintf(f->dir, sizeof(f->dir), "%s/spean-test-XXXXXX", tmp ? tmp : "/tmp");
    assert_true(n > 0 && (size_t)n < sizeof(f->dir));
    assert_non_null(mkdtemp(f->dir));
    fixture_path(f, "store", f->store);
    *state = f;
    return 0;
}

int fixture_store_setup(void **state)
{
    (void)fixture_dir_setup(state); /* Asserts inside. */
    assert_int_equal(fixture_open(*state, true, FIXTURE_MAP_BYTES), SPEAN_OK);
    return 0;
}

/* Remove the files of one directory and the directory itself. */
static void remove_dir(const char *dir)
{
    DIR *stream = opendir(dir);
    if (stream == NULL) {
        return;
    }
    for (const struct dirent *row = readdir(stream); row != NULL; row = readdir(stream)) {
        (void)unlinkat(dirfd(stream), row->d_name, 0); /* Fails on ".", ".." and directories. */
    }
    (void)closedir(stream);
    (void)rmdir(dir);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    remove_dir(f->store);
    remove_dir(f->dir);
    free(f);
    return 0;
}

spean_err fixture_open(struct fixture *f, bool create, uint64_t map_bytes)
{
    const struct spean_db_options options = {
        .dir = f->store,
        .map_bytes = map_bytes,
        .create = create,
    };
    return spean_db_open(&options, &f->db);
}

void fixture_close(struct fixture *f)
{
    spean_db_close(f->db);
    f->db = NULL;
}

struct spean_view fixture_text(const char *text)
{
    return (struct spean_view){.data = (const uint8_t *)text, .len = strlen(text)};
}

void fixture_put(struct fixture *f, enum spean_table table, const char *key,
                 struct spean_view value)
{
    struct spean_tx *tx;
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_WRITE, &tx), SPEAN_OK);
    assert_int_equal(spean_tx_put(tx, table, fixture_text(key), value), SPEAN_OK);
    assert_int_equal(spean_tx_commit(tx), SPEAN_OK);
}

size_t fixture_get(struct fixture *f, enum spean_table table, const char *key, uint8_t *buf,
                   size_t size)
{
    struct spean_tx *tx;
    struct spean_view value = {0};
    assert_int_equal(spean_tx_begin(f->db, SPEAN_TX_READ, &tx), SPEAN_OK);
    assert_int_equal(spean_tx_get(tx, table, fixture_text(key), &value), SPEAN_OK);
    assert_true(value.len <= size);
    (void)memcpy(buf, value.data, value.len);
    const size_t len = value.len;
    spean_tx_abort(tx);
    return len;
}

struct spean_tx *fixture_begin(struct fixture *f, enum spean_tx_mode mode)
{
    struct spean_tx *tx = NULL;
    assert_int_equal(spean_tx_begin(f->db, mode, &tx), SPEAN_OK);
    return tx;
}

spean_err fixture_put_local(struct spean_tx *tx, const char *key, const char *value)
{
    return spean_tx_put(tx, SPEAN_TABLE_LOCAL, fixture_text(key), fixture_text(value));
}

spean_err fixture_has_local(struct fixture *f, const char *key)
{
    struct spean_tx *tx = fixture_begin(f, SPEAN_TX_READ);
    struct spean_view value;
    const spean_err err = spean_tx_get(tx, SPEAN_TABLE_LOCAL, fixture_text(key), &value);
    spean_tx_abort(tx);
    return err;
}
