
#include "ngx_http_upload_segment.h"

#include <sys/file.h>


/* Read at once of what has to be hashed later. */
#define NGX_HTTP_UPLOAD_CHUNK    (1024 * 1024)

/* Hashed bytes after which the state is saved. */
#define NGX_HTTP_UPLOAD_STRETCH  (256 * 1024 * 1024)

/*
 * Nanoseconds after which what has come counts, though more is to come; and how
 * many times as long as it took to count, lest a slow disk does nothing else.
 * Counting waits for the disk: by bytes, fast uploads would do it all the time.
 */
#define NGX_HTTP_UPLOAD_PERIOD      1000000000
#define NGX_HTTP_UPLOAD_SHARE       10


static ngx_err_t ngx_http_upload_segment_lock(ngx_http_upload_segment_t *s,
    ngx_uint_t wait);
static void ngx_http_upload_segment_sync(ngx_http_upload_io_t *io);
static ngx_uint_t ngx_http_upload_segment_agrees(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_merge(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_again(ngx_http_upload_io_t *io);
static ngx_uint_t ngx_http_upload_segment_same(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_repeat(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_undo(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_shorten(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_quit(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_forget(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_hash(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_stretch(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_feed(ngx_fd_t fd,
    upload_digest_t *digest, off_t start, off_t end);
static ngx_err_t ngx_http_upload_segment_verify(ngx_http_upload_segment_t *s);


/* Who removes a state takes over from all who write. */

static ngx_err_t
ngx_http_upload_segment_lock(ngx_http_upload_segment_t *s, ngx_uint_t wait)
{
    ngx_err_t  err;

    err = ngx_http_upload_state_lock(s, wait);

    return err == ESTALE ? NGX_ECANCELED : err;
}


ngx_err_t
ngx_http_upload_segment_enter(void *data, ngx_uint_t wait)
{
    ngx_http_upload_segment_t *s = data;

    ngx_err_t  err;

    err = ngx_http_upload_segment_lock(s, wait);
    if (err) {
        return err;
    }

    err = ngx_http_upload_state_check(s);

    if (err) {
        ngx_http_upload_state_unlock(s);
    }

    return err;
}


void
ngx_http_upload_segment_leave(void *data)
{
    ngx_http_upload_state_unlock(data);
}


/*
 * What has come counts although more is to come, so that a kill costs little
 * and others see how far it is.
 */

ngx_err_t
ngx_http_upload_segment_checkpoint(ngx_http_upload_io_t *io)
{
    ngx_http_upload_segment_t *s = io->data;

    int64_t          began;
    ngx_err_t        err;
    upload_claim_t  *claim;

    s->end = io->offset;

    if (!ngx_http_upload_io_due(io)) {
        return 0;
    }

    began = ngx_http_upload_io_clock(CLOCK_MONOTONIC);

    if (io->writeback && fdatasync(io->fd) == -1) {
        io->lost = 1;
        return ngx_errno;
    }

    err = ngx_http_upload_segment_lock(s, 1);
    if (err) {
        return err;
    }

    err = ngx_http_upload_state_load(s);

    if (err == 0) {
        claim = upload_state_claimed(&s->state, s->token);

        if (claim == NULL) {
            err = NGX_ECANCELED;

        } else if (upload_ranges_add(&s->state.received, claim->range.start,
                                     s->end)
                   != 0)
        {
            err = ENOMEM;

        } else {
            claim->range.start = s->end;

            if (s->inlined) {
                s->state.digest = s->digest;
                s->state.hashed = ngx_max(s->hashed, s->end);
            }

            err = ngx_http_upload_state_save(s);
        }
    }

    ngx_http_upload_state_unlock(s);

    s->counted = s->end;
    ngx_http_upload_segment_due(io, began);

    return err;
}


void
ngx_http_upload_segment_due(ngx_http_upload_io_t *io, int64_t began)
{
    ngx_http_upload_segment_t *s = io->data;

    int64_t  now;

    if (!s->checkpoints) {
        io->due = INT64_MAX;
        return;
    }

    now = ngx_http_upload_io_clock(CLOCK_MONOTONIC);

    s->rested = now + (now - began) * NGX_HTTP_UPLOAD_SHARE;
    io->due = ngx_max(s->rested, now + NGX_HTTP_UPLOAD_PERIOD);
}


void
ngx_http_upload_segment_count(ngx_http_upload_io_t *io)
{
    ngx_http_upload_segment_t *s = io->data;

    io->path = s->state_path.data;
    io->call = "write()";

    ngx_http_upload_segment_sync(io);

    io->err = ngx_http_upload_segment_lock(s, 1);
    if (io->err) {
        return;
    }

    io->err = ngx_http_upload_state_load(s);

    if (io->err == 0) {

        if (s->candidate) {

            /* nothing of one that is refused counts, and its file goes */

            if (!s->aborted && ngx_http_upload_segment_agrees(s)) {
                io->err = ngx_http_upload_segment_again(io);
            }

        } else if (upload_state_claimed(&s->state, s->token) == NULL) {
            io->err = NGX_ECANCELED;

        } else if (!s->aborted && !ngx_http_upload_segment_agrees(s)) {
            io->err = ngx_http_upload_segment_undo(s);

        } else if (s->aborted && !s->keeps) {
            io->err = ngx_http_upload_segment_quit(s);

        } else {
            io->err = ngx_http_upload_segment_merge(s);
        }
    }

    ngx_http_upload_state_unlock(s);

    if (io->err == 0 && !s->refused && !s->forgotten
        && !(s->aborted && !s->keeps))
    {
        io->call = "read()";
        io->err = ngx_http_upload_segment_hash(s);
    }

    if (io->err == 0 && s->completed && !s->aborted) {
        io->err = ngx_http_upload_segment_verify(s);
    }

    if (io->err == 0) {
        io->call = NULL;
    }
}


/*
 * What was written before the request was cut off, and was not flushed.  Where
 * the disk has failed another fdatasync() would succeed: it must come again.
 */

static void
ngx_http_upload_segment_sync(ngx_http_upload_io_t *io)
{
    ngx_http_upload_segment_t *s = io->data;

    if (s->synced || !s->aborted || !s->keeps) {
        return;
    }

    if (io->writeback && !io->lost && s->end > s->counted
        && fdatasync(s->data_fd) == -1)
    {
        s->sync_err = ngx_errno;
        io->lost = 1;
    }

    if (io->lost) {
        s->end = s->counted;
        s->inlined = 0;
    }
}


/* Whether the body is what the request, and the configuration, say of it. */

static ngx_uint_t
ngx_http_upload_segment_agrees(ngx_http_upload_segment_t *s)
{
    if (s->content && !upload_digest_field_agrees(s->content, &s->body)) {
        s->refused = "the body differs from its Content-Digest";

    } else if (s->told && !upload_digest_field_agrees(s->told, &s->body)) {
        s->refused = "the body differs from its upload_raw_digest";

    } else {
        return 1;
    }

    s->status = NGX_HTTP_BAD_REQUEST;
    s->mismatch = 1;

    return 0;
}


/* The range counts from now on. */

static ngx_err_t
ngx_http_upload_segment_merge(ngx_http_upload_segment_t *s)
{
    ngx_err_t        err;
    upload_range_t   gap;
    upload_state_t  *state;

    state = &s->state;

    upload_state_release(state, s->token);

    if (s->end > s->range.start
        && upload_ranges_add(&state->received, s->range.start, s->end) != 0)
    {
        return ENOMEM;
    }

    if (s->inlined) {
        state->digest = s->digest;
        state->hashed = ngx_max(s->hashed, s->end);
    }

    if (!state->complete && !s->aborted && state->total >= 0
        && (state->total == 0
            || !upload_ranges_gap(&state->received, 0, state->total, &gap)))
    {
        state->complete = 1;
        state->last = s->range;
        state->last_crc = s->body.crc;
        state->handed = 1;
        s->completed = 1;

        if (!s->keeps) {
            (void) ngx_http_upload_state_hold(s->data_fd, F_RDLCK);
        }
    }

    err = ngx_http_upload_state_save(s);

    s->handed = (err == 0 && s->completed);
    return err;
}


/*
 * The range that made the session's file whole has come once more: either it
 * is the same, or the session begins anew with other bytes.
 */

static ngx_err_t
ngx_http_upload_segment_again(ngx_http_upload_io_t *io)
{
    ngx_http_upload_segment_t *s = io->data;

    ngx_err_t        err;
    upload_state_t  *state;

    state = &s->state;

    if (ngx_http_upload_segment_same(s)) {

        err = ngx_http_upload_segment_repeat(s);

        if (err != NGX_ENOENT || state->handed || state->told) {
            return err;
        }

        /* no target knows of the file, and yet it is gone */
    }

    if (state->path && !state->complete) {

        /* another request has begun anew before us */

        return NGX_ECANCELED;
    }

    err = ngx_http_upload_segment_start(s, &s->fresh);

    if (err || s->refused) {
        return err;
    }

    s->adopted = 1;
    s->inlined = 0;

    /* it must not count before it can be found */

    err = ngx_http_upload_state_save(s);

    if (err == 0) {
        err = ngx_http_upload_segment_link(io);
    }

    return err ? err : ngx_http_upload_segment_merge(s);
}


static ngx_uint_t
ngx_http_upload_segment_same(ngx_http_upload_segment_t *s)
{
    upload_state_t  *state;

    state = &s->state;

    return state->path && state->complete && state->total == s->total
           && state->last.start == s->range.start
           && state->last.end == s->range.end
           && state->last_crc == s->body.crc;
}


/* Handed on once more, and counted before the target hears of it. */

static ngx_err_t
ngx_http_upload_segment_repeat(ngx_http_upload_segment_t *s)
{
    ngx_fd_t         fd;
    ngx_err_t        err;
    ngx_uint_t       hashed;
    upload_state_t  *state;

    state = &s->state;

    hashed = (state->digest.wanted == 0 || state->hashed >= state->total);

    fd = open((char *) state->path, O_RDWR|O_NOFOLLOW|O_CLOEXEC);

    if (fd != NGX_INVALID_FILE) {
        err = dup3(fd, s->data_fd, O_CLOEXEC) == -1 ? ngx_errno : 0;
        (void) close(fd);

        if (err) {
            return err;
        }

        (void) ngx_http_upload_state_hold(s->data_fd, F_RDLCK);

    } else if (!hashed || (state->handed == 0 && !state->told)
               || ngx_errno != NGX_ENOENT)
    {

        /* the first request may not have come to the end of its digests */

        return ngx_errno;
    }

    if (state->handed < UINT32_MAX) {
        state->handed++;
    }

    err = ngx_http_upload_state_save(s);

    s->completed = (err == 0);
    s->handed = s->completed;
    s->repeated = s->completed && hashed;

    return err;
}


/* Nothing that this request brought counts, nor stays where nothing follows. */

static ngx_err_t
ngx_http_upload_segment_undo(ngx_http_upload_segment_t *s)
{
    size_t           i;
    upload_state_t  *state;
    upload_range_t  *had;

    state = &s->state;

    if (state->complete && !s->completed) {

        /* others had all of it, and nothing of this request was written */

        upload_state_release(state, s->token);

        return ngx_http_upload_state_save(s);
    }

    s->completed = 0;
    s->handed = 0;

    /* whoever has begun since counts on bytes that go now */

    s->token = upload_state_claim(state, s->range.start, s->end);
    if (s->token == 0) {
        return ENOMEM;
    }

    upload_state_release(state, s->token);

    if (s->end > s->range.start
        && upload_ranges_remove(&state->received, s->range.start, s->end) != 0)
    {
        return ENOMEM;
    }

    had = s->skip.range;

    for (i = 0; i < s->skip.count; i++) {

        if (upload_ranges_add(&state->received, had[i].start, had[i].end)
            != 0)
        {
            return ENOMEM;
        }
    }

    state->complete = 0;
    state->handed = 0;
    state->told = 0;

    if (state->hashed > s->range.start) {
        state->digest = s->before;
        state->hashed = s->hashed_before;
    }

    return ngx_http_upload_segment_shorten(s);
}


/* What is behind the last byte that counts goes, unless others write there. */

static ngx_err_t
ngx_http_upload_segment_shorten(ngx_http_upload_segment_t *s)
{
    int64_t          prefix;
    upload_state_t  *state;

    state = &s->state;
    prefix = upload_ranges_prefix(&state->received);

    if (state->claims == 0 && upload_ranges_bytes(&state->received) == prefix) {

        if ((s->made || !s->keeps) && prefix == 0) {
            s->forgotten = 1;
            return ngx_http_upload_segment_forget(s);
        }

        if (ftruncate(s->data_fd, prefix) == -1) {
            return ngx_errno;
        }

        if (s->reserved) {
            /* as far as it can: what is short then is said when it is missed */
            (void) ngx_http_upload_segment_reserve(s);
        }
    }

    return ngx_http_upload_state_save(s);
}


/* A broken segment never counts; a session without any is forgotten. */

static ngx_err_t
ngx_http_upload_segment_quit(ngx_http_upload_segment_t *s)
{
    upload_state_t  *state;

    state = &s->state;

    upload_state_release(state, s->token);

    if (state->received.count || state->claims) {
        return ngx_http_upload_state_save(s);
    }

    s->forgotten = 1;

    return ngx_http_upload_segment_forget(s);
}


static ngx_err_t
ngx_http_upload_segment_forget(ngx_http_upload_segment_t *s)
{
    if (unlink((char *) s->state.path) == -1 && ngx_errno != NGX_ENOENT) {
        return ngx_errno;
    }

    return unlink((char *) s->state_path.data) == -1 ? ngx_errno : 0;
}


/*
 * Digests follow the part of the file that has no gap.  Whoever has the lock
 * of the file goes on until there is nothing left; only the request that needs
 * the digest waits for another.
 */

static ngx_err_t
ngx_http_upload_segment_hash(ngx_http_upload_segment_t *s)
{
    ngx_err_t  err;

    if (s->state.digest.wanted == 0 || s->repeated || s->stopped
        || s->state.hashed >= upload_ranges_prefix(&s->state.received))
    {
        return 0;
    }

    while (flock(s->data_fd, s->completed ? LOCK_EX : LOCK_EX|LOCK_NB) == -1) {

        if (ngx_errno == EWOULDBLOCK) {
            return 0;
        }

        if (ngx_errno != NGX_EINTR) {
            return ngx_errno;
        }
    }

    do {
        err = ngx_http_upload_segment_stretch(s);
    } while (err == NGX_EAGAIN);

    (void) flock(s->data_fd, LOCK_UN);

    if (err == ESTALE) {
        /* who has not made the file whole needs no digests of it */
        return s->completed ? NGX_ECANCELED : 0;
    }

    return err;
}


/* NGX_EAGAIN: there is more. */

static ngx_err_t
ngx_http_upload_segment_stretch(ngx_http_upload_segment_t *s)
{
    int64_t          start, end;
    ngx_err_t        err;
    upload_digest_t  digest;

    err = ngx_http_upload_segment_lock(s, 1);
    if (err) {
        return err;
    }

    err = ngx_http_upload_state_reload(s);

    start = s->state.hashed;
    end = upload_ranges_prefix(&s->state.received);
    digest = s->state.digest;

    if (err == 0 && start >= end) {

        /* under both locks, lest a piece that comes now is forgotten */

        (void) flock(s->data_fd, LOCK_UN);
    }

    ngx_http_upload_state_unlock(s);

    if (err || start >= end) {
        return err;
    }

    end = ngx_min(end, start + NGX_HTTP_UPLOAD_STRETCH);

    err = ngx_http_upload_segment_feed(s->data_fd, &digest, start, end);
    if (err) {
        return err;
    }

    err = ngx_http_upload_segment_lock(s, 1);
    if (err) {
        return err;
    }

    err = ngx_http_upload_state_reload(s);

    if (err == 0 && s->state.hashed == start
        && upload_ranges_prefix(&s->state.received) >= end
        && s->state.digest.wanted == digest.wanted)
    {
        s->state.digest = digest;
        s->state.hashed = end;
        err = ngx_http_upload_state_save(s);
    }

    ngx_http_upload_state_unlock(s);

    return err ? err : NGX_EAGAIN;
}


static ngx_err_t
ngx_http_upload_segment_feed(ngx_fd_t fd, upload_digest_t *digest,
    off_t start, off_t end)
{
    u_char     *chunk;
    ssize_t     n;
    ngx_err_t   err;

    chunk = malloc(NGX_HTTP_UPLOAD_CHUNK);
    if (chunk == NULL) {
        return ENOMEM;
    }

    err = 0;

    while (start < end) {

        n = pread(fd, chunk, (size_t) ngx_min(end - start,
                                              NGX_HTTP_UPLOAD_CHUNK), start);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n <= 0) {
            /* it was cut by somebody: it is not what was received */
            err = n ? ngx_errno : EIO;
            break;
        }

        if (upload_digest_update(digest, chunk, n) != 0) {
            err = ENOMEM;
            break;
        }

        start += n;
    }

    free(chunk);

    return err;
}


/* Repr-Digest: of the whole file. */

static ngx_err_t
ngx_http_upload_segment_verify(ngx_http_upload_segment_t *s)
{
    unsigned          wanted;
    ngx_err_t         err;
    upload_digest_t   digest, *known;

    wanted = s->repr ? s->repr->named : 0;

    if (wanted == 0) {
        return 0;
    }

    known = &s->state.digest;

    if (wanted & ~known->wanted) {

        /* nobody has asked for it until now */

        if (upload_digest_start(&digest, wanted) != 0) {
            return ENOMEM;
        }

        err = ngx_http_upload_segment_feed(s->data_fd, &digest, 0, s->total);
        if (err) {
            return err;
        }

        known = &digest;
    }

    if (upload_digest_field_agrees(s->repr, known)) {
        return 0;
    }

    s->refused = "the file differs from its Repr-Digest";
    s->status = NGX_HTTP_BAD_REQUEST;
    s->mismatch = 1;

    err = ngx_http_upload_segment_lock(s, 1);
    if (err) {
        return err;
    }

    err = ngx_http_upload_state_load(s);

    if (err == 0) {
        err = ngx_http_upload_segment_undo(s);
    }

    ngx_http_upload_state_unlock(s);

    return err;
}
