/*
 * Files that people hand to the programs, by the first byte: spean.conf, prepared answers, an admin
 * key file, a package that opens by a credential, cases in each format, and agencies as a folder of
 * CSV. Nobody finds a seal, so a package is also made of the bytes, opened, and gives them back.
 */
#include <assert.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/config.h"
#include "store/adminkey.h"
#include "store/secret.h"
#include "store/wrap.h"
#include "tests/fuzz/fuzz.h"
#include "tools/answers.h"
#include "tools/caserows.h"
#include "tools/hsdscsv.h"

#define PATH_BYTES 64u
#define DOMAIN     "spean/fuzz/1"
#define ROWS_MAX   64u

static const uint8_t credential[SPEAN_WRAP_CREDENTIAL_BYTES] = {1};
static const struct spean_unlock unlock = {.kind = SPEAN_UNLOCK_CREDENTIAL,
                                           .bytes = {credential, sizeof(credential)}};

/* The files of HSDS as CSV that tell of agencies; in an input a NUL stands between them. */
static const char *const tables[] = {"organizations", "services", "phones", "locations",
                                     "addresses"};
#define TABLES_COUNT (sizeof(tables) / sizeof(tables[0]))

static char folder[PATH_BYTES];    /* Where every input is written. */
static char path[2u * PATH_BYTES]; /* The file in it that most checks read. */
static char csv[TABLES_COUNT][2u * PATH_BYTES];

static void remove_folder(void)
{
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        (void)unlink(csv[i]);
    }
    (void)unlink(path);
    (void)rmdir(folder);
}

static void make_folder(void)
{
    const char *const tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(folder, sizeof(folder), "%s/spean-fuzz-XXXXXX", tmp);
    const char *const made = mkdtemp(folder);
    assert(made != NULL);
    (void)snprintf(path, sizeof(path), "%s/input", folder);
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        (void)snprintf(csv[i], sizeof(csv[i]), "%s/%s.csv", folder, tables[i]);
    }
    const int registered = atexit(remove_folder);
    assert(registered == 0);
}

static void write_file(const char *name, struct spean_view bytes)
{
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    assert(fd >= 0);
    const ssize_t written = bytes.len == 0 ? 0 : write(fd, bytes.data, bytes.len);
    assert(written >= 0 && (size_t)written == bytes.len);
    (void)close(fd);
}

static void check_config(struct spean_view bytes)
{
    static struct spean_config config;
    static struct spean_config before;
    struct spean_config_error error = {""};
    (void)bytes;
    spean_err err = spean_config_init(&config, "/var/lib/spean", &error);
    assert(err == SPEAN_OK);
    memcpy(&before, &config, sizeof(before)); /* With its padding, which nothing writes. */
    err = spean_config_load(&config, path, &error);
    if (err != SPEAN_OK) {
        assert(error.text[0] != '\0');
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-*): the padding is copied. */
        assert(memcmp(&config, &before, sizeof(config)) == 0);
        return;
    }
    assert(config.map_gib >= 1 && config.map_gib <= SPEAN_CONFIG_MAP_GIB_MAX);
    assert(config.log_quota_mib <= SPEAN_CONFIG_QUOTA_MIB_MAX);
    assert(config.day_cap_bytes <= SPEAN_CONFIG_DAY_CAP_MAX);
}

static void check_answers(struct spean_view bytes)
{
    struct spean_problem problem = {0};
    struct spean_answers *answers = NULL;
    (void)bytes;
    if (spean_answers_load(path, NULL, &answers, &problem) != SPEAN_EXIT_DONE) {
        return;
    }
    const char *const name = spean_answers_unused(answers);
    if (name != NULL) {
        const char *const answer = spean_answers_take(answers, name);
        assert(answer != NULL);
        assert(strlen(answer) <= SPEAN_ANSWER_BYTES_MAX);
    }
    spean_answers_free(answers);
}

static void check_adminkey(struct spean_view bytes)
{
    struct spean_adminkey *key = NULL;
    (void)bytes;
    const spean_err err = spean_adminkey_read(path, &unlock, &key);
    assert(err != SPEAN_OK);
}

/* Open a package into locked memory. */
static spean_err package_open(struct spean_view package, void **block, size_t *len)
{
    struct spean_wrap wrap;
    spean_err err = spean_secret_alloc(SPEAN_KEY_BYTES + package.len + 1, block);
    assert(err == SPEAN_OK);
    uint8_t *const key = *block;
    err = spean_wrap_open(DOMAIN, package, &unlock, &wrap, key, key + SPEAN_KEY_BYTES, package.len,
                          len);
    return err;
}

static void check_package(struct spean_view bytes)
{
    void *block = NULL;
    size_t len = 0;
    if (bytes.len > SPEAN_WRAP_CONTENT_BYTES_MAX + SPEAN_WRAP_EXTRA_BYTES_MAX) {
        return; /* No package is longer, and locked memory is short. */
    }
    const spean_err err = package_open(bytes, &block, &len);
    assert(err != SPEAN_OK);
    spean_secret_free(block);
}

static void check_sealing(struct spean_view bytes)
{
    static uint8_t package[SPEAN_WRAP_CONTENT_BYTES_MAX + SPEAN_WRAP_EXTRA_BYTES_MAX];
    uint8_t key[SPEAN_KEY_BYTES];
    struct spean_wrap wrap;
    void *block = NULL;
    size_t package_len = 0;
    size_t len = 0;
    spean_err err = spean_wrap_new(DOMAIN, &unlock, &wrap, key);
    assert(err == SPEAN_OK);
    err = spean_wrap_seal(DOMAIN, &wrap, key, bytes, package, sizeof(package), &package_len);
    if (bytes.len > SPEAN_WRAP_CONTENT_BYTES_MAX) {
        assert(err == SPEAN_ELIMIT);
        return;
    }
    assert(err == SPEAN_OK);
    err = package_open((struct spean_view){package, package_len}, &block, &len);
    assert(err == SPEAN_OK);
    assert(len == bytes.len);
    assert(len == 0 || memcmp((uint8_t *)block + SPEAN_KEY_BYTES, bytes.data, len) == 0);
    spean_secret_free(block);
}

static void read_cases(enum spean_caserows_format format)
{
    const struct spean_caserows_options options = {.path = path, .format = format};
    struct spean_problem problem = {0};
    struct spean_caserows *rows = NULL;
    struct spean_caserow row;
    bool more = true;
    if (spean_caserows_open(&options, &rows, &problem) != SPEAN_EXIT_DONE) {
        return;
    }
    for (uint32_t i = 0; i < ROWS_MAX && more; i++) {
        if (spean_caserows_next(rows, &row, &more, &problem) != SPEAN_EXIT_DONE) {
            break;
        }
        assert(!more || row.error != NULL || json_is_object(row.cells));
    }
    assert(json_is_object(spean_caserows_left(rows)));
    spean_caserows_free(rows);
}

static void check_cases(struct spean_view bytes)
{
    static const enum spean_caserows_format formats[] = {
        SPEAN_CASEROWS_CSV, SPEAN_CASEROWS_JSON, SPEAN_CASEROWS_PRIMERO, SPEAN_CASEROWS_OSCAR};
    (void)bytes;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        read_cases(formats[i]);
    }
}

static void check_agencies(struct spean_view bytes)
{
    struct spean_problem problem = {0};
    json_t *const errors = json_array();
    json_t *organizations = NULL;
    for (size_t i = 0; i < TABLES_COUNT; i++) {
        const uint8_t *const end = bytes.len == 0 ? NULL : memchr(bytes.data, 0, bytes.len);
        const size_t len = end == NULL ? bytes.len : (size_t)(end - bytes.data);
        write_file(csv[i], (struct spean_view){bytes.data, len});
        bytes.data += end == NULL ? len : len + 1;
        bytes.len -= end == NULL ? len : len + 1;
    }
    if (spean_hsdscsv_read(folder, errors, &organizations, &problem) == SPEAN_EXIT_DONE) {
        assert(json_is_array(organizations));
    }
    json_decref(organizations);
    json_decref(errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct spean_view) = {
        check_config,  check_answers, check_adminkey, check_package,
        check_sealing, check_cases,   check_agencies};
    if (path[0] == '\0') {
        const int ready = sodium_init();
        assert(ready >= 0);
        make_folder();
    }
    if (size > 0) {
        const struct spean_view bytes = {data + 1, size - 1};
        write_file(path, bytes);
        checks[data[0] % (sizeof(checks) / sizeof(checks[0]))](bytes);
    }
    return 0;
}
