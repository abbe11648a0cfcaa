
#include "ngx_http_upload.h"


ngx_table_elt_t *
ngx_http_upload_headers_next(ngx_http_upload_headers_t *at, const char *name)
{
    ngx_table_elt_t  *h;

    for ( ;; ) {

        if (at->next == at->part->nelts) {

            if (at->part->next == NULL) {
                return NULL;
            }

            at->part = at->part->next;
            at->next = 0;
            continue;
        }

        h = (ngx_table_elt_t *) at->part->elts + at->next++;

        if (name == NULL || upload_text_is(h->key.data, h->key.len, name)) {
            return h;
        }
    }
}


/* Several lines of one header are one list (RFC 9110, section 5.3). */

ngx_int_t
ngx_http_upload_headers_digest(ngx_http_upload_ctx_t *ctx, const char *name,
    upload_digest_field_t *field)
{
    u_char                     *text, *p;
    size_t                      length;
    ngx_table_elt_t            *h;
    ngx_http_request_t         *r = ctx->request;
    ngx_http_upload_headers_t   first = ngx_http_upload_headers_of(r);
    ngx_http_upload_headers_t   at = first;

    length = 0;

    while ((h = ngx_http_upload_headers_next(&at, name)) != NULL) {
        length += h->value.len + 2;
    }

    if (length == 0) {
        return NGX_OK;
    }

    text = ngx_pnalloc(r->pool, length);
    if (text == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = text;
    at = first;

    while ((h = ngx_http_upload_headers_next(&at, name)) != NULL) {
        p = ngx_sprintf(p, "%s%V", p == text ? "" : ", ", &h->value);
    }

    if (upload_digest_field_parse(text, p - text, UPLOAD_DIGEST_FIELD_ACTIVE,
                                  field)
        == 0)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: client sent malformed %s", name);

    return NGX_HTTP_BAD_REQUEST;
}
