/* protocol/err.h - every error a function of this project returns, and what its caller does. */
#ifndef SPEAN_PROTOCOL_ERR_H
#define SPEAN_PROTOCOL_ERR_H

/*
 * X(code, name, text): name is stable and appears in logs and in JSON ("code"); text is English,
 * for people, and goes through gettext in tools/. After any error the arguments are unchanged
 * unless the function's own comment says otherwise.
 */
#define SPEAN_ERR_TABLE(X)                                                                         \
    X(SPEAN_OK, "ok", "done")                                                                      \
    X(SPEAN_EFORMAT, "bad_format", "the bytes are not a canonical encoding")                       \
    X(SPEAN_ELIMIT, "limit", "a named limit is exceeded")                                          \
    X(SPEAN_ESIGNATURE, "bad_signature", "a signature, hash or seal does not verify")              \
    X(SPEAN_ECHAIN, "bad_chain", "the previous version or entry is another one")                   \
    X(SPEAN_EGAP, "gap", "an earlier entry or version is missing")                                 \
    X(SPEAN_EFORK, "fork", "it contradicts what was accepted before")                              \
    X(SPEAN_EDENIED, "not_permitted", "the author or peer may not do this")                        \
    X(SPEAN_ESTATE, "wrong_state", "the present state does not allow this")                        \
    X(SPEAN_EWAIT, "waiting", "it depends on something that is not held yet")                      \
    X(SPEAN_ENOTFOUND, "not_found", "there is no such thing")                                      \
    X(SPEAN_EEXISTS, "exists", "it is there already")                                              \
    X(SPEAN_EINPUT, "bad_input", "a value that was given cannot be used")                          \
    X(SPEAN_EVERSION, "version", "it was written by a newer version of this program")              \
    X(SPEAN_EPASSPHRASE, "wrong_passphrase", "the passphrase does not open the keystore")          \
    X(SPEAN_ELOCKED, "locked", "the store is locked")                                              \
    X(SPEAN_EBUSY, "busy", "another process or a full queue is in the way")                        \
    X(SPEAN_EFULL, "full", "the disk, the map or a quota is full")                                 \
    X(SPEAN_ECORRUPT, "corrupt", "stored bytes do not verify")                                     \
    X(SPEAN_EIO, "io", "the operating system or the store reported a failure")                     \
    X(SPEAN_ENOMEM, "no_memory", "memory is exhausted")                                            \
    X(SPEAN_EMEMLOCK, "memory_lock", "the system does not let secrets be locked in memory")

#define SPEAN_ERR_ENUM(code, name, text) code,
typedef enum { SPEAN_ERR_TABLE(SPEAN_ERR_ENUM) SPEAN_ERRS_COUNT } spean_err;
#undef SPEAN_ERR_ENUM

/* A result that must be looked at. */
#define SPEAN_CHECK __attribute__((warn_unused_result))

/* The stable name of err, for logs and JSON: "bad_signature". Never NULL. */
const char *spean_err_name(spean_err err);

/* One English sentence part about err, for people. Never NULL. */
const char *spean_err_text(spean_err err);

#endif
