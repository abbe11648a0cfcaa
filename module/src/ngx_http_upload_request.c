
#include "ngx_http_upload.h"


/* Bytes of one request after which others get their turn. */
#define NGX_HTTP_UPLOAD_TURN        (1024 * 1024)

/* Bytes that core reads of a body before it has a buffer of ours. */
#define NGX_HTTP_UPLOAD_FIRST       4096

/* Longest pause, in milliseconds, that upload_limit_rate makes at once. */
#define NGX_HTTP_UPLOAD_MAX_PAUSE   1000


static void ngx_http_upload_forget(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_start(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_broken(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_entrance(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_options(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_boundary(ngx_http_request_t *r,
    upload_text_t *boundary);
static ngx_http_upload_ctx_t *ngx_http_upload_create_ctx(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_read(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_body_handler(ngx_http_request_t *r);
static void ngx_http_upload_begin(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_read_handler(ngx_http_request_t *r);
static ngx_http_upload_ctx_t *ngx_http_upload_event(ngx_event_t *ev);
static void ngx_http_upload_go_on(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_wake_handler(ngx_event_t *ev);
static void ngx_http_upload_tick_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_upload_silent(ngx_http_upload_ctx_t *ctx);
static ngx_uint_t ngx_http_upload_unwritten(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_wait(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_pause(ngx_http_upload_ctx_t *ctx,
    ngx_msec_t pause);
static void ngx_http_upload_finish(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_answer(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_fail(ngx_http_upload_ctx_t *ctx, ngx_int_t status);
static void ngx_http_upload_cleanup(void *data);
static void ngx_http_upload_give(ngx_http_upload_ctx_t *ctx);


static ngx_queue_t  ngx_http_upload_queue;


ngx_int_t
ngx_http_upload_init_process(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_http_upload_queue);
    ngx_http_upload_buffer_init(cycle);

    return NGX_OK;
}


/* A fast shutdown does not run the cleanups of requests. */

void
ngx_http_upload_exit_process(ngx_cycle_t *cycle)
{
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&ngx_http_upload_queue);
         q != ngx_queue_sentinel(&ngx_http_upload_queue);
         q = ngx_queue_next(q))
    {
        ngx_http_upload_settle(ngx_queue_data(q, ngx_http_upload_ctx_t, queue));
    }
}


ngx_int_t
ngx_http_upload_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_get_ctx(r);

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upload: a subrequest to \"%V\" has no body of its own",
                      &r->uri);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upload: upload_pass leads to \"%V\", "
                      "which has an upload_pass of its own", &r->uri);
        ngx_http_upload_store_remove(ctx);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->method & NGX_HTTP_OPTIONS) {
        return ngx_http_upload_options(r);
    }

    rc = ngx_http_upload_start(r);

    if (rc < NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    if (ngx_http_upload_left_to_others(r, rc)) {
        ngx_http_upload_forget(r);
        return rc;
    }

    return ngx_http_upload_drop_body(r) == NGX_OK ? rc : NGX_ERROR;
}


/* It may come to another upload yet. */

static void
ngx_http_upload_forget(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_upload_cleanup) {
            cln->handler(cln->data);
            cln->handler = NULL;
        }
    }

    ngx_http_set_ctx(r, NULL, ngx_http_upload_module);
}


ngx_http_upload_ctx_t *
ngx_http_upload_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t     *cln;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_upload_module);

    if (ctx == NULL && (r->internal || r->filter_finalize || r != r->main)) {

        /* an internal redirect has cleared the contexts */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_upload_cleanup) {
                return cln->data;
            }
        }
    }

    return ctx;
}


static ngx_int_t
ngx_http_upload_start(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_upload_ctx_t       *ctx;
    ngx_http_upload_loc_conf_t  *ulcf;

    ulcf = ngx_http_get_module_loc_conf(r, ngx_http_upload_module);

    if (!(r->method & (ulcf->raw ? NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH
                                 : NGX_HTTP_POST)))
    {
        return NGX_HTTP_NOT_ALLOWED;
    }

    ctx = ngx_http_upload_create_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_entrance(ctx);

    if (rc == NGX_OK) {
        rc = ngx_http_upload_path_space(ctx);
    }

    ngx_http_upload_progress_begin(ctx);

    if (rc != NGX_OK) {
        ngx_http_upload_progress_end(ctx, rc);
        return rc;
    }

    ngx_http_upload_input_open(ctx);

    r->request_body_no_buffering = 1;

    rc = ngx_http_upload_read(ctx);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return r->connection->error ? ngx_http_upload_broken(ctx) : rc;
    }

    if (ctx->asked) {
        ngx_http_upload_begin(ctx);
    }

    return NGX_DONE;
}


/* Core's first read has met the end of the connection, behind some bytes. */

static ngx_int_t
ngx_http_upload_broken(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (!ngx_http_upload_segment_keeps(ctx)
        || r->request_body == NULL || r->request_body->bufs == NULL)
    {
        return NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    ctx->broken = NGX_HTTP_CLIENT_CLOSED_REQUEST;

    /* as core does where it has not failed */

    r->main->count++;
    r->reading_body = 1;

    ngx_http_upload_body_handler(r);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_upload_entrance(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t      rc;
    upload_text_t  boundary;

    if (ctx->conf->raw) {
        return ngx_http_upload_raw_init(ctx);
    }

    rc = ngx_http_upload_boundary(ctx->request, &boundary);

    if (rc == NGX_DECLINED) {
        return ctx->conf->resumable ? ngx_http_upload_ranged_init(ctx)
                                    : NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->entrance = &ngx_http_upload_form_entrance;

    rc = ngx_http_upload_parts_init(ctx, &boundary);

    return rc == NGX_OK ? ngx_http_upload_form_init(ctx) : rc;
}


static ngx_int_t
ngx_http_upload_options(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_table_elt_t             *h;
    ngx_http_upload_loc_conf_t  *ulcf;

    r->expect_tested = 1;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Allow");

    ulcf = ngx_http_get_module_loc_conf(r, ngx_http_upload_module);

    if (ulcf->raw) {
        ngx_str_set(&h->value, "OPTIONS, PATCH, POST, PUT");

    } else {
        ngx_str_set(&h->value, "OPTIONS, POST");
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


/* NGX_DECLINED: the body is no form. */

static ngx_int_t
ngx_http_upload_boundary(ngx_http_request_t *r, upload_text_t *boundary)
{
    u_char                     *value;
    ngx_str_t                  *type;
    ngx_uint_t                  found;
    ngx_http_upload_headers_t   at = ngx_http_upload_headers_of(r);

    found = 0;

    while (ngx_http_upload_headers_next(&at, "content-type")) {
        found++;
    }

    /* the target might read the other one of two */

    if (r->headers_in.content_type == NULL || found != 1) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upload: client sent %ui Content-Type headers", found);
        return NGX_HTTP_BAD_REQUEST;
    }

    type = &r->headers_in.content_type->value;

    value = ngx_pnalloc(r->pool, type->len + 1);
    if (value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(value, type->data, type->len);

    switch (upload_content_type_parse(value, type->len, boundary)) {

    case 0:
        return NGX_OK;

    case 1:
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "upload: client sent Content-Type \"%V\", "
                      "not multipart/form-data", type);
        return NGX_DECLINED;

    default:
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "upload: client sent malformed Content-Type \"%V\"",
                      type);
        return NGX_HTTP_BAD_REQUEST;
    }
}


static ngx_http_upload_ctx_t *
ngx_http_upload_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t           *cln;
    ngx_http_upload_ctx_t        *ctx;
    ngx_http_upload_main_conf_t  *umcf;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_upload_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_upload_ctx_t));

    umcf = ngx_http_get_module_main_conf(r, ngx_http_upload_module);

    ctx->request = r;
    ctx->err_status = r->err_status;
    ctx->upstream = r->upstream;
    ctx->upstreams = r->upstream_states ? r->upstream_states->nelts : 0;
    ctx->conf = ngx_http_get_module_loc_conf(r, ngx_http_upload_module);
    ctx->digests = umcf->digests | ctx->conf->digests;
    ctx->store.fd = NGX_INVALID_FILE;
    ctx->start = ngx_current_msec;

    ctx->wake.handler = ngx_http_upload_wake_handler;
    ctx->wake.data = ctx;
    ctx->wake.log = r->connection->log;

    ctx->tick.handler = ngx_http_upload_tick_handler;
    ctx->tick.data = ctx;
    ctx->tick.log = r->connection->log;
    ctx->tick.cancelable = 1;

    cln->handler = ngx_http_upload_cleanup;
    ngx_queue_insert_tail(&ngx_http_upload_queue, &ctx->queue);
    ngx_http_set_ctx(r, ctx, ngx_http_upload_module);

    return ctx;
}


/*
 * Core makes a buffer of client_body_buffer_size, which it would have until the
 * request ends: it makes a small one, and then gets ours.  Over HTTP/2 and
 * HTTP/3 its own is the window of the stream.
 */

static ngx_int_t
ngx_http_upload_read(ngx_http_upload_ctx_t *ctx)
{
    size_t                     size;
    ngx_int_t                  rc;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = ctx->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    size = clcf->client_body_buffer_size;

    if (!ngx_http_upload_input_streamed(r)) {
        clcf->client_body_buffer_size = ngx_min(size, NGX_HTTP_UPLOAD_FIRST);
    }

    ctx->asking = 1;
    rc = ngx_http_read_client_request_body(r, ngx_http_upload_body_handler);
    ctx->asking = 0;

    clcf->client_body_buffer_size = size;

    return rc;
}


static void
ngx_http_upload_body_handler(ngx_http_request_t *r)
{
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_get_ctx(r);
    ctx->asked = 1;

    if (!ctx->asking) {
        ngx_http_upload_begin(ctx);
    }
}


static void
ngx_http_upload_begin(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->reading = r->reading_body;
    ctx->link = r->request_body ? r->request_body->bufs : NULL;
    ctx->turn = ctx->received + NGX_HTTP_UPLOAD_TURN;

    r->read_event_handler = ngx_http_upload_read_handler;
    r->write_event_handler = ngx_http_request_empty_handler;

    ngx_http_upload_process(ctx);
}


static void
ngx_http_upload_read_handler(ngx_http_request_t *r)
{
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_upload_module);

    if (ctx == NULL || r->err_status != ctx->err_status || r->header_sent) {
        /* core itself has failed the request meanwhile */
        ngx_http_block_reading(r);
        return;
    }

    if (ctx->wake.timer_set || ctx->wake.posted || ctx->waiting) {
        return;
    }

    ngx_http_upload_dozed(ctx);

    ngx_http_upload_process(ctx);
}


/* An event of our own, not of the connection, begins and ends so. */

static ngx_http_upload_ctx_t *
ngx_http_upload_event(ngx_event_t *ev)
{
    ngx_http_upload_ctx_t  *ctx;

    ctx = ev->data;

    ngx_http_set_log_request(ctx->request->connection->log, ctx->request);

    ev->timedout = 0;

    return ctx;
}


static void
ngx_http_upload_go_on(ngx_http_upload_ctx_t *ctx)
{
    ngx_connection_t  *c;

    c = ctx->request->connection;

    ngx_http_upload_read_handler(ctx->request);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_upload_wake_handler(ngx_event_t *ev)
{
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_event(ev);

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    if (ev->posted) {
        ngx_delete_posted_event(ev);
    }

    ctx->turn = ctx->received + NGX_HTTP_UPLOAD_TURN;

    ngx_http_upload_go_on(ctx);
}


/*
 * What has come counts within a second, also where a client is so slow that it
 * fills no buffer; and as soon as it has fallen silent: maybe its connection is
 * lost, and it is about to ask on another one how far it is.  One that sends
 * nothing more is not read from again: core would give it more time.
 */

static void
ngx_http_upload_tick_handler(ngx_event_t *ev)
{
    ngx_msec_int_t          wait;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ngx_http_upload_event(ev);

    if (ctx->failure
        || ctx->request->read_event_handler != ngx_http_upload_read_handler)
    {
        return;
    }

    wait = ngx_http_upload_segment_wait(ctx, ngx_http_upload_silent(ctx));

    if (wait < 0) {
        return;
    }

    ngx_add_timer(ev, wait ? ngx_min(wait, NGX_HTTP_UPLOAD_TICK)
                           : NGX_HTTP_UPLOAD_TICK);

    if (wait || !ngx_http_upload_unwritten(ctx)) {
        return;
    }

    ctx->ripe = 1;

    ngx_http_upload_go_on(ctx);
}


/* Whether nothing has come since the last look. */

static ngx_uint_t
ngx_http_upload_silent(ngx_http_upload_ctx_t *ctx)
{
    off_t       come;
    ngx_uint_t  silent;

    come = ngx_http_upload_arrived(ctx) + ngx_http_upload_unread(ctx);
    silent = (come == ctx->come && !ctx->io.busy);

    ctx->come = come;

    return silent;
}


/* Whether anything has come that does not count yet. */

static ngx_uint_t
ngx_http_upload_unwritten(ngx_http_upload_ctx_t *ctx)
{
    return ngx_http_upload_input_waits(ctx)
           || (ctx->request->request_body && ctx->request->request_body->bufs)
           || ngx_http_upload_segment_uncounted(ctx);
}


void
ngx_http_upload_process(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (ctx->failure) {
        /* it has waited for the thread */
        ngx_http_upload_fail(ctx, ctx->failure);
        return;
    }

    if (r->request_body == NULL) {
        ngx_http_upload_fail(ctx, NGX_HTTP_BAD_REQUEST);
        return;
    }

    rc = ngx_http_upload_input(ctx);

    ngx_http_upload_progress_update(ctx);

    switch (rc) {

    case NGX_OK:
        ngx_http_upload_finish(ctx);
        return;

    case NGX_DONE:
        return;

    case NGX_AGAIN:
        ngx_http_upload_wait(ctx);
        return;

    case NGX_BUSY:
        ngx_post_event(&ctx->wake, &ngx_posted_next_events);

        /* a worker that shuts down waits for timers only */

        ngx_add_timer(&ctx->wake, NGX_HTTP_UPLOAD_MAX_PAUSE);
        return;

    case NGX_DECLINED:
        ngx_http_upload_pause(ctx, ngx_http_upload_excess(ctx));
        return;

    default:
        ngx_http_upload_fail(ctx, rc);
        return;
    }
}


/* For the thread: the client is not to blame if it takes long. */

static void
ngx_http_upload_wait(ngx_http_upload_ctx_t *ctx)
{
    ngx_event_t  *rev;

    rev = ctx->request->connection->read;

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    ctx->waiting = 1;
}


static void
ngx_http_upload_pause(ngx_http_upload_ctx_t *ctx, ngx_msec_t pause)
{
    ngx_connection_t  *c;

    c = ctx->request->connection;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    ngx_add_timer(&ctx->wake, ngx_min(pause, NGX_HTTP_UPLOAD_MAX_PAUSE));
}


static void
ngx_http_upload_finish(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    ngx_http_upload_awake(ctx);

    rc = ctx->entrance->end(ctx);

    if (rc == NGX_AGAIN) {
        ngx_http_upload_wait(ctx);
        return;
    }

    if (rc == NGX_HTTP_CREATED) {
        ngx_http_upload_answer(ctx);
        return;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_upload_pass(ctx);
    }

    if (rc != NGX_OK) {
        ngx_http_upload_fail(ctx, rc);
    }
}


/* A segment: more are to come before there is something to hand on. */

static void
ngx_http_upload_answer(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    r->read_event_handler = ngx_http_block_reading;
    ngx_http_upload_store_free(ctx);

    ngx_http_finalize_request(r, ngx_http_upload_ranged_answer(ctx));
}


/* The thread may still be writing to what is to be removed. */

static void
ngx_http_upload_fail(ngx_http_upload_ctx_t *ctx, ngx_int_t status)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->failure = status;

    ngx_http_upload_awake(ctx);

    if (ctx->io.busy) {
        ngx_http_upload_wait(ctx);
        return;
    }

    if (ctx->entrance->abort) {

        rc = ctx->entrance->abort(ctx, &status);

        if (rc == NGX_AGAIN) {
            ngx_http_upload_wait(ctx);
            return;
        }

        if (rc == NGX_OK && ngx_http_upload_pass(ctx) == NGX_OK) {
            return;
        }
    }

    /* not with the pool: the connection may linger for long */

    ngx_http_upload_progress_end(ctx, status);
    ngx_http_upload_store_remove(ctx);
    ngx_http_upload_give(ctx);

    if (ngx_http_upload_drop_body(r) != NGX_OK) {
        status = NGX_ERROR;
    }

    ngx_http_finalize_request(r, status);
}


static void
ngx_http_upload_cleanup(void *data)
{
    ngx_http_upload_ctx_t  *ctx = data;

    if (ctx->wake.timer_set) {
        ngx_del_timer(&ctx->wake);
    }

    if (ctx->wake.posted) {
        ngx_delete_posted_event(&ctx->wake);
    }

    if (ctx->tick.timer_set) {
        ngx_del_timer(&ctx->tick);
    }

    if (ctx->nap.timer_set) {
        ngx_del_timer(&ctx->nap);
    }

    ngx_queue_remove(&ctx->queue);

    ngx_http_upload_awake(ctx);
    ngx_http_upload_settle(ctx);
    ngx_http_upload_give(ctx);
}


/* No thread has anything, and nobody reads any more. */

static void
ngx_http_upload_give(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_buffer_give(&ctx->window);
    ngx_http_upload_buffer_give(&ctx->store.buffer);
    ngx_http_upload_buffer_give(&ctx->store.wide);
    ngx_http_upload_buffer_give(&ctx->io.job[0].lent);
    ngx_http_upload_buffer_give(&ctx->io.job[1].lent);
}


ngx_int_t
ngx_http_upload_send(ngx_http_request_t *r, ngx_uint_t status, ngx_buf_t *b)
{
    ngx_int_t    rc;
    ngx_chain_t  out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = b->last - b->pos;
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
