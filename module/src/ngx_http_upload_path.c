
#include "ngx_http_upload_segment.h"


#define NGX_HTTP_UPLOAD_NAME_LENGTH  10


static ngx_int_t ngx_http_upload_path_open(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *root, ngx_str_t *name, int flags, ngx_str_t *path,
    ngx_fd_t *fd);
static ngx_fd_t ngx_http_upload_path_unnamed(u_char *path, int flags,
    ngx_uint_t mode);
static u_char *ngx_http_upload_path_name(ngx_http_upload_path_t *store,
    ngx_str_t *root, ngx_str_t *name, uint32_t number, u_char *path);
static ngx_int_t ngx_http_upload_path_directories(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_path_t *store, u_char *path, size_t root);
static void ngx_http_upload_path_directory_mode(ngx_http_upload_ctx_t *ctx,
    u_char *path);
static ngx_int_t ngx_http_upload_path_mode(ngx_http_upload_ctx_t *ctx,
    u_char *path, ngx_fd_t fd);


/*
 * Names come from nginx's own counter, as those of its temporary files do, so
 * that other software that knows the layout keeps working.
 */

ngx_int_t
ngx_http_upload_path_create(ngx_http_upload_ctx_t *ctx, ngx_str_t *name,
    int flags, ngx_str_t *path, ngx_fd_t *fd)
{
    ngx_int_t                rc;
    ngx_str_t                root;
    ngx_http_upload_path_t  *store;

    store = ctx->conf->store;

    rc = ngx_http_upload_path_root(ctx, store, &root);
    if (rc != NGX_OK) {
        return rc;
    }

    path->data = ngx_pnalloc(ctx->request->pool,
                             root.len + 1 + store->levels
                             + (name ? name->len + 1 : 0)
                             + NGX_HTTP_UPLOAD_NAME_LENGTH + 1);
    if (path->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_path_open(ctx, &root, name, flags, path, fd);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_upload_path_mode(ctx, path->data, *fd);

    if (rc != NGX_OK) {
        (void) ngx_delete_file(path->data);
        (void) ngx_close_file(*fd);
        *fd = NGX_INVALID_FILE;
    }

    return rc;
}


static ngx_int_t
ngx_http_upload_path_open(ngx_http_upload_ctx_t *ctx, ngx_str_t *root,
    ngx_str_t *name, int flags, ngx_str_t *path, ngx_fd_t *fd)
{
    u_char                  *last;
    ngx_int_t                rc;
    ngx_err_t                err;
    uint32_t                 number;
    ngx_uint_t               made, unnamed;
    ngx_http_upload_path_t  *store;

    store = ctx->conf->store;
    number = (uint32_t) ngx_next_temp_number(0);
    made = 0;
    unnamed = (name != NULL);

    for ( ;; ) {

        last = ngx_http_upload_path_name(store, root, name, number,
                                         path->data);
        path->len = last - path->data;

        /* the umask can only take away: nobody gets in before the mode is set */

        *fd = unnamed ? ngx_http_upload_path_unnamed(path->data, flags,
                                                     ctx->conf->access & 0700)
                      : open((char *) path->data,
                             flags|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                             ctx->conf->access & 0700);

        if (*fd != NGX_INVALID_FILE) {
            return NGX_OK;
        }

        err = ngx_errno;

        if (err == NGX_EEXIST) {
            number = (uint32_t) ngx_next_temp_number(1);
            continue;
        }

        if (err == NGX_EINTR) {
            continue;
        }

        if (err != NGX_ENOENT || made || store->levels == 0) {

            if (unnamed) {
                /* not every file system can */
                unnamed = 0;
                continue;
            }

            return ngx_http_upload_path_error(ctx, err, "open()", path->data,
                                              NGX_HTTP_SERVICE_UNAVAILABLE);
        }

        rc = ngx_http_upload_path_directories(ctx, store, path->data,
                                              root->len);
        if (rc != NGX_OK) {
            return rc;
        }

        made = 1;
    }
}


/*
 * In the directory of the path, which nobody else has: a kill leaves nothing of
 * it until it gets its name.
 */

static ngx_fd_t
ngx_http_upload_path_unnamed(u_char *path, int flags, ngx_uint_t mode)
{
    u_char       *slash;
    ngx_fd_t      fd;
    struct stat   st;

    /* it gets its name by way of there */

    if (access("/proc/self/fd", X_OK) == -1) {
        return NGX_INVALID_FILE;
    }

    if (lstat((char *) path, &st) == 0) {
        ngx_set_errno(NGX_EEXIST);
        return NGX_INVALID_FILE;
    }

    slash = (u_char *) strrchr((char *) path, '/');

    *slash = '\0';
    fd = open((char *) path, flags|O_TMPFILE|O_CLOEXEC, mode);
    *slash = '/';

    return fd;
}


/* The digits are those of the id's CRC-32: they spread sessions evenly. */

ngx_int_t
ngx_http_upload_path_state(ngx_http_upload_ctx_t *ctx, ngx_str_t *session,
    ngx_str_t *path)
{
    u_char                  *last;
    ngx_int_t                rc;
    ngx_err_t                err;
    ngx_str_t                root;
    struct stat              st;
    ngx_http_upload_path_t  *store;

    store = ctx->conf->state_store ? ctx->conf->state_store : ctx->conf->store;

    rc = ngx_http_upload_path_root(ctx, store, &root);
    if (rc != NGX_OK) {
        return rc;
    }

    path->data = ngx_pnalloc(ctx->request->pool,
                             root.len + 1 + store->levels + session->len + 1
                             + NGX_HTTP_UPLOAD_NAME_LENGTH + sizeof(".state"));
    if (path->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = ngx_http_upload_path_name(store, &root, session,
                                     ngx_crc32_long(session->data,
                                                    session->len),
                                     path->data);
    last = ngx_cpymem(last, ".state", sizeof(".state"));
    path->len = last - path->data - 1;

    if (store->levels == 0) {
        return NGX_OK;
    }

    path->data[root.len] = '\0';
    err = stat((char *) path->data, &st) == -1 ? ngx_errno : 0;

    if (err) {
        rc = ngx_http_upload_path_error(ctx, err, "stat()", path->data,
                                        NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    path->data[root.len] = '/';

    return rc == NGX_OK ? ngx_http_upload_path_directories(ctx, store,
                                                           path->data,
                                                           root.len)
                        : rc;
}


ngx_int_t
ngx_http_upload_path_root(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_path_t *store, ngx_str_t *root)
{
    u_char              *p, *last, *segment;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ngx_http_complex_value(r, &store->root, root) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (root->len == 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upload: the variables of upload_store are empty");
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (store->root.lengths) {

        last = root->data + root->len;

        for (segment = root->data, p = root->data; p <= last; p++) {

            if (p < last && *p != '/' && *p != '\0') {
                continue;
            }

            if ((p < last && *p == '\0')
                || (p - segment == 2 && segment[0] == '.'
                    && segment[1] == '.'))
            {
                ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                              "upload: unsafe upload_store \"%V\"", root);
                return NGX_HTTP_BAD_REQUEST;
            }

            segment = p + 1;
        }

        if (ngx_get_full_name(r->pool, (ngx_str_t *) &ngx_cycle->prefix, root)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    while (root->len > 1 && root->data[root->len - 1] == '/') {
        root->len--;
    }

    return NGX_OK;
}


/* A store that is not there is told of when a file is made. */

ngx_int_t
ngx_http_upload_path_space(ngx_http_upload_ctx_t *ctx)
{
    off_t                needed, bytes;
    u_char              *path;
    ngx_int_t            rc;
    ngx_str_t            root;
    struct statvfs       fs;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->segment && ctx->segment->reserved) {
        return NGX_OK;
    }

    rc = ngx_http_upload_path_root(ctx, ctx->conf->store, &root);
    if (rc != NGX_OK) {
        return rc;
    }

    path = ngx_pnalloc(r->pool, root.len + 1);
    if (path == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpystrn(path, root.data, root.len + 1);

    if (statvfs((char *) path, &fs) == -1) {
        return NGX_OK;
    }

    bytes = (off_t) fs.f_bavail * (off_t) fs.f_frsize;
    needed = ctx->conf->min_free_space;

    if (r->headers_in.content_length_n > 0) {

        if (r->headers_in.content_length_n > NGX_MAX_OFF_T_VALUE - needed) {
            return NGX_HTTP_INSUFFICIENT_STORAGE;
        }

        needed += r->headers_in.content_length_n;
    }

    if (bytes >= needed) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "upload: %O bytes are free in \"%V\", %O are needed",
                  bytes, &root, needed);

    return NGX_HTTP_INSUFFICIENT_STORAGE;
}


ngx_int_t
ngx_http_upload_path_error(ngx_http_upload_ctx_t *ctx, ngx_err_t err,
    const char *call, u_char *path, ngx_int_t status)
{
    if (err == NGX_ENOSPC || err == EDQUOT) {
        status = NGX_HTTP_INSUFFICIENT_STORAGE;
    }

    ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, err,
                  "upload: %s \"%s\" failed", call, path);

    return status;
}


/* root / last digits / digits before them / number */

static u_char *
ngx_http_upload_path_name(ngx_http_upload_path_t *store, ngx_str_t *root,
    ngx_str_t *name, uint32_t number, u_char *path)
{
    u_char      *p;
    size_t       end;
    ngx_uint_t   i;
    u_char       digits[NGX_HTTP_UPLOAD_NAME_LENGTH + 1];

    (void) ngx_sprintf(digits, "%010uD%Z", number);

    p = ngx_cpymem(path, root->data, root->len);
    end = NGX_HTTP_UPLOAD_NAME_LENGTH;

    *p++ = '/';

    for (i = 0; i < NGX_MAX_PATH_LEVEL && store->level[i]; i++) {
        end -= store->level[i];
        p = ngx_cpymem(p, digits + end, store->level[i]);
        *p++ = '/';
    }

    if (name) {
        p = ngx_cpymem(p, name->data, name->len);
        *p++ = '.';
    }

    p = ngx_cpymem(p, digits, NGX_HTTP_UPLOAD_NAME_LENGTH);
    *p = '\0';

    return p;
}


/* The path has a '/' after its root and after each directory. */

static ngx_int_t
ngx_http_upload_path_directories(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_path_t *store, u_char *path, size_t root)
{
    size_t       slash;
    ngx_err_t    err;
    ngx_uint_t   i;

    slash = root;

    for (i = 0; i < NGX_MAX_PATH_LEVEL && store->level[i]; i++) {

        slash += 1 + store->level[i];
        path[slash] = '\0';

        if (mkdir((char *) path, 0700) == 0) {
            ngx_http_upload_path_directory_mode(ctx, path);

        } else {
            err = ngx_errno;

            if (err != NGX_EEXIST) {
                return ngx_http_upload_path_error(ctx, err, "mkdir()", path,
                                                  NGX_HTTP_SERVICE_UNAVAILABLE);
            }
        }

        path[slash] = '/';
    }

    return NGX_OK;
}


/* Where the parent is setgid, the directory already is: that bit stays. */

static void
ngx_http_upload_path_directory_mode(ngx_http_upload_ctx_t *ctx, u_char *path)
{
    ngx_uint_t       mode;
    ngx_file_info_t  fi;

    mode = ctx->conf->access;
    mode |= ((mode & 0444) >> 2) | ((mode & 0222) >> 1) | 0700;

    if (ngx_file_info(path, &fi) == NGX_FILE_ERROR
        || chmod((char *) path, (fi.st_mode & S_ISGID) | mode) == -1)
    {
        /* some network file systems refuse; the directory works all the same */

        ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, ngx_errno,
                      "upload: chmod() \"%s\" failed", path);
    }
}


static ngx_int_t
ngx_http_upload_path_mode(ngx_http_upload_ctx_t *ctx, u_char *path,
    ngx_fd_t fd)
{
    ngx_err_t        err;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        return ngx_http_upload_path_error(ctx, ngx_errno, "fstat()", path,
                                          NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    if ((fi.st_mode & 0777) == ctx->conf->access) {
        return NGX_OK;
    }

    if (fchmod(fd, ctx->conf->access) == 0) {
        return NGX_OK;
    }

    err = ngx_errno;

    if (fi.st_mode & 0777 & ~ctx->conf->access) {
        return ngx_http_upload_path_error(ctx, err, "fchmod()", path,
                                          NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, err,
                  "upload: fchmod() \"%s\" failed", path);

    return NGX_OK;
}
