
#include "ngx_http_upload_segment.h"


static ngx_err_t ngx_http_upload_segment_decide(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_session(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_given(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_named(ngx_http_upload_segment_t *s,
    off_t *size);
static ngx_err_t ngx_http_upload_segment_first(ngx_http_upload_segment_t *s,
    off_t size);
static void ngx_http_upload_segment_length(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_leave_file(
    ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_digests(ngx_http_upload_segment_t *s);
static ngx_err_t ngx_http_upload_segment_take(ngx_http_upload_segment_t *s);


void
ngx_http_upload_segment_claim(ngx_http_upload_io_t *io)
{
    ngx_http_upload_segment_t *s = io->data;

    unsigned  first;

    io->path = s->state_path.data;
    io->status = NGX_HTTP_SERVICE_UNAVAILABLE;
    io->call = "open()";
    io->err = ngx_http_upload_state_open(s, s->fresh.len || s->data_path.len);

    if (io->err == NGX_ENOENT && s->fresh.len == 0 && s->data_path.len == 0) {
        s->needs_file = 1;
        io->err = 0;
        io->call = NULL;
        return;
    }

    if (io->err) {
        return;
    }

    io->call = "read()";
    io->err = ngx_http_upload_state_load(s);
    first = (s->state.sequence == 0);

    if (io->err == 0) {
        io->call = "open()";
        io->err = ngx_http_upload_segment_decide(s);

        if (io->err == 0 && s->adopted) {
            io->err = ngx_http_upload_segment_link(io);
        }

        if ((io->err || s->refused) && (first || s->made)) {

            /* what this request has made is of no use to others */

            (void) unlink((char *) s->state_path.data);

            if (s->made) {
                (void) unlink((char *) s->data_path.data);
            }
        }
    }

    ngx_http_upload_state_unlock(s);

    if (io->err == 0) {
        io->call = NULL;
    }
}


static ngx_err_t
ngx_http_upload_segment_decide(ngx_http_upload_segment_t *s)
{
    ngx_err_t  err;

    err = s->data_path.len ? ngx_http_upload_segment_given(s)
                           : ngx_http_upload_segment_session(s);

    if (err || s->needs_file || s->refused || s->candidate) {
        return err;
    }

    err = ngx_http_upload_segment_digests(s);

    return err ? err : ngx_http_upload_segment_take(s);
}


/* A ranged upload: its session has a file, or gets a new one. */

static ngx_err_t
ngx_http_upload_segment_session(ngx_http_upload_segment_t *s)
{
    ngx_err_t  err;

    s->needs_file = 0;

    if (s->state.path && !s->state.complete) {

        if (s->state.total != s->total) {
            s->refused = "the total differs from that of the session";
            s->status = NGX_HTTP_BAD_REQUEST;
            return 0;
        }

        s->data_fd = open((char *) s->state.path,
                          O_RDWR|O_NOFOLLOW|O_CLOEXEC);

        if (s->data_fd != NGX_INVALID_FILE) {
            return 0;
        }

        if (ngx_errno != NGX_ENOENT) {
            return ngx_errno;
        }

        /* somebody has taken the file away: there is nothing to go on with */
    }

    if (s->fresh.len == 0) {
        s->needs_file = 1;
        return 0;
    }

    s->data_fd = s->fresh_fd;
    s->fresh_fd = NGX_INVALID_FILE;

    if (s->state.path && s->state.complete && s->state.total == s->total
        && s->state.last.start == s->range.start
        && s->state.last.end == s->range.end)
    {
        s->candidate = 1;
        return 0;
    }

    err = ngx_http_upload_segment_start(s, &s->fresh);

    s->adopted = (err == 0 && s->refused == NULL);

    return err;
}


/* A raw upload: the file is the one that was named. */

static ngx_err_t
ngx_http_upload_segment_given(ngx_http_upload_segment_t *s)
{
    off_t      size;
    ngx_err_t  err;

    err = ngx_http_upload_segment_named(s, &size);

    if (err == 0 && s->made && s->reserve && s->total > 0) {
        err = ngx_http_upload_segment_reserve(s);
    }

    if (err == 0 && (s->state.path == NULL || s->made)) {

        /* nothing of a file that somebody has taken away is there any more */

        err = ngx_http_upload_segment_first(s, size);
    }

    if (err == 0 && s->refused == NULL) {
        ngx_http_upload_segment_length(s);
    }

    return err;
}


/* Opens it; "made" tells whether it was there before. */

static ngx_err_t
ngx_http_upload_segment_named(ngx_http_upload_segment_t *s, off_t *size)
{
    int          flags;
    struct stat  st;

    *size = 0;
    flags = O_RDWR|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC;

    do {
        s->made = 0;
        s->data_fd = open((char *) s->data_path.data, flags);

        if (s->data_fd == NGX_INVALID_FILE && ngx_errno == NGX_ENOENT) {
            s->made = 1;
            s->data_fd = open((char *) s->data_path.data,
                              flags|O_CREAT|O_EXCL, s->access & 0700);
        }

    } while (s->data_fd == NGX_INVALID_FILE && s->made
             && ngx_errno == NGX_EEXIST);

    if (s->data_fd == NGX_INVALID_FILE) {
        s->made = 0;
        return ngx_errno;
    }

    if (fstat(s->data_fd, &st) == -1) {
        return ngx_errno;
    }

    if (!S_ISREG(st.st_mode)) {
        return EINVAL;
    }

    if (st.st_size == 0 && (st.st_mode & 0777) != s->access) {
        (void) fchmod(s->data_fd, s->access);
    }

    *size = st.st_size;

    return 0;
}


/*
 * What stands before the offset was put there by others; where nothing stands
 * it is a piece that has come before those in front of it, which only a file
 * whose length is known can have.
 */

static ngx_err_t
ngx_http_upload_segment_first(ngx_http_upload_segment_t *s, off_t size)
{
    ngx_err_t  err;

    err = ngx_http_upload_segment_start(s, &s->data_path);
    if (err) {
        return err;
    }

    if (size == 0 && s->total >= 0) {
        return 0;
    }

    if (s->range.start > size) {
        s->refused = "the offset is behind the end of the file";
        s->status = NGX_HTTP_CONFLICT;
        return 0;
    }

    if (s->range.start
        && upload_ranges_add(&s->state.received, 0, s->range.start) != 0)
    {
        return ENOMEM;
    }

    return 0;
}


static void
ngx_http_upload_segment_length(ngx_http_upload_segment_t *s)
{
    if (s->total >= 0 && s->state.total < 0) {
        s->state.total = s->total;
    }

    if (s->total >= 0 && s->state.total != s->total) {
        s->refused = "the length differs from what was said before";
        s->status = NGX_HTTP_CONFLICT;
        return;
    }

    s->total = s->state.total;

    if (s->total >= 0) {

        if (s->range.end == INT64_MAX) {
            s->range.end = ngx_max(s->total, s->range.start);
        }

        if (s->range.end > s->total) {
            s->refused = "the body goes beyond the length of the file";
            s->status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        }
    }
}


/*
 * The space of the whole file, whose size stays what has been written.  A file
 * system that cannot promise it gives it piece by piece, as it always does.
 */

ngx_err_t
ngx_http_upload_segment_reserve(ngx_http_upload_segment_t *s)
{
    ngx_err_t       err;
    struct statvfs  fs;

    /* one that fails halfway would take the space of others meanwhile */

    if (fstatvfs(s->data_fd, &fs) == 0
        && (off_t) fs.f_bavail * (off_t) fs.f_frsize - s->min_free_space
           < s->total)
    {
        return NGX_ENOSPC;
    }

    do {
        err = fallocate(s->data_fd, FALLOC_FL_KEEP_SIZE, 0, s->total) == -1
              ? ngx_errno : 0;
    } while (err == NGX_EINTR);

    s->reserved = (err == 0);

    if (err == EOPNOTSUPP || err == NGX_ENOSYS) {
        return 0;
    }

    return err == EFBIG ? NGX_ENOSPC : err;
}


/*
 * Tokens and fences go on: old writers must not be taken for new ones.  A file
 * that no target has goes before the state forgets it: a kill in between leaves
 * a state whose file is missing, which begins anew as well.
 */

ngx_err_t
ngx_http_upload_segment_start(ngx_http_upload_segment_t *s, ngx_str_t *path)
{
    ngx_err_t        err;
    upload_state_t  *state, old;

    state = &s->state;
    old = *state;

    if (old.complete && s->data_path.len == 0) {

        err = ngx_http_upload_segment_leave_file(s);

        if (err || s->refused) {
            return err;
        }
    }

    upload_ranges_free(&state->received);
    free(state->claim);
    free(state->path);

    upload_state_init(state);

    state->sequence = old.sequence;
    state->tokens = old.tokens;
    state->fences = old.fences + 1;
    state->body_offset = old.body_offset;
    state->body_length = old.body_length;
    state->total = s->total;

    if (upload_state_set_path(state, path->data, path->len) != 0) {
        return ENAMETOOLONG;
    }

    return upload_digest_start(&state->digest, s->digests) == 0 ? 0 : ENOMEM;
}


/*
 * The whole file that the session had: while a target is asked about it, nobody
 * knows yet whose it will be.
 */

static ngx_err_t
ngx_http_upload_segment_leave_file(ngx_http_upload_segment_t *s)
{
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = open((char *) s->state.path, O_RDWR|O_NOFOLLOW|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        /* the target has moved it, or has it to itself */
        return (ngx_errno == NGX_ENOENT || s->state.handed) ? 0 : ngx_errno;
    }

    err = ngx_http_upload_state_hold(fd, F_WRLCK);

    if (err == NGX_EAGAIN) {
        s->refused = "the file of the session is being handed on";
        s->status = NGX_HTTP_CONFLICT;
    }

    (void) close(fd);

    if (err == NGX_EAGAIN || s->state.handed) {
        return 0;
    }

    return unlink((char *) s->state.path) == -1 && ngx_errno != NGX_ENOENT
           ? ngx_errno : 0;
}


/*
 * After the state has it: a kill in between leaves a state whose file is
 * missing, which begins anew, and no file that nobody knows.
 */

ngx_err_t
ngx_http_upload_segment_link(ngx_http_upload_io_t *io)
{
    ngx_http_upload_segment_t *s = io->data;

    ngx_err_t  err;
    u_char     file[sizeof("/proc/self/fd/") + NGX_INT_T_LEN];

    if (!s->unnamed) {
        return 0;
    }

    (void) ngx_sprintf(file, "/proc/self/fd/%d%Z", s->data_fd);

    if (linkat(AT_FDCWD, (char *) file, AT_FDCWD, (char *) s->fresh.data,
               AT_SYMLINK_FOLLOW)
        == 0)
    {
        return 0;
    }

    err = ngx_errno;

    io->call = "linkat()";
    io->path = s->fresh.data;

    return err;
}


/* A digest that is wanted only now begins at the beginning. */

static ngx_err_t
ngx_http_upload_segment_digests(ngx_http_upload_segment_t *s)
{
    unsigned  wanted;

    wanted = s->state.digest.wanted;

    if ((s->digests & ~wanted) == 0) {
        return 0;
    }

    s->state.hashed = 0;

    return upload_digest_start(&s->state.digest, wanted | s->digests) == 0
           ? 0 : ENOMEM;
}


static ngx_err_t
ngx_http_upload_segment_take(ngx_http_upload_segment_t *s)
{
    int64_t          from;
    size_t           i;
    upload_range_t   gap;
    upload_state_t  *state;

    state = &s->state;

    for (i = 0; i < state->received.count; i++) {

        if (upload_ranges_add(&s->skip, state->received.range[i].start,
                              state->received.range[i].end)
            != 0)
        {
            return ENOMEM;
        }
    }

    from = ngx_max(s->range.start, state->hashed);

    s->inlined = state->digest.wanted && s->range.start <= state->hashed
                 && from < s->range.end
                 && upload_ranges_gap(&state->received, from, s->range.end,
                                      &gap)
                 && gap.start == from && gap.end == s->range.end;

    s->digest = state->digest;
    s->before = state->digest;
    s->hashed = state->hashed;
    s->hashed_before = state->hashed;
    s->counted = s->range.start;
    s->end = s->range.start;

    s->token = upload_state_claim(state, s->range.start, s->range.end);
    if (s->token == 0) {
        return ENOMEM;
    }

    s->fences = state->fences;

    return ngx_http_upload_state_save(s);
}
