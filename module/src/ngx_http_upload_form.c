
#include "ngx_http_upload.h"

#include <openssl/rand.h>


#define NGX_HTTP_UPLOAD_FORM_BUFFER  4096

#define NGX_HTTP_UPLOAD_FNV_BASIS    14695981039346656037ULL
#define NGX_HTTP_UPLOAD_FNV_PRIME    1099511628211ULL


static ngx_int_t ngx_http_upload_form_put(ngx_http_upload_ctx_t *ctx,
    const u_char *data, size_t length);
static ngx_int_t ngx_http_upload_form_head(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);
static ngx_int_t ngx_http_upload_form_made(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);
static ngx_int_t ngx_http_upload_form_boundary(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_form_check(ngx_http_upload_ctx_t *ctx,
    const u_char *data, size_t length);
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
    ctx->form.tail_length = 0;

    return ngx_http_upload_form_head(ctx, name);
}


/*
 * A boundary may lie across two pieces: the end of one is kept for the next,
 * and both are looked at together as far as one boundary can reach.
 */

ngx_int_t
ngx_http_upload_form_write(ngx_http_upload_ctx_t *ctx, const u_char *data,
    size_t length)
{
    size_t                   n, most;
    ngx_int_t                rc;
    ngx_http_upload_form_t  *form;
    u_char                   seam[2 * UPLOAD_MULTIPART_MAX_DELIMITER];

    form = &ctx->form;
    most = ctx->parser.delimiter_length - 3;

    n = ngx_min(length, most);
    ngx_memcpy(seam, form->tail, form->tail_length);
    ngx_memcpy(seam + form->tail_length, data, n);

    rc = ngx_http_upload_form_check(ctx, seam, form->tail_length + n);

    if (rc == NGX_OK) {
        rc = ngx_http_upload_form_check(ctx, data, length);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    /* the last bytes of both */

    n += form->tail_length;

    if (length >= most) {
        ngx_memcpy(form->tail, data + length - most, most);
        form->tail_length = most;

    } else {
        form->tail_length = ngx_min(n, most);
        ngx_memcpy(form->tail, seam + n - form->tail_length,
                   form->tail_length);
    }

    return ngx_http_upload_form_put(ctx, data, length);
}


ngx_int_t
ngx_http_upload_form_close(ngx_http_upload_ctx_t *ctx)
{
    return ngx_http_upload_form_put(ctx, (u_char *) CRLF, 2);
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

        rc = ngx_http_upload_form_check(ctx, value.data, value.len);
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

        rc = ngx_http_upload_form_put(ctx, value.data, value.len);
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

    rc = ngx_http_upload_form_put(ctx, (u_char *) "--" CRLF, 4);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->form.buf->last_buf = 1;

    return ngx_http_upload_form_names(ctx);
}


static ngx_int_t
ngx_http_upload_form_put(ngx_http_upload_ctx_t *ctx, const u_char *data,
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


static ngx_int_t
ngx_http_upload_form_head(ngx_http_upload_ctx_t *ctx, ngx_str_t *name)
{
    u_char     *escaped;
    size_t      length;
    ngx_int_t   rc;

    static u_char  before[] = CRLF "Content-Disposition: form-data; name=\"";
    static u_char  after[] = "\"" CRLF CRLF;

    rc = ngx_http_upload_form_boundary(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_upload_form_put(ctx, before, sizeof(before) - 1);
    if (rc != NGX_OK) {
        return rc;
    }

    escaped = ngx_pnalloc(ctx->request->pool, 3 * name->len + 1);
    if (escaped == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    length = upload_name_escape(escaped, name->data, name->len);

    rc = ngx_http_upload_form_check(ctx, escaped, length);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_upload_form_put(ctx, escaped, length);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_upload_form_put(ctx, after, sizeof(after) - 1);
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

    return ngx_http_upload_form_put(ctx, ctx->parser.delimiter + 2,
                                    ctx->parser.delimiter_length - 2);
}


/*
 * Targets disagree on where a boundary counts: for some behind a bare LF as
 * well, for others in the middle of a line.  A client that could write one
 * anywhere could take away or make up fields.
 */

static ngx_int_t
ngx_http_upload_form_check(ngx_http_upload_ctx_t *ctx, const u_char *data,
    size_t length)
{
    if (memmem(data, length, ctx->parser.delimiter + 2,
               ctx->parser.delimiter_length - 2)
        == NULL)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: a name or value of a field contains the boundary");

    return NGX_HTTP_BAD_REQUEST;
}


/*
 * FNV-1a of the name as it will be written, but for what targets do not see
 * in it: PHP and Rack take "x[]" and "[x]" for "x", Django " x ".  Two names
 * of one hash only refuse a request that was made for that.
 */

static uint64_t
ngx_http_upload_form_hash(ngx_str_t *name)
{
    size_t         i, n;
    uint64_t       hash;
    ngx_uint_t     bracket;
    upload_text_t  text;
    u_char         escaped[3];

    hash = NGX_HTTP_UPLOAD_FNV_BASIS;
    bracket = 0;

    text.data = name->data;
    text.length = name->len;
    upload_text_trim(&text);

    for ( /* void */ ; text.length; text.data++, text.length--) {

        if (text.data[0] == '[' || text.data[0] == ']') {
            bracket = 1;
            continue;
        }

        if (bracket && hash != NGX_HTTP_UPLOAD_FNV_BASIS) {
            hash = (hash ^ '[') * NGX_HTTP_UPLOAD_FNV_PRIME;
        }

        bracket = 0;
        n = upload_name_escape(escaped, text.data, 1);

        for (i = 0; i < n; i++) {
            hash = (hash ^ escaped[i]) * NGX_HTTP_UPLOAD_FNV_PRIME;
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
