#include "tools/script.h"

#include <stddef.h>

#include <utf8proc.h>

const char *spean_script_of(const char *name)
{
    static const struct {
        utf8proc_int32_t first;
        utf8proc_int32_t last;
        const char *script;
    } blocks[] = {{0x1780, 0x17ff, "khmr"},
                  {0x1000, 0x109f, "mymr"},
                  {0x3041, 0x309f, "hira"},
                  {0x30a0, 0x30ff, "kana"},
                  {0x3400, 0x9fff, "jpan"}};
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)name;
    utf8proc_int32_t point;
    for (utf8proc_ssize_t len; *at != '\0'; at += len) {
        len = utf8proc_iterate(at, -1, &point);
        if (len <= 0) {
            break;
        }
        for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
            if (point >= blocks[i].first && point <= blocks[i].last) {
                return blocks[i].script;
            }
        }
    }
    return "latn";
}
