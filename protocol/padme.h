/*
 * protocol/padme.h - padding that hides how much was written for at most a sixteenth more.
 *
 * Padded: content, the byte 0x80, zeros, up to Padme(max(256, content length + 1)). Padme (Nikitin
 * and others, "Reducing Metadata Leakage from Encrypted Files", 2019) leaves as significant bits
 * of a length L only as many as log2(log2(L)) + 1.
 */
#ifndef SPEAN_PROTOCOL_PADME_H
#define SPEAN_PROTOCOL_PADME_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/err.h"

#define SPEAN_PADME_BYTES_MIN 256u
#define SPEAN_PADME_BYTES_MAX 61440u /* Of the padded content. */

/* Return the padded length of content_len bytes, 0 if it is above SPEAN_PADME_BYTES_MAX. */
size_t spean_padme_len(size_t content_len);

/*
 * Pad the content_len bytes at buf, which has room for cap bytes, in place; *padded_len is then
 * the length. SPEAN_ELIMIT: longer than cap or SPEAN_PADME_BYTES_MAX; nothing is changed.
 */
SPEAN_CHECK spean_err spean_padme_pad(uint8_t *buf, size_t cap, size_t content_len,
                                      size_t *padded_len);

/*
 * Give the content of padded, as a view into it.
 * SPEAN_EFORMAT: the padding is not the only one for its content. SPEAN_ELIMIT: padded is longer
 * than SPEAN_PADME_BYTES_MAX. *content is unchanged by both.
 */
SPEAN_CHECK spean_err spean_padme_unpad(struct spean_view padded, struct spean_view *content);

#endif
