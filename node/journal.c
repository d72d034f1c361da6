#include "node/journal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Keeps room for what closes a line that was cut, whatever the fields before it were. */
static const char cut_mark[] = " cut=1";

/* A field at its longest: " key=" of 32, quotes, four bytes for each of the value, "...". */
#define KEY_BYTES_MAX   32u
#define FIELD_BYTES_MAX (KEY_BYTES_MAX + 4u * SPEAN_JOURNAL_VALUE_BYTES_MAX + 16u)

static const struct {
    const char *name;
    const char *journal; /* syslog(3)'s numbers, as sd-daemon(3) wants them. */
} levels[] = {
    [SPEAN_JOURNAL_ERROR] = {"error", "<3>"},
    [SPEAN_JOURNAL_WARNING] = {"warning", "<4>"},
    [SPEAN_JOURNAL_INFO] = {"info", "<6>"},
    [SPEAN_JOURNAL_DEBUG] = {"debug", "<7>"},
};

/* Say whether fd is the stream that systemd names "DEVICE:INODE"; NULL names none. */
static bool is_journal(int fd, const char *journal_stream)
{
    if (journal_stream == NULL) {
        return false;
    }
    char *end = NULL;
    const uintmax_t device = strtoumax(journal_stream, &end, 10);
    if (*end != ':') {
        return false;
    }
    const uintmax_t inode = strtoumax(end + 1, &end, 10);
    struct stat st;
    return *end == '\0' && fstat(fd, &st) == 0 && (uintmax_t)st.st_dev == device &&
           (uintmax_t)st.st_ino == inode;
}

void spean_journal_init(struct spean_journal *log, int fd, enum spean_journal_level level_max,
                        const char *journal_stream)
{
    assert(log != NULL);

    *log = (struct spean_journal){
        .fd = fd, .level_max = level_max, .journal = is_journal(fd, journal_stream)};
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._:/@+-,", c) != NULL);
}

static bool needs_quotes(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (!is_plain(*c)) {
            return true;
        }
    }
    return text[0] == '\0';
}

/* Append one byte of a quoted value at out; returns how many characters it took (at most 4). */
static size_t escape(char *out, char c)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char byte = (unsigned char)c;
    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = c;
        return 2;
    }
    if (byte >= ' ' && byte < 0x7f) {
        out[0] = c;
        return 1;
    }
    out[0] = '\\';
    out[1] = 'x';
    out[2] = hex[byte >> 4];
    out[3] = hex[byte & 0x0f];
    return 4;
}

static size_t format_text(char *out, const char *text)
{
    const bool quoted = needs_quotes(text);
    size_t len = 0;
    size_t taken = 0;
    if (quoted) {
        out[len++] = '"';
    }
    while (text[taken] != '\0' && taken < SPEAN_JOURNAL_VALUE_BYTES_MAX) {
        len += escape(out + len, text[taken]);
        taken++;
    }
    if (text[taken] != '\0') {
        memcpy(out + len, "...", 3);
        len += 3;
    }
    if (quoted) {
        out[len++] = '"';
    }
    return len;
}

static size_t format_field(char out[FIELD_BYTES_MAX], const struct spean_journal_field *field)
{
    assert(field->key != NULL);
    assert(strlen(field->key) < KEY_BYTES_MAX - 2);
    assert(strspn(field->key, "abcdefghijklmnopqrstuvwxyz_") == strlen(field->key));

    if (field->text == NULL) {
        return (size_t)snprintf(out, FIELD_BYTES_MAX, " %s=%" PRIu64, field->key, field->number);
    }
    const size_t len = (size_t)snprintf(out, FIELD_BYTES_MAX, " %s=", field->key);
    return len + format_text(out + len, field->text);
}

size_t spean_journal_format(char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1], bool journal, time_t now,
                            enum spean_journal_level level, const char *event,
                            const struct spean_journal_field *fields, size_t fields_count)
{
    assert((size_t)level < sizeof(levels) / sizeof(levels[0]));
    assert(fields_count <= SPEAN_JOURNAL_FIELDS_MAX);

    struct tm utc;
    char time_text[sizeof("2026-11-22T09:12:05Z") + 16] = "-"; /* A year may be huge. */
    if (gmtime_r(&now, &utc) != NULL) {
        (void)strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    }

    const size_t room = SPEAN_JOURNAL_LINE_BYTES_MAX - (sizeof(cut_mark) - 1) - 1;
    size_t len = (size_t)snprintf(line, room, "%s%s %s", journal ? levels[level].journal : "",
                                  time_text, levels[level].name);
    char field[FIELD_BYTES_MAX];
    const struct spean_journal_field first = spean_journal_text("event", event);
    bool cut = false;
    for (size_t i = 0; i <= fields_count && !cut; i++) {
        const size_t field_len = format_field(field, i == 0 ? &first : &fields[i - 1]);
        cut = field_len > room - len;
        if (!cut) {
            memcpy(line + len, field, field_len);
            len += field_len;
        }
    }
    if (cut) {
        memcpy(line + len, cut_mark, sizeof(cut_mark) - 1);
        len += sizeof(cut_mark) - 1;
    }
    line[len++] = '\n';
    line[len] = '\0';
    return len;
}

void spean_journal_write(const struct spean_journal *log, enum spean_journal_level level,
                         const char *event, const struct spean_journal_field *fields,
                         size_t fields_count)
{
    assert(log != NULL);

    if (level > log->level_max) {
        return;
    }
    char line[SPEAN_JOURNAL_LINE_BYTES_MAX + 1];
    const size_t len =
        spean_journal_format(line, log->journal, time(NULL), level, event, fields, fields_count);
    const ssize_t written = write(log->fd, line, len);
    (void)written; /* When stderr cannot take it, there is nowhere to say so. */
}
