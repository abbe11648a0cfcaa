
#include "ngx_http_upload.h"

#include <sched.h>
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

/*
 * Bytes up to which it also hashes itself; CRC-32 is light in any case.  More
 * where threads have buffers enough to be busy with.
 */
#define NGX_HTTP_UPLOAD_WORTH      (128 * 1024)
#define NGX_HTTP_UPLOAD_CROWD      (256 * 1024)

/*
 * Milliseconds for which threads stay where they are, when one that went to
 * another processor had to share it.
 */
#define NGX_HTTP_UPLOAD_CROWDED    1000

/* Stages of a job that follows another: nobody has told a thread of it yet. */
#define NGX_HTTP_UPLOAD_WAITING    1
#define NGX_HTTP_UPLOAD_POSTED     2


static ngx_http_upload_job_t *ngx_http_upload_io_free(
    ngx_http_upload_io_t *io);
static ngx_int_t ngx_http_upload_io_start(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_job_t *job);
static void ngx_http_upload_io_job(ngx_http_upload_job_t *job);
static void ngx_http_upload_io_bytes(ngx_http_upload_job_t *job,
    ngx_uint_t wait);
static void ngx_http_upload_io_digest(ngx_http_upload_job_t *job);
static void ngx_http_upload_io_rest(ngx_http_upload_job_t *job);
static ngx_err_t ngx_http_upload_io_space(ngx_http_upload_io_t *io,
    size_t length);
static ngx_err_t ngx_http_upload_io_put(ngx_http_upload_job_t *job,
    ngx_uint_t wait);
static ngx_uint_t ngx_http_upload_io_missing(ngx_http_upload_job_t *job);
static ngx_err_t ngx_http_upload_io_all(ngx_http_upload_io_t *io,
    struct iovec *piece, ngx_uint_t n, off_t offset);
static ngx_err_t ngx_http_upload_io_gaps(ngx_http_upload_io_t *io,
    u_char *data, size_t length, off_t offset);
static void ngx_http_upload_io_ended(ngx_http_upload_job_t *job);
static off_t ngx_http_upload_io_end(ngx_http_upload_job_t *job);
#if (NGX_THREADS)
static ngx_uint_t ngx_http_upload_io_inline(ngx_http_upload_ctx_t *ctx);
static ngx_uint_t ngx_http_upload_io_light(ngx_http_upload_ctx_t *ctx,
    size_t size);
static ngx_uint_t ngx_http_upload_io_now(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_job_t *job);
static void ngx_http_upload_io_timed(ngx_http_upload_job_t *job);
static ngx_int_t ngx_http_upload_io_post(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_job_t *job);
static ngx_int_t ngx_http_upload_io_task(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_job_t *job);
static void ngx_http_upload_io_thread(void *data, ngx_log_t *log);
static void ngx_http_upload_io_aside(ngx_http_upload_job_t *job);
static void ngx_http_upload_io_event(ngx_event_t *ev);
static ngx_http_upload_job_t *ngx_http_upload_io_other(
    ngx_http_upload_job_t *job);


/* Of this worker: when it may write itself again. */
static ngx_msec_t  ngx_http_upload_slow_until;

/* When threads may look for another processor again. */
static volatile ngx_msec_t  ngx_http_upload_crowded_until;

#endif


ngx_int_t
ngx_http_upload_io_write(ngx_http_upload_ctx_t *ctx, off_t offset,
    struct iovec *piece, ngx_http_upload_buffer_t *lent, ngx_uint_t sync)
{
    ngx_http_upload_job_t  *job;

    job = ngx_http_upload_io_free(&ctx->io);

    job->run = NULL;
    job->offset = offset;
    job->piece[0] = piece[0];
    job->piece[1] = piece[1];
    job->sync = sync;
    job->put = (piece[0].iov_len + piece[1].iov_len == 0);
    job->digested = (ctx->io.digest == NULL && ctx->io.content == NULL);
    job->lender = lent;

    return ngx_http_upload_io_start(ctx, job);
}


ngx_int_t
ngx_http_upload_io_run(ngx_http_upload_ctx_t *ctx,
    void (*run)(ngx_http_upload_io_t *io))
{
    ngx_http_upload_io_t   *io;
    ngx_http_upload_job_t  *job;

    io = &ctx->io;

    io->err = 0;
    io->call = NULL;
    io->path = NULL;

    job = ngx_http_upload_io_free(io);
    job->run = run;
    job->lender = NULL;

    return ngx_http_upload_io_start(ctx, job);
}


static ngx_http_upload_job_t *
ngx_http_upload_io_free(ngx_http_upload_io_t *io)
{
    return &io->job[io->job[0].busy];
}


static ngx_int_t
ngx_http_upload_io_start(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_job_t *job)
{
    ngx_http_upload_io_t  *io;

    io = &ctx->io;
    io->status = NGX_HTTP_INSUFFICIENT_STORAGE;

    if (io->busy == 0) {
        io->broken = 0;
    }

    job->ctx = ctx;
    job->err = 0;
    job->call = NULL;

#if (NGX_THREADS)

    if (ctx->conf->pool) {

        if (job->run == NULL && ngx_http_upload_io_now(ctx, job)) {
            ngx_http_upload_io_ended(job);
            return ngx_http_upload_io_result(ctx);
        }

        return ngx_http_upload_io_post(ctx, job);
    }

#endif

    ngx_http_upload_io_job(job);
    ngx_http_upload_io_ended(job);

    return ngx_http_upload_io_result(ctx);
}


ngx_uint_t
ngx_http_upload_io_due(ngx_http_upload_io_t *io)
{
    return io->wrote != NULL && io->due != INT64_MAX
           && ngx_http_upload_io_clock(CLOCK_MONOTONIC) >= io->due;
}


int64_t
ngx_http_upload_io_clock(clockid_t clock)
{
    struct timespec  now;

    (void) clock_gettime(clock, &now);

    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}


ngx_int_t
ngx_http_upload_io_room(ngx_http_upload_ctx_t *ctx)
{
    if (ctx->io.call) {
        return ngx_http_upload_io_result(ctx);
    }

    /* each piece of work has a buffer of its own */

    return ctx->io.busy >= (ngx_http_upload_buffer_scarce() ? 1 : 2)
           ? NGX_AGAIN : NGX_OK;
}


ngx_uint_t
ngx_http_upload_io_in_place(ngx_http_upload_ctx_t *ctx, size_t size)
{
#if (NGX_THREADS)

    ngx_http_upload_io_t  *io;

    io = &ctx->io;

    /* before the file is open nobody knows who will ask for what */

    return ctx->conf->pool == NULL
           || (ctx->store.fd != NGX_INVALID_FILE && io->enter == NULL
               && ngx_http_upload_io_light(ctx, ngx_max(size,
                                                     ctx->conf->buffer_size))
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


static void
ngx_http_upload_io_job(ngx_http_upload_job_t *job)
{
    ngx_http_upload_io_t  *io;

    io = &job->ctx->io;

    if (job->run) {
        job->run(io);
        return;
    }

    if (io->broken) {
        return;
    }

    ngx_http_upload_io_bytes(job, 1);
    ngx_http_upload_io_digest(job);
    ngx_http_upload_io_rest(job);

    io->broken = (job->call != NULL);
}


static void
ngx_http_upload_io_bytes(ngx_http_upload_job_t *job, ngx_uint_t wait)
{
    ngx_err_t  err;

    if (job->put) {
        return;
    }

    err = ngx_http_upload_io_space(&job->ctx->io, job->piece[0].iov_len
                                                  + job->piece[1].iov_len);

    if (err == 0) {
        err = ngx_http_upload_io_put(job, wait);
    }

    if (err == NGX_EAGAIN && !wait) {
        return;
    }

    job->put = 1;

    if (err) {
        job->call = "write()";
        job->err = err;
    }
}


static void
ngx_http_upload_io_digest(ngx_http_upload_job_t *job)
{
    off_t                  offset;
    u_char                *data;
    size_t                 length, known;
    ngx_uint_t             i;
    ngx_http_upload_io_t  *io;

    if (job->digested || job->call) {
        return;
    }

    io = &job->ctx->io;
    offset = job->offset;
    job->digested = 1;

    for (i = 0; i < 2; i++) {

        data = job->piece[i].iov_base;
        length = job->piece[i].iov_len;

        if (length && io->content
            && upload_digest_update(io->content, data, length) != 0)
        {
            job->call = "a digest of OpenSSL";
            return;
        }

        known = (size_t) ngx_min(ngx_max(io->hashed - offset, 0),
                                 (off_t) length);
        offset += length;

        if (length > known && io->digest
            && upload_digest_update(io->digest, data + known, length - known)
               != 0)
        {
            job->call = "a digest of OpenSSL";
            return;
        }
    }
}


static void
ngx_http_upload_io_rest(ngx_http_upload_job_t *job)
{
    ngx_http_upload_io_t  *io;

    if (job->call) {
        return;
    }

    io = &job->ctx->io;
    io->offset = ngx_http_upload_io_end(job);

    if (io->wrote) {
        job->err = io->wrote(io);

        if (job->err) {
            job->call = "write()";
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

    if (job->sync && fdatasync(io->fd) == -1) {
        job->call = "fdatasync()";
        job->err = ngx_errno;
        io->lost = 1;
    }
}


/* The first failure is what the request hears of. */

static void
ngx_http_upload_io_ended(ngx_http_upload_job_t *job)
{
    ngx_http_upload_io_t  *io;

    io = &job->ctx->io;

    if (job->call && io->call == NULL) {
        io->call = job->call;
        io->err = job->err;
    }
}


static off_t
ngx_http_upload_io_end(ngx_http_upload_job_t *job)
{
    return job->offset + job->piece[0].iov_len + job->piece[1].iov_len;
}


static ngx_err_t
ngx_http_upload_io_space(ngx_http_upload_io_t *io, size_t length)
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
ngx_http_upload_io_put(ngx_http_upload_job_t *job, ngx_uint_t wait)
{
    ngx_err_t              err;
    struct iovec           piece[2];
    ngx_http_upload_io_t  *io;

    io = &job->ctx->io;

    if (io->enter) {
        err = io->enter(io->guard, wait);
        if (err) {
            return err;
        }
    }

    piece[0] = job->piece[0];
    piece[1] = job->piece[1];

    if (!ngx_http_upload_io_missing(job)) {
        err = ngx_http_upload_io_gaps(io, piece[0].iov_base, piece[0].iov_len,
                                      job->offset);

        if (err == 0) {
            err = ngx_http_upload_io_gaps(io, piece[1].iov_base,
                                          piece[1].iov_len,
                                          job->offset + piece[0].iov_len);
        }

    } else {
        err = ngx_http_upload_io_all(io, piece, 2, job->offset);
    }

    if (io->leave) {
        io->leave(io->guard);
    }

    return err;
}


/* Whether none of its bytes counts as received. */

static ngx_uint_t
ngx_http_upload_io_missing(ngx_http_upload_job_t *job)
{
    int64_t                end;
    upload_range_t         gap;
    ngx_http_upload_io_t  *io;

    io = &job->ctx->io;

    if (io->skip == NULL || io->skip->count == 0) {
        return 1;
    }

    end = ngx_http_upload_io_end(job);

    return upload_ranges_gap(io->skip, job->offset, end, &gap)
           && gap.start == job->offset && gap.end == end;
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


#if (NGX_THREADS)

static ngx_uint_t
ngx_http_upload_io_inline(ngx_http_upload_ctx_t *ctx)
{
    return ctx->in_place
           || (ngx_msec_int_t) (ngx_current_msec - ngx_http_upload_slow_until)
              >= 0;
}


/* Whether so many bytes are hashed sooner than a thread is woken. */

static ngx_uint_t
ngx_http_upload_io_light(ngx_http_upload_ctx_t *ctx, size_t size)
{
    ngx_uint_t             wanted;
    ngx_http_upload_io_t  *io;

    io = &ctx->io;

    wanted = ctx->digests | (io->digest ? io->digest->wanted : 0)
             | (io->content ? io->content->wanted : 0);

    return size <= NGX_HTTP_UPLOAD_WORTH
           || (size <= NGX_HTTP_UPLOAD_CROWD && ngx_http_upload_buffer_scarce())
           || (wanted & ~(1U << UPLOAD_DIGEST_CRC32)) == 0;
}


/* Does what takes no long here; whether that was all of it. */

static ngx_uint_t
ngx_http_upload_io_now(ngx_http_upload_ctx_t *ctx, ngx_http_upload_job_t *job)
{
    off_t                  end;
    ngx_http_upload_io_t  *io;

    if (!ngx_http_upload_io_inline(ctx)) {
        return 0;
    }

    io = &ctx->io;

    ngx_http_upload_io_timed(job);

    if (job->call) {
        return 1;
    }

    if (!job->put || io->busy) {
        return 0;
    }

    end = ngx_http_upload_io_end(job);

    if (ctx->in_place || ngx_http_upload_io_light(ctx, end - job->offset)) {
        ngx_http_upload_io_digest(job);
    }

    if (!job->digested || job->sync || ngx_http_upload_io_due(io)
        || (io->writeback && end - io->flushed >= NGX_HTTP_UPLOAD_WRITEBACK))
    {
        return 0;
    }

    ngx_http_upload_io_rest(job);

    return 1;
}


static void
ngx_http_upload_io_timed(ngx_http_upload_job_t *job)
{
    int64_t        elapsed;
    struct rusage  before, after;

    (void) getrusage(RUSAGE_THREAD, &before);
    elapsed = ngx_http_upload_io_clock(CLOCK_MONOTONIC);

    ngx_http_upload_io_bytes(job, 0);

    elapsed = (ngx_http_upload_io_clock(CLOCK_MONOTONIC) - elapsed) / 1000000;
    (void) getrusage(RUSAGE_THREAD, &after);

    /* on a busy machine it may have waited for a processor alone */

    if (elapsed >= NGX_HTTP_UPLOAD_SLOW && after.ru_nvcsw > before.ru_nvcsw) {
        ngx_http_upload_slow_until = ngx_current_msec + elapsed
                                     + NGX_HTTP_UPLOAD_RECOVERY;
    }
}


static ngx_int_t
ngx_http_upload_io_post(ngx_http_upload_ctx_t *ctx, ngx_http_upload_job_t *job)
{
    ngx_http_upload_job_t  *other;

    if (job->task == NULL && ngx_http_upload_io_task(ctx, job) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (job->lender && !(job->put && job->digested)) {
        job->lent = *job->lender;
        ngx_memzero(job->lender, sizeof(ngx_http_upload_buffer_t));
    }

    other = ngx_http_upload_io_other(job);
    job->ended = 0;
    job->cpu = sched_getcpu();

    /*
     * Of us and the thread that ends the other job, one at least sees what the
     * other has set, and one alone tells a thread of this one.
     */

    if (other->busy) {
        job->stage = 0;
        (void) ngx_atomic_cmp_set(&job->stage, 0, NGX_HTTP_UPLOAD_WAITING);
    }

    if ((!other->busy
         || (other->ended
             && ngx_atomic_cmp_set(&job->stage, NGX_HTTP_UPLOAD_WAITING,
                                   NGX_HTTP_UPLOAD_POSTED)))
        && ngx_thread_task_post(ctx->conf->pool, job->task) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    job->busy = 1;
    ctx->io.busy++;
    ctx->request->main->blocked++;

    /* core does so too: a worker that shuts down waits for timers only */

    ngx_add_timer(&job->task->event, NGX_HTTP_UPLOAD_LONG);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_upload_io_task(ngx_http_upload_ctx_t *ctx, ngx_http_upload_job_t *job)
{
    ngx_thread_task_t  *task;

    task = ngx_thread_task_alloc(ctx->request->pool, 0);
    if (task == NULL) {
        return NGX_ERROR;
    }

    task->ctx = job;
    task->handler = ngx_http_upload_io_thread;
    task->event.data = job;
    task->event.handler = ngx_http_upload_io_event;
    task->event.log = ctx->request->connection->log;

    job->task = task;

    return NGX_OK;
}


static void
ngx_http_upload_io_thread(void *data, ngx_log_t *log)
{
    ngx_http_upload_job_t *job = data;

    int64_t                 wall, used;
    ngx_uint_t              pure;
    ngx_http_upload_job_t  *next;

    pure = (job->run == NULL && job->put && !job->digested && !job->sync);

    if (pure) {
        ngx_http_upload_io_aside(job);
    }

    wall = ngx_http_upload_io_clock(CLOCK_MONOTONIC);
    used = ngx_http_upload_io_clock(CLOCK_THREAD_CPUTIME_ID);

    ngx_http_upload_io_job(job);

    wall = ngx_http_upload_io_clock(CLOCK_MONOTONIC) - wall;
    used = ngx_http_upload_io_clock(CLOCK_THREAD_CPUTIME_ID) - used;

    if (pure && wall > 2 * used && sched_getcpu() != job->cpu) {
        ngx_http_upload_crowded_until = ngx_current_msec
                                        + NGX_HTTP_UPLOAD_CROWDED;
    }

    next = ngx_http_upload_io_other(job);

    (void) ngx_atomic_cmp_set(&job->ended, 0, 1);

    if (ngx_atomic_cmp_set(&next->stage, NGX_HTTP_UPLOAD_WAITING,
                           NGX_HTTP_UPLOAD_POSTED)
        && ngx_thread_task_post(job->ctx->conf->pool, next->task) != NGX_OK)
    {
        /* the worker tries again when it hears of this one */
        (void) ngx_atomic_cmp_set(&next->stage, NGX_HTTP_UPLOAD_POSTED,
                                  NGX_HTTP_UPLOAD_WAITING);
    }
}


/*
 * A thread that was woken on the worker's processor only takes turns with it,
 * and not every scheduler moves such short work to one that is idle.
 */

static void
ngx_http_upload_io_aside(ngx_http_upload_job_t *job)
{
    cpu_set_t  all, others;

    if ((ngx_msec_int_t) (ngx_current_msec - ngx_http_upload_crowded_until) < 0
        || sched_getcpu() != job->cpu
        || sched_getaffinity(0, sizeof(cpu_set_t), &all) == -1)
    {
        return;
    }

    others = all;
    CPU_CLR(job->cpu, &others);

    if (CPU_COUNT(&others) && sched_setaffinity(0, sizeof(cpu_set_t), &others)
                              == 0)
    {
        (void) sched_setaffinity(0, sizeof(cpu_set_t), &all);
    }
}


static void
ngx_http_upload_io_event(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_upload_ctx_t  *ctx;
    ngx_http_upload_job_t  *job, *next;

    job = ev->data;
    ctx = job->ctx;
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

    job->busy = 0;
    ctx->io.busy--;
    r->main->blocked--;

    ngx_http_upload_buffer_give(&job->lent);
    ngx_http_upload_store_spare(ctx);

    ngx_http_upload_io_ended(job);

    next = ngx_http_upload_io_other(job);

    if (next->busy
        && ngx_atomic_cmp_set(&next->stage, NGX_HTTP_UPLOAD_WAITING,
                              NGX_HTTP_UPLOAD_POSTED)
        && ngx_thread_task_post(ctx->conf->pool, next->task) != NGX_OK)
    {
        next->call = "thread_pool";
        ngx_http_upload_io_event(&next->task->event);
        return;
    }

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


static ngx_http_upload_job_t *
ngx_http_upload_io_other(ngx_http_upload_job_t *job)
{
    ngx_http_upload_io_t  *io;

    io = &job->ctx->io;

    return &io->job[job == io->job];
}

#endif
