#include "node/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES_MAX       32u /* Longer names get no suggestion. */
#define KEY_DISTANCE_MAX    3u  /* Edits between a name and what is suggested for it. */
#define SOCKET_NAME         "/spean.sock"
#define DIGITS              "0123456789"
#define HOST_CHARS          DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-"
#define HOST_V6_CHARS       DIGITS "ABCDEFabcdef:."
#define PORT_DIGITS_MAX     5u
#define PORT_MAX            65535u
#define NUMBER_DIGITS_MAX   15u /* Fits uint64_t. */
#define ENDPOINT_EXAMPLE    "host:port, as in kratie.example:7431"
#define ENDPOINT_ANY_SUFFIX ", or *:port for all addresses"

/* Read text as a whole number of at most max. */
static bool number_read(const char *text, uint64_t max, uint64_t *out)
{
    const size_t len = strlen(text);
    if (len == 0 || len > NUMBER_DIGITS_MAX || strspn(text, DIGITS) != len) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value > max) {
        return false;
    }
    *out = value;
    return true;
}

/* Whether text is host:port, or with any also *:port. */
static bool is_endpoint(const char *text, bool any)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (strlen(text) > SPEAN_ENDPOINT_BYTES_MAX || colon == NULL || colon == text ||
        strlen(colon + 1) > PORT_DIGITS_MAX || !number_read(colon + 1, PORT_MAX, &port) ||
        port == 0) {
        return false;
    }
    const size_t len = (size_t)(colon - text);
    if (text[0] == '*') {
        return any && len == 1;
    }
    if (text[0] == '[') {
        return len > 3 && text[len - 1] == ']' && strspn(text + 1, HOST_V6_CHARS) == len - 2;
    }
    return strspn(text, HOST_CHARS) == len;
}

bool spean_config_endpoint_valid(const char *text)
{
    assert(text != NULL);
    return is_endpoint(text, false);
}

/* Each setter returns NULL, or what the value should have been. It changes config only then. */

static const char *endpoint_set(char out[SPEAN_ENDPOINT_BYTES_MAX + 1], const char *value, bool any)
{
    if (value[0] != '\0' && !is_endpoint(value, any)) {
        return any ? ENDPOINT_EXAMPLE ENDPOINT_ANY_SUFFIX : ENDPOINT_EXAMPLE;
    }
    (void)snprintf(out, SPEAN_ENDPOINT_BYTES_MAX + 1, "%s", value); /* Its length is checked. */
    return NULL;
}

static const char *listen_set(struct spean_config *config, const char *value)
{
    return endpoint_set(config->listen, value, true);
}

static const char *advertise_set(struct spean_config *config, const char *value)
{
    return endpoint_set(config->advertise, value, false);
}

static const char *socks_proxy_set(struct spean_config *config, const char *value)
{
    return endpoint_set(config->socks_proxy, value, false);
}

static const char *map_gib_set(struct spean_config *config, const char *value)
{
    uint64_t number = 0;
    if (!number_read(value, SPEAN_CONFIG_MAP_GIB_MAX, &number) || number == 0) {
        return "a number from 1 to 4096";
    }
    config->map_gib = (uint32_t)number;
    return NULL;
}

static const char *day_cap_bytes_set(struct spean_config *config, const char *value)
{
    uint64_t number = 0;
    if (!number_read(value, SPEAN_CONFIG_DAY_CAP_MAX, &number)) {
        return "a number of bytes, 0 to 999999999999999";
    }
    config->day_cap_bytes = number;
    return NULL;
}

static const char *log_quota_mib_set(struct spean_config *config, const char *value)
{
    uint64_t number = 0;
    if (!number_read(value, SPEAN_CONFIG_QUOTA_MIB_MAX, &number)) {
        return "a number from 0 to 1048576";
    }
    config->log_quota_mib = (uint32_t)number;
    return NULL;
}

static const char *days_set(uint32_t *days, const char *value)
{
    uint64_t number = 0;
    if (!number_read(value, SPEAN_CONFIG_DAYS_MAX, &number)) {
        return "a number of days, 0 to 36500";
    }
    *days = (uint32_t)number;
    return NULL;
}

static const char *retention_review_days_set(struct spean_config *config, const char *value)
{
    return days_set(&config->retention_review_days, value);
}

static const char *retention_delete_days_set(struct spean_config *config, const char *value)
{
    return days_set(&config->retention_delete_days, value);
}

static const char *socket_set(struct spean_config *config, const char *value)
{
    if (value[0] != '/' || strlen(value) > SPEAN_LOCAL_PATH_BYTES_MAX) {
        return "an absolute path of at most 107 bytes";
    }
    (void)snprintf(config->socket, sizeof(config->socket), "%s",
                   value); /* Its length is checked. */
    return NULL;
}

static const char *log_level_set(struct spean_config *config, const char *value)
{
    static const struct {
        const char *name;
        enum spean_journal_level level;
    } levels[] = {
        {"error", SPEAN_JOURNAL_ERROR},
        {"warning", SPEAN_JOURNAL_WARNING},
        {"info", SPEAN_JOURNAL_INFO},
        {"debug", SPEAN_JOURNAL_DEBUG},
    };
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(levels[i].name, value) == 0) {
            config->log_level = levels[i].level;
            return NULL;
        }
    }
    return "error, warning, info or debug";
}

static const char *dial_set(struct spean_config *config, const char *value)
{
    const bool on = strcmp(value, "on") == 0;
    if (!on && strcmp(value, "off") != 0) {
        return "on or off";
    }
    config->dial = on;
    return NULL;
}

static const char *socket_group_set(struct spean_config *config, const char *value)
{
    const struct group *group = getgrnam(value); /* At start, while there is one thread. */
    if (group == NULL) {
        return "a group of this machine";
    }
    config->has_socket_group = true;
    config->socket_group = group->gr_gid;
    return NULL;
}

static const struct {
    const char *name;
    const char *(*set)(struct spean_config *config, const char *value);
} keys[] = {
    {"advertise", advertise_set},
    {"day_cap_bytes", day_cap_bytes_set},
    {"dial", dial_set},
    {"listen", listen_set},
    {"log_level", log_level_set},
    {"log_quota_mib", log_quota_mib_set},
    {"map_gib", map_gib_set},
    {"retention_delete_days", retention_delete_days_set},
    {"retention_review_days", retention_review_days_set},
    {"socket", socket_set},
    {"socket_group", socket_group_set},
    {"socks_proxy", socks_proxy_set},
};

#define KEYS_COUNT (sizeof(keys) / sizeof(keys[0]))

/* Error texts are cut when they do not fit, so the length that snprintf() returns is of no use. */

static size_t key_find(const char *name)
{
    size_t i = 0;
    while (i < KEYS_COUNT && strcmp(keys[i].name, name) != 0) {
        i++;
    }
    return i;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many characters to change, add or leave out to make b of a (Levenshtein). */
static size_t key_distance(const char *a, const char *b)
{
    const size_t a_len = strlen(a);
    const size_t b_len = strlen(b);
    assert(b_len <= KEY_BYTES_MAX);
    size_t row[KEY_BYTES_MAX + 1];
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b_len; j++) {
            const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = least(changed, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[b_len];
}

static const char *key_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t best = KEY_DISTANCE_MAX + 1;
    for (size_t i = 0; i < KEYS_COUNT && strlen(name) <= KEY_BYTES_MAX; i++) {
        const size_t distance = key_distance(name, keys[i].name);
        if (distance < best) {
            best = distance;
            nearest = keys[i].name;
        }
    }
    return nearest;
}

spean_err spean_config_set(struct spean_config *config, const char *key, const char *value,
                           struct spean_config_error *error)
{
    assert(config != NULL);
    assert(key != NULL);
    assert(value != NULL);
    assert(error != NULL);
    const size_t i = key_find(key);
    if (i == KEYS_COUNT) {
        const char *nearest = key_nearest(key);
        if (nearest != NULL) {
            (void)snprintf(error->text, sizeof(error->text), "unknown key '%s'; did you mean '%s'?",
                           key, nearest);
        } else {
            (void)snprintf(error->text, sizeof(error->text), "unknown key '%s'", key);
        }
        return SPEAN_EINPUT;
    }
    const char *wanted = keys[i].set(config, value);
    if (wanted != NULL) {
        (void)snprintf(error->text, sizeof(error->text),
                       "'%s' is not a value for %s; it must be %s", value, key, wanted);
        return SPEAN_EINPUT;
    }
    return SPEAN_OK;
}

spean_err spean_config_init(struct spean_config *config, const char *home,
                            struct spean_config_error *error)
{
    assert(config != NULL);
    assert(error != NULL);
    const char *base = home != NULL ? home : getenv("SPEAN_HOME");
    const char *rest = "";
    if (base == NULL) {
        base = getenv("XDG_DATA_HOME");
        rest = "/spean";
        if (base == NULL || base[0] != '/') { /* The XDG rules ignore a relative one. */
            base = getenv("HOME");
            rest = "/.local/share/spean";
        }
    }
    struct spean_config made = {.map_gib = SPEAN_CONFIG_MAP_GIB,
                                .log_quota_mib = SPEAN_CONFIG_QUOTA_MIB,
                                .retention_review_days = SPEAN_CONFIG_REVIEW_DAYS,
                                .log_level = SPEAN_JOURNAL_INFO,
                                .dial = true};
    if (base == NULL || base[0] != '/') {
        (void)snprintf(error->text, sizeof(error->text),
                       "the home folder is not an absolute path; give it by --home");
        return SPEAN_EINPUT;
    }
    const int len = snprintf(made.home, sizeof(made.home), "%s%s", base, rest);
    if (len < 0 || (size_t)len >= sizeof(made.home)) {
        (void)snprintf(error->text, sizeof(error->text),
                       "the home folder's path is longer than %u bytes",
                       SPEAN_CONFIG_PATH_BYTES_MAX);
        return SPEAN_EINPUT;
    }
    *config = made;
    return SPEAN_OK;
}

/* Where the reading of a file is. */
struct load {
    struct spean_config *config;
    struct spean_config_error *error; /* Holds the first error's text, if failed. */
    const char *at;                   /* What is not read yet, up to its NUL. */
    unsigned line;
    uint32_t seen; /* Bit i: keys[i] was given. */
    bool failed;
};

/* inih: give the next line, as fgets() does. Lines are known to fit. */
static char *load_line(char *out, int cap, void *stream)
{
    struct load *load = stream;
    if (*load->at == '\0' || load->failed) {
        return NULL;
    }
    size_t len = strcspn(load->at, "\n");
    len += load->at[len] == '\n' ? 1 : 0;
    assert(cap > 0);
    assert(len < (size_t)cap);
    memcpy(out, load->at, len);
    out[len] = '\0';
    load->at += len;
    load->line++;
    return out;
}

/* inih: take one pair. Zero says that it is wrong. */
static int load_pair(void *user, const char *section, const char *name, const char *value)
{
    struct load *load = user;
    const size_t i = key_find(name);
    if (section[0] != '\0') {
        (void)snprintf(load->error->text, sizeof(load->error->text),
                       "there are no sections in this file");
        load->failed = true;
    } else if (i < KEYS_COUNT && (load->seen & (UINT32_C(1) << i)) != 0) {
        (void)snprintf(load->error->text, sizeof(load->error->text),
                       "'%s' is given twice (an indented line goes on with the one before)", name);
        load->failed = true;
    } else if (spean_config_set(load->config, name, value, load->error) != SPEAN_OK) {
        load->failed = true;
    } else {
        load->seen |= UINT32_C(1) << i;
    }
    return load->failed ? 0 : 1;
}

/* Find a line that inih would cut, or a NUL that would hide the rest of a line. 0: there is none.
 */
static unsigned text_bad_line(const char *text, size_t len)
{
    unsigned line = 1;
    size_t begin = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            begin = i + 1;
            line++;
        } else if (text[i] == '\0' || i - begin >= SPEAN_CONFIG_LINE_BYTES_MAX) {
            return line;
        }
    }
    return 0;
}

static spean_err text_load(struct spean_config *config, const char *text, size_t len,
                           const char *path, struct spean_config_error *error)
{
    const unsigned bad = text_bad_line(text, len);
    if (bad != 0) {
        (void)snprintf(error->text, sizeof(error->text),
                       "%s:%u: the line is longer than %u bytes or holds a NUL", path, bad,
                       SPEAN_CONFIG_LINE_BYTES_MAX);
        return SPEAN_EINPUT;
    }
    struct spean_config made = *config;
    struct spean_config_error why = {.text = "this is not 'key = value'"};
    struct load load = {.config = &made, .error = &why, .at = text};
    const int result = ini_parse_stream(load_line, &load, load_pair, &load);
    if (result < 0) {
        (void)snprintf(error->text, sizeof(error->text), "%s: memory is exhausted", path);
        return SPEAN_ENOMEM;
    }
    if (result > 0) {
        /* A line that is no pair is passed over by inih; if one came first, it is the one named. */
        if ((unsigned)result < load.line && load.failed) {
            (void)snprintf(why.text, sizeof(why.text), "this is not 'key = value'");
        }
        (void)snprintf(error->text, sizeof(error->text), "%.240s:%d: %.240s", path, result,
                       why.text);
        return SPEAN_EINPUT;
    }
    *config = made;
    return SPEAN_OK;
}

static spean_err file_check(int fd, const char *path, struct spean_config_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        (void)snprintf(error->text, sizeof(error->text), "%s: it is not a file that can be read",
                       path);
        return SPEAN_EIO;
    }
    if ((info.st_uid != geteuid() && info.st_uid != 0) || (info.st_mode & 0022) != 0) {
        (void)snprintf(error->text, sizeof(error->text), "%s: others may write it; try: chmod go-w",
                       path);
        return SPEAN_EDENIED;
    }
    return SPEAN_OK;
}

/* Read all of fd into text, which has one byte more than the limit, and end it with a NUL. */
static spean_err file_read(int fd, const char *path, char *text, size_t *out,
                           struct spean_config_error *error)
{
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len <= SPEAN_CONFIG_FILE_BYTES_MAX) {
        got = read(fd, text + len, SPEAN_CONFIG_FILE_BYTES_MAX + 1 - len);
        if (got < 0 && errno != EINTR) {
            (void)snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(errno));
            return SPEAN_EIO;
        }
        len += got > 0 ? (size_t)got : 0;
        got = got < 0 ? 1 : got; /* Interrupted: once more. */
    }
    if (len > SPEAN_CONFIG_FILE_BYTES_MAX) {
        (void)snprintf(error->text, sizeof(error->text), "%s: it is larger than %u bytes", path,
                       SPEAN_CONFIG_FILE_BYTES_MAX);
        return SPEAN_ELIMIT;
    }
    text[len] = '\0';
    *out = len;
    return SPEAN_OK;
}

spean_err spean_config_load(struct spean_config *config, const char *path,
                            struct spean_config_error *error)
{
    assert(config != NULL);
    assert(path != NULL);
    assert(error != NULL);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* A pipe must not stop us. */
    if (fd < 0) {
        (void)snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(errno));
        return errno == ENOENT ? SPEAN_ENOTFOUND : SPEAN_EIO;
    }
    size_t len = 0;
    char *text = malloc(SPEAN_CONFIG_FILE_BYTES_MAX + 2);
    spean_err err = text != NULL ? file_check(fd, path, error) : SPEAN_ENOMEM;
    if (err == SPEAN_OK) {
        err = file_read(fd, path, text, &len, error);
    }
    if (err == SPEAN_OK) {
        err = text_load(config, text, len, path, error);
    }
    free(text);
    (void)close(fd); /* It was only read. */
    return err;
}

spean_err spean_config_finish(struct spean_config *config, struct spean_config_error *error)
{
    assert(config != NULL);
    assert(error != NULL);
    if (config->socket[0] != '\0') {
        return SPEAN_OK;
    }
    const size_t len = strlen(config->home);
    if (len > SPEAN_LOCAL_PATH_BYTES_MAX - (sizeof(SOCKET_NAME) - 1)) {
        (void)snprintf(
            error->text, sizeof(error->text),
            "%.300s%s is too long for a socket, which may have %u bytes; use a shorter home "
            "folder, or give the key 'socket'",
            config->home, SOCKET_NAME, SPEAN_LOCAL_PATH_BYTES_MAX);
        return SPEAN_EINPUT;
    }
    memcpy(config->socket, config->home, len);
    memcpy(config->socket + len, SOCKET_NAME, sizeof(SOCKET_NAME));
    return SPEAN_OK;
}
