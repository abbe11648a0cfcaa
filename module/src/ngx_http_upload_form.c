
#include "ngx_http_upload.h"

#include <openssl/rand.h>


#define NGX_HTTP_UPLOAD_FORM_BUFFER  4096


static ngx_int_t ngx_http_upload_form_head(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);
static ngx_int_t ngx_http_upload_form_made(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);
static ngx_int_t ngx_http_upload_form_boundary(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_form_check(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *value);
static uint64_t ngx_http_upload_form_hash(ngx_str_t *name);
static int ngx_libc_cdecl ngx_http_upload_form_compare(const void *one,
    const void *two);
static ngx_int_t ngx_http_upload_form_add(ngx_array_t *names, ngx_str_t *name);
static ngx_int_t ngx_http_upload_form_names(ngx_http_upload_ctx_t *ctx);


ngx_int_t
ngx_http_upload_form_init(ngx_http_upload_ctx_t *ctx)
{
    ngx_pool_t              *pool;
    ngx_http_upload_form_t  *form;

    form = &ctx->form;
    pool = ctx->request->pool;

    form->last = &form->bufs;

    if (ngx_array_init(&form->made, pool, 8, sizeof(uint64_t)) != NGX_OK
        || ngx_array_init(&form->sent, pool, 8, sizeof(uint64_t)) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_OK;
}


/* 128 random bits: nobody can write the boundary into a value on purpose. */

ngx_int_t
ngx_http_upload_form_own(ngx_http_upload_ctx_t *ctx)
{
    u_char          *p, *boundary;
    ngx_uint_t       i;
    ngx_pool_t      *pool;
    unsigned char    random[16];

    static u_char    type[] = "multipart/form-data; boundary=";

    pool = ctx->request->pool;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_pnalloc(pool, sizeof(type) - 1 + 2 * sizeof(random));
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->form.type.data = p;

    boundary = ngx_cpymem(p, type, sizeof(type) - 1);
    p = boundary;

    for (i = 0; i < sizeof(random); i++) {
        p = ngx_sprintf(p, "%02xd", (int) random[i]);
    }

    ctx->form.type.len = p - ctx->form.type.data;

    if (upload_multipart_init(&ctx->parser, boundary, p - boundary, NULL, 0)
        != 0)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_upload_form_init(ctx);
}


ngx_int_t
ngx_http_upload_form_whole(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_upload_form_fields(ctx, ctx->conf->set_fields);

    if (rc == NGX_OK) {
        rc = ngx_http_upload_form_fields(ctx, ctx->conf->aggregate_fields);
    }

    return rc == NGX_OK ? ngx_http_upload_form_end(ctx) : rc;
}


ngx_int_t
ngx_http_upload_form_note(ngx_http_upload_ctx_t *ctx, ngx_str_t *name)
{
    return ngx_http_upload_form_add(&ctx->form.sent, name);
}


ngx_int_t
ngx_http_upload_form_open(ngx_http_upload_ctx_t *ctx, ngx_str_t *name)
{
    return ngx_http_upload_form_head(ctx, name);
}


ngx_int_t
ngx_http_upload_form_write(ngx_http_upload_ctx_t *ctx, const u_char *data,
    size_t length)
{
    size_t                   n;
    ngx_buf_t               *b;
    ngx_chain_t             *cl;
    ngx_http_upload_form_t  *form;

    form = &ctx->form;

    if (ctx->conf->max_output_body_length
        && (off_t) length
           > (off_t) ctx->conf->max_output_body_length - form->length)
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: rewritten body exceeds "
                      "upload_max_output_body_len %uz",
                      ctx->conf->max_output_body_length);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    form->length += length;

    while (length) {

        b = form->buf;

        if (b == NULL || b->last == b->end) {

            cl = ngx_alloc_chain_link(ctx->request->pool);
            if (cl == NULL) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            b = ngx_create_temp_buf(ctx->request->pool,
                                    NGX_HTTP_UPLOAD_FORM_BUFFER);
            if (b == NULL) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            cl->buf = b;
            cl->next = NULL;
            *form->last = cl;
            form->last = &cl->next;
            form->buf = b;
        }

        n = ngx_min(length, (size_t) (b->end - b->last));

        b->last = ngx_cpymem(b->last, data, n);
        data += n;
        length -= n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_upload_form_close(ngx_http_upload_ctx_t *ctx)
{
    return ngx_http_upload_form_write(ctx, (u_char *) CRLF, 2);
}


ngx_int_t
ngx_http_upload_form_fields(ngx_http_upload_ctx_t *ctx, ngx_array_t *fields)
{
    ngx_int_t                 rc;
    ngx_str_t                 name, value;
    ngx_uint_t                i;
    ngx_http_request_t       *r;
    ngx_http_upload_field_t  *field;

    if (fields == NULL) {
        return NGX_OK;
    }

    r = ctx->request;
    field = fields->elts;

    for (i = 0; i < fields->nelts; i++) {

        if (ngx_http_complex_value(r, &field[i].name->value, &name) != NGX_OK
            || ngx_http_complex_value(r, &field[i].value->value, &value)
               != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_upload_form_check(ctx, &value);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_upload_form_made(ctx, &name);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_upload_form_head(ctx, &name);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_upload_form_write(ctx, value.data, value.len);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_upload_form_close(ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_upload_form_end(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_upload_form_boundary(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_upload_form_write(ctx, (u_char *) "--" CRLF, 4);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->form.buf->last_buf = 1;

    return ngx_http_upload_form_names(ctx);
}


static ngx_int_t
ngx_http_upload_form_head(ngx_http_upload_ctx_t *ctx, ngx_str_t *name)
{
    u_char     *escaped;
    ngx_int_t   rc;

    static u_char  before[] = CRLF "Content-Disposition: form-data; name=\"";
    static u_char  after[] = "\"" CRLF CRLF;

    rc = ngx_http_upload_form_boundary(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_upload_form_write(ctx, before, sizeof(before) - 1);
    if (rc != NGX_OK) {
        return rc;
    }

    escaped = ngx_pnalloc(ctx->request->pool, 3 * name->len + 1);
    if (escaped == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_form_write(ctx, escaped,
                                    upload_name_escape(escaped, name->data,
                                                       name->len));
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_upload_form_write(ctx, after, sizeof(after) - 1);
}


static ngx_int_t
ngx_http_upload_form_made(ngx_http_upload_ctx_t *ctx, ngx_str_t *name)
{
    return ngx_http_upload_form_add(&ctx->form.made, name);
}


static ngx_int_t
ngx_http_upload_form_boundary(ngx_http_upload_ctx_t *ctx)
{
    /* the delimiter without the CRLF before it, which every field ends with */

    return ngx_http_upload_form_write(ctx, ctx->parser.delimiter + 2,
                                      ctx->parser.delimiter_length - 2);
}


/*
 * A line of a value that begins as a boundary would end the field: a client
 * that names its file so could take away or make up the fields after it.
 */

static ngx_int_t
ngx_http_upload_form_check(ngx_http_upload_ctx_t *ctx, ngx_str_t *value)
{
    u_char  *p, *end, *boundary;
    size_t   length;

    boundary = ctx->parser.delimiter + 2;
    length = ctx->parser.delimiter_length - 2;

    p = value->data;
    end = p + value->len;

    while ((size_t) (end - p) >= length) {

        p = memmem(p, end - p, boundary, length);

        if (p == NULL) {
            break;
        }

        if (p == value->data || p[-1] == CR || p[-1] == LF) {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "upload: a value of a field contains the boundary");
            return NGX_HTTP_BAD_REQUEST;
        }

        p++;
    }

    return NGX_OK;
}


/*
 * FNV-1a of the name as it will be written.  PHP and its like take "x[]" for
 * "x" as well.  Two names of one hash only refuse a request that was made for
 * that.
 */

static uint64_t
ngx_http_upload_form_hash(ngx_str_t *name)
{
    size_t    i, j, n, length;
    uint64_t  hash;
    u_char    escaped[3];

    hash = 14695981039346656037ULL;
    length = name->len;

    if (length >= 2
        && ngx_memcmp(name->data + length - 2, "[]", 2) == 0)
    {
        length -= 2;
    }

    for (i = 0; i < length; i++) {

        n = upload_name_escape(escaped, &name->data[i], 1);

        for (j = 0; j < n; j++) {
            hash = (hash ^ escaped[j]) * 1099511628211ULL;
        }
    }

    return hash;
}


static int ngx_libc_cdecl
ngx_http_upload_form_compare(const void *one, const void *two)
{
    uint64_t  a, b;

    a = *(const uint64_t *) one;
    b = *(const uint64_t *) two;

    return (a > b) - (a < b);
}


static ngx_int_t
ngx_http_upload_form_add(ngx_array_t *names, ngx_str_t *name)
{
    uint64_t  *hash;

    hash = ngx_array_push(names);
    if (hash == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *hash = ngx_http_upload_form_hash(name);

    return NGX_OK;
}


/* A file may come after the field that borrows the name of one of its own. */

static ngx_int_t
ngx_http_upload_form_names(ngx_http_upload_ctx_t *ctx)
{
    uint64_t    *made, *sent;
    ngx_uint_t   i, j;

    made = ctx->form.made.elts;
    sent = ctx->form.sent.elts;

    ngx_qsort(made, ctx->form.made.nelts, sizeof(uint64_t),
              ngx_http_upload_form_compare);
    ngx_qsort(sent, ctx->form.sent.nelts, sizeof(uint64_t),
              ngx_http_upload_form_compare);

    i = 0;
    j = 0;

    while (i < ctx->form.made.nelts && j < ctx->form.sent.nelts) {

        if (made[i] == sent[j]) {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "upload: client sent a field with the name "
                          "of a generated one");
            return NGX_HTTP_BAD_REQUEST;
        }

        if (made[i] < sent[j]) {
            i++;

        } else {
            j++;
        }
    }

    return NGX_OK;
}
