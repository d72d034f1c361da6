/*
 * node/log.h - one line on stderr per thing that happened:
 *
 *     2026-11-22T09:12:05Z warning event=peer_drop peer=3fa2 err=bad_signature
 *
 * Never give it names, case text, payloads, whole keys or secrets. A line leaves by one write(2),
 * so threads may share a struct spean_log.
 */
#ifndef SPEAN_NODE_LOG_H
#define SPEAN_NODE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SPEAN_LOG_FIELDS_MAX      12u
#define SPEAN_LOG_VALUE_BYTES_MAX 128u  /* Of a text value; the rest becomes "...". */
#define SPEAN_LOG_LINE_BYTES_MAX  1024u /* Fields that do not fit are left out: cut=1. */

enum spean_log_level {
    SPEAN_LOG_ERROR,   /* Somebody has to act. */
    SPEAN_LOG_WARNING, /* A peer, a file or the machine misbehaves; we carry on. */
    SPEAN_LOG_INFO,
    SPEAN_LOG_DEBUG,
};

/* Caller's memory. */
struct spean_log {
    int fd;
    enum spean_log_level level_max; /* Less important lines are not written. */
    bool journal;                   /* Begin lines with the priority that journald reads. */
};

/* key=value; key is lower case letters and underscores. Text is borrowed for the call. */
struct spean_log_field {
    const char *key;
    const char *text; /* NULL: the value is number. */
    uint64_t number;
};

static inline struct spean_log_field spean_log_text(const char *key, const char *text)
{
    return (struct spean_log_field){.key = key, .text = text != NULL ? text : ""};
}

static inline struct spean_log_field spean_log_number(const char *key, uint64_t number)
{
    return (struct spean_log_field){.key = key, .number = number};
}

/*
 * Log to fd what is as important as level_max or more. journal_stream is the value of
 * JOURNAL_STREAM or NULL: when it names the file behind fd, lines carry journald's priority.
 */
void spean_log_init(struct spean_log *log, int fd, enum spean_log_level level_max,
                    const char *journal_stream);

/* Write one line. It never fails: when stderr cannot take it, there is nowhere to say so. */
void spean_log_write(const struct spean_log *log, enum spean_log_level level, const char *event,
                     const struct spean_log_field *fields, size_t fields_count);

/*
 * The line itself with its line feed, at most SPEAN_LOG_LINE_BYTES_MAX bytes and a zero behind it.
 * Anything but plain characters makes a value quoted; bytes outside printable ASCII become \xNN.
 * Returns its length.
 */
size_t spean_log_format(char line[SPEAN_LOG_LINE_BYTES_MAX + 1], bool journal, time_t now,
                        enum spean_log_level level, const char *event,
                        const struct spean_log_field *fields, size_t fields_count);

/* SPEAN_LOG_EVENT(log, SPEAN_LOG_INFO, "peer_up", spean_log_text("peer", "3fa2"), ...) */
#define SPEAN_LOG_EVENT(log, level, event, ...)                                                    \
    spean_log_write((log), (level), (event), (const struct spean_log_field[]){__VA_ARGS__},        \
                    sizeof((const struct spean_log_field[]){__VA_ARGS__}) /                        \
                        sizeof(struct spean_log_field))

#endif
