
#include "ngx_http_upload_segment.h"


/* Bytes of the longest Range header; clients and proxies take 4k to 16k. */
#define NGX_HTTP_UPLOAD_RANGE_HEADER  2048


static size_t ngx_http_upload_ranged_fitting(u_char *text, size_t length);
static ngx_int_t ngx_http_upload_ranged_header(ngx_http_upload_ctx_t *ctx,
    const char *name, const char *other, ngx_str_t *value);
static ngx_int_t ngx_http_upload_ranged_session(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_ranged_range(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_ranged_names(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_ranged_digest(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_ranged_end(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_ranged_abort(ngx_http_upload_ctx_t *ctx,
    ngx_int_t *status);


static ngx_http_upload_entrance_t  ngx_http_upload_ranged_entrance = {
    ngx_http_upload_segment_read,
    ngx_http_upload_ranged_end,
    ngx_http_upload_ranged_abort
};


ngx_int_t
ngx_http_upload_ranged_init(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    rc = ngx_http_upload_form_own(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    s = ngx_http_upload_segment_create(ctx);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->entrance = &ngx_http_upload_ranged_entrance;
    ctx->file_number = 1;

    rc = ngx_http_upload_ranged_session(ctx);

    if (rc == NGX_OK) {
        rc = ngx_http_upload_ranged_range(ctx);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_upload_ranged_names(ctx);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_upload_ranged_digest(ctx);
    }

    return rc;
}


ngx_int_t
ngx_http_upload_ranged_answer(ngx_http_upload_ctx_t *ctx)
{
    size_t                      length;
    ngx_buf_t                  *b;
    ngx_table_elt_t            *h;
    ngx_http_request_t         *r;
    ngx_http_upload_segment_t  *s;

    r = ctx->request;
    s = ctx->segment;

    if (ngx_http_upload_add_headers(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_create_temp_buf(r->pool, s->state.received.count
                                     * UPLOAD_RANGE_TEXT + 1);
    h = ngx_list_push(&r->headers_out.headers);

    if (b == NULL || h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    length = upload_ranges_text(&s->state.received, s->state.total, b->last);
    b->last += length;
    b->last_buf = 1;
    b->last_in_chain = 1;

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Range");
    h->value.data = b->pos;
    h->value.len = ngx_http_upload_ranged_fitting(b->pos, length);

    ngx_str_set(&r->headers_out.content_type, "text/plain");

    return ngx_http_upload_send(r, NGX_HTTP_CREATED, b);
}


/* Of the ranges in a text, as many as a header has room for. */

static size_t
ngx_http_upload_ranged_fitting(u_char *text, size_t length)
{
    size_t  n;

    if (length <= NGX_HTTP_UPLOAD_RANGE_HEADER) {
        return length;
    }

    n = NGX_HTTP_UPLOAD_RANGE_HEADER;

    while (text[n] != ',') {
        n--;
    }

    return n;
}


/* The header, or the other name that clients give it; 400 if it is twice. */

static ngx_int_t
ngx_http_upload_ranged_header(ngx_http_upload_ctx_t *ctx, const char *name,
    const char *other, ngx_str_t *value)
{
    ngx_uint_t                  found;
    ngx_table_elt_t            *h;
    ngx_http_upload_headers_t   at = ngx_http_upload_headers_of(ctx->request);

    found = 0;
    ngx_str_null(value);

    while ((h = ngx_http_upload_headers_next(&at, NULL)) != NULL) {

        if (!upload_text_is(h->key.data, h->key.len, name)
            && !upload_text_is(h->key.data, h->key.len, other))
        {
            continue;
        }

        if (found++
            && (value->len != h->value.len
                || ngx_memcmp(value->data, h->value.data, value->len) != 0))
        {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "upload: client sent several %s headers", name);
            return NGX_HTTP_BAD_REQUEST;
        }

        *value = h->value;
    }

    return NGX_OK;
}


/*
 * The data file is "SESSION.digits", the state file "SESSION.digits.state":
 * session ids have no dot, and temporary names neither, so that none of the
 * three can be taken for another.
 */

static ngx_int_t
ngx_http_upload_ranged_session(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_str_t   id;

    rc = ngx_http_upload_ranged_header(ctx, "session-id", "x-session-id", &id);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!upload_session_id_valid(id.data, id.len)) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: client sent no valid Session-ID, got \"%V\"",
                      &id);
        return NGX_HTTP_BAD_REQUEST;
    }

    ctx->session = id;

    return ngx_http_upload_path_state(ctx, &id, &ctx->segment->state_path);
}


static ngx_int_t
ngx_http_upload_ranged_range(ngx_http_upload_ctx_t *ctx)
{
    off_t                       body;
    ngx_int_t                   rc;
    ngx_str_t                   text;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    rc = ngx_http_upload_ranged_header(ctx, "content-range", "x-content-range",
                                       &text);
    if (rc != NGX_OK) {
        return rc;
    }

    if (upload_content_range_parse(text.data, text.len, &s->range, &s->total)
        != 0)
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: client sent no valid Content-Range, "
                      "got \"%V\"; use \"bytes 0-9/10\"", &text);
        return NGX_HTTP_BAD_REQUEST;
    }

    ctx->range = text;

    if (ctx->conf->max_file_size && s->total > ctx->conf->max_file_size) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: file is larger than upload_max_file_size %O",
                      ctx->conf->max_file_size);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    body = ctx->request->headers_in.content_length_n;

    if (body >= 0 && body != s->range.end - s->range.start) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: a body of %O bytes is not the range \"%V\"",
                      body, &text);
        return NGX_HTTP_RANGE_NOT_SATISFIABLE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_ranged_names(ngx_http_upload_ctx_t *ctx)
{
    u_char                *copy;
    ngx_int_t              rc;
    ngx_str_t              value, *type;
    upload_disposition_t   disposition;

    type = &ctx->request->headers_in.content_type->value;

    if (ngx_http_upload_text_escape(ctx, &ctx->content_type, type->data,
                                    type->len)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_ranged_header(ctx, "content-disposition",
                                       "x-content-disposition", &value);
    if (rc != NGX_OK || value.len == 0) {
        return rc;
    }

    copy = ngx_pnalloc(ctx->request->pool, value.len);
    if (copy == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(copy, value.data, value.len);

    if (upload_attachment_parse(copy, value.len, &disposition) != 0) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: client sent malformed Content-Disposition "
                      "\"%V\"", &value);
        return NGX_HTTP_BAD_REQUEST;
    }

    if (ngx_http_upload_text_escape(ctx, &ctx->field_name,
                                    disposition.name.data,
                                    disposition.name.length)
        != NGX_OK
        || ngx_http_upload_text_escape(ctx, &ctx->file_name,
                                       disposition.filename.data,
                                       disposition.filename.length)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_ranged_digest(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    s->content = ngx_pcalloc(ctx->request->pool,
                             sizeof(upload_digest_field_t));
    if (s->content == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_headers_digest(ctx, "content-digest", s->content);
    if (rc != NGX_OK) {
        return rc;
    }

    /* the CRC tells the last segment, sent once more, from another one */

    return upload_digest_start(&s->body, 1U << UPLOAD_DIGEST_CRC32
                                         | s->content->named)
           == 0 ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_upload_ranged_end(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (s->step <= NGX_HTTP_UPLOAD_SEGMENT_WRITING
        && ctx->received < s->range.end - s->range.start)
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: the body is shorter than its range");
        return NGX_HTTP_RANGE_NOT_SATISFIABLE;
    }

    rc = ngx_http_upload_segment_commit(ctx);

    if (s->mismatch) {
        ngx_str_set(&ctx->outcome, "mismatch");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (!s->completed) {
        return NGX_HTTP_CREATED;
    }

    ngx_str_set(&ctx->outcome, "complete");

    return ngx_http_upload_form_whole(ctx);
}


static ngx_int_t
ngx_http_upload_ranged_abort(ngx_http_upload_ctx_t *ctx, ngx_int_t *status)
{
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (s->step != NGX_HTTP_UPLOAD_SEGMENT_WRITING && !s->aborted) {
        return NGX_DECLINED;
    }

    if (*status == NGX_HTTP_CONFLICT) {
        /* there is no claim any more to give back */
        s->token = 0;
        return NGX_DECLINED;
    }

    s->aborted = 1;
    s->cut = 1;

    return ngx_http_upload_segment_commit(ctx) == NGX_AGAIN ? NGX_AGAIN
                                                            : NGX_DECLINED;
}
