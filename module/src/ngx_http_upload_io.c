
#include "ngx_http_upload.h"

#include <sys/resource.h>


/*
 * What has been written goes to the disk in the background from so many bytes
 * on: what is left to wait for at the end does not grow with the file.
 */
#define NGX_HTTP_UPLOAD_WRITEBACK  (8 * 1024 * 1024)

/* Milliseconds after which the log says that a write is not done yet. */
#define NGX_HTTP_UPLOAD_LONG       60000

/*
 * The worker writes itself, which costs less than waking a thread, as long as
 * the page cache takes what it is given.  Milliseconds of a write that slept
 * from which on it does not, and for how long threads write then.
 */
#define NGX_HTTP_UPLOAD_SLOW       10
#define NGX_HTTP_UPLOAD_RECOVERY   5000


static void ngx_http_upload_io_bytes(ngx_http_upload_io_t *io);
static ngx_err_t ngx_http_upload_io_room(ngx_http_upload_io_t *io,
    size_t length);
static ngx_err_t ngx_http_upload_io_put(ngx_http_upload_io_t *io,
    size_t length);
static ngx_err_t ngx_http_upload_io_all(ngx_http_upload_io_t *io,
    struct iovec *piece, ngx_uint_t n, off_t offset);
static ngx_err_t ngx_http_upload_io_gaps(ngx_http_upload_io_t *io,
    u_char *data, size_t length, off_t offset);
static ngx_int_t ngx_http_upload_io_digest(ngx_http_upload_io_t *io);
#if (NGX_THREADS)
static ngx_uint_t ngx_http_upload_io_inline(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_io_timed(ngx_http_upload_io_t *io);
static ngx_uint_t ngx_http_upload_io_more(ngx_http_upload_io_t *io);
static ngx_int_t ngx_http_upload_io_post(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_io_thread(void *data, ngx_log_t *log);
static void ngx_http_upload_io_event(ngx_event_t *ev);


/* Of this worker: when it may write itself again. */
static ngx_msec_t  ngx_http_upload_slow_until;

#endif


ngx_int_t
ngx_http_upload_io_start(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_io_t  *io;

    io = &ctx->io;

    io->err = 0;
    io->call = NULL;
    io->path = NULL;
    io->status = NGX_HTTP_INSUFFICIENT_STORAGE;
    io->put = 0;

#if (NGX_THREADS)

    if (ctx->conf->pool) {

        if (io->run == ngx_http_upload_io_write
            && ngx_http_upload_io_inline(ctx))
        {
            ngx_http_upload_io_timed(io);

            if (io->call || !ngx_http_upload_io_more(io)) {
                return ngx_http_upload_io_result(ctx);
            }
        }

        return ngx_http_upload_io_post(ctx);
    }

#endif

    io->run(io);

    return ngx_http_upload_io_result(ctx);
}


ngx_uint_t
ngx_http_upload_io_in_place(ngx_http_upload_ctx_t *ctx)
{
#if (NGX_THREADS)

    /* before the file is open nobody knows who will ask for what */

    return ctx->conf->pool == NULL
           || (ctx->store.fd != NGX_INVALID_FILE && ctx->digests == 0
               && ctx->io.digest == NULL && ctx->io.content == NULL
               && ngx_http_upload_io_inline(ctx));
#else

    return 1;

#endif
}


ngx_int_t
ngx_http_upload_io_result(ngx_http_upload_ctx_t *ctx)
{
    ngx_err_t              err;
    ngx_http_upload_io_t  *io;

    io = &ctx->io;

    if (io->busy) {
        return NGX_AGAIN;
    }

    if (io->call == NULL) {
        return NGX_OK;
    }

    err = io->err;

    if (err == NGX_ECANCELED) {
        ngx_log_error(NGX_LOG_INFO, ctx->request->connection->log, 0,
                      "upload: another request has taken over \"%V\"",
                      &ctx->path);
        return NGX_HTTP_CONFLICT;
    }

    return ngx_http_upload_path_error(ctx, err, io->call,
                                      io->path ? io->path : ctx->path.data,
                                      err ? io->status
                                          : NGX_HTTP_INTERNAL_SERVER_ERROR);
}


void
ngx_http_upload_io_write(ngx_http_upload_io_t *io)
{
    if (!io->put) {

        ngx_http_upload_io_bytes(io);

        if (io->call) {
            return;
        }
    }

    if (ngx_http_upload_io_digest(io) != NGX_OK) {
        io->call = "a digest of OpenSSL";
        return;
    }

    io->offset += io->piece[0].iov_len + io->piece[1].iov_len;

    if (io->wrote) {
        io->err = io->wrote(io);

        if (io->err) {
            io->call = "write()";
            return;
        }
    }

    if (io->writeback && io->offset - io->flushed >= NGX_HTTP_UPLOAD_WRITEBACK)
    {
        /* it may fail: fdatasync() tells */

        (void) sync_file_range(io->fd, io->flushed, io->offset - io->flushed,
                               SYNC_FILE_RANGE_WRITE);
        io->flushed = io->offset;
    }

    if (io->sync && fdatasync(io->fd) == -1) {
        io->call = "fdatasync()";
        io->err = ngx_errno;
    }
}


static void
ngx_http_upload_io_bytes(ngx_http_upload_io_t *io)
{
    size_t     length;
    ngx_err_t  err;

    length = io->piece[0].iov_len + io->piece[1].iov_len;
    io->put = 1;

    if (length == 0) {
        return;
    }

    err = ngx_http_upload_io_room(io, length);

    if (err == 0) {
        err = ngx_http_upload_io_put(io, length);
    }

    if (err) {
        io->call = "write()";
        io->err = err;
    }
}


static ngx_err_t
ngx_http_upload_io_room(ngx_http_upload_io_t *io, size_t length)
{
    off_t           bytes;
    struct statvfs  fs;

    if (io->min_free_space == 0 || fstatvfs(io->fd, &fs) == -1) {
        return 0;
    }

    bytes = (off_t) fs.f_bavail * (off_t) fs.f_frsize;

    return bytes < io->min_free_space + (off_t) length ? NGX_ENOSPC : 0;
}


/* Under the guard no other request may take the place between check and write. */

static ngx_err_t
ngx_http_upload_io_put(ngx_http_upload_io_t *io, size_t length)
{
    ngx_err_t     err;
    struct iovec  piece[2];

    if (io->enter) {
        err = io->enter(io->guard);
        if (err) {
            return err;
        }
    }

    if (io->skip && io->skip->count) {
        err = ngx_http_upload_io_gaps(io, io->piece[0].iov_base,
                                      io->piece[0].iov_len, io->offset);

        if (err == 0) {
            err = ngx_http_upload_io_gaps(io, io->piece[1].iov_base,
                                          io->piece[1].iov_len,
                                          io->offset + io->piece[0].iov_len);
        }

    } else {
        piece[0] = io->piece[0];
        piece[1] = io->piece[1];

        err = ngx_http_upload_io_all(io, piece, 2, io->offset);
    }

    if (io->leave) {
        io->leave(io->guard);
    }

    return err;
}


static ngx_err_t
ngx_http_upload_io_all(ngx_http_upload_io_t *io, struct iovec *piece,
    ngx_uint_t n, off_t offset)
{
    size_t      used;
    ssize_t     written;
    ngx_uint_t  i;

    for ( ;; ) {

        while (n && piece->iov_len == 0) {
            piece++;
            n--;
        }

        if (n == 0) {
            return 0;
        }

        written = pwritev(io->fd, piece, n, offset);

        if (written == -1) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return ngx_errno;
        }

        offset += written;

        for (i = 0; i < n && written; i++) {
            used = ngx_min((size_t) written, piece[i].iov_len);
            piece[i].iov_base = (u_char *) piece[i].iov_base + used;
            piece[i].iov_len -= used;
            written -= used;
        }
    }
}


/* What counts as received is never written again. */

static ngx_err_t
ngx_http_upload_io_gaps(ngx_http_upload_io_t *io, u_char *data, size_t length,
    off_t offset)
{
    int64_t         at, end;
    ngx_err_t       err;
    struct iovec    piece;
    upload_range_t  gap;

    at = offset;
    end = offset + length;

    while (at < end && upload_ranges_gap(io->skip, at, end, &gap)) {

        piece.iov_base = data + (gap.start - offset);
        piece.iov_len = gap.end - gap.start;

        err = ngx_http_upload_io_all(io, &piece, 1, gap.start);
        if (err) {
            return err;
        }

        at = gap.end;
    }

    return 0;
}


static ngx_int_t
ngx_http_upload_io_digest(ngx_http_upload_io_t *io)
{
    off_t        offset;
    u_char      *data;
    size_t       length, known;
    ngx_uint_t   i;

    offset = io->offset;

    for (i = 0; i < 2; i++) {

        data = io->piece[i].iov_base;
        length = io->piece[i].iov_len;

        if (length && io->content
            && upload_digest_update(io->content, data, length) != 0)
        {
            return NGX_ERROR;
        }

        known = (size_t) ngx_min(ngx_max(io->hashed - offset, 0),
                                 (off_t) length);
        offset += length;

        if (length > known && io->digest
            && upload_digest_update(io->digest, data + known, length - known)
               != 0)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


#if (NGX_THREADS)

/* A guard may have to wait for another process. */

static ngx_uint_t
ngx_http_upload_io_inline(ngx_http_upload_ctx_t *ctx)
{
    return ctx->io.enter == NULL
           && (ctx->in_place
               || (ngx_msec_int_t) (ngx_current_msec
                                    - ngx_http_upload_slow_until) >= 0);
}


static void
ngx_http_upload_io_timed(ngx_http_upload_io_t *io)
{
    int64_t          elapsed;
    struct rusage    before, after;
    struct timespec  start, end;

    (void) getrusage(RUSAGE_THREAD, &before);
    (void) clock_gettime(CLOCK_MONOTONIC, &start);

    ngx_http_upload_io_bytes(io);

    (void) clock_gettime(CLOCK_MONOTONIC, &end);
    (void) getrusage(RUSAGE_THREAD, &after);

    elapsed = (end.tv_sec - start.tv_sec) * 1000
              + (end.tv_nsec - start.tv_nsec) / 1000000;

    /* on a busy machine it may have waited for a processor alone */

    if (elapsed >= NGX_HTTP_UPLOAD_SLOW && after.ru_nvcsw > before.ru_nvcsw) {
        ngx_http_upload_slow_until = ngx_current_msec + elapsed
                                     + NGX_HTTP_UPLOAD_RECOVERY;
    }
}


/* Whether there is something left that takes long. */

static ngx_uint_t
ngx_http_upload_io_more(ngx_http_upload_io_t *io)
{
    off_t  end;

    end = io->offset + io->piece[0].iov_len + io->piece[1].iov_len;

    if (io->digest || io->content || io->wrote || io->sync
        || (io->writeback && end - io->flushed >= NGX_HTTP_UPLOAD_WRITEBACK))
    {
        return 1;
    }

    io->offset = end;

    return 0;
}


static ngx_int_t
ngx_http_upload_io_post(ngx_http_upload_ctx_t *ctx)
{
    ngx_thread_task_t  *task;

    task = ctx->io.task;

    if (task == NULL) {
        task = ngx_thread_task_alloc(ctx->request->pool, 0);
        if (task == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        task->ctx = ctx;
        task->handler = ngx_http_upload_io_thread;
        task->event.data = ctx;
        task->event.handler = ngx_http_upload_io_event;
        task->event.log = ctx->request->connection->log;
        ctx->io.task = task;
    }

    if (ngx_thread_task_post(ctx->conf->pool, task) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->io.busy = 1;
    ctx->request->main->blocked++;

    /* core does so too: a worker that shuts down waits for timers only */

    ngx_add_timer(&task->event, NGX_HTTP_UPLOAD_LONG);

    return NGX_AGAIN;
}


static void
ngx_http_upload_io_thread(void *data, ngx_log_t *log)
{
    ngx_http_upload_ctx_t *ctx = data;

    ctx->io.run(&ctx->io);
}


static void
ngx_http_upload_io_event(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_upload_ctx_t  *ctx;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ev->timedout) {
        ngx_log_error(NGX_LOG_WARN, c->log, 0,
                      "upload: the disk takes long to write \"%V\"",
                      &ctx->path);
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_HTTP_UPLOAD_LONG);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ctx->io.busy = 0;
    r->main->blocked--;

    if (r->done) {
        c->write->handler(c->write);

    } else if (r->write_event_handler != ngx_http_request_empty_handler) {
        /* core has ended the request and waited only for the thread */
        r->write_event_handler(r);

    } else if (ctx->waiting) {
        ctx->waiting = 0;
        ngx_http_upload_process(ctx);
    }

    ngx_http_run_posted_requests(c);
}

#endif
