
#ifndef NGX_HTTP_UPLOAD_H
#define NGX_HTTP_UPLOAD_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sys/statvfs.h>
#include <sys/uio.h>

#include "upload_digest.h"
#include "upload_digest_field.h"
#include "upload_header.h"
#include "upload_multipart.h"
#include "upload_ranges.h"


/* A directive's text, compiled when all of the configuration is read. */

typedef struct {
    ngx_str_t                   text;
    ngx_http_complex_value_t    value;
    ngx_uint_t                  digests;    /* those that the text names */
    ngx_str_t                   conf_file;
    ngx_uint_t                  line;
} ngx_http_upload_value_t;


typedef struct {
    ngx_http_upload_value_t    *name;
    ngx_http_upload_value_t    *value;
} ngx_http_upload_field_t;


typedef struct {
    ngx_uint_t                  from;
    ngx_uint_t                  to;
} ngx_http_upload_statuses_t;


typedef struct {
    ngx_http_complex_value_t    root;
    size_t                      level[NGX_MAX_PATH_LEVEL];
    size_t                      levels;     /* bytes of the hashed part */
} ngx_http_upload_path_t;


typedef struct {
    ngx_array_t                 values;     /* ngx_http_upload_value_t * */
    ngx_uint_t                  digests;    /* used outside our directives */
} ngx_http_upload_main_conf_t;


typedef struct {
    ngx_http_upload_value_t    *pass;
    ngx_http_upload_path_t     *store;
    ngx_uint_t                  access;

    ngx_array_t                *set_fields;         /* _field_t */
    ngx_array_t                *aggregate_fields;   /* _field_t */
    ngx_array_t                *pass_fields;        /* ngx_regex_t * */
    ngx_array_t                *headers;            /* _field_t */
    ngx_array_t                *cleanup;            /* _statuses_t */

    size_t                      buffer_size;
    size_t                      merge_buffer_size;
    size_t                      range_header_buffer_size;
    size_t                      max_part_header_length;
    size_t                      max_output_body_length;
    size_t                      limit_rate;
    off_t                       max_file_size;
    off_t                       min_free_space;
    ngx_uint_t                  max_parts;
    ngx_uint_t                  max_fields;
    ngx_uint_t                  checksums;  /* bit n: algorithm n */

    ngx_flag_t                  pass_args;
    ngx_flag_t                  tame_arrays;
    ngx_flag_t                  empty_names;
    ngx_flag_t                  sync;
    ngx_flag_t                  resumable;
    ngx_flag_t                  raw;
    ngx_flag_t                  reserve;

    ngx_http_upload_path_t     *state_store;    /* NULL: beside the store */
    ngx_http_upload_value_t    *raw_path;       /* NULL: a new file */
    ngx_http_upload_value_t    *raw_offset;
    ngx_http_upload_value_t    *raw_length;
    ngx_http_upload_value_t    *raw_digest;

    ngx_str_t                   pool_name;  /* or "off" */
#if (NGX_THREADS)
    ngx_thread_pool_t          *pool;       /* NULL: the worker writes */
#endif

    ngx_uint_t                  digests;    /* used by directives here */
    unsigned                    handler:1;
} ngx_http_upload_loc_conf_t;


typedef struct ngx_http_upload_file_s  ngx_http_upload_file_t;

struct ngx_http_upload_file_s {
    ngx_str_t                   path;       /* ends with NUL */
    ngx_http_upload_file_t     *next;
};


typedef struct ngx_http_upload_ctx_s      ngx_http_upload_ctx_t;
typedef struct ngx_http_upload_io_s       ngx_http_upload_io_t;
typedef struct ngx_http_upload_segment_s  ngx_http_upload_segment_t;
typedef struct ngx_http_upload_progress_s ngx_http_upload_progress_t;

/* Of the worker's buffers; no data: none. */

typedef struct {
    u_char                     *data;
    size_t                      size;
} ngx_http_upload_buffer_t;


/*
 * A piece of work on the file of a request: bytes that are to be written,
 * hashed and counted, or a run of another kind.  What runs in a thread touches
 * nothing but this, and neither pools nor logs.
 */

typedef struct {
    ngx_http_upload_ctx_t      *ctx;
    void                      (*run)(ngx_http_upload_io_t *io); /* or NULL */

    off_t                       offset;     /* where the bytes go */
    struct iovec                piece[2];
    unsigned                    sync:1;     /* this is the last piece */
    unsigned                    put:1;      /* its bytes are written */
    unsigned                    digested:1; /* they are hashed */

    ngx_err_t                   err;        /* what became of it */
    const char                 *call;       /* that failed; or NULL */

    ngx_http_upload_buffer_t   *lender;     /* has where the bytes lie */
    ngx_http_upload_buffer_t    lent;       /* the same, taken from there */
    unsigned                    busy:1;     /* a thread has or gets it */
#if (NGX_THREADS)
    ngx_thread_task_t          *task;
    ngx_atomic_t                stage;
    ngx_atomic_t                ended;
    int                         cpu;        /* of the worker */
#endif
} ngx_http_upload_job_t;


/*
 * All work on the file of a request.  Two pieces may be in the hands of
 * threads, one after the other: the second is begun when the first has ended,
 * without asking the worker.
 */

struct ngx_http_upload_io_s {
    ngx_http_upload_job_t       job[2];
    ngx_uint_t                  busy;       /* jobs that threads have */
    void                       *data;       /* of a run */

    ngx_fd_t                    fd;
    off_t                       offset;     /* bytes before are done with */
    upload_digest_t            *digest;     /* of the file; or NULL */
    off_t                       hashed;     /* bytes before count already */
    upload_digest_t            *content;    /* of the request; or NULL */
    off_t                       flushed;    /* given to the disk so far */
    off_t                       min_free_space;
    unsigned                    writeback:1;
    unsigned                    broken:1;   /* a piece before has failed */
    unsigned                    lost:1;     /* fdatasync() has: the kernel may
                                               have given up what it had */

    /* fences a writer whose place another has taken */
    ngx_err_t                 (*enter)(void *guard, ngx_uint_t wait);
    void                      (*leave)(void *guard);
    void                       *guard;
    ngx_err_t                 (*wrote)(ngx_http_upload_io_t *io);
    int64_t                     due;        /* when wrote() takes long, by the
                                               io_clock(); INT64_MAX: never */
    upload_ranges_t            *skip;       /* bytes that are there already */

    ngx_err_t                   err;        /* what became of it */
    const char                 *call;
    u_char                     *path;       /* of another file; or NULL */
    ngx_int_t                   status;     /* of a call that failed */
};


/* Bytes that wait for a write of whole pages. */
#define NGX_HTTP_UPLOAD_CARRY   8192

/* Smaller buffers cost more than they save. */
#define NGX_HTTP_UPLOAD_SMALL   65536

/* Bytes from which on a buffer of core's is better lent than copied. */
#define NGX_HTTP_UPLOAD_DIRECT  32768

/*
 * Milliseconds between two looks whether what has come is to count; a client
 * of whom nothing has come in between has fallen silent.
 */
#define NGX_HTTP_UPLOAD_TICK    100


typedef struct {
    ngx_fd_t                    fd;
    off_t                       base;       /* of this request in the file */
    off_t                       size;       /* bytes taken from the request */
    off_t                       offset;     /* of what has not been written */

    /* in the hands of the thread while it is busy */
    ngx_http_upload_buffer_t    buffer;
    size_t                      buffered;

    u_char                     *carry[3];   /* others may be with threads */
    ngx_http_upload_buffer_t    wide;       /* has what is more than CARRY */
    size_t                      carried;
    ngx_uint_t                  turn;

    upload_digest_t            *digest;
    ngx_http_upload_file_t     *files;      /* last one first */
    unsigned                    halved:1;   /* jobs have one half each */
    unsigned                    half:1;     /* to fill */
    unsigned                    flushing:1; /* its last piece is under way */
} ngx_http_upload_store_t;


typedef struct {
    ngx_str_t                   type;       /* NULL: the client's */
    ngx_chain_t                *bufs;
    ngx_chain_t               **last;
    ngx_buf_t                  *buf;
    off_t                       length;
    size_t                      tail_length;
    u_char                      tail[UPLOAD_MULTIPART_MAX_DELIMITER];
                                            /* of a client's value so far */
    ngx_array_t                 made;       /* uint64_t: names of our fields */
    ngx_array_t                 sent;       /* uint64_t: names from the client */
} ngx_http_upload_form_t;


/* What a raw upload is compared with. */

typedef struct {
    upload_digest_field_t       content;    /* Content-Digest */
    upload_digest_field_t       told;       /* upload_raw_digest */
    upload_digest_field_t       repr;       /* Repr-Digest */
} ngx_http_upload_raw_t;


/* The body of a form, where its client says a digest of it. */

typedef struct {
    upload_digest_field_t       content;    /* Content-Digest */
    upload_digest_t             digest;
} ngx_http_upload_whole_t;


/* How the body is read: a form, or the bytes of a file. */

typedef struct {

    /*
     * Takes bytes and moves *pos; NGX_AGAIN when the disk is behind, to be
     * called again with what is left.
     */
    ngx_int_t                 (*read)(ngx_http_upload_ctx_t *ctx, u_char **pos,
                                      u_char *end);

    /*
     * The body has ended; NGX_AGAIN as above.  201: the answer is not the
     * target's but the list of what has been received.
     */
    ngx_int_t                 (*end)(ngx_http_upload_ctx_t *ctx);

    /*
     * The upload has failed; NGX_AGAIN as above.  NGX_OK: goes on to the
     * target all the same.  NULL: all files of the request are removed.
     */
    ngx_int_t                 (*abort)(ngx_http_upload_ctx_t *ctx,
                                       ngx_int_t *status);
} ngx_http_upload_entrance_t;


typedef enum {
    NGX_HTTP_UPLOAD_PART_HEADERS,
    NGX_HTTP_UPLOAD_PART_FILE,
    NGX_HTTP_UPLOAD_PART_FIELD,
    NGX_HTTP_UPLOAD_PART_IGNORED
} ngx_http_upload_part_e;


struct ngx_http_upload_ctx_s {
    ngx_queue_t                 queue;      /* of the uploads of this worker */
    ngx_http_request_t         *request;
    ngx_http_upload_loc_conf_t *conf;
    ngx_uint_t                  digests;
    ngx_http_upload_entrance_t *entrance;

    upload_multipart_t          parser;
    ngx_uint_t                  parts;
    ngx_uint_t                  fields;
    ngx_http_upload_part_e      part;
    upload_text_t               data;       /* of the part, not yet taken */
    u_char                     *parsed;     /* in the input, behind it */
    ngx_http_upload_whole_t    *whole;      /* NULL: it has no digest */

    /* of the part that is being read; its text stands in the two buffers */
    upload_disposition_t        disposition;
    upload_text_t               type;
    u_char                     *disposition_buffer;
    u_char                     *type_buffer;

    /* what the variables show: the last file */
    ngx_uint_t                  file_number;
    ngx_str_t                   field_name;
    ngx_str_t                   file_name;
    ngx_str_t                   content_type;
    ngx_str_t                   path;
    ngx_str_t                   range;      /* Content-Range, as sent */
    ngx_str_t                   offset;     /* of what is missing */
    ngx_str_t                   outcome;
    ngx_str_t                   size;
    ngx_str_t                   hex[UPLOAD_DIGEST_COUNT];

    ngx_http_upload_store_t     store;
    ngx_http_upload_io_t        io;
    ngx_http_upload_form_t      form;

    ngx_http_upload_raw_t      *raw;        /* NULL: a form, or ranged */
    ngx_http_upload_segment_t  *segment;    /* NULL: a file of its own */
    ngx_str_t                   session;    /* id of a ranged upload */

    ngx_http_upload_progress_t *progress;   /* NULL: not counted */
    ngx_shm_zone_t             *progress_zone;

    /* a body that was read before us */
    ngx_chain_t                *link;
    u_char                     *chunk;      /* what was read of its file */
    u_char                     *chunk_pos;
    u_char                     *chunk_last;
    off_t                       chunk_offset;

    ngx_http_upload_buffer_t    window;     /* ours, that core reads into */
    u_char                     *lendable;   /* end of what it has; or NULL */
    off_t                       received;
    off_t                       turn;       /* received when others are next */
    off_t                       come;       /* when a tick looked last */
    ngx_msec_t                  start;
    ngx_event_t                 wake;
    ngx_event_t                 tick;       /* what came is to count */
    ngx_int_t                   failure;    /* waits for the thread */
    ngx_int_t                   broken;     /* no more can be read; or 0 */
    int                         lowat;      /* of the socket; 0: any byte */
    ngx_event_t                 nap;        /* ends the mark on HTTP/2 */
    off_t                       heard;      /* received when it last did */

    unsigned                    reading:1;  /* the body is ours to read */
    unsigned                    waiting:1;  /* for the thread alone */
    unsigned                    asking:1;   /* core, for the body */
    unsigned                    asked:1;    /* it has told of the body */
    unsigned                    in_place:1; /* bytes that cannot be lent */
    unsigned                    slow:1;     /* the client */
    unsigned                    ripe:1;     /* what came is to be written */
    unsigned                    closing:1;  /* the file of a part has ended */
    unsigned                    handed_on:1;
    unsigned                    reached:1;  /* the target's own handler */
    unsigned                    judged:1;   /* before a post_action: */
    unsigned                    unclaimed:1;
    unsigned                    listed:1;

    /* before us: an error page or an X-Accel-Redirect may have led here */
    ngx_uint_t                  err_status;
    ngx_http_upstream_t        *upstream;
    ngx_uint_t                  upstreams;  /* states of those asked */
};


/* Functions below return NGX_OK or the HTTP status of the failure. */


/* ngx_http_upload_request.c */

/* Content handler: checks the request and begins to read its body. */
ngx_int_t ngx_http_upload_handler(ngx_http_request_t *r);

/* Answers with one buffer, which is all; its Content-Type is set already. */
ngx_int_t ngx_http_upload_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *b);

/* Goes on with a request: something has come, or the thread is done. */
void ngx_http_upload_process(ngx_http_upload_ctx_t *ctx);

/* Process hooks: a worker that is stopped leaves no file behind. */
ngx_int_t ngx_http_upload_init_process(ngx_cycle_t *cycle);
void ngx_http_upload_exit_process(ngx_cycle_t *cycle);

/* The context, also after an internal redirect; NULL without an upload. */
ngx_http_upload_ctx_t *ngx_http_upload_get_ctx(ngx_http_request_t *r);


/* Writes and counts what has come, whatever the buffers have room for. */
ngx_int_t ngx_http_upload_segment_push(ngx_http_upload_ctx_t *ctx);

/* Whether what came of a body counts also where it breaks off. */
ngx_uint_t ngx_http_upload_segment_keeps(ngx_http_upload_ctx_t *ctx);

/* Whether anything that was taken of the body does not count yet. */
ngx_uint_t ngx_http_upload_segment_uncounted(ngx_http_upload_ctx_t *ctx);

/*
 * Milliseconds until it must, if anything is to be counted; -1: it need not.
 * Of a client that has fallen silent it must as soon as the disk has rested.
 */
ngx_msec_int_t ngx_http_upload_segment_wait(ngx_http_upload_ctx_t *ctx,
    ngx_uint_t silent);

/* Releases what the segment holds; and removes file and state. */
void ngx_http_upload_segment_stop(ngx_http_upload_ctx_t *ctx);
void ngx_http_upload_segment_free(ngx_http_upload_ctx_t *ctx);
void ngx_http_upload_segment_remove(ngx_http_upload_ctx_t *ctx);
void ngx_http_upload_segment_return(ngx_http_upload_ctx_t *ctx,
    ngx_uint_t told);


/* ngx_http_upload_outcome.c */

/* Removes files, or leaves them to the target or the session. */
void ngx_http_upload_settle(ngx_http_upload_ctx_t *ctx);

/* Decides on the files now, not when the request ends. */
void ngx_http_upload_judge(ngx_http_upload_ctx_t *ctx);

/* What was answered, or is to be; 0: nothing. */
ngx_uint_t ngx_http_upload_status(ngx_http_request_t *r);


/* ngx_http_upload_part.c */

/* Copies a text with its control characters as %XX. */
ngx_int_t ngx_http_upload_text_escape(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *out, const u_char *data, size_t length);

/* Prepares for the body whose Content-Type has been checked. */
ngx_int_t ngx_http_upload_parts_init(ngx_http_upload_ctx_t *ctx,
    upload_text_t *boundary);

extern ngx_http_upload_entrance_t  ngx_http_upload_form_entrance;


/* ngx_http_upload_raw.c */

ngx_int_t ngx_http_upload_raw_init(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_ranged.c */

ngx_int_t ngx_http_upload_ranged_init(ngx_http_upload_ctx_t *ctx);

/* Answers 201 with what has been received. */
ngx_int_t ngx_http_upload_ranged_answer(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_input.c */

/*
 * Reads what has come of the body and gives it to the entrance, until it has
 * ended (NGX_OK), or the client (NGX_DONE) or the thread (NGX_AGAIN) must be
 * waited for, or others are next (NGX_BUSY), or the rate says to pause
 * (NGX_DECLINED).
 */
ngx_int_t ngx_http_upload_input(ngx_http_upload_ctx_t *ctx);

/* Whether the body comes in a stream, over HTTP/2 or HTTP/3. */
ngx_uint_t ngx_http_upload_input_streamed(ngx_http_request_t *r);

/* Lets the client send more from the start. */
void ngx_http_upload_input_open(ngx_http_upload_ctx_t *ctx);

/*
 * While a large body comes fast, the worker hears of it only when so much has
 * come that it is worth it.  Hears of every byte again; to be called before
 * the body ends in any way.
 */
void ngx_http_upload_awake(ngx_http_upload_ctx_t *ctx);

/* Undoes a time-out of a worker that has not heard of a few bytes. */
void ngx_http_upload_dozed(ngx_http_upload_ctx_t *ctx);

/* Whether bytes have come that the worker has not heard of; it does now. */
ngx_uint_t ngx_http_upload_input_waits(ngx_http_upload_ctx_t *ctx);

/* Bytes of the body that the worker knows of; and those it does not, yet. */
off_t ngx_http_upload_arrived(ngx_http_upload_ctx_t *ctx);
off_t ngx_http_upload_unread(ngx_http_upload_ctx_t *ctx);

/* Milliseconds that the request is ahead of its rate; 0: none. */
ngx_msec_t ngx_http_upload_excess(ngx_http_upload_ctx_t *ctx);

/* A thread has the buffer that core read into: it gets another one. */
void ngx_http_upload_input_lent(ngx_http_upload_ctx_t *ctx);

/* The same where nobody has it any more. */
void ngx_http_upload_input_spare(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_buffer.c: memory that uploads have only while they need it */

void ngx_http_upload_buffer_init(ngx_cycle_t *cycle);

/* Leaves a buffer that is there as it is. */
ngx_int_t ngx_http_upload_buffer_take(ngx_http_upload_buffer_t *buffer,
    size_t size);

/* Nobody may use its bytes any more. */
void ngx_http_upload_buffer_give(ngx_http_upload_buffer_t *buffer);

/* Whether uploads have so little that one may have more than it asks for. */
ngx_uint_t ngx_http_upload_buffer_ample(void);

/* Whether uploads have so much that they should do with less. */
ngx_uint_t ngx_http_upload_buffer_scarce(void);


/* ngx_http_upload_path.c */

/*
 * Makes a new file below upload_store, with the mode of upload_store_access.
 * With a name, of characters that need no care, it is "NAME.digits", and the
 * file has no link yet where the file system can do without.
 */
ngx_int_t ngx_http_upload_path_create(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name, int flags, ngx_str_t *path, ngx_fd_t *fd);

/* Names the state file of a session, and makes its hashed directories. */
ngx_int_t ngx_http_upload_path_state(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *session, ngx_str_t *path);

/* Evaluates the root of a store; refuses values that climb. */
ngx_int_t ngx_http_upload_path_root(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_path_t *store, ngx_str_t *root);

/* Whether what the client has announced fits on the disk. */
ngx_int_t ngx_http_upload_path_space(ngx_http_upload_ctx_t *ctx);

/* Logs a failed call and tells its status; a full disk is always 507. */
ngx_int_t ngx_http_upload_path_error(ngx_http_upload_ctx_t *ctx, ngx_err_t err,
    const char *call, u_char *path, ngx_int_t status);


/* ngx_http_upload_store.c: NGX_AGAIN means that the thread is at work */

ngx_int_t ngx_http_upload_store_open(ngx_http_upload_ctx_t *ctx);

/* Goes on with a file that is open: its first byte goes to base. */
ngx_int_t ngx_http_upload_store_begin(ngx_http_upload_ctx_t *ctx, off_t base);

/* Takes bytes and moves *pos. */
ngx_int_t ngx_http_upload_store_write(ngx_http_upload_ctx_t *ctx, u_char **pos,
    u_char *end);

/* Writes what is left, makes it durable if so configured. */
ngx_int_t ngx_http_upload_store_flush(ngx_http_upload_ctx_t *ctx,
    ngx_uint_t sync);

/* Writes what is left although more is to come; no thread has anything. */
ngx_int_t ngx_http_upload_store_push(ngx_http_upload_ctx_t *ctx);

/* Flushes and closes the file, sets its size and digests. */
ngx_int_t ngx_http_upload_store_close(ngx_http_upload_ctx_t *ctx);

/* Sets the variables of digests and size. */
ngx_int_t ngx_http_upload_store_results(ngx_http_upload_ctx_t *ctx,
    off_t size);

/* Closes what is open and removes the request's files; never fails. */
void ngx_http_upload_store_remove(ngx_http_upload_ctx_t *ctx);

/* Bytes for which there is room without another write. */
size_t ngx_http_upload_store_room(ngx_http_upload_ctx_t *ctx);

/*
 * How many bytes, of at most so many, a write should take to end where the page
 * cache begins a large piece, if so many others have not been written before.
 */
size_t ngx_http_upload_store_fit(ngx_http_upload_ctx_t *ctx, size_t before,
    size_t size);

/* Gives back the buffer that has nothing any more. */
void ngx_http_upload_store_spare(ngx_http_upload_ctx_t *ctx);

/* Closes what is open. */
void ngx_http_upload_store_free(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_io.c */

/*
 * Writes two pieces, the first byte to offset: NGX_OK when they are done with;
 * NGX_AGAIN when threads have them, or something has failed before, as the
 * next call says.  Threads that need the bytes keep the buffer they lie in.
 */
ngx_int_t ngx_http_upload_io_write(ngx_http_upload_ctx_t *ctx, off_t offset,
    struct iovec *piece, ngx_http_upload_buffer_t *lent, ngx_uint_t sync);

/* Runs something else, when all pieces are done with; as above. */
ngx_int_t ngx_http_upload_io_run(ngx_http_upload_ctx_t *ctx,
    void (*run)(ngx_http_upload_io_t *io));

/* Whether wrote() takes long when it is called now. */
ngx_uint_t ngx_http_upload_io_due(ngx_http_upload_io_t *io);

/* Nanoseconds. */
int64_t ngx_http_upload_io_clock(clockid_t clock);

/* NGX_AGAIN while threads have as much as they may. */
ngx_int_t ngx_http_upload_io_room(ngx_http_upload_ctx_t *ctx);

/* NGX_AGAIN while threads have anything; then whether all went well. */
ngx_int_t ngx_http_upload_io_result(ngx_http_upload_ctx_t *ctx);

/*
 * Whether bytes in a buffer of such a size are done with when
 * ngx_http_upload_io_write() returns, so that they may be written from
 * wherever they are.
 */
ngx_uint_t ngx_http_upload_io_in_place(ngx_http_upload_ctx_t *ctx,
    size_t size);


/* ngx_http_upload_form.c */

ngx_int_t ngx_http_upload_form_init(ngx_http_upload_ctx_t *ctx);

/* Prepares for a body that is no form: the boundary is one of our own. */
ngx_int_t ngx_http_upload_form_own(ngx_http_upload_ctx_t *ctx);

/* Puts set and aggregate fields of the one file, and ends the form. */
ngx_int_t ngx_http_upload_form_whole(ngx_http_upload_ctx_t *ctx);

/* Notes the name of a client's field, passed on or not. */
ngx_int_t ngx_http_upload_form_note(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);

/* A client's field: its head, its value piece by piece, its end. */
ngx_int_t ngx_http_upload_form_open(ngx_http_upload_ctx_t *ctx,
    ngx_str_t *name);
ngx_int_t ngx_http_upload_form_write(ngx_http_upload_ctx_t *ctx,
    const u_char *data, size_t length);
ngx_int_t ngx_http_upload_form_close(ngx_http_upload_ctx_t *ctx);

/* Evaluates set or aggregate fields; NULL is none. */
ngx_int_t ngx_http_upload_form_fields(ngx_http_upload_ctx_t *ctx,
    ngx_array_t *fields);

/* Puts the final boundary and checks the names. */
ngx_int_t ngx_http_upload_form_end(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_headers.c */

/* A walk over the headers of a request. */

typedef struct {
    ngx_list_part_t            *part;
    ngx_uint_t                  next;
} ngx_http_upload_headers_t;

#define ngx_http_upload_headers_of(r)  { &(r)->headers_in.headers.part, 0 }

/* The next header with the lower-case name, in any case; NULL: any name. */
ngx_table_elt_t *ngx_http_upload_headers_next(ngx_http_upload_headers_t *at,
    const char *name);

/* A dictionary of digests; 400 when it is malformed. */
ngx_int_t ngx_http_upload_headers_digest(ngx_http_upload_ctx_t *ctx,
    const char *name, upload_digest_field_t *field);


/* ngx_http_upload_pass.c */

/* Lets the target's location be told from one that refuses the request. */
ngx_int_t ngx_http_upload_pass_init(ngx_conf_t *cf);

/* Replaces the body and redirects; after NGX_OK the request is finalized. */
ngx_int_t ngx_http_upload_pass(ngx_http_upload_ctx_t *ctx);

/* Puts the headers of upload_add_header into the answer. */
ngx_int_t ngx_http_upload_add_headers(ngx_http_upload_ctx_t *ctx);

/* Whether a refused request goes on to another location as it came. */
ngx_uint_t ngx_http_upload_left_to_others(ngx_http_request_t *r,
    ngx_int_t status);

/* Makes sure that nobody reads or passes on what is left of the body. */
ngx_int_t ngx_http_upload_drop_body(ngx_http_request_t *r);


/* ngx_http_upload_progress.c: where upload_progress_track says so */

/* The upload stands in the zone from now on, if there is room. */
void ngx_http_upload_progress_begin(ngx_http_upload_ctx_t *ctx);

/* How much has come; without a lock. */
void ngx_http_upload_progress_update(ngx_http_upload_ctx_t *ctx);

/* Which file of a form is coming. */
void ngx_http_upload_progress_name(ngx_http_upload_ctx_t *ctx);

/* With the status of the answer, or 0; more than once does no harm. */
void ngx_http_upload_progress_end(ngx_http_upload_ctx_t *ctx,
    ngx_int_t status);


/* ngx_http_upload_variables.c */

ngx_int_t ngx_http_upload_add_variables(ngx_conf_t *cf);

/* Digests whose variables the text names. */
ngx_uint_t ngx_http_upload_text_digests(ngx_str_t *text);

/* Digests whose variables anything compiled so far uses. */
ngx_uint_t ngx_http_upload_indexed_digests(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_upload_module;


#endif
