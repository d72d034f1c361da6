/* What goes wrong with a node in an office, and what to do about it: GET /v1/doctor. The command
 * `spean doctor` adds what can be seen without the daemon. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "node/answer.h"
#include "node/core_internal.h"
#include "node/endpoint.h"
#include "node/handlers.h"
#include "protocol/fold.h"
#include "protocol/version.h"
#include "store/entries.h"
#include "store/logs.h"
#include "store/peer.h"

#define TEXT_BYTES   640u
#define HOST_BYTES   (SPEAN_ENDPOINT_BYTES_MAX + 1)
#define DAY_S        86400u
#define KEY_DAYS_OLD 730u
#define ONION        ".onion"

/* Names of checks and states never change; texts do. */
static const char fine[] = "ok";
static const char attention[] = "attention";
static const char unknown[] = "unknown"; /* It cannot be told from here. */

struct doctor {
    struct spean_core_view view;
    json_t *checks;
};

/* Note one finding. advice NULL: nothing is to be done. */
static void found(struct doctor *d, const char *check, const char *state, const char *advice,
                  const char *text)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s?}", "check", check, "state", state, "text", text,
                            "do", advice);
    (void)json_array_append_new(d->checks,
                                row); /* NULL, for want of memory: the answer lacks it. */
}

/* -- This process ---------------------------------------------------------------------------- */

static void check_process(struct doctor *d)
{
    struct rlimit core;
    char text[TEXT_BYTES];
    (void)snprintf(text, sizeof(text), "spean %s, store format %u", spean_version(),
                   SPEAN_STORE_FORMAT);
    found(d, "version", fine, NULL, text);
    const bool hard = getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 &&
                      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
    found(d, "hardening", hard ? fine : attention,
          hard ? NULL : "start it again, with nothing that changes its limits or attaches to it",
          hard ? "no core dumps, no other process may look into its memory"
               : "a crash could write keys to the disk, or another process read them");
    const bool locked = spean_keys_locked(d->view.keys);
    found(d, "locked", locked ? attention : fine, locked ? "spean unlock" : NULL,
          locked ? "locked: nothing can be read or written" : "unlocked");
}

static void check_room(struct doctor *d)
{
    const struct spean_room *const room = &d->view.core->room;
    char text[TEXT_BYTES];
    (void)snprintf(text, sizeof(text), "%" PRIu64 " MiB used, %" PRIu64 " MiB left%s",
                   room->used_bytes >> 20, room->left_bytes >> 20,
                   room->ballast ? "" : "; what is kept back for revocations is not there");
    const bool plenty = room->step == SPEAN_ROOM_PLENTY && room->ballast;
    found(d, "room", plenty ? fine : attention, plenty ? NULL : "make room on the store's disk",
          text);
}

/* What status counts as not well beyond that. */
static void check_health(struct doctor *d)
{
    json_t *const health = spean_status_health(&d->view);
    const bool ok = json_is_true(json_object_get(health, "ok"));
    char text[TEXT_BYTES];
    const size_t count = json_array_size(json_object_get(health, "problems"));
    (void)snprintf(text, sizeof(text), "%zu problem%s in status", count, count == 1 ? "" : "s");
    found(d, "health", ok ? fine : attention, ok ? NULL : "spean status", text);
    json_decref(health);
}

/* -- Clock and keys -------------------------------------------------------------------------- */

/* The time of an entry of our own log; 0: there is none. */
static uint64_t entry_time(const struct doctor *d, bool last)
{
    const struct spean_log *const own = spean_core_own_log(d->view.core);
    struct spean_logs_row row;
    struct spean_run_entry entry;
    if (own == NULL || spean_logs_get(d->view.tx, &own->id, &row) != SPEAN_OK ||
        spean_entries_get(d->view.tx, &row, last ? row.head.seq : 1, &entry) != SPEAN_OK) {
        return 0;
    }
    return entry.header.time;
}

static void check_clock(struct doctor *d)
{
    static const char advice[] = "set the clock of this computer; let it be set from the network";
    const struct spean_core *const core = d->view.core;
    uint32_t agree = 0;
    uint32_t apart = 0;
    for (uint32_t i = 0; i < core->partners_count; i++) {
        agree += core->partners[i].connected && core->partners[i].clock_apart_s == 0;
        apart += core->partners[i].connected && core->partners[i].clock_apart_s > 0;
    }
    char text[TEXT_BYTES];
    if (entry_time(d, true) > core_now_s()) {
        found(d, "clock", attention, advice,
              "this node wrote entries at a later time than it is now");
    } else if (apart > 0) {
        (void)snprintf(text, sizeof(text), "differs much from those of %u partner%s, not of %u",
                       apart, apart == 1 ? "" : "s", agree);
        found(d, "clock", attention, advice, text);
    } else {
        (void)snprintf(text, sizeof(text), "%u partner%s connected, with the same time", agree,
                       agree == 1 ? "" : "s");
        found(d, "clock", agree > 0 ? fine : unknown, NULL, text);
    }
}

static void check_keys(struct doctor *d)
{
    const uint64_t first = entry_time(d, false);
    const uint64_t now = core_now_s();
    char text[TEXT_BYTES];
    if (first == 0 || first > now) {
        found(d, "keys", unknown, NULL, "this node has written nothing with its keys yet");
        return;
    }
    const uint64_t days = (now - first) / DAY_S;
    (void)snprintf(text, sizeof(text), "this node's keys have been in use for %" PRIu64 " day%s",
                   days, days == 1 ? "" : "s");
    found(d, "keys", days > KEY_DAYS_OLD ? attention : fine,
          days > KEY_DAYS_OLD ? "take new keys: let one more node in (spean node invite), then "
                                "spean node retire for this one"
                              : NULL,
          text);
}

/* -- Who can call whom ----------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *tail)
{
    const size_t len = strlen(text);
    return len >= strlen(tail) && strcmp(text + len - strlen(tail), tail) == 0;
}

/* Copy the host of "tcp://host:port" or "host:port". */
static void host_of(const char *endpoint, char out[HOST_BYTES])
{
    const char *const scheme = strstr(endpoint, "://");
    const char *begin = scheme != NULL ? scheme + 3 : endpoint;
    const char *end = strrchr(begin, ':');
    begin += *begin == '[';
    size_t len = end != NULL && end >= begin ? (size_t)(end - begin) : strlen(begin);
    len -= len > 0 && begin[len - 1] == ']';
    (void)snprintf(out, HOST_BYTES, "%.*s", (int)(len < HOST_BYTES ? len : HOST_BYTES - 1), begin);
}

/* Whether the address is one that means something only within one house. */
static bool is_private(const char *endpoint)
{
    char host[HOST_BYTES];
    struct in_addr v4;
    struct in6_addr v6;
    host_of(endpoint, host);
    if (inet_pton(AF_INET, host, &v4) == 1) {
        const uint32_t at = ntohl(v4.s_addr);
        return at >> 24 == 10 || at >> 24 == 127 || at >> 20 == 0xac1 || at >> 16 == 0xc0a8 ||
               at >> 16 == 0xa9fe;
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_LINKLOCAL(&v6) ||
               (v6.s6_addr[0] & 0xfeu) == 0xfcu;
    }
    return strcmp(host, "localhost") == 0;
}

static bool is_onion(const char *endpoint)
{
    char host[HOST_BYTES];
    host_of(endpoint, host);
    return ends_with(host, ONION);
}

/* When somebody called us last; 0: nobody ever did. Of each node the last meeting alone is known.
 */
static uint64_t last_called(const struct doctor *d)
{
    struct spean_peer_row row;
    const struct spean_peer *after = NULL;
    struct spean_peer at;
    uint64_t last = 0;
    while (spean_peer_next(d->view.tx, after, &row) == SPEAN_OK) {
        if (row.way == SPEAN_PEER_ANSWERED && row.contact_s > last) {
            last = row.contact_s;
        }
        at = row.peer;
        after = &at;
    }
    return last;
}

static bool is_listening(const struct doctor *d)
{
    const struct spean_config *const config = spean_core_config(d->view.core);
    return config->listen[0] != '\0' && config->advertise[0] != '\0';
}

static void check_listening(struct doctor *d)
{
    const struct spean_config *const config = spean_core_config(d->view.core);
    const uint64_t called = last_called(d);
    char text[TEXT_BYTES];
    if (config->listen[0] == '\0') {
        found(d, "listening", fine, NULL, "it calls partners and is not called itself");
    } else if (config->advertise[0] == '\0') {
        found(d, "listening", attention, "set advertise in spean.conf to the address of this node",
              "it waits for calls, but tells nobody where");
    } else if (called > 0) {
        const uint64_t hours = core_now_s() > called ? (core_now_s() - called) / 3600u : 0;
        (void)snprintf(text, sizeof(text), "partners have called it, last %" PRIu64 " hour%s ago",
                       hours, hours == 1 ? "" : "s");
        found(d, "listening", fine, NULL, text);
    } else {
        (void)snprintf(text, sizeof(text), "at %s%s; nobody has called it so far",
                       config->advertise,
                       is_private(config->advertise) ? ", an address within one network only" : "");
        found(d, "listening", unknown,
              "have a partner look: spean sync now; if it does not arrive, let the router pass the "
              "port on",
              text);
    }
}

/* What an organisation's record says of how its nodes can be called. */
struct callable {
    bool direct; /* At an address of the net. */
    bool tor;    /* At an onion address. */
};

static struct callable callable_of(const struct doctor *d, const struct spean_id *org, bool relays)
{
    const struct spean_authority *const authority = d->view.authority;
    struct callable out = {false, false};
    struct spean_record_id id;
    struct spean_part *part = NULL;
    struct spean_node_endpoint at;
    if (spean_endpoint_record(d->view.tx, d->view.keys, org, &id, &part) != SPEAN_OK) {
        return out;
    }
    for (size_t i = 0; spean_endpoint_at(part, i, &at, NULL); i++) {
        const struct spean_log *log = spean_authority_log_by_transport(authority, &at.node);
        if (at.address[0] == '\0' || log == NULL || !spean_id_equal(&log->org, org) ||
            (relays && !log->relay)) {
            continue;
        }
        out.tor = out.tor || is_onion(at.address);
        out.direct = out.direct || !is_onion(at.address);
    }
    spean_part_free(part);
    return out;
}

static bool we_can_call(const struct doctor *d, struct callable them)
{
    const struct spean_config *const config = spean_core_config(d->view.core);
    return config->dial && (them.direct || (them.tor && config->socks_proxy[0] != '\0'));
}

/* Whether a relay can be called by us; all members can then meet there. */
static bool relay_is_callable(const struct doctor *d)
{
    const struct spean_authority *const authority = d->view.authority;
    for (uint32_t i = 0; i < spean_authority_logs_count(authority); i++) {
        const struct spean_log *const log = spean_authority_log_at(authority, i);
        if (log->relay && log->status == SPEAN_LOG_OPEN &&
            !spean_id_equal(&log->org, spean_core_org(d->view.core)) &&
            we_can_call(d, callable_of(d, &log->org, true))) {
            return true;
        }
    }
    return false;
}

/* Say by which ways we and a partner can meet: at least one has to be there. */
static void check_partner(struct doctor *d, const struct spean_id *org, bool relay)
{
    const struct callable them = callable_of(d, org, false);
    const bool connected = strncmp(spean_status_state(&d->view, org), "connect", 7) == 0;
    const bool we = we_can_call(d, them);
    const bool they = is_listening(d);
    char name[SPEAN_ANSWER_NAME_BYTES];
    char text[TEXT_BYTES];
    json_t *row = json_object();
    spean_answer_org(row, "org", "name", &d->view, org);
    const char *const known = json_string_value(json_object_get(row, "name"));
    (void)snprintf(name, sizeof(name), "%s", known != NULL ? known : "a partner without a name");
    json_decref(row);
    (void)snprintf(text, sizeof(text), "%s: %s%s%s%s%s", name, connected ? "connected; " : "",
                   we ? (them.direct ? "we can call them; " : "we can call them through Tor; ")
                      : "",
                   they ? "they can call us; " : "", relay ? "a relay can be called; " : "",
                   we || they || relay ? "" : "neither can call the other, and there is no relay");
    const size_t len = strlen(text);
    if (len > 2 && strcmp(text + len - 2, "; ") == 0) {
        text[len - 2] = '\0';
    }
    const bool good = we || they || relay || connected;
    const char *const advice =
        them.tor && !we ? "set socks_proxy in spean.conf to the port of Tor"
                        : "one of you: open a port (listen and advertise in spean.conf), or use "
                          "Tor; or let stewards name a relay: spean member relay add";
    found(d, "partner", good ? fine : attention, good ? NULL : advice, text);
}

static void check_partners(struct doctor *d)
{
    const struct spean_ledger *const ledger = spean_authority_ledger(d->view.authority);
    if (ledger == NULL) {
        found(d, "ledger", attention, "spean ledger found, or spean member join",
              "this node is in no ledger yet");
        return;
    }
    if (spean_keys_locked(d->view.keys)) {
        found(d, "partner", unknown, "spean unlock", "records of partners cannot be read");
        return;
    }
    const bool relay = relay_is_callable(d);
    for (uint32_t i = 0; i < ledger->members_count; i++) {
        const struct spean_ledger_member *const member = &ledger->members[i];
        if (member->standing == SPEAN_STANDING_ACTIVE &&
            !spean_id_equal(&member->org, spean_core_org(d->view.core))) {
            check_partner(d, &member->org, relay);
        }
    }
}

/* -- The route ------------------------------------------------------------------------------- */

static void get_doctor(const struct spean_request *request, void *ctx, struct spean_reply *reply)
{
    (void)request;
    struct doctor d = {.checks = NULL};
    if (!spean_answer_begin(ctx, &d.view, reply)) {
        return;
    }
    d.checks = json_array();
    check_process(&d);
    check_room(&d);
    check_health(&d);
    check_clock(&d);
    check_keys(&d);
    check_listening(&d);
    check_partners(&d);
    spean_core_view_end(&d.view);
    bool any = false;
    for (size_t i = 0; i < json_array_size(d.checks); i++) {
        const json_t *const state = json_object_get(json_array_get(d.checks, i), "state");
        any = any || strcmp(json_string_value(state), attention) == 0;
    }
    spean_reply_take(reply, json_pack("{s:o, s:b}", "checks", d.checks, "attention", any));
}

struct spean_route_group spean_doctor_routes(void)
{
    static const struct spean_route routes[] = {
        {.method = "GET", .path = "/v1/doctor", .flags = SPEAN_ROUTE_READ, .read = get_doctor},
    };
    return (struct spean_route_group){routes, sizeof(routes) / sizeof(routes[0])};
}
