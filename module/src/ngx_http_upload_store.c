
#include "ngx_http_upload.h"


#define NGX_HTTP_UPLOAD_NAME_LENGTH  10


static ngx_int_t ngx_http_upload_store_path(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *path, size_t *root);
static ngx_int_t ngx_http_upload_store_create(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *path, size_t root);
static void ngx_http_upload_store_name(ngx_http_upload_path_t *store,
    ngx_str_t *path, size_t root, uint32_t number);
static ngx_int_t ngx_http_upload_store_directories(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *path, size_t root);
static void ngx_http_upload_store_directory_mode(ngx_http_upload_ctx_t *ctx,
    u_char *path);
static ngx_int_t ngx_http_upload_store_mode(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_store_flush(ngx_http_upload_ctx_t *ctx,
    const u_char *data, size_t length);
static ngx_int_t ngx_http_upload_store_results(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_store_error(ngx_http_upload_ctx_t *ctx,
    ngx_err_t err, const char *call, u_char *path, ngx_int_t status);


ngx_int_t
ngx_http_upload_store_open(ngx_http_upload_ctx_t *ctx)
{
    size_t                    root;
    ngx_int_t                 rc;
    ngx_http_upload_file_t   *file;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    file = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_upload_file_t));
    if (file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (store->buffer == NULL) {
        store->buffer = ngx_palloc(ctx->request->pool, ctx->conf->buffer_size);
        if (store->buffer == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    rc = ngx_http_upload_store_path(ctx, &file->path, &root);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_upload_store_create(ctx, &file->path, root);
    if (rc != NGX_OK) {
        return rc;
    }

    file->next = store->files;
    store->files = file;

    rc = ngx_http_upload_store_mode(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    store->size = 0;
    store->buffered = 0;
    ctx->path = file->path;
    ngx_str_null(&ctx->size);
    ngx_memzero(ctx->hex, sizeof(ctx->hex));

    if (upload_digest_start(&store->digest, (unsigned) ctx->digests) != 0) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: OpenSSL refused a digest");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


/*
 * The buffer is written when it is full, so that every write but the last ends
 * on a multiple of its size; what would fill it whole is not copied.
 */

ngx_int_t
ngx_http_upload_store_write(ngx_http_upload_ctx_t *ctx, const u_char *data,
    size_t length)
{
    size_t                    n, size;
    ngx_int_t                 rc;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;
    size = ctx->conf->buffer_size;

    if (ctx->conf->max_file_size
        && (off_t) length > ctx->conf->max_file_size - store->size)
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: file is larger than upload_max_file_size %O",
                      ctx->conf->max_file_size);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    store->size += length;

    while (length) {

        if (store->buffered == 0 && length >= size) {
            n = length - length % size;

            rc = ngx_http_upload_store_flush(ctx, data, n);
            if (rc != NGX_OK) {
                return rc;
            }

        } else {
            n = ngx_min(length, size - store->buffered);

            ngx_memcpy(store->buffer + store->buffered, data, n);
            store->buffered += n;

            if (store->buffered == size) {
                store->buffered = 0;

                rc = ngx_http_upload_store_flush(ctx, store->buffer, size);
                if (rc != NGX_OK) {
                    return rc;
                }
            }
        }

        data += n;
        length -= n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_upload_store_close(ngx_http_upload_ctx_t *ctx)
{
    ngx_fd_t                  fd;
    ngx_int_t                 rc;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    rc = ngx_http_upload_store_flush(ctx, store->buffer, store->buffered);
    if (rc != NGX_OK) {
        return rc;
    }

    store->buffered = 0;

    fd = store->fd;
    store->fd = NGX_INVALID_FILE;

    /* NFS tells of a full disk only here */

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        return ngx_http_upload_store_error(ctx, ngx_errno, "close()",
                                           ctx->path.data,
                                           NGX_HTTP_INSUFFICIENT_STORAGE);
    }

    return ngx_http_upload_store_results(ctx);
}


void
ngx_http_upload_store_remove(ngx_http_upload_ctx_t *ctx)
{
    ngx_err_t                err;
    ngx_http_upload_file_t  *file;

    ngx_http_upload_store_free(ctx);

    for (file = ctx->store.files; file; file = file->next) {

        if (ngx_delete_file(file->path.data) != NGX_FILE_ERROR) {
            continue;
        }

        err = ngx_errno;

        /* the target may have moved it */

        if (err != NGX_ENOENT) {
            ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, err,
                          "upload: unlink() \"%V\" failed", &file->path);
        }
    }

    ctx->store.files = NULL;
}


void
ngx_http_upload_store_free(ngx_http_upload_ctx_t *ctx)
{
    if (ctx->store.fd != NGX_INVALID_FILE) {

        if (ngx_close_file(ctx->store.fd) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log,
                          ngx_errno, "upload: close() \"%V\" failed",
                          &ctx->path);
        }

        ctx->store.fd = NGX_INVALID_FILE;
    }

    upload_digest_free(&ctx->store.digest);
}


/* Makes room for a file's name; root is the length of what stands before. */

static ngx_int_t
ngx_http_upload_store_path(ngx_http_upload_ctx_t *ctx, ngx_str_t *path,
    size_t *root)
{
    u_char                  *p, *last, *segment;
    ngx_str_t                base;
    ngx_http_request_t      *r;
    ngx_http_upload_path_t  *store;

    r = ctx->request;
    store = ctx->conf->store;

    if (ngx_http_complex_value(r, &store->root, &base) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (store->root.lengths) {

        last = base.data + base.len;

        for (segment = base.data, p = base.data; p <= last; p++) {

            if (p < last && *p != '/' && *p != '\0') {
                continue;
            }

            if ((p < last && *p == '\0')
                || (p - segment == 2 && segment[0] == '.'
                    && segment[1] == '.'))
            {
                ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                              "upload: unsafe upload_store \"%V\"", &base);
                return NGX_HTTP_BAD_REQUEST;
            }

            segment = p + 1;
        }

        if (ngx_get_full_name(r->pool, (ngx_str_t *) &ngx_cycle->prefix, &base)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    while (base.len > 1 && base.data[base.len - 1] == '/') {
        base.len--;
    }

    path->len = base.len + 1 + store->levels + NGX_HTTP_UPLOAD_NAME_LENGTH;

    path->data = ngx_pnalloc(r->pool, path->len + 1);
    if (path->data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(path->data, base.data, base.len);
    *root = base.len;

    return NGX_OK;
}


/*
 * Names come from nginx's own counter, as those of its temporary files do, so
 * that other software that knows the layout keeps working.
 */

static ngx_int_t
ngx_http_upload_store_create(ngx_http_upload_ctx_t *ctx, ngx_str_t *path,
    size_t root)
{
    ngx_int_t   rc;
    ngx_err_t   err;
    uint32_t    number;
    ngx_uint_t  made;

    number = (uint32_t) ngx_next_temp_number(0);
    made = 0;

    for ( ;; ) {

        ngx_http_upload_store_name(ctx->conf->store, path, root, number);

        /* the umask can only take away: nobody gets in before the mode is set */

        ctx->store.fd = open((char *) path->data,
                             O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                             ctx->conf->access & 0700);

        if (ctx->store.fd != NGX_INVALID_FILE) {
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

        if (err != NGX_ENOENT || made || ctx->conf->store->levels == 0) {
            return ngx_http_upload_store_error(ctx, err, "open()", path->data,
                                               NGX_HTTP_SERVICE_UNAVAILABLE);
        }

        rc = ngx_http_upload_store_directories(ctx, path, root);
        if (rc != NGX_OK) {
            return rc;
        }

        made = 1;
    }
}


/* root / last digits / digits before them / number */

static void
ngx_http_upload_store_name(ngx_http_upload_path_t *store, ngx_str_t *path,
    size_t root, uint32_t number)
{
    u_char      *p;
    size_t       end;
    ngx_uint_t   i;
    u_char       name[NGX_HTTP_UPLOAD_NAME_LENGTH + 1];

    (void) ngx_sprintf(name, "%010uD%Z", number);

    p = path->data + root;
    end = NGX_HTTP_UPLOAD_NAME_LENGTH;

    *p++ = '/';

    for (i = 0; i < NGX_MAX_PATH_LEVEL && store->level[i]; i++) {
        end -= store->level[i];
        p = ngx_cpymem(p, name + end, store->level[i]);
        *p++ = '/';
    }

    ngx_memcpy(p, name, NGX_HTTP_UPLOAD_NAME_LENGTH + 1);
}


static ngx_int_t
ngx_http_upload_store_directories(ngx_http_upload_ctx_t *ctx, ngx_str_t *path,
    size_t root)
{
    size_t       slash;
    ngx_int_t    rc;
    ngx_err_t    err;
    ngx_uint_t   i;

    slash = root;

    for (i = 0; i < NGX_MAX_PATH_LEVEL && ctx->conf->store->level[i]; i++) {

        slash += 1 + ctx->conf->store->level[i];
        path->data[slash] = '\0';

        if (mkdir((char *) path->data, 0700) == 0) {
            ngx_http_upload_store_directory_mode(ctx, path->data);

        } else {
            err = ngx_errno;

            if (err != NGX_EEXIST) {
                rc = ngx_http_upload_store_error(ctx, err, "mkdir()",
                                                 path->data,
                                                 NGX_HTTP_SERVICE_UNAVAILABLE);
                return rc;
            }
        }

        path->data[slash] = '/';
    }

    return NGX_OK;
}


/* Where the parent is setgid, the directory already is: that bit stays. */

static void
ngx_http_upload_store_directory_mode(ngx_http_upload_ctx_t *ctx, u_char *path)
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
ngx_http_upload_store_mode(ngx_http_upload_ctx_t *ctx)
{
    ngx_err_t        err;
    ngx_file_info_t  fi;

    if (ngx_fd_info(ctx->store.fd, &fi) == NGX_FILE_ERROR) {
        return ngx_http_upload_store_error(ctx, ngx_errno, "fstat()",
                                           ctx->store.files->path.data,
                                           NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    if ((fi.st_mode & 0777) == ctx->conf->access) {
        return NGX_OK;
    }

    if (fchmod(ctx->store.fd, ctx->conf->access) == 0) {
        return NGX_OK;
    }

    err = ngx_errno;

    if (fi.st_mode & 0777 & ~ctx->conf->access) {
        return ngx_http_upload_store_error(ctx, err, "fchmod()",
                                           ctx->store.files->path.data,
                                           NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, err,
                  "upload: fchmod() \"%V\" failed",
                  &ctx->store.files->path);

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_store_flush(ngx_http_upload_ctx_t *ctx, const u_char *data,
    size_t length)
{
    ssize_t    n;
    ngx_err_t  err;

    if (length == 0) {
        return NGX_OK;
    }

    if (upload_digest_update(&ctx->store.digest, data, length) != 0) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: OpenSSL refused a digest");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    while (length) {

        n = write(ctx->store.fd, data, length);

        if (n == -1) {
            err = ngx_errno;

            if (err == NGX_EINTR) {
                continue;
            }

            return ngx_http_upload_store_error(ctx, err, "write()",
                                               ctx->path.data,
                                               NGX_HTTP_INSUFFICIENT_STORAGE);
        }

        data += n;
        length -= n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_store_results(ngx_http_upload_ctx_t *ctx)
{
    int          length;
    u_char      *p;
    ngx_uint_t   i;
    ngx_pool_t  *pool;

    pool = ctx->request->pool;

    p = ngx_pnalloc(pool, NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->size.data = p;
    ctx->size.len = ngx_sprintf(p, "%O", ctx->store.size) - p;

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {

        if (!(ctx->digests & (1U << i))) {
            continue;
        }

        p = ngx_pnalloc(pool, UPLOAD_DIGEST_MAX_HEX);
        if (p == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        length = upload_digest_hex(&ctx->store.digest, (unsigned) i, p);
        if (length < 0) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->hex[i].data = p;
        ctx->hex[i].len = length;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_store_error(ngx_http_upload_ctx_t *ctx, ngx_err_t err,
    const char *call, u_char *path, ngx_int_t status)
{
    if (err == NGX_ENOSPC || err == EDQUOT) {
        status = NGX_HTTP_INSUFFICIENT_STORAGE;
    }

    ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, err,
                  "upload: %s \"%s\" failed", call, path);

    return status;
}
