
#include "ngx_http_upload.h"


#define NGX_HTTP_UPLOAD_UPPER  0x100


static ngx_int_t ngx_http_upload_set_variable(ngx_http_variable_value_t *v,
    u_char *data, size_t len);
static ngx_int_t ngx_http_upload_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_upload_number_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_upload_range_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_upload_digest_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_upload_variables[] = {

    { ngx_string("upload_field_name"), NULL, ngx_http_upload_text_variable,
      offsetof(ngx_http_upload_ctx_t, field_name),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_content_type"), NULL, ngx_http_upload_text_variable,
      offsetof(ngx_http_upload_ctx_t, content_type),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_name"), NULL, ngx_http_upload_text_variable,
      offsetof(ngx_http_upload_ctx_t, file_name),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_tmp_path"), NULL, ngx_http_upload_text_variable,
      offsetof(ngx_http_upload_ctx_t, path),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_offset"), NULL, ngx_http_upload_text_variable,
      offsetof(ngx_http_upload_ctx_t, offset),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_outcome"), NULL, ngx_http_upload_text_variable,
      offsetof(ngx_http_upload_ctx_t, outcome),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_size"), NULL, ngx_http_upload_text_variable,
      offsetof(ngx_http_upload_ctx_t, size),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_number"), NULL,
      ngx_http_upload_number_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_content_range"), NULL,
      ngx_http_upload_range_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_md5"), NULL, ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_MD5,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_md5_uc"), NULL, ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_MD5|NGX_HTTP_UPLOAD_UPPER,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_sha1"), NULL, ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_SHA1,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_sha1_uc"), NULL, ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_SHA1|NGX_HTTP_UPLOAD_UPPER,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_sha256"), NULL, ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_SHA256,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_sha256_uc"), NULL,
      ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_SHA256|NGX_HTTP_UPLOAD_UPPER,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_sha512"), NULL, ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_SHA512,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_sha512_uc"), NULL,
      ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_SHA512|NGX_HTTP_UPLOAD_UPPER,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("upload_file_crc32"), NULL, ngx_http_upload_digest_variable,
      UPLOAD_DIGEST_CRC32,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_upload_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_upload_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_upload_text_digests(ngx_str_t *text)
{
    ngx_uint_t            digests;
    ngx_http_variable_t  *v;

    digests = 0;

    for (v = ngx_http_upload_variables; v->name.len; v++) {

        if (v->get_handler == ngx_http_upload_digest_variable
            && text->len >= v->name.len
            && ngx_strlcasestrn(text->data, text->data + text->len,
                                v->name.data, v->name.len - 1))
        {
            digests |= 1U << (v->data & ~NGX_HTTP_UPLOAD_UPPER);
        }
    }

    return digests;
}


ngx_uint_t
ngx_http_upload_indexed_digests(ngx_conf_t *cf)
{
    ngx_uint_t                  i, digests;
    ngx_http_variable_t        *v, *indexed;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    indexed = cmcf->variables.elts;
    digests = 0;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        for (v = ngx_http_upload_variables; v->name.len; v++) {

            if (v->get_handler == ngx_http_upload_digest_variable
                && indexed[i].name.len == v->name.len
                && ngx_strncasecmp(indexed[i].name.data, v->name.data,
                                   v->name.len)
                   == 0)
            {
                digests |= 1U << (v->data & ~NGX_HTTP_UPLOAD_UPPER);
            }
        }
    }

    return digests;
}


static ngx_int_t
ngx_http_upload_set_variable(ngx_http_variable_value_t *v, u_char *data,
    size_t len)
{
    v->len = len;
    v->data = data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_text_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t              *text;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_get_ctx(r);
    text = ctx ? (ngx_str_t *) ((u_char *) ctx + data) : NULL;

    if (text == NULL || text->data == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_http_upload_set_variable(v, text->data, text->len);
}


static ngx_int_t
ngx_http_upload_number_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                 *p, *last;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_get_ctx(r);

    if (ctx == NULL || ctx->file_number == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_sprintf(p, "%ui", ctx->file_number);

    return ngx_http_upload_set_variable(v, p, last - p);
}


/*
 * What a ranged upload has sent; any other file is whole: "bytes 0-9/10" once
 * it has ended.
 */

static ngx_int_t
ngx_http_upload_range_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                 *p, *last;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_get_ctx(r);

    if (ctx && ctx->range.data) {
        return ngx_http_upload_set_variable(v, ctx->range.data,
                                            ctx->range.len);
    }

    if (ctx == NULL || ctx->size.data == NULL || ctx->store.size == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, sizeof("bytes 0-/") - 1 + 2 * NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_sprintf(p, "bytes 0-%O/%O", ctx->store.size - 1,
                       ctx->store.size);

    return ngx_http_upload_set_variable(v, p, last - p);
}


static ngx_int_t
ngx_http_upload_digest_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                 *p;
    size_t                  i;
    ngx_str_t              *hex;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_get_ctx(r);
    hex = ctx ? &ctx->hex[data & ~NGX_HTTP_UPLOAD_UPPER] : NULL;

    if (hex == NULL || hex->data == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = hex->data;

    if (data & NGX_HTTP_UPLOAD_UPPER) {

        p = ngx_pnalloc(r->pool, hex->len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        for (i = 0; i < hex->len; i++) {
            p[i] = ngx_toupper(hex->data[i]);
        }
    }

    return ngx_http_upload_set_variable(v, p, hex->len);
}
