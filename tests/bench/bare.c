#include "tests/bench/bare.h"

#include <sys/stat.h>

#include "tests/bench/scratch.h"

#define MAP_BYTES  ((size_t)4 << 30)
#define TABLES_MAX 4u

static void need(int rc, const char *what)
{
    scratch_want(rc == 0, what);
}

void bare_open(struct bare *bare, const char *dir, const char *const *names, size_t count,
               MDB_dbi *tables)
{
    scratch_want(count <= TABLES_MAX, "no more tables than there can be");
    need(mkdir(dir, S_IRWXU), "to make a folder for the bare limit");
    need(mdb_env_create(&bare->env), "to make an environment");
    need(mdb_env_set_maxdbs(bare->env, TABLES_MAX), "to set the number of tables");
    need(mdb_env_set_mapsize(bare->env, MAP_BYTES), "to set the size of the map");
    need(mdb_env_open(bare->env, dir, MDB_NOTLS, S_IRUSR | S_IWUSR), "to open an environment");
    bare_begin(bare);
    for (size_t i = 0; i < count; i++) {
        const unsigned flags = names[i] == NULL ? 0 : MDB_CREATE;
        need(mdb_dbi_open(bare->txn, names[i], flags, &tables[i]), "to make a table");
    }
    bare_commit(bare);
}

void bare_close(struct bare *bare)
{
    mdb_txn_abort(bare->txn); /* NULL is allowed. */
    mdb_env_close(bare->env);
}

void bare_begin(struct bare *bare)
{
    need(mdb_txn_begin(bare->env, NULL, 0, &bare->txn), "to begin a bare transaction");
}

void bare_commit(struct bare *bare)
{
    need(mdb_txn_commit(bare->txn), "to commit bare rows");
    bare->txn = NULL;
}

uint8_t *bare_put(const struct bare *bare, MDB_dbi table, struct spean_view key, size_t len,
                  unsigned flags)
{
    MDB_val k = {key.len, (void *)(uintptr_t)key.data};
    MDB_val v = {len, NULL};
    need(mdb_put(bare->txn, table, &k, &v, MDB_RESERVE | flags), "to put a bare row");
    return v.mv_data;
}
