
#include "ngx_http_upload.h"


static void ngx_http_upload_redirect(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *target);
static ngx_int_t ngx_http_upload_args(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *args);
static ngx_int_t ngx_http_upload_add_headers(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_set_length(ngx_http_request_t *r,
    off_t length);
static ngx_int_t ngx_http_upload_drop_transfer_encoding(ngx_http_request_t *r);


void
ngx_http_upload_pass(ngx_http_upload_ctx_t *ctx)
{
    ngx_str_t            target;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ngx_http_complex_value(r, &ctx->conf->pass->value, &target) != NGX_OK
        || ngx_http_upload_add_headers(ctx) != NGX_OK
        || ngx_http_upload_set_length(r, ctx->form.length) != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (target.len == 0 || (target.data[0] != '/' && target.data[0] != '@')) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upload: upload_pass \"%V\" is neither a URI "
                      "nor a named location", &target);
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->request_body->bufs = ctx->form.bufs;
    r->request_body->buf = NULL;
    r->request_body->temp_file = NULL;
    r->request_body->rest = 0;
    r->request_body_no_buffering = 0;

    r->read_event_handler = ngx_http_block_reading;
    ctx->handed_on = 1;

    ngx_http_upload_redirect(ctx, &target);
}


/*
 * The body may be half read, or not at all: the target of an error_page must
 * neither wait for the rest nor announce a length that it does not have.  The
 * rest is thrown away when the connection lingers.
 */

ngx_int_t
ngx_http_upload_drop_body(ngx_http_request_t *r)
{
    r->expect_tested = 1;
    r->request_body_no_buffering = 0;

#if (NGX_HTTP_V2)
    if (r->stream) {
        r->stream->skip_data = 1;
    }
#endif

    if (r->request_body == NULL) {

        if (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked) {
            return NGX_OK;
        }

        r->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
        if (r->request_body == NULL) {
            return NGX_ERROR;
        }

        r->reading_body = 1;
    }

    r->request_body->bufs = NULL;
    r->request_body->temp_file = NULL;
    r->read_event_handler = ngx_http_block_reading;

    return ngx_http_upload_set_length(r, 0);
}


static void
ngx_http_upload_redirect(ngx_http_upload_ctx_t *ctx, ngx_str_t *target)
{
    ngx_str_t            args;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (target->data[0] == '@') {
        ngx_http_finalize_request(r, ngx_http_named_location(r, target));
        return;
    }

    ngx_str_null(&args);
    ngx_http_split_args(r, target, &args);

    if (ctx->conf->pass_args && ngx_http_upload_args(ctx, &args) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_http_finalize_request(r, ngx_http_internal_redirect(r, target, &args));
}


static ngx_int_t
ngx_http_upload_args(ngx_http_upload_ctx_t *ctx, ngx_str_t *args)
{
    u_char              *p;
    size_t               length;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (args->len == 0) {
        *args = r->args;
        return NGX_OK;
    }

    if (r->args.len == 0) {
        return NGX_OK;
    }

    length = args->len + 1 + r->args.len;

    p = ngx_pnalloc(r->pool, length);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(p, "%V&%V", args, &r->args);

    args->data = p;
    args->len = length;

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_add_headers(ngx_http_upload_ctx_t *ctx)
{
    ngx_str_t                 name, value;
    ngx_uint_t                i;
    ngx_table_elt_t          *h;
    ngx_http_request_t       *r;
    ngx_http_upload_field_t  *header;

    if (ctx->conf->headers == NULL) {
        return NGX_OK;
    }

    r = ctx->request;
    header = ctx->conf->headers->elts;

    for (i = 0; i < ctx->conf->headers->nelts; i++) {

        if (ngx_http_complex_value(r, &header[i].name->value, &name) != NGX_OK
            || ngx_http_complex_value(r, &header[i].value->value, &value)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (name.len == 0 || value.len == 0) {
            continue;
        }

        if (ngx_strlchr(name.data, name.data + name.len, CR)
            || ngx_strlchr(name.data, name.data + name.len, LF)
            || ngx_strlchr(value.data, value.data + value.len, CR)
            || ngx_strlchr(value.data, value.data + value.len, LF))
        {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "upload: line break in upload_add_header");
            return NGX_ERROR;
        }

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        h->hash = 1;
        h->key = name;
        h->value = value;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_set_length(ngx_http_request_t *r, off_t length)
{
    u_char           *p;
    ngx_table_elt_t  *h;

    p = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    h = r->headers_in.content_length;

    if (h == NULL) {

        h = ngx_list_push(&r->headers_in.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(h, sizeof(ngx_table_elt_t));

        ngx_str_set(&h->key, "Content-Length");
        h->lowcase_key = (u_char *) "content-length";
        h->hash = ngx_hash_key(h->lowcase_key, h->key.len);

        r->headers_in.content_length = h;
    }

    h->value.data = p;
    h->value.len = ngx_sprintf(p, "%O", length) - p;

    r->headers_in.content_length_n = length;
    r->headers_in.chunked = 0;

    return ngx_http_upload_drop_transfer_encoding(r);
}


/*
 * A list has no way to remove; headers that others point to stay where they
 * are, and the list that is passed on is a new one.
 */

static ngx_int_t
ngx_http_upload_drop_transfer_encoding(ngx_http_request_t *r)
{
    ngx_list_t        headers;
    ngx_uint_t        i;
    ngx_table_elt_t  *h, *copy;
    ngx_list_part_t  *part;

    if (r->headers_in.transfer_encoding == NULL) {
        return NGX_OK;
    }

    r->headers_in.transfer_encoding = NULL;

    if (ngx_list_init(&headers, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (upload_text_is(h[i].key.data, h[i].key.len,
                               "transfer-encoding"))
            {
                continue;
            }

            copy = ngx_list_push(&headers);
            if (copy == NULL) {
                return NGX_ERROR;
            }

            *copy = h[i];
        }
    }

    /* with one part, the list's end is inside it, and the copy has its own */

    r->headers_in.headers = headers;

    if (headers.last == &headers.part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }

    return NGX_OK;
}
