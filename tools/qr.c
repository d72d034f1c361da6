#include "tools/qr.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <qrencode.h>

#define QUIET_MODULES  4
#define WIDTH_MAX      185 /* Modules of a version 40 code with its quiet zone. */
#define GLYPH_BYTES    3   /* Of one half block in UTF-8. */
#define LINE_BYTES_MAX (WIDTH_MAX * GLYPH_BYTES + 1)

/* Say whether the module is dark; the quiet zone around the code is light. */
static bool is_dark(const QRcode *code, int x, int y)
{
    const bool inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
    return inside && (code->data[y * code->width + x] & 1u) != 0;
}

/* Two rows of modules in one line. Light is drawn: terminals are dark where nothing is. */
static void line_write(const QRcode *code, int y, char line[LINE_BYTES_MAX])
{
    size_t used = 0;
    for (int x = -QUIET_MODULES; x < code->width + QUIET_MODULES; x++) {
        const bool upper = !is_dark(code, x, y);
        const bool lower = !is_dark(code, x, y + 1);
        const char *const glyph = upper && lower ? "\xe2\x96\x88" /* U+2588 full block */
                                  : upper        ? "\xe2\x96\x80" /* U+2580 upper half */
                                  : lower        ? "\xe2\x96\x84" /* U+2584 lower half */
                                                 : " ";
        const size_t len = strlen(glyph);
        memcpy(line + used, glyph, len);
        used += len;
    }
    line[used] = '\0';
}

spean_err spean_qr_print(struct spean_out *out, const char *text)
{
    assert(out != NULL);
    assert(text != NULL);
    QRcode *const code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
    if (code == NULL) {
        return errno == ENOMEM ? SPEAN_ENOMEM : SPEAN_EINPUT;
    }
    assert(code->width + 2 * QUIET_MODULES <= WIDTH_MAX);
    for (int y = -QUIET_MODULES; y < code->width + QUIET_MODULES; y += 2) {
        char line[LINE_BYTES_MAX];
        line_write(code, y, line);
        spean_out_line(out, "%s", line);
    }
    QRcode_free(code);
    return SPEAN_OK;
}
