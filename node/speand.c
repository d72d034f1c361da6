/* speand - the daemon: options, signals, and the life of the core and its local API. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "node/api.h"
#include "node/config.h"
#include "node/core.h"
#include "node/harden.h"
#include "node/journal.h"
#include "node/notify.h"
#include "node/permit.h"
#include "node/routes.h"
#include "protocol/version.h"
#include "store/file.h"
#include "store/secret.h"

#define EXIT_USAGE       2
#define API_STOP_MS      5000u
#define CREDENTIAL_NAME  "spean.credential"
#define PATH_BYTES       4096u
#define CONFIG_FILE_NAME "spean.conf"

/* What the command line says beside the configuration. */
struct options {
    const char *home;
    const char *config_path;
    const char *credential_path;
    int passphrase_fd; /* -1: none. */
};

static const char usage_text[] =
    "Usage: speand [--home DIR] [options]\n"
    "Run a spean node in the foreground. Make one first with: spean init\n"
    "\n"
    "  --home DIR            the node's folder (default: $SPEAN_HOME, ~/.local/share/spean)\n"
    "  --config FILE         settings (default: spean.conf in the home, if there)\n"
    "  --listen HOST:PORT    where partners can reach this node; *:PORT for every address\n"
    "  --advertise HOST:PORT the address that invitations and our own record tell partners\n"
    "  --socket PATH         the local API's socket (default: spean.sock in the home)\n"
    "  --log-level LEVEL     error, warning, info or debug\n"
    "  --credential FILE     unlock with this credential of 32 bytes\n"
    "                        (default: $CREDENTIALS_DIRECTORY/" CREDENTIAL_NAME ", if there)\n"
    "  --passphrase-fd N     unlock with the passphrase read from file descriptor N\n"
    "  --version             print the version and exit\n"
    "  --help                print this and exit\n"
    "\n"
    "Without a credential or passphrase the node starts locked: spean unlock opens it.\n";

enum {
    OPT_HOME = 256,
    OPT_CONFIG,
    OPT_LISTEN,
    OPT_ADVERTISE,
    OPT_SOCKET,
    OPT_LOG_LEVEL,
    OPT_CREDENTIAL,
    OPT_PASSPHRASE_FD,
    OPT_VERSION,
    OPT_HELP
};

static const struct option long_options[] = {
    {"home", required_argument, NULL, OPT_HOME},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"advertise", required_argument, NULL, OPT_ADVERTISE},
    {"socket", required_argument, NULL, OPT_SOCKET},
    {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
    {"credential", required_argument, NULL, OPT_CREDENTIAL},
    {"passphrase-fd", required_argument, NULL, OPT_PASSPHRASE_FD},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Settings of the command line that the file also knows, in order of appearance. */
struct overrides {
    const char *keys[16];
    const char *values[16];
    size_t count;
};

static void override(struct overrides *o, const char *key, const char *value)
{
    if (o->count < sizeof(o->keys) / sizeof(o->keys[0])) {
        o->keys[o->count] = key;
        o->values[o->count] = value;
        o->count++;
    }
}

static int parse_fd(const char *text)
{
    char *end = NULL;
    errno = 0;
    const long fd = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && fd >= 0 && fd < 65536 ? (int)fd : -1;
}

/* Returns -1 to go on, otherwise the exit code. */
static int parse(int argc, char **argv, struct options *o, struct overrides *over)
{
    int opt = 0;
    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (opt) {
        case OPT_HOME:
            o->home = optarg;
            break;
        case OPT_CONFIG:
            o->config_path = optarg;
            break;
        case OPT_LISTEN:
            override(over, "listen", optarg);
            break;
        case OPT_ADVERTISE:
            override(over, "advertise", optarg);
            break;
        case OPT_SOCKET:
            override(over, "socket", optarg);
            break;
        case OPT_LOG_LEVEL:
            override(over, "log_level", optarg);
            break;
        case OPT_CREDENTIAL:
            o->credential_path = optarg;
            break;
        case OPT_PASSPHRASE_FD:
            o->passphrase_fd = parse_fd(optarg);
            if (o->passphrase_fd < 0) {
                (void)fprintf(stderr, "speand: --passphrase-fd %s: no file descriptor\n", optarg);
                return EXIT_USAGE;
            }
            break;
        case OPT_VERSION:
            (void)printf("speand %s\n", spean_version());
            return EXIT_SUCCESS;
        case OPT_HELP:
            (void)fputs(usage_text, stdout);
            return EXIT_SUCCESS;
        default:
            (void)fputs("Try: speand --help\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "speand: unexpected argument %s\nTry: speand --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

static bool configure(const struct options *o, const struct overrides *over,
                      struct spean_config *config)
{
    struct spean_config_error error = {{0}};
    char path[PATH_BYTES];
    spean_err err = spean_config_init(config, o->home, &error);
    if (err == SPEAN_OK) {
        (void)snprintf(path, sizeof(path), "%s/%s", config->home, CONFIG_FILE_NAME);
        err = spean_config_load(config, o->config_path != NULL ? o->config_path : path, &error);
        if (err == SPEAN_ENOTFOUND && o->config_path == NULL) {
            err = SPEAN_OK;
        }
    }
    for (size_t i = 0; err == SPEAN_OK && i < over->count; i++) {
        err = spean_config_set(config, over->keys[i], over->values[i], &error);
    }
    if (err == SPEAN_OK) {
        err = spean_config_finish(config, &error);
    }
    if (err != SPEAN_OK) {
        (void)fprintf(stderr, "speand: %s\n",
                      error.text[0] != '\0' ? error.text : spean_err_text(err));
    }
    return err == SPEAN_OK;
}

/* -- Unlocking at start ---------------------------------------------------------------------- */

/* Where the service manager put the credential; empty: nowhere. */
static void credential_path(const struct options *o, char path[PATH_BYTES])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    path[0] = '\0';
    if (o->credential_path != NULL) {
        (void)snprintf(path, PATH_BYTES, "%s", o->credential_path);
    } else if (folder != NULL) {
        (void)snprintf(path, PATH_BYTES, "%s/%s", folder, CREDENTIAL_NAME);
        if (access(path, F_OK) != 0) {
            path[0] = '\0';
        }
    }
}

static size_t read_passphrase(int fd, uint8_t *buf, size_t cap)
{
    size_t len = 0;
    while (len < cap) {
        const ssize_t got = read(fd, buf + len, cap - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        len += (size_t)got;
    }
    return len > 0 && buf[len - 1] == '\n' ? len - 1 : len;
}

/* Read what opens the keystore into buf. False: it was given and cannot be used. */
static bool read_unlock(const struct options *o, uint8_t *buf, size_t cap,
                        struct spean_unlock *unlock, bool *given)
{
    char path[PATH_BYTES];
    credential_path(o, path);
    *given = false;
    if (o->passphrase_fd >= 0) {
        const size_t len = read_passphrase(o->passphrase_fd, buf, cap);
        *unlock = (struct spean_unlock){.kind = SPEAN_UNLOCK_PASSPHRASE, .bytes = {buf, len}};
        *given = true;
        return len > 0;
    }
    if (path[0] == '\0') {
        return true;
    }
    size_t len = 0;
    const spean_err err = spean_file_read(path, buf, cap, &len);
    if (err != SPEAN_OK || len != SPEAN_WRAP_CREDENTIAL_BYTES) {
        (void)fprintf(stderr, "speand: %s: %s\n", path,
                      err != SPEAN_OK ? spean_err_text(err) : "a credential is 32 bytes");
        return false;
    }
    *unlock = (struct spean_unlock){.kind = SPEAN_UNLOCK_CREDENTIAL, .bytes = {buf, len}};
    *given = true;
    return true;
}

/* Open the core; unlock material is wiped whatever comes of it. */
static spean_err open_core(const struct options *o, const struct spean_config *config,
                           const struct spean_journal *journal, struct spean_core **core)
{
    uint8_t buf[SPEAN_WRAP_PASSPHRASE_BYTES_MAX];
    char why[SPEAN_CORE_WHY_BYTES] = "";
    struct spean_unlock unlock;
    bool given = false;
    spean_err err = SPEAN_EINPUT;
    if (read_unlock(o, buf, sizeof(buf), &unlock, &given)) {
        err = spean_core_new(config, journal, given ? &unlock : NULL, core, why);
    }
    sodium_memzero(buf, sizeof(buf));
    if (err != SPEAN_OK) {
        (void)fprintf(stderr, "speand: %s\n", why[0] != '\0' ? why : spean_err_text(err));
    }
    return err;
}

/* -- Life ------------------------------------------------------------------------------------ */

/* Signals arrive on a descriptor; threads made later inherit the mask. */
static int block_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* A limit on file sizes is a full disk, and told as one. */
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) {
        return -1;
    }
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static spean_err serve(struct spean_core *core, const struct spean_config *config,
                       const struct spean_journal *journal, int signal_fd)
{
    struct spean_notify notify;
    struct spean_api *api = NULL;
    const struct spean_api_config api_config = {
        .socket_path = config->socket,
        .group = config->has_socket_group ? config->socket_group : SPEAN_LOCAL_NO_GROUP,
        .permit = spean_permit_check,
        .queue = spean_core_queue(core),
        .log = journal};
    size_t routes_count = 0;
    const struct spean_route *routes = spean_routes(&routes_count);
    spean_err err = spean_api_start(&api_config, routes, routes_count, core, &api);
    if (err != SPEAN_OK) {
        (void)fprintf(stderr, "speand: cannot serve on %s: %s\n", config->socket,
                      spean_err_text(err));
        return err;
    }
    const bool notifies = spean_notify_init(&notify, getenv("NOTIFY_SOCKET")) == SPEAN_OK;
    if (notifies && spean_notify_ready(&notify) != SPEAN_OK) {
        SPEAN_JOURNAL_EVENT(journal, SPEAN_JOURNAL_WARNING, "notify_failed",
                            spean_journal_text("socket", "NOTIFY_SOCKET"));
    }
    SPEAN_JOURNAL_EVENT(journal, SPEAN_JOURNAL_INFO, "ready",
                        spean_journal_text("version", spean_version()));
    if (notifies) {
        spean_core_supervise(core, &notify,
                             spean_notify_watchdog_ms(getenv("WATCHDOG_USEC"),
                                                      getenv("WATCHDOG_PID"), (uint64_t)getpid()));
    }
    err = spean_core_run(core, signal_fd);
    SPEAN_JOURNAL_EVENT(journal, SPEAN_JOURNAL_INFO, "stopping",
                        spean_journal_text("err", spean_err_name(err)));
    if (notifies) {
        if (spean_notify_stopping(&notify) != SPEAN_OK) {
            SPEAN_JOURNAL_EVENT(journal, SPEAN_JOURNAL_WARNING, "notify_failed",
                                spean_journal_text("socket", "NOTIFY_SOCKET"));
        }
        spean_notify_fini(&notify);
    }
    spean_queue_close(spean_core_queue(core));
    spean_api_stop(api, API_STOP_MS);
    return err;
}

int main(int argc, char **argv)
{
    struct options o = {.passphrase_fd = -1};
    struct overrides over = {.count = 0};
    const int code = parse(argc, argv, &o, &over);
    if (code >= 0) {
        return code;
    }
    char why[SPEAN_HARDEN_ERROR_BYTES] = "";
    if (spean_harden(why) != SPEAN_OK || sodium_init() < 0) {
        (void)fprintf(stderr, "speand: %s\n", why[0] != '\0' ? why : "libsodium does not start");
        return EXIT_FAILURE;
    }
    static struct spean_config config;
    if (!configure(&o, &over, &config)) {
        return EXIT_USAGE;
    }
    struct spean_journal journal;
    spean_journal_init(&journal, STDERR_FILENO, config.log_level, getenv("JOURNAL_STREAM"));
    const int signal_fd = block_signals();
    struct spean_core *core = NULL;
    if (signal_fd < 0 || open_core(&o, &config, &journal, &core) != SPEAN_OK) {
        return EXIT_FAILURE;
    }
    const spean_err err = serve(core, &config, &journal, signal_fd);
    spean_core_free(core);
    (void)close(signal_fd);
    return err == SPEAN_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
