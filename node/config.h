/*
 * node/config.h - what the daemon is told: defaults, then the file spean.conf, then the command
 * line; the later one counts. A line of the file is `key = value`; a `#` or `;` at its start, or `
 * ;` after the value, begins a comment.
 *
 * listen: where partners can reach this node, `host:port`, `*:port` or `[v6]:port`; empty (the
 * default): nowhere, this node only dials.
 *
 * advertise: the `host:port` that invitations tell partners; empty (the default): none.
 *
 * map_gib: the address space reserved for the store, in GiB, 1 to 4096; default 32. It is not disk
 * space, and it cannot change while the node runs.
 *
 * day_cap_bytes: for metered links: when so many bytes of messages have gone out and come in on a
 * day (UTC), nothing is asked for and no backlog is given until the next; documents and what is
 * being written still go both ways. 0 (the default): no cap.
 *
 * log_quota_mib: what is kept of one log of others, in MiB, 1 to 1048576; default 1024. A log that
 * grows beyond is paused until `spean log resume`; 0: no log is.
 *
 * retention_review_days, retention_delete_days: how many days after it was closed a case is to be
 * looked at again, and to be deleted, where nobody said so of the case itself, 0 to 36500; default
 * 365 and 0. It is told, never done. 0: it is not told.
 *
 * socket: the local API's socket; default `spean.sock` in the home folder. At most 107 bytes.
 *
 * socks_proxy: a SOCKS5 proxy (Tor) to dial through, `host:port`; empty (the default): none.
 *
 * log_level: `error`, `warning`, `info` (the default) or `debug`.
 *
 * dial: `on` (the default): call partners; `off`: only wait for their calls.
 */
#ifndef SPEAN_NODE_CONFIG_H
#define SPEAN_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "node/journal.h"
#include "node/local.h"
#include "protocol/err.h"

#define SPEAN_CONFIG_FILE_BYTES_MAX 65536u
#define SPEAN_CONFIG_LINE_BYTES_MAX 190u /* The parser cuts longer ones, so they are refused. */
#define SPEAN_CONFIG_PATH_BYTES_MAX 1023u
#define SPEAN_ENDPOINT_BYTES_MAX    128u
#define SPEAN_CONFIG_ERROR_BYTES    512u
#define SPEAN_CONFIG_MAP_GIB        32u
#define SPEAN_CONFIG_MAP_GIB_MAX    4096u
#define SPEAN_CONFIG_QUOTA_MIB      1024u
#define SPEAN_CONFIG_DAY_CAP_MAX    999999999999999u
#define SPEAN_CONFIG_QUOTA_MIB_MAX  1048576u
#define SPEAN_CONFIG_REVIEW_DAYS    365u
#define SPEAN_CONFIG_DAYS_MAX       36500u

/* Plain value. Empty text: not set. */
struct spean_config {
    char home[SPEAN_CONFIG_PATH_BYTES_MAX + 1];
    char listen[SPEAN_ENDPOINT_BYTES_MAX + 1];
    char advertise[SPEAN_ENDPOINT_BYTES_MAX + 1];
    char socket[SPEAN_LOCAL_PATH_BYTES_MAX + 1];
    char socks_proxy[SPEAN_ENDPOINT_BYTES_MAX + 1];
    uint32_t map_gib;
    uint32_t log_quota_mib;         /* 0: none. */
    uint64_t day_cap_bytes;         /* 0: none. */
    uint32_t retention_review_days; /* 0: none; the next likewise. */
    uint32_t retention_delete_days;
    enum spean_journal_level log_level;
    bool dial;
    bool has_socket_group;
    gid_t socket_group; /* Whose members may use the local API, too. */
};

/* What is wrong, for people: "spean.conf:3: unknown key 'listn'; did you mean 'listen'?" */
struct spean_config_error {
    char text[SPEAN_CONFIG_ERROR_BYTES];
};

/*
 * Set the defaults for a node in folder home. home NULL: $SPEAN_HOME, or `spean` in
 * $XDG_DATA_HOME, or in ~/.local/share; the tools look in the same places. SPEAN_EINPUT: home is
 * too long or not absolute, or none of them names an absolute folder.
 */
SPEAN_CHECK spean_err spean_config_init(struct spean_config *config, const char *home,
                                        struct spean_config_error *error);

/* Set one key, as the command line does. SPEAN_EINPUT: no such key, or not a value for it. */
SPEAN_CHECK spean_err spean_config_set(struct spean_config *config, const char *key,
                                       const char *value, struct spean_config_error *error);

/*
 * Read the file at path. SPEAN_ENOTFOUND: there is none, which is for the caller to judge.
 * SPEAN_EDENIED: others than its owner may write it, or the owner is neither us nor root.
 * SPEAN_EINPUT: a line is no `key = value` or too long, a key is unknown or given twice, a value
 * does not fit; error says where. SPEAN_ELIMIT: the file is too large. SPEAN_EIO: it cannot be
 * read. After an error config is as before.
 */
SPEAN_CHECK spean_err spean_config_load(struct spean_config *config, const char *path,
                                        struct spean_config_error *error);

/*
 * Fill in what depends on other values, after everything is set: the socket's path. SPEAN_EINPUT:
 * the path is too long for a socket; a shorter home, or the key `socket`, helps.
 */
SPEAN_CHECK spean_err spean_config_finish(struct spean_config *config,
                                          struct spean_config_error *error);

/* Say whether text is an address to dial, host:port or [v6]:port, as `advertise` takes it. */
bool spean_config_endpoint_valid(const char *text);

#endif
