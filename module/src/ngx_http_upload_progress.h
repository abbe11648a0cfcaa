
/*
 * How far uploads are: entries in shared memory, which every worker reads.
 */

#ifndef NGX_HTTP_UPLOAD_PROGRESS_H
#define NGX_HTTP_UPLOAD_PROGRESS_H


#include "ngx_http_upload.h"


/* Bytes kept of each text; of a longer name, its beginning. */
#define NGX_HTTP_UPLOAD_PROGRESS_ID       64
#define NGX_HTTP_UPLOAD_PROGRESS_NAME     192
#define NGX_HTTP_UPLOAD_PROGRESS_FIELD    64

#define NGX_HTTP_UPLOAD_PROGRESS_BUCKETS  256

/* Milliseconds for which it can be asked how an upload has ended. */
#define NGX_HTTP_UPLOAD_PROGRESS_KEPT     60000


typedef enum {
    NGX_HTTP_UPLOAD_PROGRESS_FORM,
    NGX_HTTP_UPLOAD_PROGRESS_RAW,
    NGX_HTTP_UPLOAD_PROGRESS_PIECE,     /* of a file that is configured */
    NGX_HTTP_UPLOAD_PROGRESS_RANGED
} ngx_http_upload_progress_e;


/*
 * All but the two numbers of the hot path changes under the zone's lock; these
 * are written by the upload's worker alone.
 */

struct ngx_http_upload_progress_s {
    ngx_queue_t                   queue;    /* under way, ended or refused */
    ngx_queue_t                   chain;    /* of its bucket */

    volatile off_t                received; /* of the body */
    volatile ngx_msec_t           updated;

    off_t                         size;     /* of the body; -1: unknown */
    time_t                        start;
    ngx_uint_t                    status;   /* 0: under way */
    ngx_pid_t                     pid;
    ngx_http_upload_progress_e    protocol;

    unsigned                      given:1;  /* the id is the client's */
    unsigned                      refused:1;        /* it never began */
    u_char                        id_length;
    u_char                        name_length;
    u_char                        field_length;
    u_char                        id[NGX_HTTP_UPLOAD_PROGRESS_ID];
    u_char                        name[NGX_HTTP_UPLOAD_PROGRESS_NAME];
    u_char                        field[NGX_HTTP_UPLOAD_PROGRESS_FIELD];
};


/* In shared memory. */

typedef struct {
    ngx_queue_t                   active;   /* the newest one first */
    ngx_queue_t                   ended;    /* the last one first */
    ngx_queue_t                   refused;  /* likewise */
    ngx_queue_t                   bucket[NGX_HTTP_UPLOAD_PROGRESS_BUCKETS];
} ngx_http_upload_progress_table_t;


/* data of the zone */

typedef struct {
    ngx_http_upload_progress_table_t *table;
    ngx_slab_pool_t                  *shpool;
} ngx_http_upload_progress_zone_t;


typedef struct {
    ngx_array_t                   zones;    /* ngx_shm_zone_t * */
    ngx_int_t                     request_id;   /* index of the variable */
} ngx_http_upload_progress_main_conf_t;


typedef struct {
    ngx_shm_zone_t               *track;    /* NULL: nothing is counted */
    ngx_shm_zone_t               *report;
} ngx_http_upload_progress_loc_conf_t;


/* ngx_http_upload_progress.c */

/* Makes the table, or takes over that of the configuration before. */
ngx_int_t ngx_http_upload_progress_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);

/* Ends what a worker that is no more has left. */
ngx_int_t ngx_http_upload_progress_init_process(ngx_cycle_t *cycle);

/*
 * The id that the client gave, in an argument or a header.  NGX_DECLINED: it
 * gave none; NGX_ERROR: it is none.
 */
ngx_int_t ngx_http_upload_progress_id(ngx_http_request_t *r, ngx_str_t *id);

/* Under the lock.  The last one with the id; NULL: there is none any more. */
ngx_http_upload_progress_t *ngx_http_upload_progress_find(
    ngx_http_upload_progress_table_t *table, ngx_str_t *id);

/* Under the lock.  Ends uploads whose worker is no more. */
void ngx_http_upload_progress_sweep(ngx_http_upload_progress_table_t *table);

/*
 * What was to be an upload with the id has ended before it began.  Not noted
 * where an upload with the id is under way, nor at the cost of any upload.
 */
void ngx_http_upload_progress_refuse(ngx_shm_zone_t *shm_zone, ngx_str_t *id,
    ngx_uint_t status);


/* ngx_http_upload_progress_report.c */

/* Content handler: how far the upload is whose id the client names. */
ngx_int_t ngx_http_upload_progress_handler(ngx_http_request_t *r);

/* Preconfiguration: $upload_progress_list. */
ngx_int_t ngx_http_upload_progress_add_variables(ngx_conf_t *cf);


/* ngx_http_upload_progress_refused.c */

/* Postconfiguration: notes requests with an id, and how they are answered. */
ngx_int_t ngx_http_upload_progress_refused_init(ngx_conf_t *cf);

/* The upload of the request begins: how it ends is no matter of its answer. */
void ngx_http_upload_progress_begun(ngx_http_request_t *r);


extern ngx_module_t  ngx_http_upload_progress_module;


#endif
