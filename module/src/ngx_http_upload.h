
#ifndef NGX_HTTP_UPLOAD_H
#define NGX_HTTP_UPLOAD_H


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "upload_digest.h"
#include "upload_header.h"
#include "upload_multipart.h"


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

    ngx_flag_t                  pass_args;
    ngx_flag_t                  tame_arrays;
    ngx_flag_t                  empty_names;

    ngx_uint_t                  digests;    /* used by directives here */
    unsigned                    handler:1;
} ngx_http_upload_loc_conf_t;


typedef struct ngx_http_upload_file_s  ngx_http_upload_file_t;

struct ngx_http_upload_file_s {
    ngx_str_t                   path;       /* ends with NUL */
    ngx_http_upload_file_t     *next;
};


typedef struct {
    ngx_fd_t                    fd;
    off_t                       size;
    u_char                     *buffer;
    size_t                      buffered;
    upload_digest_t             digest;
    ngx_http_upload_file_t     *files;      /* last one first */
} ngx_http_upload_store_t;


typedef struct {
    ngx_chain_t                *bufs;
    ngx_chain_t               **last;
    ngx_buf_t                  *buf;
    off_t                       length;
    ngx_array_t                 made;       /* uint64_t: names of our fields */
    ngx_array_t                 sent;       /* uint64_t: names from the client */
} ngx_http_upload_form_t;


typedef enum {
    NGX_HTTP_UPLOAD_PART_HEADERS,
    NGX_HTTP_UPLOAD_PART_FILE,
    NGX_HTTP_UPLOAD_PART_FIELD,
    NGX_HTTP_UPLOAD_PART_IGNORED
} ngx_http_upload_part_e;


typedef struct {
    ngx_queue_t                 queue;      /* of the uploads of this worker */
    ngx_http_request_t         *request;
    ngx_http_upload_loc_conf_t *conf;
    ngx_uint_t                  digests;

    upload_multipart_t          parser;
    ngx_uint_t                  parts;
    ngx_http_upload_part_e      part;

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
    ngx_str_t                   size;
    ngx_str_t                   hex[UPLOAD_DIGEST_COUNT];

    ngx_http_upload_store_t     store;
    ngx_http_upload_form_t      form;

    off_t                       received;
    off_t                       turn;       /* received when others are next */
    ngx_msec_t                  start;
    ngx_event_t                 wake;

    unsigned                    reading:1;  /* the body is ours to read */
    unsigned                    handed_on:1;
} ngx_http_upload_ctx_t;


/* Functions below return NGX_OK or the HTTP status of the failure. */


/* ngx_http_upload_request.c */

/* Content handler: checks the request and begins to read its body. */
ngx_int_t ngx_http_upload_handler(ngx_http_request_t *r);

/* Process hooks: a worker that is stopped leaves no file behind. */
ngx_int_t ngx_http_upload_init_process(ngx_cycle_t *cycle);
void ngx_http_upload_exit_process(ngx_cycle_t *cycle);

/* The context, also after an internal redirect; NULL without an upload. */
ngx_http_upload_ctx_t *ngx_http_upload_get_ctx(ngx_http_request_t *r);


/* ngx_http_upload_part.c */

/* Prepares for the body whose Content-Type has been checked. */
ngx_int_t ngx_http_upload_parts_init(ngx_http_upload_ctx_t *ctx,
    upload_text_t *boundary);

/* Takes the next bytes of the body. */
ngx_int_t ngx_http_upload_parts_read(ngx_http_upload_ctx_t *ctx, u_char *pos,
    u_char *end);

/* Checks that the body was whole. */
ngx_int_t ngx_http_upload_parts_end(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_store.c */

ngx_int_t ngx_http_upload_store_open(ngx_http_upload_ctx_t *ctx);
ngx_int_t ngx_http_upload_store_write(ngx_http_upload_ctx_t *ctx,
    const u_char *data, size_t length);

/* Writes what is buffered, closes the file, sets its size and digests. */
ngx_int_t ngx_http_upload_store_close(ngx_http_upload_ctx_t *ctx);

/* Closes what is open and removes the request's files; never fails. */
void ngx_http_upload_store_remove(ngx_http_upload_ctx_t *ctx);

/* Closes what is open and frees the digests. */
void ngx_http_upload_store_free(ngx_http_upload_ctx_t *ctx);


/* ngx_http_upload_form.c */

ngx_int_t ngx_http_upload_form_init(ngx_http_upload_ctx_t *ctx);

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


/* ngx_http_upload_pass.c */

/* Replaces the body and redirects; after NGX_OK the request is finalized. */
ngx_int_t ngx_http_upload_pass(ngx_http_upload_ctx_t *ctx);

/* Makes sure that nobody reads or passes on what is left of the body. */
ngx_int_t ngx_http_upload_drop_body(ngx_http_request_t *r);


/* ngx_http_upload_variables.c */

ngx_int_t ngx_http_upload_add_variables(ngx_conf_t *cf);

/* Digests whose variables the text names. */
ngx_uint_t ngx_http_upload_text_digests(ngx_str_t *text);

/* Digests whose variables anything compiled so far uses. */
ngx_uint_t ngx_http_upload_indexed_digests(ngx_conf_t *cf);


extern ngx_module_t  ngx_http_upload_module;


#endif
