#include "node/route.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

#define METHODS_COUNT (sizeof(methods) / sizeof(methods[0]))

static bool method_is_known(const char *method)
{
    for (size_t i = 0; i < METHODS_COUNT; i++) {
        if (strcmp(methods[i], method) == 0) {
            return true;
        }
    }
    return false;
}

static size_t char_count(const char *text, char c)
{
    size_t count = 0;
    for (const char *at = strchr(text, c); at != NULL; at = strchr(at + 1, c)) {
        count++;
    }
    return count;
}

void spean_route_assert(const struct spean_route *routes, size_t count)
{
    assert(routes != NULL);
    for (size_t i = 0; i < count; i++) {
        const struct spean_route *route = &routes[i];
        assert(method_is_known(route->method));
        assert(route->path[0] == '/');
        assert(char_count(route->path, '/') <= SPEAN_ROUTE_SEGMENTS_MAX);
        assert(char_count(route->path, '{') <= SPEAN_REQUEST_PARAMS_MAX);
        const bool read = (route->flags & SPEAN_ROUTE_READ) != 0;
        const bool write = (route->flags & SPEAN_ROUTE_WRITE) != 0;
        assert(read != write);
        assert(read == (route->read != NULL));
        assert(write == (route->run != NULL));
        assert(write || route->check == NULL);
        (void)read;
        (void)write;
    }
}

/* Whether path has the shape of pattern. Parameters are not decoded yet, but not empty. */
static bool path_matches(const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        const size_t wanted = strcspn(pattern, "/");
        const size_t given = strcspn(path, "/");
        const bool fits =
            *pattern == '{' ? given > 0 : given == wanted && memcmp(pattern, path, given) == 0;
        if (!fits) {
            return false;
        }
        pattern += wanted;
        path += given;
    }
    return *pattern == '\0' && *path == '\0';
}

/* Decode the parameters of a path that matches. */
static spean_err params_read(const char *pattern, const char *path, struct spean_request *request)
{
    while (*pattern == '/') {
        pattern++;
        path++;
        const size_t wanted = strcspn(pattern, "/");
        const size_t given = strcspn(path, "/");
        if (*pattern == '{') {
            assert(request->params_count < SPEAN_REQUEST_PARAMS_MAX);
            assert(wanted > 2);
            assert(wanted - 2 <= SPEAN_REQUEST_VALUE_BYTES);
            struct spean_param *param = &request->params[request->params_count];
            memcpy(param->name, pattern + 1, wanted - 2);
            param->name[wanted - 2] = '\0';
            const spean_err err = spean_percent_decode(path, given, param->value);
            if (err != SPEAN_OK) {
                request->params_count = 0;
                return err;
            }
            request->params_count++;
        }
        pattern += wanted;
        path += given;
    }
    return SPEAN_OK;
}

spean_err spean_route_find(const struct spean_route *routes, size_t count, const char *method,
                           const char *path, struct spean_request *request,
                           const struct spean_route **out)
{
    assert(method != NULL);
    assert(path != NULL);
    assert(request != NULL);
    assert(out != NULL);
    request->params_count = 0;
    bool path_known = false;
    for (size_t i = 0; i < count; i++) {
        if (!path_matches(routes[i].path, path)) {
            continue;
        }
        path_known = true;
        if (strcmp(routes[i].method, method) != 0) {
            continue;
        }
        const spean_err err = params_read(routes[i].path, path, request);
        if (err == SPEAN_OK) {
            *out = &routes[i];
        }
        return err;
    }
    return path_known ? SPEAN_ESTATE : SPEAN_ENOTFOUND;
}

/* Whether names, which spaces part, has this one. */
static bool name_is_among(const char *names, const char *name)
{
    const size_t len = strlen(name);
    for (const char *at = names; at != NULL && *at != '\0';) {
        const size_t known = strcspn(at, " ");
        if (known == len && memcmp(at, name, len) == 0) {
            return true;
        }
        at += known + (at[known] == ' ' ? 1 : 0);
    }
    return false;
}

static bool refuse(struct spean_reply *reply, const char *message)
{
    spean_reply_error(reply, SPEAN_EINPUT, message, "docs/API.md lists what may stand there");
    return false;
}

bool spean_route_fits(const struct spean_route *route, const struct spean_request *request,
                      struct spean_reply *reply)
{
    assert(route != NULL);
    assert(request != NULL);
    const bool write = (route->flags & SPEAN_ROUTE_WRITE) != 0;
    for (uint32_t i = 0; i < request->query_count; i++) {
        const char *name = request->query[i].name;
        if (!name_is_among(route->query, name) && !(write && strcmp(name, "dry_run") == 0)) {
            return refuse(reply, "the query has a name that is not known here");
        }
    }
    const char *dry_run = spean_request_query(request, "dry_run");
    if (dry_run != NULL && strcmp(dry_run, "1") != 0) {
        return refuse(reply, "dry_run may be 1 and nothing else");
    }
    struct spean_page page;
    if (spean_request_page(request, &page) != SPEAN_OK) {
        return refuse(reply, "limit must be from 1 to 1000");
    }
    const char *key = NULL;
    const json_t *value = NULL;
    json_object_foreach(request->body, key, value)
    {
        if (route->body != NULL && !name_is_among(route->body, key)) {
            return refuse(reply, "the body has a key that is not known here");
        }
    }
    return true;
}

static bool path_has_method(const struct spean_route *routes, size_t count, const char *path,
                            const char *method)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(routes[i].method, method) == 0 && path_matches(routes[i].path, path)) {
            return true;
        }
    }
    return false;
}

void spean_route_allow(const struct spean_route *routes, size_t count, const char *path,
                       char out[SPEAN_ROUTE_ALLOW_BYTES])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < METHODS_COUNT; i++) {
        if (path_has_method(routes, count, path, methods[i])) {
            /* All of them take 29 bytes. */
            const int wrote = snprintf(out + len, SPEAN_ROUTE_ALLOW_BYTES - len, "%s%s",
                                       len > 0 ? ", " : "", methods[i]);
            assert(wrote > 0);
            assert((size_t)wrote < SPEAN_ROUTE_ALLOW_BYTES - len);
            len += (size_t)wrote;
        }
    }
}
