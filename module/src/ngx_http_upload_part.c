
#include "ngx_http_upload.h"


static ngx_int_t ngx_http_upload_parts_digest(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_parts_read(ngx_http_upload_ctx_t *ctx,
    u_char **pos, u_char *end);
static ngx_int_t ngx_http_upload_parts_take(ngx_http_upload_ctx_t *ctx,
    u_char **pos, u_char *end);
static ngx_int_t ngx_http_upload_parts_end(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_part_event(ngx_http_upload_ctx_t *ctx,
    upload_multipart_event_t event);
static ngx_int_t ngx_http_upload_part_many(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_part_header(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_part_keep(ngx_http_upload_ctx_t *ctx,
    upload_text_t *slot, u_char *buffer, u_char *value, size_t length);
static ngx_int_t ngx_http_upload_part_start(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_part_file(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);
static ngx_int_t ngx_http_upload_part_field(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);
static ngx_int_t ngx_http_upload_part_data(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_part_end(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_part_malformed(ngx_http_upload_ctx_t *ctx,
    upload_multipart_event_t event);


ngx_http_upload_entrance_t  ngx_http_upload_form_entrance = {
    ngx_http_upload_parts_read,
    ngx_http_upload_parts_end,
    NULL
};


ngx_int_t
ngx_http_upload_parts_init(ngx_http_upload_ctx_t *ctx, upload_text_t *boundary)
{
    size_t   size;
    u_char  *buffers;

    size = ctx->conf->max_part_header_length;

    buffers = ngx_pnalloc(ctx->request->pool, 3 * size);
    if (buffers == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->disposition_buffer = buffers + size;
    ctx->type_buffer = buffers + 2 * size;

    if (upload_multipart_init(&ctx->parser, boundary->data, boundary->length,
                              buffers, size)
        != 0)
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: malformed boundary");
        return NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_upload_parts_digest(ctx);
}


static ngx_int_t
ngx_http_upload_parts_digest(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t              rc;
    upload_digest_field_t  content;

    ngx_memzero(&content, sizeof(upload_digest_field_t));

    rc = ngx_http_upload_headers_digest(ctx, "content-digest", &content);

    if (rc != NGX_OK || content.named == 0) {
        return rc;
    }

    ctx->whole = ngx_palloc(ctx->request->pool, sizeof(ngx_http_upload_whole_t));

    if (ctx->whole == NULL
        || upload_digest_start(&ctx->whole->digest, content.named) != 0)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->whole->content = content;

    return NGX_OK;
}


/* Threads that have the bytes by then only read them. */

static ngx_int_t
ngx_http_upload_parts_read(ngx_http_upload_ctx_t *ctx, u_char **pos,
    u_char *end)
{
    u_char     *start;
    ngx_int_t   rc;

    start = *pos;

    rc = ngx_http_upload_parts_take(ctx, pos, end);

    if (ctx->whole
        && upload_digest_update(&ctx->whole->digest, start, *pos - start) != 0)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return rc;
}


/*
 * What the disk was not ready for goes first.  The parser is past it, yet it
 * still lies in the input: until it is taken, we are no further.
 */

static ngx_int_t
ngx_http_upload_parts_take(ngx_http_upload_ctx_t *ctx, u_char **pos,
    u_char *end)
{
    u_char                   *start;
    ngx_int_t                 rc;
    upload_multipart_event_t  event;

    start = *pos;

    if (ctx->parsed) {
        *pos = ctx->parsed;
        ctx->parsed = NULL;
    }

    for ( ;; ) {

        if (ctx->closing) {
            rc = ngx_http_upload_part_end(ctx);

        } else if (ctx->data.length) {
            rc = ngx_http_upload_part_data(ctx);

        } else {
            event = upload_multipart_next(&ctx->parser, pos, end);

            if (event == UPLOAD_MULTIPART_MORE) {
                return NGX_OK;
            }

            rc = ngx_http_upload_part_event(ctx, event);
        }

        if (rc == NGX_AGAIN && ctx->data.length && ctx->data.data >= start
            && ctx->data.data < end)
        {
            ctx->parsed = *pos;
            *pos = ctx->data.data;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_int_t
ngx_http_upload_parts_end(ngx_http_upload_ctx_t *ctx)
{
    if (!upload_multipart_complete(&ctx->parser)) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: the body ends before its final boundary");
        return NGX_HTTP_BAD_REQUEST;
    }

    if (ctx->whole && !upload_digest_field_agrees(&ctx->whole->content,
                                                  &ctx->whole->digest))
    {
        ngx_str_set(&ctx->outcome, "mismatch");

        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: the form differs from its digest");
        return NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_upload_form_end(ctx);
}


static ngx_int_t
ngx_http_upload_part_event(ngx_http_upload_ctx_t *ctx,
    upload_multipart_event_t event)
{
    switch (event) {

    case UPLOAD_MULTIPART_END:
        return NGX_OK;

    case UPLOAD_MULTIPART_HEADER:
        return ngx_http_upload_part_header(ctx);

    case UPLOAD_MULTIPART_BODY:
        return ngx_http_upload_part_start(ctx);

    case UPLOAD_MULTIPART_DATA:
        ctx->data.data = ctx->parser.text;
        ctx->data.length = ctx->parser.length;
        return NGX_OK;

    case UPLOAD_MULTIPART_PART_END:
        ctx->closing = 1;
        return NGX_OK;

    default:
        return ngx_http_upload_part_malformed(ctx, event);
    }
}


static ngx_int_t
ngx_http_upload_part_header(ngx_http_upload_ctx_t *ctx)
{
    u_char     *colon, *end;
    size_t      name_length;
    ngx_int_t   rc;

    end = ctx->parser.text + ctx->parser.length;
    colon = ngx_strlchr(ctx->parser.text, end, ':');

    if (colon == NULL || colon == ctx->parser.text
        || ctx->parser.text[0] == ' ' || ctx->parser.text[0] == '\t'
        || colon[-1] == ' ' || colon[-1] == '\t')
    {
        return ngx_http_upload_part_malformed(ctx, UPLOAD_MULTIPART_BAD_HEADER);
    }

    name_length = colon - ctx->parser.text;

    do {
        colon++;
    } while (colon < end && (*colon == ' ' || *colon == '\t'));

    while (end > colon && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    if (upload_text_is(ctx->parser.text, name_length, "content-type")) {
        return ngx_http_upload_part_keep(ctx, &ctx->type, ctx->type_buffer,
                                         colon, end - colon);
    }

    if (!upload_text_is(ctx->parser.text, name_length, "content-disposition")) {
        return NGX_OK;
    }

    if (ctx->disposition.name.data) {
        return ngx_http_upload_part_malformed(ctx, UPLOAD_MULTIPART_BAD_HEADER);
    }

    ngx_memcpy(ctx->disposition_buffer, colon, end - colon);

    rc = upload_disposition_parse(ctx->disposition_buffer, end - colon,
                                  &ctx->disposition);
    if (rc != 0) {
        return ngx_http_upload_part_malformed(ctx, UPLOAD_MULTIPART_BAD_HEADER);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_part_keep(ngx_http_upload_ctx_t *ctx, upload_text_t *slot,
    u_char *buffer, u_char *value, size_t length)
{
    if (slot->data) {
        return ngx_http_upload_part_malformed(ctx, UPLOAD_MULTIPART_BAD_HEADER);
    }

    ngx_memcpy(buffer, value, length);
    slot->data = buffer;
    slot->length = length;

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_part_start(ngx_http_upload_ctx_t *ctx)
{
    ngx_str_t       name;
    upload_text_t  *text;

    if (ctx->disposition.name.data == NULL) {
        return ngx_http_upload_part_malformed(ctx, UPLOAD_MULTIPART_BAD_HEADER);
    }

    if (++ctx->parts > ctx->conf->max_parts
        || (!ctx->disposition.is_file
            && ++ctx->fields > ctx->conf->max_fields))
    {
        return ngx_http_upload_part_many(ctx);
    }

    text = &ctx->disposition.name;

    if (ctx->conf->tame_arrays && text->length >= 2
        && ngx_memcmp(text->data + text->length - 2, "[]", 2) == 0)
    {
        text->length -= 2;
    }

    if (ctx->disposition.is_file) {

        if (ngx_http_upload_text_escape(ctx, &name, text->data, text->length)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_upload_part_file(ctx, &name);
    }

    name.data = text->data;
    name.len = text->length;

    return ngx_http_upload_part_field(ctx, &name);
}


static ngx_int_t
ngx_http_upload_part_file(ngx_http_upload_ctx_t *ctx, ngx_str_t *name)
{
    ngx_int_t  rc;

    ctx->part = NGX_HTTP_UPLOAD_PART_FILE;
    ctx->file_number++;
    ctx->field_name = *name;

    if (ngx_http_upload_text_escape(ctx, &ctx->file_name,
                                    ctx->disposition.filename.data,
                                    ctx->disposition.filename.length)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->type.length == 0) {
        ngx_str_set(&ctx->content_type, "application/octet-stream");

    } else if (ngx_http_upload_text_escape(ctx, &ctx->content_type,
                                           ctx->type.data, ctx->type.length)
               != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_upload_progress_name(ctx);

    rc = ngx_http_upload_store_open(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_upload_form_fields(ctx, ctx->conf->set_fields);
}


static ngx_int_t
ngx_http_upload_part_field(ngx_http_upload_ctx_t *ctx, ngx_str_t *name)
{
    ngx_int_t      rc;
    ngx_uint_t     i;
    ngx_regex_t  **regex;

    ctx->part = NGX_HTTP_UPLOAD_PART_IGNORED;

    rc = ngx_http_upload_form_note(ctx, name);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->conf->pass_fields == NULL
        || (name->len == 0 && !ctx->conf->empty_names))
    {
        return NGX_OK;
    }

    regex = ctx->conf->pass_fields->elts;

    for (i = 0; i < ctx->conf->pass_fields->nelts; i++) {

        rc = ngx_regex_exec(regex[i], name, NULL, 0);

        if (rc >= 0) {
            ctx->part = NGX_HTTP_UPLOAD_PART_FIELD;
            return ngx_http_upload_form_open(ctx, name);
        }

        if (rc != NGX_REGEX_NO_MATCHED) {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "upload: " ngx_regex_exec_n " failed: %i on \"%V\"",
                          rc, name);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_part_data(ngx_http_upload_ctx_t *ctx)
{
    u_char     *pos, *end;
    ngx_int_t   rc;

    pos = ctx->data.data;
    end = pos + ctx->data.length;

    switch (ctx->part) {

    case NGX_HTTP_UPLOAD_PART_FILE:
        rc = ngx_http_upload_store_write(ctx, &pos, end);
        break;

    case NGX_HTTP_UPLOAD_PART_FIELD:
        rc = ngx_http_upload_form_write(ctx, pos, end - pos);
        pos = end;
        break;

    default:
        rc = NGX_OK;
        pos = end;
        break;
    }

    ctx->data.data = pos;
    ctx->data.length = end - pos;

    return rc;
}


static ngx_int_t
ngx_http_upload_part_end(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    switch (ctx->part) {

    case NGX_HTTP_UPLOAD_PART_FILE:
        rc = ngx_http_upload_store_close(ctx);

        if (rc == NGX_OK) {
            rc = ngx_http_upload_form_fields(ctx, ctx->conf->aggregate_fields);
        }

        break;

    case NGX_HTTP_UPLOAD_PART_FIELD:
        rc = ngx_http_upload_form_close(ctx);
        break;

    default:
        rc = NGX_OK;
        break;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->closing = 0;
    ctx->part = NGX_HTTP_UPLOAD_PART_HEADERS;
    ngx_memzero(&ctx->disposition, sizeof(upload_disposition_t));
    ngx_memzero(&ctx->type, sizeof(upload_text_t));

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_part_many(ngx_http_upload_ctx_t *ctx)
{
    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: more than upload_max_parts %ui "
                  "or upload_max_fields %ui",
                  ctx->conf->max_parts, ctx->conf->max_fields);

    return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
}


/* Copies what is to outlive the part: variables show it until the log. */

ngx_int_t
ngx_http_upload_text_escape(ngx_http_upload_ctx_t *ctx, ngx_str_t *out,
    const u_char *data, size_t length)
{
    out->data = ngx_pnalloc(ctx->request->pool, 3 * length + 1);
    if (out->data == NULL) {
        return NGX_ERROR;
    }

    out->len = upload_text_escape(out->data, data, length);

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_part_malformed(ngx_http_upload_ctx_t *ctx,
    upload_multipart_event_t event)
{
    const char  *text;

    switch (event) {

    case UPLOAD_MULTIPART_BAD_BOUNDARY:
        text = "a boundary is followed by neither CRLF nor \"--\"";
        break;

    case UPLOAD_MULTIPART_LONG_HEADER:
        text = "a header line of a part exceeds upload_max_part_header_len";
        break;

    case UPLOAD_MULTIPART_MANY_HEADERS:
        text = "a part has too many header lines";
        break;

    default:
        text = "a part has a broken header";
        break;
    }

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: malformed body: %s", text);

    return NGX_HTTP_BAD_REQUEST;
}
