
#include "ngx_http_upload_segment.h"


static ngx_int_t ngx_http_upload_raw_new(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_raw_given(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *path);
static ngx_int_t ngx_http_upload_raw_range(ngx_http_upload_ctx_t *ctx,
    off_t start, off_t length, upload_range_t *range);
static ngx_int_t ngx_http_upload_raw_path(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *path);
static ngx_uint_t ngx_http_upload_raw_reserved(ngx_str_t *path, off_t length);
static ngx_int_t ngx_http_upload_raw_number(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_value_t *value, const char *directive, off_t *number);
static ngx_int_t ngx_http_upload_raw_digests(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_raw_told(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_raw_read(ngx_http_upload_ctx_t *ctx,
    u_char **pos, u_char *end);
static ngx_int_t ngx_http_upload_raw_end(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_raw_verify(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_raw_piece_end(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_raw_piece_abort(ngx_http_upload_ctx_t *ctx,
    ngx_int_t *status);


/* The body is a new file. */

static ngx_http_upload_entrance_t  ngx_http_upload_raw_entrance = {
    ngx_http_upload_raw_read,
    ngx_http_upload_raw_end,
    NULL
};


/* The body is a piece of a file that the configuration names. */

static ngx_http_upload_entrance_t  ngx_http_upload_piece_entrance = {
    ngx_http_upload_segment_read,
    ngx_http_upload_raw_piece_end,
    ngx_http_upload_raw_piece_abort
};


ngx_int_t
ngx_http_upload_raw_init(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_str_t            path;
    ngx_http_request_t  *r;

    r = ctx->request;

    rc = ngx_http_upload_form_own(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_upload_raw_digests(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    if (r->headers_in.content_type
        && ngx_http_upload_text_escape(ctx, &ctx->content_type,
                                r->headers_in.content_type->value.data,
                                r->headers_in.content_type->value.len)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->content_type.len == 0) {
        ngx_str_set(&ctx->content_type, "application/octet-stream");
    }

    ngx_str_null(&path);

    if (ctx->conf->raw_path
        && ngx_http_complex_value(r, &ctx->conf->raw_path->value, &path)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->file_number = 1;

    return path.len ? ngx_http_upload_raw_given(ctx, &path)
                    : ngx_http_upload_raw_new(ctx);
}


static ngx_int_t
ngx_http_upload_raw_new(ngx_http_upload_ctx_t *ctx)
{
    ctx->entrance = &ngx_http_upload_raw_entrance;

    ctx->digests |= ctx->raw->content.named | ctx->raw->told.named
                    | ctx->raw->repr.named;

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_raw_given(ngx_http_upload_ctx_t *ctx, ngx_str_t *path)
{
    off_t                       offset, length;
    unsigned                    wanted;
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    rc = ngx_http_upload_raw_path(ctx, path);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_upload_raw_number(ctx, ctx->conf->raw_offset,
                                   "upload_raw_offset", &offset)
        != NGX_OK
        || ngx_http_upload_raw_number(ctx, ctx->conf->raw_length,
                                      "upload_raw_length", &length)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s = ngx_http_upload_segment_create(ctx);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->entrance = &ngx_http_upload_piece_entrance;
    ctx->path = *path;

    s->data_path = *path;
    s->min_free_space = ctx->conf->min_free_space;
    s->reserve = ctx->conf->reserve;
    s->reserved = s->reserve && ngx_http_upload_raw_reserved(path, length);
    s->total = length;
    s->content = &ctx->raw->content;
    s->told = &ctx->raw->told;
    s->repr = &ctx->raw->repr;
    s->keeps = 1;

    wanted = s->content->named | s->told->named;

    /* what may yet be refused must not count before its end */

    s->checkpoints = (wanted == 0);

    rc = ngx_http_upload_raw_range(ctx, ngx_max(offset, 0), length, &s->range);
    if (rc != NGX_OK) {
        return rc;
    }

    if (upload_digest_start(&s->body, wanted) != 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->state_path.len = path->len + sizeof(".state") - 1;
    s->state_path.data = ngx_pnalloc(ctx->request->pool,
                                     s->state_path.len + 1);
    if (s->state_path.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_sprintf(s->state_path.data, "%V.state%Z", path);

    return NGX_OK;
}


/* Where the body goes, as far as it is known before it has come. */

static ngx_int_t
ngx_http_upload_raw_range(ngx_http_upload_ctx_t *ctx, off_t start,
    off_t length, upload_range_t *range)
{
    off_t  body, most;

    range->start = start;
    range->end = INT64_MAX;

    body = ctx->request->headers_in.content_length_n;

    if (body > INT64_MAX - start) {
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (body >= 0) {
        range->end = start + body;
        length = ngx_max(length, range->end);
    }

    most = ctx->conf->max_file_size;

    if (most && length > most) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: a file of %O bytes is larger than "
                      "upload_max_file_size %O", length, most);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    return NGX_OK;
}


/* The value may come from a service, yet it stays within the store. */

static ngx_int_t
ngx_http_upload_raw_path(ngx_http_upload_ctx_t *ctx, ngx_str_t *path)
{
    u_char     *p, *end;
    ngx_int_t   rc;
    ngx_str_t   root;

    rc = ngx_http_upload_path_root(ctx, ctx->conf->store, &root);
    if (rc != NGX_OK) {
        return rc;
    }

    if (path->len <= root.len + 1
        || ngx_strncmp(path->data, root.data, root.len) != 0
        || path->data[root.len] != '/'
        || path->data[path->len - 1] == '/'
        || ngx_strlchr(path->data, path->data + path->len, '\0'))
    {
        goto unsafe;
    }

    end = path->data + path->len;

    for (p = path->data; p + 2 < end; p++) {

        if (p[0] == '/' && p[1] == '.' && p[2] == '.'
            && (p + 3 == end || p[3] == '/'))
        {
            goto unsafe;
        }
    }

    p = ngx_pnalloc(ctx->request->pool, path->len + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpystrn(p, path->data, path->len + 1);
    path->data = p;

    return NGX_OK;

unsafe:

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: upload_raw_path \"%V\" is not a file below "
                  "upload_store \"%V\"", path, &root);

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* Whether the file has all of its space already. */

static ngx_uint_t
ngx_http_upload_raw_reserved(ngx_str_t *path, off_t length)
{
    struct stat  st;

    return length > 0 && lstat((char *) path->data, &st) == 0
           && S_ISREG(st.st_mode) && (off_t) st.st_blocks * 512 >= length;
}


/* -1: empty, or none at all. */

static ngx_int_t
ngx_http_upload_raw_number(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_value_t *value, const char *directive, off_t *number)
{
    ngx_str_t  text;

    *number = -1;

    if (value == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(ctx->request, &value->value, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len == 0) {
        return NGX_OK;
    }

    *number = ngx_atoof(text.data, text.len);

    if (*number == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: %s \"%V\" is not a number of bytes",
                      directive, &text);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_raw_digests(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->raw = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_upload_raw_t));
    if (ctx->raw == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_headers_digest(ctx, "content-digest",
                                        &ctx->raw->content);

    if (rc == NGX_OK) {
        rc = ngx_http_upload_headers_digest(ctx, "repr-digest",
                                            &ctx->raw->repr);
    }

    return rc == NGX_OK ? ngx_http_upload_raw_told(ctx) : rc;
}


/* A digest that cannot be checked must not pass for one that was. */

static ngx_int_t
ngx_http_upload_raw_told(ngx_http_upload_ctx_t *ctx)
{
    ngx_str_t               text;
    upload_digest_field_t  *told;

    told = &ctx->raw->told;

    if (ctx->conf->raw_digest == NULL) {
        return NGX_OK;
    }

    if (ngx_http_complex_value(ctx->request, &ctx->conf->raw_digest->value,
                               &text)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (upload_digest_field_parse(text.data, text.len, UPLOAD_DIGEST_FIELD_ALL,
                                  told)
        == 0
        && !told->others)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: upload_raw_digest \"%V\" is malformed or names an "
                  "algorithm other than md5, sha, sha-256, sha-512 and crc32",
                  &text);

    return NGX_HTTP_BAD_REQUEST;
}


static ngx_int_t
ngx_http_upload_raw_read(ngx_http_upload_ctx_t *ctx, u_char **pos, u_char *end)
{
    ngx_int_t  rc;

    if (ctx->store.fd == NGX_INVALID_FILE) {

        rc = ngx_http_upload_store_open(ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_http_upload_store_write(ctx, pos, end);
}


static ngx_int_t
ngx_http_upload_raw_end(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->store.files == NULL) {

        /* a body of nothing is a file of nothing */

        rc = ngx_http_upload_store_open(ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = ngx_http_upload_store_close(ctx);

    if (rc == NGX_OK) {
        rc = ngx_http_upload_raw_verify(ctx);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->offset = ctx->size;
    ngx_str_set(&ctx->outcome, "complete");

    return ngx_http_upload_form_whole(ctx);
}


/* Of a new file, the body and the whole are one. */

static ngx_int_t
ngx_http_upload_raw_verify(ngx_http_upload_ctx_t *ctx)
{
    if (upload_digest_field_agrees(&ctx->raw->content, ctx->store.digest)
        && upload_digest_field_agrees(&ctx->raw->told, ctx->store.digest)
        && upload_digest_field_agrees(&ctx->raw->repr, ctx->store.digest))
    {
        return NGX_OK;
    }

    ngx_str_set(&ctx->outcome, "mismatch");

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: the body differs from its digest");

    return NGX_HTTP_BAD_REQUEST;
}


static ngx_int_t
ngx_http_upload_raw_piece_end(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    rc = ngx_http_upload_segment_commit(ctx);

    if (s->mismatch) {
        ngx_str_set(&ctx->outcome, "mismatch");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (s->aborted) {
        ngx_str_set(&ctx->outcome, "aborted");

    } else if (s->state.complete) {
        ngx_str_set(&ctx->outcome, "complete");

    } else {
        ngx_str_set(&ctx->outcome, "partial");
    }

    return ngx_http_upload_form_whole(ctx);
}


/*
 * A client that went away, or was silent for too long, has left something that
 * counts: the target is told, though nobody waits for its answer.  After other
 * failures the client is told; what had been written counts all the same.
 */

static ngx_int_t
ngx_http_upload_raw_piece_abort(ngx_http_upload_ctx_t *ctx, ngx_int_t *status)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (*status == NGX_HTTP_CONFLICT) {
        /* there is no claim any more to give back */
        s->token = 0;
    }

    if (s->token == 0 || s->refused
        || s->step < NGX_HTTP_UPLOAD_SEGMENT_WRITING)
    {
        return NGX_DECLINED;
    }

    s->cut = (*status != NGX_HTTP_CLIENT_CLOSED_REQUEST
              && *status != NGX_HTTP_REQUEST_TIME_OUT);
    s->aborted = 1;

    rc = ngx_http_upload_raw_piece_end(ctx);

    if (rc == NGX_AGAIN) {
        return rc;
    }

    return (rc == NGX_OK && !s->cut) ? NGX_OK : NGX_DECLINED;
}
