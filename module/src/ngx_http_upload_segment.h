
/*
 * A request that brings a piece of a file whose other pieces come in other
 * requests: what raw uploads to a given path and ranged uploads share.
 */

#ifndef NGX_HTTP_UPLOAD_SEGMENT_H
#define NGX_HTTP_UPLOAD_SEGMENT_H


#include "ngx_http_upload.h"

#include "upload_digest_field.h"
#include "upload_state.h"


typedef enum {
    NGX_HTTP_UPLOAD_SEGMENT_NEW,
    NGX_HTTP_UPLOAD_SEGMENT_CLAIMING,
    NGX_HTTP_UPLOAD_SEGMENT_WRITING,
    NGX_HTTP_UPLOAD_SEGMENT_COMMITTING,
    NGX_HTTP_UPLOAD_SEGMENT_ENDED
} ngx_http_upload_segment_e;


struct ngx_http_upload_segment_s {
    ngx_http_upload_segment_e   step;

    /* set by the entrance */
    ngx_str_t                   state_path;  /* ends with NUL */
    ngx_str_t                   data_path;   /* of a raw upload; or empty */
    upload_range_t              range;       /* INT64_MAX: to the body's end */
    int64_t                     total;       /* -1: unknown */
    ngx_uint_t                  access;
    unsigned                    digests;
    unsigned                    keeps:1;     /* a part counts as received */
    unsigned                    checkpoints:1;
    unsigned                    reserve:1;   /* of the raw file, if known */
    off_t                       min_free_space;

    /* what it is compared with; or NULL */
    upload_digest_field_t      *content;     /* Content-Digest */
    upload_digest_field_t      *told;        /* upload_raw_digest */
    upload_digest_field_t      *repr;        /* Repr-Digest */

    /* a new data file, made for a session that has none */
    ngx_str_t                   fresh;
    ngx_fd_t                    fresh_fd;
    unsigned                    unnamed:1;   /* it has no link yet */

    ngx_fd_t                    state_fd;
    ngx_fd_t                    data_fd;
    upload_state_t              state;       /* as last read or written */
    ngx_atomic_t                held;        /* the lock, by one of us */
    uint64_t                    token;
    uint64_t                    fences;
    upload_ranges_t             skip;        /* was received before us */
    int64_t                     hashed;      /* by us, when inlined */
    int64_t                     counted;     /* end of the last checkpoint */
    int64_t                     end;         /* of what was written */
    int64_t                     rested;      /* when it may count again */
    upload_digest_t             digest;      /* of the file, as we go */
    upload_digest_t             body;        /* of the request */
    upload_digest_t             before;      /* of the file, before us */
    int64_t                     hashed_before;

    /* what a thread has found */
    unsigned                    inlined:1;   /* digests follow the writing */
    unsigned                    needs_file:1;
    unsigned                    made:1;      /* the raw file was not there */
    unsigned                    reserved:1;  /* its space cannot run out */
    unsigned                    adopted:1;   /* the state owns the new file */
    unsigned                    candidate:1; /* maybe the last one, again */
    unsigned                    repeated:1;  /* it is */
    unsigned                    completed:1; /* the file is whole */
    unsigned                    handed:1;    /* and the state counts us */
    unsigned                    aborted:1;
    unsigned                    stopped:1;   /* nobody has time to hash */
    unsigned                    cut:1;       /* only what is written counts */
    unsigned                    synced:1;    /* and that is on the disk */
    unsigned                    broken:1;    /* the state could not be read */
    unsigned                    forgotten:1; /* nothing is left of it */
    unsigned                    mismatch:1;  /* refused for its digest */
    const char                 *refused;     /* why; NULL: it was not */
    ngx_int_t                   status;      /* of the refusal */
    ngx_err_t                   sync_err;    /* of what was cut off */
};


/* ngx_http_upload_segment.c: the steps, as the worker sees them */

ngx_http_upload_segment_t *ngx_http_upload_segment_create(
    ngx_http_upload_ctx_t *ctx);

/* Opens the file and claims the range; to be called until NGX_OK. */
ngx_int_t ngx_http_upload_segment_begin(ngx_http_upload_ctx_t *ctx);

/* Takes bytes of the body. */
ngx_int_t ngx_http_upload_segment_read(ngx_http_upload_ctx_t *ctx,
    u_char **pos, u_char *end);

/* Flushes and counts what was written; to be called until NGX_OK. */
ngx_int_t ngx_http_upload_segment_commit(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_segment_claim.c: how it gets its file and range */

/* A run of ctx->io; data is the segment. */
void ngx_http_upload_segment_claim(ngx_http_upload_io_t *io);

/* The state of a file of which nothing has come yet. */
ngx_err_t ngx_http_upload_segment_start(ngx_http_upload_segment_t *s,
    ngx_str_t *path);

/* Gives the new file its name, when a state has it. */
ngx_err_t ngx_http_upload_segment_link(ngx_http_upload_io_t *io);

ngx_err_t ngx_http_upload_segment_reserve(ngx_http_upload_segment_t *s);


/* ngx_http_upload_segment_io.c: what a thread does */

/* A run of ctx->io; data is the segment. */
void ngx_http_upload_segment_count(ngx_http_upload_io_t *io);

/* The guard of writes. */
ngx_err_t ngx_http_upload_segment_enter(void *data, ngx_uint_t wait);
void ngx_http_upload_segment_leave(void *data);

/* Counts what has been written so far. */
ngx_err_t ngx_http_upload_segment_checkpoint(ngx_http_upload_io_t *io);

/* Says when it has something to count next. */
void ngx_http_upload_segment_due(ngx_http_upload_io_t *io, int64_t began);


/* ngx_http_upload_segment_state.c: the state file, locked */

/* Opens the state file, or makes it, and locks it. */
ngx_err_t ngx_http_upload_state_open(ngx_http_upload_segment_t *s,
    ngx_uint_t create);

/* Without waiting, NGX_EAGAIN when another has the lock. */
ngx_err_t ngx_http_upload_state_lock(ngx_http_upload_segment_t *s,
    ngx_uint_t wait);
void ngx_http_upload_state_unlock(ngx_http_upload_segment_t *s);

/* Under the lock. */
ngx_err_t ngx_http_upload_state_load(ngx_http_upload_segment_t *s);

/* ESTALE: the state is that of another file by now, and what we had stays. */
ngx_err_t ngx_http_upload_state_reload(ngx_http_upload_segment_t *s);

ngx_err_t ngx_http_upload_state_save(ngx_http_upload_segment_t *s);

/*
 * The data file is held, shared, while a target is asked about it: F_RDLCK.
 * NGX_EAGAIN for F_WRLCK: somebody does.
 */
ngx_err_t ngx_http_upload_state_hold(ngx_fd_t fd, short type);

/* Whether the segment's claim still stands; NGX_ECANCELED when not. */
ngx_err_t ngx_http_upload_state_check(ngx_http_upload_segment_t *s);


#endif
