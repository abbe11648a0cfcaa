
#include "ngx_http_upload.h"


/* Read at once of a body that another module has put into a file. */
#define NGX_HTTP_UPLOAD_FILE_CHUNK  65536

/* A stream of HTTP/2 and HTTP/3 is not kept waiting for more than this. */
#define NGX_HTTP_UPLOAD_GATHER      (512 * 1024)

/*
 * No more of a buffer is used where they are scarce, and no less is taken where
 * they are ample: the page cache takes and gives back large pieces sooner.
 */
#define NGX_HTTP_UPLOAD_SPARING     (256 * 1024)

/*
 * Bytes for which the kernel wakes the worker, once a body comes fast: being
 * woken for each packet costs the sender and us more than the bytes do.
 */
#define NGX_HTTP_UPLOAD_LOWAT       (256 * 1024)

/* Bytes of a body that have come before it is taken for a fast one. */
#define NGX_HTTP_UPLOAD_FAST        (1024 * 1024)

/* TLS may have read so much ahead of what the request has got. */
#define NGX_HTTP_UPLOAD_AHEAD       (64 * 1024)

/* Milliseconds for which another stream of the connection may go unheard. */
#define NGX_HTTP_UPLOAD_NAP         20


static ngx_int_t ngx_http_upload_input_come(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_input_window(ngx_http_upload_ctx_t *ctx);
static size_t ngx_http_upload_input_size(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_input_idle(ngx_http_upload_ctx_t *ctx,
    ngx_int_t why);
static ngx_uint_t ngx_http_upload_input_severed(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_input_read(ngx_http_upload_ctx_t *ctx);
static ngx_uint_t ngx_http_upload_input_enough(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_input_fresh(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_input_run(ngx_http_upload_ctx_t *ctx);
static u_char *ngx_http_upload_input_lendable(ngx_http_upload_ctx_t *ctx,
    u_char *pos, u_char *last);
static ngx_int_t ngx_http_upload_input_stored(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_input_chunk(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_input_doze(ngx_http_upload_ctx_t *ctx);
static off_t ngx_http_upload_input_coming(ngx_http_request_t *r);
static void ngx_http_upload_input_nap(ngx_event_t *ev);
static void ngx_http_upload_input_lowat(ngx_http_upload_ctx_t *ctx, int bytes);
static void ngx_http_upload_input_rouse(ngx_http_upload_ctx_t *ctx);


ngx_int_t
ngx_http_upload_input(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (!ctx->reading) {
        return ngx_http_upload_input_stored(ctx);
    }

    rc = ngx_http_upload_input_come(ctx);

    if (ctx->request->request_body->bufs == NULL) {
        ngx_http_upload_input_spare(ctx);
    }

    return rc;
}


static ngx_int_t
ngx_http_upload_input_come(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    for ( ;; ) {

        if (ngx_http_upload_input_enough(ctx)) {

            rc = ngx_http_upload_input_fresh(ctx);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        if (!r->reading_body) {
            return NGX_OK;
        }

        if (ctx->broken) {
            return ctx->broken;
        }

        if (ngx_http_upload_excess(ctx)) {
            return ngx_http_upload_input_idle(ctx, NGX_DECLINED);
        }

        /*
         * Not only where the socket says that it is ready: a client that is
         * faster than disk and digests has always sent more by the time we
         * ask, and the worker would do nothing else until the body ends.
         */

        if (ctx->received >= ctx->turn) {
            return NGX_BUSY;
        }

        rc = ngx_http_upload_input_window(ctx);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_upload_input_read(ctx);

        if (rc == NGX_AGAIN && !ngx_http_upload_input_enough(ctx)) {
            ngx_http_upload_input_doze(ctx);
            return ngx_http_upload_input_idle(ctx, NGX_DONE);
        }

        if (rc != NGX_OK && rc != NGX_AGAIN) {
            return rc;
        }
    }
}


ngx_msec_t
ngx_http_upload_excess(ngx_http_upload_ctx_t *ctx)
{
    off_t  due, elapsed;

    if (ctx->conf->limit_rate == 0) {
        return 0;
    }

    elapsed = (off_t) (ngx_current_msec - ctx->start);
    due = ctx->received / (off_t) ctx->conf->limit_rate * 1000
          + ctx->received % (off_t) ctx->conf->limit_rate * 1000
            / (off_t) ctx->conf->limit_rate;

    return due <= elapsed ? 0 : (ngx_msec_t) (due - elapsed);
}


void
ngx_http_upload_input_lent(ngx_http_upload_ctx_t *ctx)
{
    ngx_buf_t  *b;

    b = ctx->request->request_body->buf;

    b->start = NULL;
    b->pos = NULL;
    b->last = NULL;
    b->end = NULL;

    ctx->lendable = NULL;
}


void
ngx_http_upload_input_spare(ngx_http_upload_ctx_t *ctx)
{
    if (ctx->window.data) {
        ngx_http_upload_input_lent(ctx);
        ngx_http_upload_buffer_give(&ctx->window);
    }
}


/*
 * Core reads into a buffer of the worker's, which the upload has only while
 * there are bytes in it.  Not over HTTP/2 and HTTP/3: there it is the window of
 * the stream.
 */

static ngx_int_t
ngx_http_upload_input_window(ngx_http_upload_ctx_t *ctx)
{
    size_t               size;
    ngx_buf_t           *b;
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;
    b = r->request_body->buf;

    /* a short body is read into the buffer of the header */

    if (b == NULL || r->request_body->bufs || b->pos != b->last
        || (b->start >= r->header_in->start && b->start < r->header_in->end)
        || ngx_http_upload_input_streamed(r))
    {
        return NGX_OK;
    }

    if (ctx->window.data == NULL) {

        rc = ngx_http_upload_io_room(ctx);
        if (rc != NGX_OK) {
            return rc;
        }

        size = ngx_http_upload_input_size(ctx);

        if (ngx_http_upload_buffer_take(&ctx->window, size) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    size = ctx->window.size;

    if (ngx_http_upload_buffer_scarce()) {
        size = ngx_min(size, NGX_HTTP_UPLOAD_SPARING);
    }

    b->start = ctx->window.data;
    b->pos = b->start;
    b->last = b->start;
    b->end = b->start + ngx_http_upload_store_fit(ctx, ctx->store.carried
                                                       + ctx->store.buffered,
                                                  size);

    return NGX_OK;
}


/*
 * Who sets less than nginx's default wants every byte of it spared, and what
 * comes slowly would only stay here for longer.
 */

static size_t
ngx_http_upload_input_size(ngx_http_upload_ctx_t *ctx)
{
    size_t                     size;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_core_module);

    size = ngx_min(clcf->client_body_buffer_size,
                   ngx_max(ctx->conf->buffer_size, NGX_HTTP_UPLOAD_SMALL));

    if (clcf->client_body_buffer_size < 2 * ngx_pagesize
        || ctx->received < NGX_HTTP_UPLOAD_FAST || ctx->slow
        || !ngx_http_upload_buffer_ample())
    {
        return size;
    }

    return ngx_max(size, NGX_HTTP_UPLOAD_SPARING);
}


/* There is nothing to do: what is ripe is written first. */

static ngx_int_t
ngx_http_upload_input_idle(ngx_http_upload_ctx_t *ctx, ngx_int_t why)
{
    ngx_int_t  rc;

    if (!ctx->ripe) {
        return why;
    }

    rc = ngx_http_upload_segment_push(ctx);

    return rc == NGX_OK ? why : rc;
}


/* NGX_AGAIN: core waits for more. */

static ngx_int_t
ngx_http_upload_input_read(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    rc = ngx_http_read_unbuffered_request_body(r);

    if (rc == NGX_OK || rc == NGX_AGAIN) {
        return rc;
    }

    if (rc < NGX_HTTP_SPECIAL_RESPONSE) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (rc == NGX_HTTP_BAD_REQUEST && r->connection->error) {
        rc = NGX_HTTP_CLIENT_CLOSED_REQUEST;

    } else if (rc == NGX_HTTP_INTERNAL_SERVER_ERROR
               && ngx_http_upload_input_severed(r))
    {
        rc = NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    if (!ngx_http_upload_segment_keeps(ctx)) {
        return rc;
    }

    /* what has come before it is taken first */

    ctx->broken = rc;

    return NGX_OK;
}


/*
 * Over HTTP/2 whoever reads says that more may come, and learns thereby that
 * the client is no more: core takes that for a failure of its own.
 */

static ngx_uint_t
ngx_http_upload_input_severed(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    return r->stream && r->stream->connection->connection->error;
#else
    return 0;
#endif
}


/*
 * Of a file, small reads are gathered in core's own buffer, and taken from it
 * when it is full.  Over HTTP/2 and HTTP/3 it is the window of the stream as
 * well, and nothing more comes while it is full: there less must do.  So it
 * must where many uploads have buffers: what is written needs none.
 */

static ngx_uint_t
ngx_http_upload_input_enough(ngx_http_upload_ctx_t *ctx)
{
    size_t                    n;
    ngx_buf_t                *b;
    ngx_uint_t                streamed;
    ngx_chain_t              *cl;
    ngx_http_request_t       *r;
    ngx_http_request_body_t  *rb;

    r = ctx->request;
    rb = r->request_body;

    if (!r->reading_body || ctx->broken) {
        return 1;
    }

    if (rb->bufs == NULL) {
        return 0;
    }

    b = rb->buf;

    if (b == NULL || b->last == b->end || ctx->conf->limit_rate || ctx->ripe
        || ctx->store.fd == NGX_INVALID_FILE)
    {
        return 1;
    }

    streamed = ngx_http_upload_input_streamed(r);

    if (!streamed && !ngx_http_upload_buffer_scarce()) {
        return 0;
    }

    for (n = 0, cl = rb->bufs; cl; cl = cl->next) {
        n += cl->buf->last - cl->buf->pos;
    }

    if (streamed) {
        return n >= ngx_min((size_t) (b->end - b->start) / 4,
                            NGX_HTTP_UPLOAD_GATHER);
    }

    return n >= NGX_HTTP_UPLOAD_DIRECT
           || n <= ngx_http_upload_store_room(ctx);
}


ngx_uint_t
ngx_http_upload_input_streamed(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    if (r->stream) {
        return 1;
    }
#endif

#if (NGX_HTTP_V3)
    if (r->http_version == NGX_HTTP_VERSION_30) {
        return 1;
    }
#endif

    return 0;
}


/* Buffers that core reads into are given back as read. */

static ngx_int_t
ngx_http_upload_input_fresh(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                 rc;
    ngx_http_request_body_t  *rb;

    rb = ctx->request->request_body;
    rc = NGX_OK;

    while (rb->bufs && rc == NGX_OK) {
        rc = ngx_http_upload_input_run(ctx);
    }

    return rc;
}


/* Core puts what it reads one behind the other: that is one piece to us. */

static ngx_int_t
ngx_http_upload_input_run(ngx_http_upload_ctx_t *ctx)
{
    u_char                   *start, *pos, *last;
    ngx_int_t                 rc;
    ngx_uint_t                links;
    ngx_chain_t              *cl;
    ngx_http_request_body_t  *rb;

    rb = ctx->request->request_body;
    cl = rb->bufs;

    start = cl->buf->pos;
    last = cl->buf->last;
    links = 1;

    for (cl = cl->next; cl && cl->buf->pos == last; cl = cl->next) {
        last = cl->buf->last;
        links++;
    }

    pos = start;
    rc = NGX_OK;

    if (pos < last) {
        ctx->lendable = ngx_http_upload_input_lendable(ctx, pos, last);
        rc = ctx->entrance->read(ctx, &pos, last);
        ctx->received += pos - start;
    }

    while (links--) {
        cl = rb->bufs;

        if (cl->buf->last > pos) {
            cl->buf->pos = pos;
            break;
        }

        cl->buf->pos = cl->buf->last;
        rb->bufs = cl->next;
        ngx_free_chain(ctx->request->pool, cl);
    }

    return rc;
}


static u_char *
ngx_http_upload_input_lendable(ngx_http_upload_ctx_t *ctx, u_char *pos,
    u_char *last)
{
    ngx_buf_t  *b;

    b = ctx->request->request_body->buf;

    return (ctx->window.data && pos >= b->start && last == b->last) ? last
                                                                    : NULL;
}


/* Others use a body that was read before as well: it stays as it is. */

static ngx_int_t
ngx_http_upload_input_stored(ngx_http_upload_ctx_t *ctx)
{
    u_char     *pos;
    ngx_int_t   rc;

    ctx->lendable = NULL;

    for ( ;; ) {

        while (ctx->chunk_pos == ctx->chunk_last) {

            rc = ngx_http_upload_input_chunk(ctx);

            if (rc == NGX_DECLINED) {
                return NGX_OK;
            }

            if (rc != NGX_OK) {
                return rc;
            }
        }

        pos = ctx->chunk_pos;
        rc = ctx->entrance->read(ctx, &ctx->chunk_pos, ctx->chunk_last);
        ctx->received += ctx->chunk_pos - pos;

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


/* The next bytes of the body; NGX_DECLINED: there are none. */

static ngx_int_t
ngx_http_upload_input_chunk(ngx_http_upload_ctx_t *ctx)
{
    size_t      size;
    ssize_t     n;
    ngx_buf_t  *b;

    if (ctx->link == NULL) {
        return NGX_DECLINED;
    }

    b = ctx->link->buf;

    if (!b->in_file || ngx_buf_in_memory(b)) {
        ctx->chunk_pos = b->pos;
        ctx->chunk_last = b->last;
        ctx->link = ctx->link->next;
        return NGX_OK;
    }

    if (b->file_pos + ctx->chunk_offset == b->file_last) {
        ctx->chunk_offset = 0;
        ctx->link = ctx->link->next;
        return NGX_OK;
    }

    if (ctx->chunk == NULL) {
        ctx->chunk = ngx_palloc(ctx->request->pool, NGX_HTTP_UPLOAD_FILE_CHUNK);
        if (ctx->chunk == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    size = (size_t) ngx_min(b->file_last - b->file_pos - ctx->chunk_offset,
                            NGX_HTTP_UPLOAD_FILE_CHUNK);

    n = ngx_read_file(b->file, ctx->chunk, size,
                      b->file_pos + ctx->chunk_offset);
    if (n <= 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->chunk_pos = ctx->chunk;
    ctx->chunk_last = ctx->chunk + n;
    ctx->chunk_offset += n;

    return NGX_OK;
}


/*
 * Only where so much of the body is to come that the kernel is sure to reach
 * the mark; and not when the client has been found to be slow.
 */

static void
ngx_http_upload_input_doze(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (r->headers_in.chunked || ctx->conf->limit_rate || ctx->slow
        || ctx->received - ctx->heard < NGX_HTTP_UPLOAD_FAST
        || ngx_http_upload_input_coming(r) < NGX_HTTP_UPLOAD_LOWAT
                                             + NGX_HTTP_UPLOAD_AHEAD)
    {
        ngx_http_upload_awake(ctx);
        return;
    }

    ngx_http_upload_input_lowat(ctx, NGX_HTTP_UPLOAD_LOWAT);

    if (ngx_http_upload_input_streamed(r) && !ctx->nap.timer_set) {
        ctx->nap.handler = ngx_http_upload_input_nap;
        ctx->nap.data = ctx;
        ctx->nap.log = r->connection->log;
        ngx_add_timer(&ctx->nap, NGX_HTTP_UPLOAD_NAP);
    }
}


/*
 * Bytes that the client can send before it hears from us, where nothing but the
 * body is known to come on the connection.
 */

static off_t
ngx_http_upload_input_coming(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    if (r->stream) {
        return r->stream->connection->processing > 1
               ? 0
               : ngx_min(r->headers_in.content_length_n
                         - r->request_body->received,
                         (off_t) r->stream->recv_window);
    }
#endif

    return ngx_http_upload_input_streamed(r) ? 0 : r->request_body->rest;
}


/*
 * On HTTP/2 another request may come, or the client may have given this one up:
 * every now and then every byte is heard of for a while.
 */

static void
ngx_http_upload_input_nap(ngx_event_t *ev)
{
    ngx_http_upload_ctx_t *ctx = ev->data;

    ctx->heard = ctx->received;

    ngx_http_upload_awake(ctx);
}


/*
 * The kernel makes room for what a connection brings step by step, and at once
 * for twice a mark.  The room stays when the mark is taken back.
 */

void
ngx_http_upload_input_open(ngx_http_upload_ctx_t *ctx)
{
    off_t                length;
    ngx_http_request_t  *r;

    r = ctx->request;
    length = r->headers_in.content_length_n;

    if (length < NGX_HTTP_UPLOAD_AHEAD || ngx_http_upload_input_streamed(r)
        || ctx->conf->limit_rate)
    {
        return;
    }

    ngx_http_upload_input_lowat(ctx,
                                (int) ngx_min(length, NGX_HTTP_UPLOAD_LOWAT));
    ngx_http_upload_awake(ctx);
}


void
ngx_http_upload_awake(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_input_lowat(ctx, 0);
}


/*
 * SO_RCVLOWAT of socket(7): epoll says nothing before so much is there.  The
 * kernel takes 0, any byte, for 1.
 */

static void
ngx_http_upload_input_lowat(ngx_http_upload_ctx_t *ctx, int bytes)
{
    ngx_connection_t  *c;

    c = ctx->request->connection;

    if (ctx->lowat == bytes || c->fd == (ngx_socket_t) -1) {
        return;
    }

    ctx->lowat = bytes;

    (void) setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(int));
}


/* Less than the mark may have come: only who sends nothing is silent. */

void
ngx_http_upload_dozed(ngx_http_upload_ctx_t *ctx)
{
    ngx_event_t  *rev;

    rev = ctx->request->connection->read;

    if (!rev->timedout || ctx->lowat == 0) {
        return;
    }

    ctx->slow = 1;
    rev->timedout = 0;

    ngx_http_upload_input_rouse(ctx);
}


ngx_uint_t
ngx_http_upload_input_waits(ngx_http_upload_ctx_t *ctx)
{
    if (ngx_http_upload_unread(ctx) == 0) {
        return 0;
    }

    ngx_http_upload_input_rouse(ctx);

    return 1;
}


off_t
ngx_http_upload_unread(ngx_http_upload_ctx_t *ctx)
{
    int  bytes;

    if (ctx->lowat == 0
        || ioctl(ctx->request->connection->fd, FIONREAD, &bytes) == -1)
    {
        return 0;
    }

    return bytes;
}


off_t
ngx_http_upload_arrived(ngx_http_upload_ctx_t *ctx)
{
    off_t         come;
    ngx_chain_t  *cl;

    come = ctx->received;

    if (ctx->reading && ctx->request->request_body) {

        for (cl = ctx->request->request_body->bufs; cl; cl = cl->next) {
            come += cl->buf->last - cl->buf->pos;
        }
    }

    return come;
}


/* What the kernel has may be read, though it has said nothing. */

static void
ngx_http_upload_input_rouse(ngx_http_upload_ctx_t *ctx)
{
    ngx_event_t  *rev;

    rev = ctx->request->connection->read;

    ngx_http_upload_awake(ctx);

    rev->ready = 1;
#if (NGX_HAVE_FIONREAD)
    rev->available = -1;
#endif
}
