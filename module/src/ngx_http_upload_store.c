
#include "ngx_http_upload.h"


/* From so many bytes on a buffer is filled half by half. */
#define NGX_HTTP_UPLOAD_HALVED  (256 * 1024)

/* Writes end on multiples of it. */
#define NGX_HTTP_UPLOAD_PAGE    4096

/*
 * Large writes do so on multiples of more: the page cache keeps a file in
 * pieces of a power of two that begin on multiples of their size, and writing
 * many small ones takes twice as long.
 */
#define NGX_HTTP_UPLOAD_BLOCK   (256 * 1024)


static ngx_int_t ngx_http_upload_store_direct(ngx_http_upload_ctx_t *ctx,
    u_char *data, size_t length, ngx_http_upload_buffer_t *lent);
static ngx_int_t ngx_http_upload_store_copy(ngx_http_upload_ctx_t *ctx,
    u_char **pos, u_char *end);
static u_char *ngx_http_upload_store_half(ngx_http_upload_store_t *store);
static size_t ngx_http_upload_store_block(size_t size);
static u_char *ngx_http_upload_store_carry(ngx_http_upload_store_t *store);
static ngx_int_t ngx_http_upload_store_put(ngx_http_upload_ctx_t *ctx,
    u_char *data, size_t length, ngx_http_upload_buffer_t *lent,
    ngx_uint_t sync);
static ngx_int_t ngx_http_upload_store_pages(ngx_http_upload_ctx_t *ctx,
    u_char *data, size_t length, ngx_http_upload_buffer_t *lent);
static ngx_int_t ngx_http_upload_store_hex(ngx_http_upload_ctx_t *ctx,
    ngx_uint_t algorithm);


ngx_int_t
ngx_http_upload_store_open(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                 rc;
    ngx_http_upload_file_t   *file;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    file = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_upload_file_t));
    if (file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_path_create(ctx, NULL, O_WRONLY, &file->path,
                                     &store->fd);
    if (rc != NGX_OK) {
        return rc;
    }

    file->next = store->files;
    store->files = file;

    ctx->path = file->path;

    return ngx_http_upload_store_begin(ctx, 0);
}


ngx_int_t
ngx_http_upload_store_begin(ngx_http_upload_ctx_t *ctx, off_t base)
{
    u_char                   *carry;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    if (store->digest == NULL) {
        store->digest = ngx_palloc(ctx->request->pool,
                                   sizeof(upload_digest_t));
        if (store->digest == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        carry = ngx_palloc(ctx->request->pool, 3 * NGX_HTTP_UPLOAD_CARRY);
        if (carry == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        store->carry[0] = carry;
        store->carry[1] = carry + NGX_HTTP_UPLOAD_CARRY;
        store->carry[2] = carry + 2 * NGX_HTTP_UPLOAD_CARRY;
    }

    store->base = base;
    store->size = 0;
    store->offset = base;
    store->carried = 0;
    store->buffered = 0;
    store->flushing = 0;

    ngx_str_null(&ctx->size);
    ngx_memzero(ctx->hex, sizeof(ctx->hex));

    if (upload_digest_start(store->digest, (unsigned) ctx->digests) != 0) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: OpenSSL refused a digest");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->io.fd = store->fd;
    ctx->io.digest = ctx->digests ? store->digest : NULL;
    ctx->io.hashed = base;
    ctx->io.flushed = base;
    ctx->io.writeback = ctx->conf->sync;
    ctx->io.min_free_space = ctx->conf->min_free_space;

    return NGX_OK;
}


/*
 * Bytes that can be written from where they are, or stay there for a thread
 * while core reads into another buffer, are not copied; small pieces wait for
 * the next write; all else is copied.
 */

ngx_int_t
ngx_http_upload_store_write(ngx_http_upload_ctx_t *ctx, u_char **pos,
    u_char *end)
{
    size_t                     n;
    u_char                    *start;
    ngx_int_t                  rc;
    ngx_http_upload_store_t   *store;
    ngx_http_upload_buffer_t  *lent;

    store = &ctx->store;
    n = end - *pos;

    if (ctx->conf->max_file_size
        && (off_t) n > ctx->conf->max_file_size - store->base - store->size)
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: file is larger than upload_max_file_size %O",
                      ctx->conf->max_file_size);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    start = *pos;

    lent = (ctx->lendable == end) ? &ctx->window : NULL;

    if (store->buffered == 0 && n >= NGX_HTTP_UPLOAD_DIRECT
        && (lent || ngx_http_upload_io_in_place(ctx, n)))
    {
        rc = ngx_http_upload_store_direct(ctx, *pos, n, lent);

        if (rc == NGX_OK) {
            *pos = end;
        }

    } else if (store->buffered == 0
               && n <= ngx_http_upload_store_room(ctx))
    {
        ngx_memcpy(ngx_http_upload_store_carry(store) + store->carried, *pos,
                   n);
        store->carried += n;
        *pos = end;
        rc = NGX_OK;

    } else {
        rc = ngx_http_upload_store_copy(ctx, pos, end);
    }

    store->size += *pos - start;

    return rc;
}


ngx_int_t
ngx_http_upload_store_flush(ngx_http_upload_ctx_t *ctx, ngx_uint_t sync)
{
    size_t                    length;
    ngx_int_t                 rc;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    rc = ngx_http_upload_io_result(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    if (store->flushing) {
        store->flushing = 0;
        return NGX_OK;
    }

    length = store->buffered;
    store->buffered = 0;

    if (length == 0 && store->carried == 0 && !sync) {
        return NGX_OK;
    }

    rc = ngx_http_upload_store_put(ctx, ngx_http_upload_store_half(store),
                                   length, NULL, sync);

    store->flushing = (rc == NGX_AGAIN);

    ngx_http_upload_store_spare(ctx);

    return rc;
}


ngx_int_t
ngx_http_upload_store_push(ngx_http_upload_ctx_t *ctx)
{
    size_t                    length;
    u_char                   *half;
    ngx_int_t                 rc;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    length = store->buffered;
    half = ngx_http_upload_store_half(store);

    store->buffered = 0;
    store->half ^= store->halved;

    rc = ngx_http_upload_store_put(ctx, half, length, NULL, 0);

    ngx_http_upload_store_spare(ctx);

    return rc;
}


ngx_int_t
ngx_http_upload_store_close(ngx_http_upload_ctx_t *ctx)
{
    ngx_fd_t                  fd;
    ngx_int_t                 rc;
    ngx_file_info_t           fi;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    rc = ngx_http_upload_store_flush(ctx, ctx->conf->sync);
    if (rc != NGX_OK) {
        return rc;
    }

    /* who has removed the file must not be told that it is there */

    if (ngx_fd_info(store->fd, &fi) == NGX_FILE_ERROR || fi.st_nlink == 0) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: \"%V\" was removed while it was written",
                      &ctx->path);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    fd = store->fd;
    store->fd = NGX_INVALID_FILE;

    /* NFS tells of a full disk only here */

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        return ngx_http_upload_path_error(ctx, ngx_errno, "close()",
                                          ctx->path.data,
                                          NGX_HTTP_INSUFFICIENT_STORAGE);
    }

    return ngx_http_upload_store_results(ctx, store->size);
}


ngx_int_t
ngx_http_upload_store_results(ngx_http_upload_ctx_t *ctx, off_t size)
{
    u_char      *p;
    ngx_int_t    rc;
    ngx_uint_t   i;

    p = ngx_pnalloc(ctx->request->pool, NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->size.data = p;
    ctx->size.len = ngx_sprintf(p, "%O", size) - p;

    for (i = 0; i < UPLOAD_DIGEST_COUNT; i++) {

        if (ctx->digests & (1U << i)) {

            rc = ngx_http_upload_store_hex(ctx, i);
            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    return NGX_OK;
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
ngx_http_upload_store_spare(ngx_http_upload_ctx_t *ctx)
{
    if (ctx->io.busy == 0 && ctx->store.buffered == 0) {
        ctx->store.half = 0;
        ngx_http_upload_buffer_give(&ctx->store.buffer);
    }
}


void
ngx_http_upload_store_free(ngx_http_upload_ctx_t *ctx)
{
    if (ctx->store.fd == NGX_INVALID_FILE) {
        return;
    }

    if (ngx_close_file(ctx->store.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, ngx_errno,
                      "upload: close() \"%V\" failed", &ctx->path);
    }

    ctx->store.fd = NGX_INVALID_FILE;
}


/*
 * Without a buffer that may be lent, the bytes are done with when this returns:
 * at most a thread tells the disk of them.
 */

static ngx_int_t
ngx_http_upload_store_direct(ngx_http_upload_ctx_t *ctx, u_char *data,
    size_t length, ngx_http_upload_buffer_t *lent)
{
    ngx_int_t  rc;

    rc = (lent == NULL || ctx->store.halved) ? ngx_http_upload_io_result(ctx)
                                             : ngx_http_upload_io_room(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->store.halved = 0;
    ctx->store.half = 0;

    ctx->in_place = (lent == NULL);
    rc = ngx_http_upload_store_pages(ctx, data, length, lent);
    ctx->in_place = 0;

    if (lent && lent->data == NULL) {
        ngx_http_upload_input_lent(ctx);
    }

    return rc == NGX_AGAIN ? NGX_OK : rc;
}


/*
 * A large buffer is filled half by half, so that a thread has one half while
 * we fill the other: on HTTP/2 the client may send no more until we have taken
 * all that core has.
 */

static ngx_int_t
ngx_http_upload_store_copy(ngx_http_upload_ctx_t *ctx, u_char **pos,
    u_char *end)
{
    size_t                    n, size;
    u_char                   *half;
    ngx_int_t                 rc;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    while (*pos < end) {

        /* threads have the buffer, or the half that is next */

        rc = store->halved ? ngx_http_upload_io_room(ctx)
                           : ngx_http_upload_io_result(ctx);
        if (rc != NGX_OK) {
            return rc;
        }

        size = ngx_max(ctx->conf->buffer_size, NGX_HTTP_UPLOAD_SMALL);

        if (ngx_http_upload_buffer_take(&store->buffer, size) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        store->halved = (size >= NGX_HTTP_UPLOAD_HALVED);
        size = ngx_http_upload_store_fit(ctx, store->carried,
                                         store->halved ? size / 2 : size);
        half = ngx_http_upload_store_half(store);

        n = ngx_min((size_t) (end - *pos), size - store->buffered);

        ngx_memcpy(half + store->buffered, *pos, n);
        store->buffered += n;
        *pos += n;

        if (store->buffered < size) {
            return NGX_OK;
        }

        store->buffered = 0;
        store->half ^= store->halved;

        rc = ngx_http_upload_store_pages(ctx, half, size, NULL);

        ngx_http_upload_store_spare(ctx);

        if (rc != NGX_OK && rc != NGX_AGAIN) {
            return rc;
        }
    }

    return NGX_OK;
}


static u_char *
ngx_http_upload_store_half(ngx_http_upload_store_t *store)
{
    return store->half ? store->buffer.data + store->buffer.size / 2
                       : store->buffer.data;
}


size_t
ngx_http_upload_store_fit(ngx_http_upload_ctx_t *ctx, size_t before,
    size_t size)
{
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    if (store->fd == NGX_INVALID_FILE || size < 2 * NGX_HTTP_UPLOAD_PAGE) {
        return size;
    }

    return size - (store->offset + before + size)
                  % ngx_http_upload_store_block(size);
}


/* What the end of a write of such a size is to be a multiple of. */

static size_t
ngx_http_upload_store_block(size_t size)
{
    size_t  block;

    block = NGX_HTTP_UPLOAD_PAGE;

    while (block < NGX_HTTP_UPLOAD_BLOCK && block * 4 <= size) {
        block *= 2;
    }

    return block;
}


size_t
ngx_http_upload_store_room(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    return (store->carried > NGX_HTTP_UPLOAD_CARRY ? store->wide.size
                                                   : NGX_HTTP_UPLOAD_CARRY)
           - store->carried;
}


static u_char *
ngx_http_upload_store_carry(ngx_http_upload_store_t *store)
{
    return store->carried > NGX_HTTP_UPLOAD_CARRY ? store->wide.data
                                                  : store->carry[store->turn];
}


/* Writes whole pages or blocks; what is left over goes first the next time. */

static ngx_int_t
ngx_http_upload_store_pages(ngx_http_upload_ctx_t *ctx, u_char *data,
    size_t length, ngx_http_upload_buffer_t *lent)
{
    size_t                    rest, block;
    ngx_int_t                 rc;
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    /* a thread might have the one wide buffer when it is wanted again */

    block = (ctx->in_place && !ngx_http_upload_buffer_scarce())
            ? ngx_http_upload_store_block(length) : NGX_HTTP_UPLOAD_PAGE;
    rest = (store->offset + store->carried + length) % block;

    rc = ngx_http_upload_store_put(ctx, data, length - rest, lent, 0);

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        return rc;
    }

    if (rest > NGX_HTTP_UPLOAD_CARRY
        && ngx_http_upload_buffer_take(&store->wide, NGX_HTTP_UPLOAD_BLOCK)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    store->carried = rest;
    ngx_memcpy(ngx_http_upload_store_carry(store), data + length - rest, rest);

    return rc;
}


/* Writes what is carried and then the data, which must stay until then. */

static ngx_int_t
ngx_http_upload_store_put(ngx_http_upload_ctx_t *ctx, u_char *data,
    size_t length, ngx_http_upload_buffer_t *lent, ngx_uint_t sync)
{
    off_t                     offset;
    struct iovec              piece[2];
    ngx_http_upload_store_t  *store;

    store = &ctx->store;

    piece[0].iov_base = ngx_http_upload_store_carry(store);
    piece[0].iov_len = store->carried;
    piece[1].iov_base = data;
    piece[1].iov_len = length;

    offset = store->offset;

    store->offset += store->carried + length;
    store->carried = 0;
    store->turn = (store->turn + 1) % 3;

    return ngx_http_upload_io_write(ctx, offset, piece, lent, sync);
}


static ngx_int_t
ngx_http_upload_store_hex(ngx_http_upload_ctx_t *ctx, ngx_uint_t algorithm)
{
    int      length;
    u_char  *p;

    p = ngx_pnalloc(ctx->request->pool, UPLOAD_DIGEST_MAX_HEX);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    length = upload_digest_hex(ctx->store.digest, (unsigned) algorithm, p);
    if (length < 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->hex[algorithm].data = p;
    ctx->hex[algorithm].len = length;

    return NGX_OK;
}
