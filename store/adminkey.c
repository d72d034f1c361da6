#include "store/adminkey.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "protocol/reader.h"
#include "protocol/writer.h"
#include "store/file.h"
#include "store/secret.h"

#define DOMAIN            "spean/adminkey/1"
#define CONTENT_FIELDS    3u
#define CONTENT_BYTES_MAX 128u

static const char header[] = "spean admin key, version 1: keep it, and its passphrase, apart from "
                             "the computer\n";
static const char header_any[] = "spean admin key, version "; /* Of later versions, too. */

_Static_assert(sizeof(header) + CONTENT_BYTES_MAX + SPEAN_WRAP_EXTRA_BYTES_MAX <=
                   SPEAN_ADMINKEY_FILE_BYTES_MAX,
               "the file has room");

struct spean_adminkey {
    uint8_t admin[SPEAN_KEY_BYTES];
    uint8_t charter[SPEAN_KEY_BYTES];
    struct spean_id org;
};

/* What sealing and opening need for a moment, in one locked block. */
struct scratch {
    uint8_t wrapping[SPEAN_KEY_BYTES];
    uint8_t content[SPEAN_ADMINKEY_FILE_BYTES_MAX];
};

spean_err spean_adminkey_new(struct spean_adminkey **out)
{
    assert(out != NULL);

    void *block;
    const spean_err err = spean_secret_alloc(sizeof(struct spean_adminkey), &block);
    if (err != SPEAN_OK) {
        return err;
    }
    struct spean_adminkey *key = block;
    key->org = (struct spean_id){0};
    randombytes_buf(key->admin, sizeof(key->admin));
    randombytes_buf(key->charter, sizeof(key->charter));
    *out = key;
    return SPEAN_OK;
}

void spean_adminkey_free(struct spean_adminkey *key)
{
    spean_secret_free(key);
}

void spean_adminkey_set_org(struct spean_adminkey *key, const struct spean_id *org)
{
    assert(key != NULL);
    assert(org != NULL);
    key->org = *org;
}

static spean_err content_write(const struct spean_adminkey *key, uint8_t *buf, size_t cap,
                               struct spean_view *out)
{
    struct spean_writer w;
    spean_writer_init(&w, buf, cap);
    spean_writer_array(&w, CONTENT_FIELDS);
    spean_writer_bin(&w, key->org.bytes, sizeof(key->org.bytes));
    spean_writer_bin(&w, key->admin, sizeof(key->admin));
    spean_writer_bin(&w, key->charter, sizeof(key->charter));
    return spean_writer_end(&w, out);
}

static spean_err content_read(struct spean_view bytes, struct spean_adminkey *key)
{
    struct spean_reader r;
    spean_reader_init(&r, bytes);
    (void)spean_reader_array(&r, CONTENT_FIELDS, CONTENT_FIELDS);
    spean_reader_bin_fixed(&r, key->org.bytes, sizeof(key->org.bytes));
    spean_reader_bin_fixed(&r, key->admin, sizeof(key->admin));
    spean_reader_bin_fixed(&r, key->charter, sizeof(key->charter));
    return spean_reader_end(&r) == SPEAN_OK ? SPEAN_OK : SPEAN_ECORRUPT;
}

spean_err spean_adminkey_write(const struct spean_adminkey *key, const char *path,
                               const struct spean_unlock *unlock)
{
    assert(key != NULL);
    assert(path != NULL);
    assert(unlock != NULL);

    void *block;
    spean_err err = spean_secret_alloc(sizeof(struct scratch), &block);
    if (err != SPEAN_OK) {
        return err;
    }
    struct scratch *scratch = block;
    struct spean_wrap wrap;
    struct spean_view content = {0};
    uint8_t file[SPEAN_ADMINKEY_FILE_BYTES_MAX];
    const size_t header_len = sizeof(header) - 1;
    size_t package_len = 0;

    err = spean_wrap_new(DOMAIN, unlock, &wrap, scratch->wrapping);
    if (err == SPEAN_OK) {
        err = content_write(key, scratch->content, sizeof(scratch->content), &content);
    }
    if (err == SPEAN_OK) {
        err = spean_wrap_seal(DOMAIN, &wrap, scratch->wrapping, content, file + header_len,
                              sizeof(file) - header_len, &package_len);
    }
    spean_secret_free(block);
    if (err != SPEAN_OK) {
        return err;
    }
    (void)memcpy(file, header, header_len);
    return spean_file_write_new(path, (struct spean_view){file, header_len + package_len});
}

/* Find the package behind the line of text. */
static spean_err package_of(struct spean_view file, struct spean_view *package)
{
    const size_t header_len = sizeof(header) - 1;
    const size_t any_len = sizeof(header_any) - 1;
    if (file.len >= header_len && memcmp(file.data, header, header_len) == 0) {
        *package = (struct spean_view){file.data + header_len, file.len - header_len};
        return SPEAN_OK;
    }
    /* Anything but our own version, with the whole of its first line there. */
    const bool named = file.len > any_len && memcmp(file.data, header_any, any_len) == 0;
    return named && file.data[any_len] != '1' ? SPEAN_EVERSION : SPEAN_EFORMAT;
}

static spean_err open_into(struct spean_view package, const struct spean_unlock *unlock,
                           struct spean_adminkey *key)
{
    void *block;
    spean_err err = spean_secret_alloc(sizeof(struct scratch), &block);
    if (err != SPEAN_OK) {
        return err;
    }
    struct scratch *scratch = block;
    struct spean_wrap wrap;
    size_t len = 0;
    err = spean_wrap_open(DOMAIN, package, unlock, &wrap, scratch->wrapping, scratch->content,
                          sizeof(scratch->content), &len);
    if (err == SPEAN_OK) {
        err = content_read((struct spean_view){scratch->content, len}, key);
    }
    spean_secret_free(block);
    return err;
}

spean_err spean_adminkey_read(const char *path, const struct spean_unlock *unlock,
                              struct spean_adminkey **out)
{
    assert(path != NULL);
    assert(unlock != NULL);
    assert(out != NULL);

    uint8_t file[SPEAN_ADMINKEY_FILE_BYTES_MAX];
    size_t len = 0;
    struct spean_view package;
    spean_err err = spean_file_read(path, file, sizeof(file), &len);
    if (err == SPEAN_OK) {
        err = package_of((struct spean_view){file, len}, &package);
    }
    if (err != SPEAN_OK) {
        return err;
    }
    void *block;
    err = spean_secret_alloc(sizeof(struct spean_adminkey), &block);
    if (err != SPEAN_OK) {
        return err;
    }
    err = open_into(package, unlock, block);
    if (err != SPEAN_OK) {
        spean_secret_free(block);
        return err;
    }
    *out = block;
    return SPEAN_OK;
}

const struct spean_id *spean_adminkey_org(const struct spean_adminkey *key)
{
    assert(key != NULL);
    return &key->org;
}

const uint8_t *spean_adminkey_admin_seed(const struct spean_adminkey *key)
{
    assert(key != NULL);
    return key->admin;
}

const uint8_t *spean_adminkey_charter_seed(const struct spean_adminkey *key)
{
    assert(key != NULL);
    return key->charter;
}
