#include "protocol/chain.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/alloc.h"

static_assert(SPEAN_CHAIN_NONE == SPEAN_ID_MAP_NONE, "what is not found is named alike");

void spean_chain_init(struct spean_chain *chain)
{
    assert(chain != NULL);

    memset(chain, 0, sizeof(*chain));
    spean_id_map_init(&chain->numbers);
}

void spean_chain_fini(struct spean_chain *chain)
{
    assert(chain != NULL);

    for (uint32_t i = 0; i < chain->versions_count; i++) {
        free(chain->versions[i].body);
    }
    free(chain->versions);
    spean_id_map_fini(&chain->numbers);
    memset(chain, 0, sizeof(*chain));
}

uint32_t spean_chain_find(const struct spean_chain *chain, const struct spean_id *id)
{
    assert(chain != NULL);
    assert(id != NULL);

    return spean_id_map_get(&chain->numbers, id->bytes);
}

spean_err spean_chain_place(const struct spean_chain *chain, const struct spean_document *doc,
                            bool reducing, uint32_t *previous)
{
    assert(chain != NULL);
    assert(doc != NULL);
    assert(previous != NULL);

    if (spean_chain_find(chain, &doc->id) != SPEAN_CHAIN_NONE) {
        return SPEAN_EEXISTS;
    }
    if (doc->version == 1) {
        *previous = SPEAN_CHAIN_NONE;
        return chain->versions_count == 0 ? SPEAN_OK : SPEAN_ECHAIN;
    }
    const uint32_t found = spean_chain_find(chain, &doc->previous);
    if (found == SPEAN_CHAIN_NONE) {
        return SPEAN_EGAP;
    }
    if (doc->version - 1 != chain->versions[found].version) {
        return SPEAN_ECHAIN;
    }
    const uint32_t room = SPEAN_DOCUMENT_VERSIONS_MAX * (reducing ? 2u : 1u);
    if (chain->versions_count >= room) {
        return SPEAN_ELIMIT;
    }
    *previous = found;
    return SPEAN_OK;
}

/* A version that is followed for the first time is a head no more. */
static void head_end(struct spean_chain *chain, uint32_t number)
{
    if (number != SPEAN_CHAIN_NONE && chain->versions[number].is_head) {
        chain->versions[number].is_head = false;
        chain->heads_count--;
    }
}

spean_err spean_chain_append(struct spean_chain *chain, const struct spean_document *doc,
                             uint32_t previous, uint32_t joined)
{
    assert(chain != NULL);
    assert(doc != NULL);
    assert(doc->body.len <= SPEAN_DOCUMENT_BYTES_MAX);

    void *versions = chain->versions;
    spean_err err = spean_alloc_more(&versions, &chain->versions_cap, chain->versions_count,
                                     sizeof(*chain->versions));
    chain->versions = versions;
    if (err != SPEAN_OK) {
        return err;
    }
    uint8_t *const body = spean_alloc_copy(doc->body.data, doc->body.len, 1);
    if (body == NULL) {
        return SPEAN_ENOMEM;
    }
    err = spean_id_map_put(&chain->numbers, doc->id.bytes, chain->versions_count);
    if (err != SPEAN_OK) {
        free(body);
        return err;
    }
    head_end(chain, previous);
    head_end(chain, joined);
    chain->versions[chain->versions_count] =
        (struct spean_chain_version){.id = doc->id,
                                     .version = doc->version,
                                     .previous = previous,
                                     .joined = joined,
                                     .is_head = true,
                                     .body = body,
                                     .body_len = (uint32_t)doc->body.len};
    chain->versions_count++;
    chain->heads_count++;
    return SPEAN_OK;
}

void spean_chain_document(const struct spean_chain *chain, uint32_t number,
                          struct spean_document *doc)
{
    assert(chain != NULL);
    assert(number < chain->versions_count);

    const struct spean_chain_version *const version = &chain->versions[number];
    const struct spean_view body = {version->body, version->body_len};
    const spean_err err = spean_document_begin(doc, body);
    assert(err == SPEAN_OK); /* It was read before it was added. */
}

uint32_t spean_chain_next_head(const struct spean_chain *chain, uint32_t number)
{
    assert(chain != NULL);

    while (number < chain->versions_count && !chain->versions[number].is_head) {
        number++;
    }
    return number < chain->versions_count ? number : SPEAN_CHAIN_NONE;
}

bool spean_chain_follows(const struct spean_chain *chain, uint32_t number, uint32_t ancestor)
{
    assert(chain != NULL);
    assert(number < chain->versions_count);
    assert(ancestor < chain->versions_count);

    while (number != SPEAN_CHAIN_NONE && number > ancestor) {
        number = chain->versions[number].previous;
    }
    return number == ancestor;
}

uint32_t spean_chain_common(const struct spean_chain *chain, uint32_t a, uint32_t b)
{
    assert(chain != NULL);
    assert(a < chain->versions_count);
    assert(b < chain->versions_count);

    /* Numbers fall along each branch, and version 0 is below both. */
    while (a != b) {
        if (a > b) {
            a = chain->versions[a].previous;
        } else {
            b = chain->versions[b].previous;
        }
    }
    return a;
}

void spean_chain_mark(const struct spean_chain *chain, uint32_t number, bool *marks)
{
    assert(chain != NULL);
    assert(number < chain->versions_count);
    assert(marks != NULL);

    marks[number] = true;
    for (uint32_t i = chain->versions_count; i > 0; i--) {
        const struct spean_chain_version *const version = &chain->versions[i - 1];
        if (!marks[i - 1]) {
            continue;
        }
        if (version->previous != SPEAN_CHAIN_NONE) {
            marks[version->previous] = true;
        }
        if (version->joined != SPEAN_CHAIN_NONE) {
            marks[version->joined] = true;
        }
    }
}
