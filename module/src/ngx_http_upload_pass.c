
#include "ngx_http_upload.h"


static ngx_int_t ngx_http_upload_reach_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_target(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *target);
static void ngx_http_upload_redirect(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *target);
static ngx_int_t ngx_http_upload_args(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *args);
static ngx_int_t ngx_http_upload_set_length(ngx_http_request_t *r,
    off_t length, ngx_str_t *type);
static ngx_table_elt_t *ngx_http_upload_add_header(ngx_list_t *headers,
    const char *name, u_char *lowercase, ngx_str_t *value);
static ngx_list_t *ngx_http_upload_other_headers(ngx_http_request_t *r,
    ngx_str_t *type);


ngx_int_t
ngx_http_upload_pass_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_upload_reach_handler;

    return NGX_OK;
}


/* Whoever may refuse a request has let it in by now. */

static ngx_int_t
ngx_http_upload_reach_handler(ngx_http_request_t *r)
{
    ngx_http_upload_ctx_t  *ctx;

    ctx = (r == r->main) ? ngx_http_upload_get_ctx(r) : NULL;

    if (ctx == NULL || !ctx->handed_on) {
        return NGX_DECLINED;
    }

    if (r->post_action) {
        ngx_http_upload_judge(ctx);

    } else if (r->err_status == ctx->err_status) {
        /* not the page of an error */
        ctx->reached = 1;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_upload_pass(ngx_http_upload_ctx_t *ctx)
{
    ngx_str_t            target;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ngx_http_upload_target(ctx, &target) != NGX_OK
        || ngx_http_upload_add_headers(ctx) != NGX_OK
        || ngx_http_upload_set_length(r, ctx->form.length, &ctx->form.type)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* another one, for a mirror's subrequest may still send what was there */

    r->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (r->request_body == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->request_body->bufs = ctx->form.bufs;
    r->request_body_no_buffering = 0;

    r->read_event_handler = ngx_http_block_reading;
    ctx->handed_on = 1;

    ngx_http_upload_redirect(ctx, &target);

    return NGX_OK;
}


/*
 * "error_page 405 415 = @app": what is no upload goes on to that location with
 * its body, of which nothing has been read.
 */

ngx_uint_t
ngx_http_upload_left_to_others(ngx_http_request_t *r, ngx_int_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if ((status != NGX_HTTP_NOT_ALLOWED
         && status != NGX_HTTP_UNSUPPORTED_MEDIA_TYPE)
        || clcf->error_pages == NULL || r->error_page)
    {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {

        if (page[i].status == status) {
            return page[i].overwrite == 0 && page[i].value.value.len
                   && page[i].value.value.data[0] == '@';
        }
    }

    return 0;
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

        r->reading_body = 1;
    }

    r->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    if (r->request_body == NULL) {
        return NGX_ERROR;
    }

    r->read_event_handler = ngx_http_block_reading;

    if (r->reading_body) {
        /* core will close: the answer says so */
        r->keepalive = 0;
    }

    return ngx_http_upload_set_length(r, 0, NULL);
}


/* Core would find out only when the upload is no longer ours to remove. */

static ngx_int_t
ngx_http_upload_target(ngx_http_upload_ctx_t *ctx, ngx_str_t *target)
{
    ngx_http_request_t         *r;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_loc_conf_t  **named;

    r = ctx->request;

    if (ngx_http_complex_value(r, &ctx->conf->pass->value, target) != NGX_OK) {
        return NGX_ERROR;
    }

    if (target->len && target->data[0] == '/') {
        return NGX_OK;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    for (named = cscf->named_locations; named && *named; named++) {

        if (target->len == (*named)->name.len
            && ngx_strncmp(target->data, (*named)->name.data, target->len) == 0)
        {
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "upload: upload_pass \"%V\" is neither a URI "
                  "nor a named location of this server", target);

    return NGX_ERROR;
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


ngx_int_t
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


/*
 * The list of headers is a new one: a list has no way to remove, and the old
 * one is shared with the subrequests that there are.
 */

static ngx_int_t
ngx_http_upload_set_length(ngx_http_request_t *r, off_t length,
    ngx_str_t *type)
{
    ngx_str_t         value;
    ngx_list_t       *headers;
    ngx_table_elt_t  *h;

    if (type && type->data == NULL) {
        type = NULL;
    }

    headers = ngx_http_upload_other_headers(r, type);
    if (headers == NULL) {
        return NGX_ERROR;
    }

    if (type) {
        h = ngx_http_upload_add_header(headers, "Content-Type",
                                       (u_char *) "content-type", type);
        if (h == NULL) {
            return NGX_ERROR;
        }

        r->headers_in.content_type = h;
    }

    value.data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%O", length) - value.data;

    h = ngx_http_upload_add_header(headers, "Content-Length",
                                   (u_char *) "content-length", &value);
    if (h == NULL) {
        return NGX_ERROR;
    }

    r->headers_in.headers = *headers;

    if (headers->last == &headers->part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }

    r->headers_in.content_length = h;
    r->headers_in.content_length_n = length;
    r->headers_in.transfer_encoding = NULL;
    r->headers_in.chunked = 0;

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_upload_add_header(ngx_list_t *headers, const char *name,
    u_char *lowercase, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->lowcase_key = lowercase;
    h->hash = ngx_hash_key(lowercase, h->key.len);
    h->value = *value;

    return h;
}


/* All but those that tell of the body. */

static ngx_list_t *
ngx_http_upload_other_headers(ngx_http_request_t *r, ngx_str_t *type)
{
    ngx_list_t                 *headers;
    ngx_table_elt_t            *h, *copy;
    ngx_http_upload_headers_t   at = ngx_http_upload_headers_of(r);

    headers = ngx_list_create(r->pool, 20, sizeof(ngx_table_elt_t));
    if (headers == NULL) {
        return NULL;
    }

    while ((h = ngx_http_upload_headers_next(&at, NULL)) != NULL) {

        if (upload_text_is(h->key.data, h->key.len, "content-length")
            || upload_text_is(h->key.data, h->key.len, "transfer-encoding")
            || (type && upload_text_is(h->key.data, h->key.len,
                                       "content-type")))
        {
            continue;
        }

        copy = ngx_list_push(headers);
        if (copy == NULL) {
            return NULL;
        }

        *copy = *h;
    }

    return headers;
}
