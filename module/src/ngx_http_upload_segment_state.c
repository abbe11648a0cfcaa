
#include "ngx_http_upload_segment.h"

#include <sys/file.h>


/* Rounds of a thread that waits for the worker to write a buffer. */
#define NGX_HTTP_UPLOAD_SPIN  1024


static ngx_err_t ngx_http_upload_state_put(ngx_fd_t fd, const u_char *data,
    size_t length, off_t offset);
static ngx_err_t ngx_http_upload_state_get(ngx_fd_t fd, u_char *data,
    size_t length, size_t *got);


/* Who removes a state holds its lock: a file without a name is not it. */

ngx_err_t
ngx_http_upload_state_open(ngx_http_upload_segment_t *s, ngx_uint_t create)
{
    ngx_err_t    err;
    struct stat  st;

    if (s->state_fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(s->state_fd);
    }

    for ( ;; ) {

        s->state_fd = open((char *) s->state_path.data,
                           (create ? O_CREAT : 0)
                           |O_RDWR|O_NOFOLLOW|O_CLOEXEC,
                           s->access & 0700);

        if (s->state_fd == NGX_INVALID_FILE) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return ngx_errno;
        }

        err = ngx_http_upload_state_lock(s, 1);

        if (err == 0) {

            if (fstat(s->state_fd, &st) == 0 && st.st_size == 0
                && (st.st_mode & 0777) != s->access)
            {
                /* it is ours: a file system that refuses is told of elsewhere */
                (void) fchmod(s->state_fd, s->access);
            }

            return 0;
        }

        (void) ngx_close_file(s->state_fd);
        s->state_fd = NGX_INVALID_FILE;

        if (err != ESTALE) {
            return err;
        }
    }
}


/*
 * flock() knows the open file, not who asks: the worker, which writes itself
 * while a thread may be counting, is kept apart from the thread by "held".
 */

ngx_err_t
ngx_http_upload_state_lock(ngx_http_upload_segment_t *s, ngx_uint_t wait)
{
    ngx_err_t    err;
    struct stat  st;

    if (wait) {
        ngx_spinlock(&s->held, 1, NGX_HTTP_UPLOAD_SPIN);

    } else if (!ngx_atomic_cmp_set(&s->held, 0, 1)) {
        return NGX_EAGAIN;
    }

    while (flock(s->state_fd, LOCK_EX|(wait ? 0 : LOCK_NB)) == -1) {

        err = ngx_errno;

        if (err != NGX_EINTR) {
            ngx_unlock(&s->held);
            return err;
        }
    }

    if (fstat(s->state_fd, &st) == -1) {
        err = ngx_errno;

    } else {
        err = st.st_nlink ? 0 : ESTALE;
    }

    if (err) {
        ngx_http_upload_state_unlock(s);
    }

    return err;
}


void
ngx_http_upload_state_unlock(ngx_http_upload_segment_t *s)
{
    (void) flock(s->state_fd, LOCK_UN);
    ngx_unlock(&s->held);
}


/*
 * Not flock(), which the digests take.  Where there are no such locks nothing
 * is held: then a file may be left behind that no target has answered for.
 */

ngx_err_t
ngx_http_upload_state_hold(ngx_fd_t fd, short type)
{
    struct flock  all;

    ngx_memzero(&all, sizeof(struct flock));
    all.l_type = type;
    all.l_whence = SEEK_SET;

    if (fcntl(fd, F_OFD_SETLK, &all) == 0) {
        return 0;
    }

    return ngx_errno == NGX_EACCES ? NGX_EAGAIN : ngx_errno;
}


ngx_err_t
ngx_http_upload_state_load(ngx_http_upload_segment_t *s)
{
    int           rc;
    u_char       *file;
    size_t        size;
    ngx_err_t     err;
    struct stat   st;

    if (fstat(s->state_fd, &st) == -1) {
        return ngx_errno;
    }

    size = (size_t) ngx_min(st.st_size, UPLOAD_STATE_MAX_FILE);

    file = malloc(size + 1);
    if (file == NULL) {
        return ENOMEM;
    }

    err = ngx_http_upload_state_get(s->state_fd, file, size, &size);

    if (err == 0) {
        rc = upload_state_read(&s->state, file, size);

        if (rc == -2) {
            err = ENOMEM;

        } else if (rc == -1) {
            s->broken = 1;

            /* what cannot be read must not be in the way of what is written */

            if (ftruncate(s->state_fd, 0) == -1) {
                err = ngx_errno;
            }
        }
    }

    free(file);

    return err;
}


/* The session may have begun anew, with another file: the state stays ours. */

ngx_err_t
ngx_http_upload_state_reload(ngx_http_upload_segment_t *s)
{
    ngx_err_t       err;
    upload_state_t  ours;

    ours = s->state;
    upload_state_init(&s->state);

    err = ngx_http_upload_state_load(s);

    if (err == 0
        && (s->state.path_length != ours.path_length
            || ngx_memcmp(s->state.path, ours.path, ours.path_length) != 0))
    {
        err = ESTALE;
    }

    if (err) {
        upload_state_free(&s->state);
        s->state = ours;
        return err;
    }

    upload_state_free(&ours);

    return 0;
}


ngx_err_t
ngx_http_upload_state_save(ngx_http_upload_segment_t *s)
{
    u_char     *body;
    size_t      header_offset, body_offset, body_length;
    ngx_err_t   err;
    u_char      header[UPLOAD_STATE_HEADER];

    body = upload_state_write(&s->state, header, &header_offset, &body_offset,
                              &body_length);
    if (body == NULL) {
        return ENOMEM;
    }

    err = ngx_http_upload_state_put(s->state_fd, body, body_length,
                                    body_offset);

    if (err == 0) {
        err = ngx_http_upload_state_put(s->state_fd, header,
                                        UPLOAD_STATE_HEADER, header_offset);
    }

    free(body);

    return err;
}


ngx_err_t
ngx_http_upload_state_check(ngx_http_upload_segment_t *s)
{
    size_t     got;
    uint64_t   fences;
    ngx_err_t  err;
    u_char     headers[UPLOAD_STATE_BODIES];

    err = ngx_http_upload_state_get(s->state_fd, headers, UPLOAD_STATE_BODIES,
                                    &got);
    if (err) {
        return err;
    }

    if (upload_state_fences(headers, got, &fences) == 0
        && fences == s->fences)
    {
        return 0;
    }

    err = ngx_http_upload_state_load(s);
    if (err) {
        return err;
    }

    if (upload_state_claimed(&s->state, s->token) == NULL) {
        return NGX_ECANCELED;
    }

    s->fences = s->state.fences;

    return 0;
}


static ngx_err_t
ngx_http_upload_state_put(ngx_fd_t fd, const u_char *data, size_t length,
    off_t offset)
{
    ssize_t  n;

    while (length) {

        n = pwrite(fd, data, length, offset);

        if (n == -1) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return ngx_errno;
        }

        data += n;
        offset += n;
        length -= n;
    }

    return 0;
}


static ngx_err_t
ngx_http_upload_state_get(ngx_fd_t fd, u_char *data, size_t length,
    size_t *got)
{
    ssize_t  n;
    size_t   done;

    done = 0;

    while (done < length) {

        n = pread(fd, data + done, length - done, done);

        if (n == 0) {
            break;
        }

        if (n == -1) {

            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return ngx_errno;
        }

        done += n;
    }

    *got = done;

    return 0;
}
