#include "tests/bench/world.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/authority.h"
#include "protocol/charter.h"
#include "protocol/document.h"
#include "protocol/pair.h"
#include "protocol/sign.h"
#include "protocol/statement.h"
#include "store/db.h"
#include "store/file.h"
#include "store/fold.h"
#include "store/keystore.h"
#include "store/setup.h"
#include "tests/bench/scratch.h"

#define DOCUMENTS_COUNT     3u /* Genesis, the org's first version, its nodes. */
#define DOCUMENTS_BYTES_MAX 65536u
#define ERASURE_DELAY_S     259200u
#define MAP_GIB             4u

static const char documents_name[] = "documents";
static const char *const homes[] = {"a", "b"};

/* Both nodes of a benchmark open by this; it guards nothing. */
static const uint8_t credential[SPEAN_WRAP_CREDENTIAL_BYTES] = {1, 2, 3};

static struct spean_unlock unlock_by_credential(void)
{
    return (struct spean_unlock){.kind = SPEAN_UNLOCK_CREDENTIAL,
                                 .bytes = {credential, sizeof(credential)}};
}

/* A document in the making, and its bytes. */
struct paper {
    uint8_t body[SPEAN_DOCUMENT_BYTES_MAX];
    uint8_t bytes[SPEAN_DOCUMENT_ENCODED_BYTES_MAX];
    struct spean_view view;
    struct spean_document doc;
};

struct founding {
    uint8_t admin[SPEAN_KEY_BYTES]; /* Seed; it is the steward's, too. */
    uint8_t sealing[SPEAN_KEY_BYTES];
    struct paper first, genesis, second;
    struct spean_statement_node nodes[2];
};

static void sign(struct paper *paper, struct spean_view body, const uint8_t seed[SPEAN_KEY_BYTES])
{
    scratch_need(spean_document_begin(&paper->doc, body), "to begin a document");
    scratch_need(spean_document_sign(&paper->doc, seed), "to sign a document");
    scratch_need(
        spean_document_encode(&paper->doc, paper->bytes, sizeof(paper->bytes), &paper->view),
        "to encode a document");
}

static void compose_first(struct founding *f)
{
    uint8_t recovery_seed[SPEAN_KEY_BYTES];
    struct spean_key admin;
    struct spean_key recovery;
    struct spean_key sealing;
    randombytes_buf(recovery_seed, sizeof(recovery_seed));
    spean_sign_public(&admin, f->admin);
    spean_sign_public(&recovery, recovery_seed);
    spean_x25519_public(&sealing, f->sealing);
    const struct spean_id recovery_hash = spean_statement_recovery(&recovery);
    const struct spean_statement_draft draft = {.version = 1,
                                                .threshold = 1,
                                                .admins_count = 1,
                                                .admins = &admin,
                                                .recovery = &recovery_hash,
                                                .generation = 1,
                                                .sealing = &sealing};
    struct spean_view body;
    scratch_need(spean_statement_compose(&draft, f->first.body, sizeof(f->first.body), &body),
                 "to compose a statement");
    sign(&f->first, body, f->admin);
}

static void compose_genesis(struct founding *f)
{
    static const char name[] = "Bench";
    const uint8_t random[SPEAN_CHARTER_RANDOM_BYTES] = {7};
    const uint64_t delay = ERASURE_DELAY_S;
    const uint64_t format = 1;
    const struct spean_id schema = {{1}};
    const struct spean_id org = f->first.doc.id;
    struct spean_steward steward = {.org = org};
    struct spean_charter_member member = {.org = org, .status = SPEAN_MEMBER_ACTIVE};
    spean_sign_public(&steward.key, f->admin);
    const struct spean_charter_draft draft = {.version = 1,
                                              .threshold = 1,
                                              .stewards_count = 1,
                                              .stewards = &steward,
                                              .members_count = 1,
                                              .members = &member,
                                              .erasure_delay_s = &delay,
                                              .entry_format = &format,
                                              .schema = &schema,
                                              .name = {(const uint8_t *)name, sizeof(name) - 1},
                                              .random = random};
    struct spean_view body;
    scratch_need(spean_charter_compose(&draft, f->genesis.body, sizeof(f->genesis.body), &body),
                 "to compose a charter");
    sign(&f->genesis, body, f->admin);
}

static void compose_nodes(struct founding *f)
{
    const struct spean_handle handle = spean_handle_of(&f->genesis.doc.id);
    const struct spean_statement_draft draft = {.version = 2,
                                                .previous = f->first.doc.id,
                                                .handle = &handle,
                                                .nodes_count = 2,
                                                .nodes = f->nodes};
    struct spean_view body;
    scratch_need(spean_statement_compose(&draft, f->second.body, sizeof(f->second.body), &body),
                 "to compose a statement with nodes");
    sign(&f->second, body, f->admin);
}

/* Make the store of one home, as `spean init` does, and let its node agree to be the org's. */
static void make_home(struct founding *f, const char *dir, const char *name,
                      struct spean_statement_node *node)
{
    char home[SCRATCH_PATH_BYTES];
    char store[SCRATCH_PATH_BYTES];
    scratch_path(home, dir, name);
    scratch_path(store, home, SPEAN_HOME_STORE);
    scratch_want(mkdir(home, S_IRWXU) == 0, "to make a home");
    const struct spean_db_options options = {
        .dir = store, .create = true, .map_bytes = (uint64_t)MAP_GIB << 30};
    const struct spean_unlock unlock = unlock_by_credential();
    static const char country[] = "KH";
    const struct spean_setup setup = {.statement = f->first.view,
                                      .name = {(const uint8_t *)name, strlen(name)},
                                      .country = {(const uint8_t *)country, sizeof(country) - 1}};
    struct spean_db *db = NULL;
    struct spean_keys *keys = NULL;
    struct spean_tx *tx = NULL;
    scratch_need(spean_db_open(&options, &db), "to make a store");
    scratch_need(spean_keys_new(&keys), "to make keys");
    scratch_need(spean_keys_create(keys, db, &unlock), "to make a keystore");
    scratch_need(spean_keys_add_org(keys, db, 1, f->sealing), "to add the org's key");
    scratch_need(spean_tx_begin(db, SPEAN_TX_WRITE, &tx), "to begin");
    scratch_need(spean_setup_put(tx, &setup), "to write who we are");
    scratch_need(spean_tx_commit(tx), "to commit who we are");

    const uint8_t *seed = spean_keys_signing_seed(keys);
    const struct spean_handle handle = spean_handle_of(&f->genesis.doc.id);
    spean_sign_public(&node->signing, seed);
    spean_x25519_public(&node->sealing, spean_keys_sealing_secret(keys));
    spean_x25519_public(&node->transport, spean_keys_transport_secret(keys));
    spean_statement_accept(node, &f->first.doc.id, &handle, seed);
    spean_keys_free(keys);
    spean_db_close(db);
}

/* Each document after its length, in four bytes. */
static void write_documents(const struct founding *f, const char *dir)
{
    const struct spean_view views[DOCUMENTS_COUNT] = {f->genesis.view, f->first.view,
                                                      f->second.view};
    static uint8_t buf[DOCUMENTS_BYTES_MAX];
    size_t len = 0;
    for (uint32_t i = 0; i < DOCUMENTS_COUNT; i++) {
        const uint32_t count = (uint32_t)views[i].len;
        scratch_want(views[i].len < sizeof(buf) - len - sizeof(count), "small documents");
        memcpy(buf + len, &count, sizeof(count));
        memcpy(buf + len + sizeof(count), views[i].data, count);
        len += sizeof(count) + count;
    }
    char path[SCRATCH_PATH_BYTES];
    scratch_path(path, dir, documents_name);
    scratch_need(spean_file_write_new(path, (struct spean_view){buf, len}), "to write documents");
}

void world_make(const char *dir)
{
    static struct founding f;
    randombytes_buf(f.admin, sizeof(f.admin));
    randombytes_buf(f.sealing, sizeof(f.sealing));
    compose_first(&f);
    compose_genesis(&f);
    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
        make_home(&f, dir, homes[i], &f.nodes[i]);
    }
    compose_nodes(&f);
    write_documents(&f, dir);
}

void world_remove(const char *dir)
{
    char home[SCRATCH_PATH_BYTES];
    char store[SCRATCH_PATH_BYTES];
    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
        scratch_path(home, dir, homes[i]);
        scratch_path(store, home, SPEAN_HOME_STORE);
        scratch_remove(store);
        scratch_remove(home);
    }
    char documents[SCRATCH_PATH_BYTES];
    scratch_path(documents, dir, documents_name);
    (void)unlink(documents); /* After a failure it may not be there. */
}

void world_seed(const char *dir, const char *name, uint8_t seed[SPEAN_KEY_BYTES])
{
    char home[SCRATCH_PATH_BYTES];
    char store[SCRATCH_PATH_BYTES];
    scratch_path(home, dir, name);
    scratch_path(store, home, SPEAN_HOME_STORE);
    const struct spean_db_options options = {.dir = store};
    const struct spean_unlock unlock = unlock_by_credential();
    struct spean_db *db = NULL;
    struct spean_keys *keys = NULL;
    scratch_need(spean_db_open(&options, &db), "to open a store");
    scratch_need(spean_keys_new(&keys), "to make room for keys");
    scratch_need(spean_keys_unlock(keys, db, &unlock), "to unlock a keystore");
    memcpy(seed, spean_keys_signing_seed(keys), SPEAN_KEY_BYTES);
    spean_keys_free(keys);
    spean_db_close(db);
}

/* Read the documents of dir into buf, and give views of them. */
static void read_documents(const char *dir, uint8_t buf[DOCUMENTS_BYTES_MAX],
                           struct spean_view views[DOCUMENTS_COUNT])
{
    char path[SCRATCH_PATH_BYTES];
    size_t len = 0;
    size_t pos = 0;
    scratch_path(path, dir, documents_name);
    scratch_need(spean_file_read(path, buf, DOCUMENTS_BYTES_MAX, &len), "to read documents");
    for (uint32_t i = 0; i < DOCUMENTS_COUNT; i++) {
        uint32_t count = 0;
        scratch_want(sizeof(count) <= len - pos, "a length of a document");
        memcpy(&count, buf + pos, sizeof(count));
        pos += sizeof(count);
        scratch_want(count <= len - pos, "a document");
        views[i] = (struct spean_view){buf + pos, count};
        pos += count;
    }
}

static void enter(struct spean_core *core, const char *dir)
{
    static uint8_t buf[DOCUMENTS_BYTES_MAX];
    static struct spean_document genesis;
    struct spean_view views[DOCUMENTS_COUNT];
    read_documents(dir, buf, views);
    scratch_need(spean_document_decode(&genesis, views[0]), "to decode the genesis");
    const struct spean_handle handle = spean_handle_of(&genesis.id);
    scratch_need(spean_core_enter(core, &handle), "to enter the ledger");
    scratch_need(spean_core_put_documents(core, views, DOCUMENTS_COUNT, SPEAN_PENDING_KEEP),
                 "to take the documents");
    scratch_want(spean_core_own_log(core) != NULL, "a log of our own");
}

void world_open(struct world_node *node, const char *dir, const char *name, const char *listen,
                int journal_fd, enum spean_journal_level level)
{
    char home[SCRATCH_PATH_BYTES];
    char why[SPEAN_CORE_WHY_BYTES];
    struct spean_config_error error;
    scratch_path(home, dir, name);
    scratch_need(spean_config_init(&node->config, home, &error), "to configure a node");
    (void)snprintf(node->config.listen, sizeof(node->config.listen), "%s", listen);
    node->config.map_gib = MAP_GIB;
    spean_journal_init(&node->journal, journal_fd, level, NULL);
    const struct spean_unlock unlock = unlock_by_credential();
    scratch_need(spean_core_new(&node->config, &node->journal, &unlock, &node->core, why),
                 "to open a node");
    enter(node->core, dir);
}

void world_close(struct world_node *node)
{
    spean_core_free(node->core);
    node->core = NULL;
}

void world_check_folded(struct spean_core *core)
{
    struct spean_core_view view;
    struct spean_fold_status status;
    scratch_need(spean_core_view_begin(core, &view), "to look at the fold");
    scratch_need(spean_fold_status(view.tx, view.authority, &status), "to ask how far the fold is");
    spean_core_view_end(&view);
    scratch_want(status.entries_behind == 0, "every entry to be folded");
    scratch_want(status.queued == 0 && status.parts_dirty == 0, "nothing to be folded again");
    scratch_want(status.aside == 0, "no entry to be set aside");
    scratch_want(status.unknown == 0, "no entry to be unknown");
    scratch_want(status.grants_unopened == 0, "every grant to be opened");
    scratch_want(status.bodies_lacking == 0, "every body to be there");
    scratch_want(status.waiting_records == 0, "every change to find its record");
}
