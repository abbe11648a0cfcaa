
#include "ngx_http_upload_segment.h"


static void ngx_http_upload_segment_lost(ngx_http_upload_ctx_t *ctx);
static ngx_err_t ngx_http_upload_segment_take_back(ngx_http_upload_ctx_t *ctx,
    ngx_uint_t told);
static ngx_uint_t ngx_http_upload_segment_current(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_segment_opened(ngx_http_upload_ctx_t *ctx);
static void ngx_http_upload_segment_watch(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_segment_path(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_segment_fresh(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_segment_refused(ngx_http_upload_ctx_t *ctx);
static ngx_int_t ngx_http_upload_segment_counted(ngx_http_upload_ctx_t *ctx);


ngx_http_upload_segment_t *
ngx_http_upload_segment_create(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_segment_t  *s;

    s = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_upload_segment_t));
    if (s == NULL) {
        return NULL;
    }

    s->total = -1;
    s->access = ctx->conf->access;
    s->digests = (unsigned) ctx->digests;
    s->fresh_fd = NGX_INVALID_FILE;
    s->state_fd = NGX_INVALID_FILE;
    s->data_fd = NGX_INVALID_FILE;

    upload_state_init(&s->state);

    ctx->segment = s;

    return s;
}


ngx_int_t
ngx_http_upload_segment_begin(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    for ( ;; ) {

        switch (s->step) {

        case NGX_HTTP_UPLOAD_SEGMENT_NEW:
            s->step = NGX_HTTP_UPLOAD_SEGMENT_CLAIMING;

            ctx->io.data = s;

            rc = ngx_http_upload_io_run(ctx, ngx_http_upload_segment_claim);
            break;

        case NGX_HTTP_UPLOAD_SEGMENT_CLAIMING:
            rc = ngx_http_upload_io_result(ctx);
            break;

        default:
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_http_upload_segment_opened(ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }
}


ngx_int_t
ngx_http_upload_segment_read(ngx_http_upload_ctx_t *ctx, u_char **pos,
    u_char *end)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    rc = ngx_http_upload_segment_begin(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    s = ctx->segment;

    if (end - *pos > s->range.end - ctx->store.base - ctx->store.size) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: the body is longer than its range");
        return ctx->session.len ? NGX_HTTP_RANGE_NOT_SATISFIABLE
                                : NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    return ngx_http_upload_store_write(ctx, pos, end);
}


ngx_int_t
ngx_http_upload_segment_commit(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    rc = ngx_http_upload_segment_begin(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    if (s->step == NGX_HTTP_UPLOAD_SEGMENT_WRITING) {

        if (!s->cut) {

            /* others may have put there what a piece of nothing makes whole */

            rc = ngx_http_upload_store_flush(ctx, ctx->conf->sync
                                                  && (ctx->store.size
                                                      || s->skip.count));
            if (rc != NGX_OK) {
                return rc;
            }

            s->end = ctx->store.base + ctx->store.size;
            s->synced = 1;
        }

        s->step = NGX_HTTP_UPLOAD_SEGMENT_COMMITTING;

        ctx->io.data = s;

        rc = ngx_http_upload_io_run(ctx, ngx_http_upload_segment_count);

    } else if (s->step == NGX_HTTP_UPLOAD_SEGMENT_COMMITTING) {
        rc = ngx_http_upload_io_result(ctx);

    } else {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    s->step = NGX_HTTP_UPLOAD_SEGMENT_ENDED;

    ngx_http_upload_segment_lost(ctx);

    if (s->adopted || s->forgotten) {
        ctx->store.files = NULL;
    }

    if (s->refused) {
        return ngx_http_upload_segment_refused(ctx);
    }

    return ngx_http_upload_segment_counted(ctx);
}


ngx_int_t
ngx_http_upload_segment_push(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_upload_io_result(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->ripe = 0;

    if (!ngx_http_upload_segment_uncounted(ctx)) {
        return NGX_OK;
    }

    ctx->io.due = 0;

    return ngx_http_upload_store_push(ctx);
}


ngx_uint_t
ngx_http_upload_segment_keeps(ngx_http_upload_ctx_t *ctx)
{
    return ctx->segment && ctx->segment->keeps;
}


ngx_uint_t
ngx_http_upload_segment_uncounted(ngx_http_upload_ctx_t *ctx)
{
    return ctx->store.base + ctx->store.size > ctx->segment->counted;
}


ngx_msec_int_t
ngx_http_upload_segment_wait(ngx_http_upload_ctx_t *ctx, ngx_uint_t silent)
{
    int64_t                     left;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (s->step != NGX_HTTP_UPLOAD_SEGMENT_WRITING || s->aborted) {
        return -1;
    }

    left = (silent ? s->rested : ctx->io.due)
           - ngx_http_upload_io_clock(CLOCK_MONOTONIC);

    /* to the millisecond, and not before */

    return left > 0 ? (ngx_msec_int_t) (left / 1000000 + 1) : 0;
}


/*
 * The request ends in its middle: nginx stops, which has seen to the end of all
 * threads, or core has failed it.  What was written counts, or goes.
 */

void
ngx_http_upload_segment_stop(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_io_t       *io;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;
    io = &ctx->io;

    if (s->token == 0 || s->aborted
        || s->step > NGX_HTTP_UPLOAD_SEGMENT_WRITING)
    {
        return;
    }

    s->aborted = 1;
    s->stopped = 1;

    io->err = 0;
    io->data = s;

    ngx_http_upload_segment_count(io);
    ngx_http_upload_segment_lost(ctx);

    if (io->err && io->err != NGX_ECANCELED) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, io->err,
                      "upload: what came of \"%V\" is not counted",
                      &ctx->path);
    }
}


/* The answer is about what cut the request off; only the log tells of this. */

static void
ngx_http_upload_segment_lost(ngx_http_upload_ctx_t *ctx)
{
    if (ctx->segment->sync_err) {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log,
                      ctx->segment->sync_err,
                      "upload: fdatasync() \"%V\" failed, "
                      "what came last is not counted", &ctx->path);
    }
}


void
ngx_http_upload_segment_free(ngx_http_upload_ctx_t *ctx)
{
    ngx_fd_t                   *fd;
    ngx_uint_t                  i;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (s == NULL) {
        return;
    }

    if (s->step >= NGX_HTTP_UPLOAD_SEGMENT_WRITING) {
        /* the store closes it */
        s->data_fd = NGX_INVALID_FILE;
    }

    for (i = 0; i < 3; i++) {

        fd = (i == 0) ? &s->state_fd : (i == 1) ? &s->fresh_fd : &s->data_fd;

        if (*fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(*fd);
            *fd = NGX_INVALID_FILE;
        }
    }

    upload_state_free(&s->state);
    upload_ranges_free(&s->skip);
}


void
ngx_http_upload_segment_remove(ngx_http_upload_ctx_t *ctx)
{
    ngx_err_t                   err;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (ngx_delete_file(ctx->path.data) == NGX_FILE_ERROR
        && ngx_errno != NGX_ENOENT)
    {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, ngx_errno,
                      "upload: unlink() \"%V\" failed", &ctx->path);
        return;
    }

    if (ctx->io.busy) {
        return;
    }

    err = ngx_http_upload_state_lock(s, 1);

    if (err == 0) {

        err = ngx_http_upload_state_load(s);

        if (err == 0 && ngx_http_upload_segment_current(ctx)
            && ngx_delete_file(s->state_path.data) == NGX_FILE_ERROR)
        {
            err = ngx_errno;
        }

        ngx_http_upload_state_unlock(s);
    }

    if (err && err != ESTALE) {
        ngx_log_error(NGX_LOG_CRIT, ctx->request->connection->log, err,
                      "upload: unlink() \"%V\" failed", &s->state_path);
    }
}


/*
 * No target has answered for the file: it is the session's again.  One that was
 * told may have taken it all the same.
 */

void
ngx_http_upload_segment_return(ngx_http_upload_ctx_t *ctx, ngx_uint_t told)
{
    ngx_err_t                   err;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (!s->handed) {
        return;
    }

    s->handed = 0;

    err = ngx_http_upload_state_lock(s, 1);

    if (err == 0) {
        err = ngx_http_upload_segment_take_back(ctx, told);
        ngx_http_upload_state_unlock(s);
    }

    if (err && err != ESTALE) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, err,
                      "upload: \"%V\" stays when its session begins anew",
                      &ctx->path);
    }
}


static ngx_err_t
ngx_http_upload_segment_take_back(ngx_http_upload_ctx_t *ctx, ngx_uint_t told)
{
    ngx_err_t                   err;
    upload_state_t             *state;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;
    state = &s->state;

    err = ngx_http_upload_state_load(s);

    if (err || state->handed == 0 || state->handed == UINT32_MAX
        || !ngx_http_upload_segment_current(ctx))
    {
        return err;
    }

    state->handed--;
    state->told |= (told != 0);

    return ngx_http_upload_state_save(s);
}


/* Whether the state, as last read, is still that of our file. */

static ngx_uint_t
ngx_http_upload_segment_current(ngx_http_upload_ctx_t *ctx)
{
    upload_state_t  *state;

    state = &ctx->segment->state;

    return state->path_length == ctx->path.len
           && ngx_memcmp(state->path, ctx->path.data, ctx->path.len) == 0;
}


/* The thread has looked at the state. */

static ngx_int_t
ngx_http_upload_segment_opened(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    if (s->broken) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "upload: the state \"%V\" was broken, "
                      "the file begins anew", &s->state_path);
        s->broken = 0;
    }

    if (s->refused) {
        return ngx_http_upload_segment_refused(ctx);
    }

    if (s->needs_file) {
        s->step = NGX_HTTP_UPLOAD_SEGMENT_NEW;
        return ngx_http_upload_segment_fresh(ctx);
    }

    rc = ngx_http_upload_segment_path(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    if (s->adopted) {
        ctx->store.files = NULL;

    } else if (s->fresh.len && !s->candidate) {
        /* another request of the session was faster */
        ngx_http_upload_store_remove(ctx);
    }

    s->step = NGX_HTTP_UPLOAD_SEGMENT_WRITING;

    rc = ngx_http_upload_store_begin(ctx, s->range.start);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->store.fd = s->data_fd;
    ctx->io.fd = s->data_fd;

    if (s->reserved) {
        ctx->io.min_free_space = 0;
    }

    ctx->io.digest = s->inlined ? &s->digest : NULL;
    ctx->io.hashed = s->hashed;
    ctx->io.content = s->body.wanted ? &s->body : NULL;
    ctx->io.data = s;
    ctx->io.skip = &s->skip;
    ctx->io.wrote = ngx_http_upload_segment_checkpoint;

    ngx_http_upload_segment_watch(ctx);

    if (!s->candidate) {
        ctx->io.guard = s;
        ctx->io.enter = ngx_http_upload_segment_enter;
        ctx->io.leave = ngx_http_upload_segment_leave;
    }

    return NGX_OK;
}


/* From now on what has come counts within a second. */

static void
ngx_http_upload_segment_watch(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_segment_due(&ctx->io,
                                ngx_http_upload_io_clock(CLOCK_MONOTONIC));

    if (ctx->segment->checkpoints && ctx->reading) {
        ngx_add_timer(&ctx->tick, NGX_HTTP_UPLOAD_TICK);
    }
}


/* The name of the file: that of the state, which the thread may change. */

static ngx_int_t
ngx_http_upload_segment_path(ngx_http_upload_ctx_t *ctx)
{
    u_char          *p;
    upload_state_t  *state;

    state = &ctx->segment->state;

    p = ngx_pnalloc(ctx->request->pool, state->path_length + 1);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpystrn(p, state->path, state->path_length + 1);

    ctx->path.data = p;
    ctx->path.len = state->path_length;

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_segment_fresh(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                   rc;
    struct stat                 st;
    ngx_http_upload_file_t     *file;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    file = ngx_pcalloc(ctx->request->pool, sizeof(ngx_http_upload_file_t));
    if (file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_upload_path_create(ctx, &ctx->session, O_RDWR, &s->fresh,
                                     &s->fresh_fd);
    if (rc != NGX_OK) {
        return rc;
    }

    s->unnamed = (fstat(s->fresh_fd, &st) == 0 && st.st_nlink == 0);

    if (!s->unnamed) {
        file->path = s->fresh;
        ctx->store.files = file;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_upload_segment_refused(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "upload: %s", s->refused);

    return s->status;
}


/* What the variables show. */

static ngx_int_t
ngx_http_upload_segment_counted(ngx_http_upload_ctx_t *ctx)
{
    u_char                     *p;
    off_t                       prefix;
    upload_state_t             *state;
    ngx_http_upload_segment_t  *s;

    s = ctx->segment;
    state = &s->state;

    if (state->path == NULL) {
        /* a session that is forgotten */
        return NGX_OK;
    }

    if (ngx_http_upload_segment_path(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    prefix = upload_ranges_prefix(&state->received);

    p = ngx_pnalloc(ctx->request->pool, NGX_OFF_T_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->offset.data = p;
    ctx->offset.len = ngx_sprintf(p, "%O", prefix) - p;

    if (state->digest.wanted && state->hashed == prefix) {
        *ctx->store.digest = state->digest;
        ctx->digests &= state->digest.wanted;

    } else {
        ctx->digests = 0;
    }

    return ngx_http_upload_store_results(ctx, s->completed ? state->total
                                                           : prefix);
}
