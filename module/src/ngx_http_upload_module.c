
#include "ngx_http_upload.h"


#define NGX_HTTP_UPLOAD_ANY_CONF                                             \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF                  \
     |NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF)


static char *ngx_http_upload_set_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_set_store(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_set_value(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_set_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_set_pass_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_set_cleanup(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_set_thread_pool(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_upload_set_checksums(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_positive(ngx_conf_t *cf, void *post, void *data);

static ngx_http_upload_value_t *ngx_http_upload_value(ngx_conf_t *cf,
    ngx_str_t *text);
static ngx_int_t ngx_http_upload_compile(ngx_conf_t *cf,
    ngx_http_upload_value_t *value);
static ngx_uint_t ngx_http_upload_field_digests(ngx_array_t *fields);
static ngx_int_t ngx_http_upload_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_upload_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_upload_create_loc_conf(ngx_conf_t *cf);
static void ngx_http_upload_merge_pointers(ngx_http_upload_loc_conf_t *prev,
    ngx_http_upload_loc_conf_t *conf);
static char *ngx_http_upload_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_upload_merge_handler(ngx_conf_t *cf,
    ngx_http_upload_loc_conf_t *prev, ngx_http_upload_loc_conf_t *conf);


static ngx_conf_post_t  ngx_http_upload_positive_post =
    { ngx_http_upload_positive };


static ngx_command_t  ngx_http_upload_commands[] = {

    { ngx_string("upload_pass"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_set_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("upload_store"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1234,
      ngx_http_upload_set_store,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, store),
      NULL },

    { ngx_string("upload_store_access"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE123,
      ngx_conf_set_access_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, access),
      NULL },

    { ngx_string("upload_set_form_field"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE2,
      ngx_http_upload_set_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, set_fields),
      NULL },

    { ngx_string("upload_aggregate_form_field"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE2,
      ngx_http_upload_set_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, aggregate_fields),
      NULL },

    { ngx_string("upload_pass_form_field"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_set_pass_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("upload_cleanup"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_upload_set_cleanup,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("upload_buffer_size"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, buffer_size),
      &ngx_http_upload_positive_post },

    { ngx_string("upload_merge_buffer_size"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, merge_buffer_size),
      NULL },

    { ngx_string("upload_range_header_buffer_size"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, range_header_buffer_size),
      NULL },

    { ngx_string("upload_max_part_header_len"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, max_part_header_length),
      &ngx_http_upload_positive_post },

    { ngx_string("upload_max_file_size"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_off_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, max_file_size),
      NULL },

    { ngx_string("upload_max_output_body_len"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, max_output_body_length),
      NULL },

    { ngx_string("upload_limit_rate"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, limit_rate),
      NULL },

    { ngx_string("upload_pass_args"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, pass_args),
      NULL },

    { ngx_string("upload_tame_arrays"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, tame_arrays),
      NULL },

    { ngx_string("upload_empty_fields_names"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, empty_names),
      NULL },

    /* the spelling that existing configurations have */

    { ngx_string("upload_empty_fiels_names"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, empty_names),
      NULL },

    { ngx_string("upload_add_header"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE2,
      ngx_http_upload_set_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, headers),
      NULL },

    { ngx_string("upload_sync"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, sync),
      NULL },

    { ngx_string("upload_min_free_space"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_off_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, min_free_space),
      NULL },

    { ngx_string("upload_thread_pool"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_set_thread_pool,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("upload_checksums"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_1MORE,
      ngx_http_upload_set_checksums,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("upload_max_parts"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, max_parts),
      NULL },

    { ngx_string("upload_max_fields"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, max_fields),
      NULL },

    { ngx_string("upload_resumable"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, resumable),
      NULL },

    { ngx_string("upload_state_store"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1234,
      ngx_http_upload_set_store,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, state_store),
      NULL },

    { ngx_string("upload_raw"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, raw),
      NULL },

    { ngx_string("upload_raw_path"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_set_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, raw_path),
      NULL },

    { ngx_string("upload_raw_offset"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_set_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, raw_offset),
      NULL },

    { ngx_string("upload_raw_length"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_set_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, raw_length),
      NULL },

    { ngx_string("upload_raw_digest"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_set_value,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, raw_digest),
      NULL },

    { ngx_string("upload_reserve"),
      NGX_HTTP_UPLOAD_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_upload_loc_conf_t, reserve),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_upload_module_ctx = {
    ngx_http_upload_add_variables,         /* preconfiguration */
    ngx_http_upload_postconfiguration,     /* postconfiguration */

    ngx_http_upload_create_main_conf,      /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_upload_create_loc_conf,       /* create location configuration */
    ngx_http_upload_merge_loc_conf         /* merge location configuration */
};


ngx_module_t  ngx_http_upload_module = {
    NGX_MODULE_V1,
    &ngx_http_upload_module_ctx,           /* module context */
    ngx_http_upload_commands,              /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_upload_init_process,          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_upload_exit_process,          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_upload_set_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_loc_conf_t *ulcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (ulcf->pass) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || (value[1].data[0] != '/' && value[1].data[0] != '@'
                              && value[1].data[0] != '$'))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "upload_pass: neither a URI nor a named location, "
                           "got \"%V\"; use \"/uri\", \"@name\" or a variable",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    ulcf->pass = ngx_http_upload_value(cf, &value[1]);
    if (ulcf->pass == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->cmd_type & (NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF))
    {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
        clcf->handler = ngx_http_upload_handler;
        ulcf->handler = 1;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_set_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                          level;
    ngx_str_t                         *value, root;
    ngx_uint_t                         i, digits;
    ngx_http_upload_path_t            *store, **slot;
    ngx_http_compile_complex_value_t   ccv;

    slot = (ngx_http_upload_path_t **) ((char *) conf + cmd->offset);

    if (*slot) {
        return "is duplicate";
    }

    store = ngx_pcalloc(cf->pool, sizeof(ngx_http_upload_path_t));
    if (store == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    digits = 0;

    for (i = 2; i < cf->args->nelts; i++) {

        level = ngx_atoi(value[i].data, value[i].len);

        if (level == NGX_ERROR || level == 0 || (digits += level) > 10) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%V: not a level, got \"%V\"; use up to three "
                               "numbers of digits, 10 digits in all",
                               &value[0], &value[i]);
            return NGX_CONF_ERROR;
        }

        store->level[i - 2] = level;
        store->levels += level + 1;
    }

    root = value[1];

    if (root.len == 0) {
        return "must not be empty";
    }

    if (ngx_http_script_variables_count(&root) == 0) {

        if (ngx_conf_full_name(cf->cycle, &root, 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

    } else if (ngx_strstr(root.data, "..")) {
        return "may not contain both variables and \"..\"";
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &root;
    ccv.complex_value = &store->root;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    *slot = store;

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_set_value(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *value;
    ngx_http_upload_value_t **slot;

    slot = (ngx_http_upload_value_t **) ((char *) conf + cmd->offset);

    if (*slot) {
        return "is duplicate";
    }

    value = cf->args->elts;

    *slot = ngx_http_upload_value(cf, &value[1]);

    return *slot ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_upload_set_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *value;
    ngx_array_t             **fields;
    ngx_http_upload_field_t  *field;

    fields = (ngx_array_t **) ((char *) conf + cmd->offset);

    if (*fields == NULL) {
        *fields = ngx_array_create(cf->pool, 4,
                                   sizeof(ngx_http_upload_field_t));
        if (*fields == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    field = ngx_array_push(*fields);
    if (field == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    field->name = ngx_http_upload_value(cf, &value[1]);
    field->value = ngx_http_upload_value(cf, &value[2]);

    if (field->name == NULL || field->value == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_set_pass_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_loc_conf_t *ulcf = conf;

    u_char                errstr[NGX_MAX_CONF_ERRSTR];
    ngx_str_t            *value;
    ngx_regex_t         **regex;
    ngx_regex_compile_t   rc;

    if (ulcf->pass_fields == NULL) {
        ulcf->pass_fields = ngx_array_create(cf->pool, 4,
                                             sizeof(ngx_regex_t *));
        if (ulcf->pass_fields == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    regex = ngx_array_push(ulcf->pass_fields);
    if (regex == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern = value[1];
    rc.pool = cf->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "upload_pass_form_field: %V",
                           &rc.err);
        return NGX_CONF_ERROR;
    }

    *regex = rc.regex;

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_set_cleanup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_loc_conf_t *ulcf = conf;

    u_char                      *dash, *last;
    ngx_int_t                    from, to;
    ngx_str_t                   *value;
    ngx_uint_t                   i;
    ngx_http_upload_statuses_t  *statuses;

    if (ulcf->cleanup == NULL) {
        ulcf->cleanup = ngx_array_create(cf->pool, 4,
                                         sizeof(ngx_http_upload_statuses_t));
        if (ulcf->cleanup == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        last = value[i].data + value[i].len;
        dash = ngx_strlchr(value[i].data, last, '-');

        if (dash) {
            from = ngx_atoi(value[i].data, dash - value[i].data);
            to = ngx_atoi(dash + 1, last - dash - 1);

        } else {
            from = to = ngx_atoi(value[i].data, value[i].len);
        }

        if (from < 200 || to > 599 || from > to) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "upload_cleanup: not a status or a range, "
                               "got \"%V\"; use 200 to 599, as in "
                               "\"400 404 499 500-505\"", &value[i]);
            return NGX_CONF_ERROR;
        }

        statuses = ngx_array_push(ulcf->cleanup);
        if (statuses == NULL) {
            return NGX_CONF_ERROR;
        }

        statuses->from = from;
        statuses->to = to;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_set_thread_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_loc_conf_t *ulcf = conf;

    ngx_str_t  *value;

    if (ulcf->pool_name.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

#if !(NGX_THREADS)

    if (ngx_strcmp(value[1].data, "off") != 0) {
        return "needs an nginx that is built --with-threads; use \"off\"";
    }

#endif

    ulcf->pool_name = value[1];

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_set_checksums(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_loc_conf_t *ulcf = conf;

    ngx_str_t          *value;
    ngx_uint_t          i, n;

    static const char  *names[UPLOAD_DIGEST_COUNT] = {
        "md5", "sha1", "sha256", "sha512", "crc32"
    };

    if (ulcf->checksums != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    ulcf->checksums = 0;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        for (n = 0; n < UPLOAD_DIGEST_COUNT; n++) {

            if (ngx_strcmp(value[i].data, names[n]) == 0) {
                ulcf->checksums |= 1U << n;
                break;
            }
        }

        if (n == UPLOAD_DIGEST_COUNT) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "upload_checksums: not a checksum, got \"%V\"; "
                               "use md5, sha1, sha256, sha512, crc32, or off "
                               "alone", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_positive(ngx_conf_t *cf, void *post, void *data)
{
    size_t *size = data;

    return *size ? NGX_CONF_OK : "must be more than 0";
}


static ngx_http_upload_value_t *
ngx_http_upload_value(ngx_conf_t *cf, ngx_str_t *text)
{
    ngx_http_upload_value_t       *value, **slot;
    ngx_http_upload_main_conf_t   *umcf;

    value = ngx_pcalloc(cf->pool, sizeof(ngx_http_upload_value_t));
    if (value == NULL) {
        return NULL;
    }

    value->text = *text;
    value->digests = ngx_http_upload_text_digests(text);
    value->conf_file = cf->conf_file->file.name;
    value->line = cf->conf_file->line;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upload_module);

    slot = ngx_array_push(&umcf->values);
    if (slot == NULL) {
        return NULL;
    }

    *slot = value;

    return value;
}


static ngx_int_t
ngx_http_upload_compile(ngx_conf_t *cf, ngx_http_upload_value_t *value)
{
    ngx_int_t                          rc;
    ngx_conf_file_t                   *conf_file, place;
    ngx_http_compile_complex_value_t   ccv;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value->text;
    ccv.complex_value = &value->value;

    /* errors name the place of the directive */

    conf_file = cf->conf_file;
    place = *conf_file;
    place.file.name = value->conf_file;
    place.line = value->line;
    cf->conf_file = &place;

    rc = ngx_http_compile_complex_value(&ccv);

    cf->conf_file = conf_file;

    return rc;
}


static ngx_uint_t
ngx_http_upload_field_digests(ngx_array_t *fields)
{
    ngx_uint_t                i, digests;
    ngx_http_upload_field_t  *field;

    if (fields == NULL) {
        return 0;
    }

    field = fields->elts;
    digests = 0;

    for (i = 0; i < fields->nelts; i++) {
        digests |= field[i].name->digests | field[i].value->digests;
    }

    return digests;
}


/*
 * Digests cost more than all else, so a location computes only its own and
 * those that log_format, proxy_set_header and so on use.  These can be told
 * apart as long as nothing of ours has been compiled.
 */

static ngx_int_t
ngx_http_upload_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                     i;
    ngx_http_upload_value_t      **value;
    ngx_http_upload_main_conf_t   *umcf;

    if (ngx_http_upload_pass_init(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upload_module);

    umcf->digests = ngx_http_upload_indexed_digests(cf);

    value = umcf->values.elts;

    for (i = 0; i < umcf->values.nelts; i++) {

        if (ngx_http_upload_compile(cf, value[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void *
ngx_http_upload_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_upload_main_conf_t  *umcf;

    umcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_upload_main_conf_t));
    if (umcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&umcf->values, cf->pool, 16,
                       sizeof(ngx_http_upload_value_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return umcf;
}


static void *
ngx_http_upload_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_upload_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_upload_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->pass = NULL;
     *     conf->store = NULL;
     *     conf->set_fields = NULL;
     *     conf->aggregate_fields = NULL;
     *     conf->pass_fields = NULL;
     *     conf->headers = NULL;
     *     conf->cleanup = NULL;
     *     conf->state_store = NULL;
     *     conf->raw_path = NULL;
     *     conf->raw_offset = NULL;
     *     conf->raw_length = NULL;
     *     conf->raw_digest = NULL;
     *     conf->digests = 0;
     *     conf->pool_name = { 0, NULL };
     *     conf->pool = NULL;
     *     conf->handler = 0;
     */

    conf->access = NGX_CONF_UNSET_UINT;
    conf->buffer_size = NGX_CONF_UNSET_SIZE;
    conf->merge_buffer_size = NGX_CONF_UNSET_SIZE;
    conf->range_header_buffer_size = NGX_CONF_UNSET_SIZE;
    conf->max_part_header_length = NGX_CONF_UNSET_SIZE;
    conf->max_output_body_length = NGX_CONF_UNSET_SIZE;
    conf->limit_rate = NGX_CONF_UNSET_SIZE;
    conf->max_file_size = NGX_CONF_UNSET;
    conf->min_free_space = NGX_CONF_UNSET;
    conf->max_parts = NGX_CONF_UNSET_UINT;
    conf->max_fields = NGX_CONF_UNSET_UINT;
    conf->checksums = NGX_CONF_UNSET_UINT;
    conf->sync = NGX_CONF_UNSET;
    conf->resumable = NGX_CONF_UNSET;
    conf->raw = NGX_CONF_UNSET;
    conf->reserve = NGX_CONF_UNSET;
    conf->pass_args = NGX_CONF_UNSET;
    conf->tame_arrays = NGX_CONF_UNSET;
    conf->empty_names = NGX_CONF_UNSET;

    return conf;
}


/* What a level has of its own replaces the whole of what is above. */

static void
ngx_http_upload_merge_pointers(ngx_http_upload_loc_conf_t *prev,
    ngx_http_upload_loc_conf_t *conf)
{
    if (conf->store == NULL) {
        conf->store = prev->store;
    }

    if (conf->state_store == NULL) {
        conf->state_store = prev->state_store;
    }

    if (conf->raw_path == NULL) {
        conf->raw_path = prev->raw_path;
    }

    if (conf->raw_offset == NULL) {
        conf->raw_offset = prev->raw_offset;
    }

    if (conf->raw_length == NULL) {
        conf->raw_length = prev->raw_length;
    }

    if (conf->raw_digest == NULL) {
        conf->raw_digest = prev->raw_digest;
    }

    if (conf->set_fields == NULL) {
        conf->set_fields = prev->set_fields;
    }

    if (conf->aggregate_fields == NULL) {
        conf->aggregate_fields = prev->aggregate_fields;
    }

    if (conf->pass_fields == NULL) {
        conf->pass_fields = prev->pass_fields;
    }

    if (conf->headers == NULL) {
        conf->headers = prev->headers;
    }

    if (conf->cleanup == NULL) {
        conf->cleanup = prev->cleanup;
    }
}


static char *
ngx_http_upload_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_upload_loc_conf_t *prev = parent;
    ngx_http_upload_loc_conf_t *conf = child;

    ngx_http_upload_merge_pointers(prev, conf);

    ngx_conf_merge_uint_value(conf->access, prev->access, 0600);
    ngx_conf_merge_size_value(conf->buffer_size, prev->buffer_size,
                              (size_t) ngx_pagesize);
    ngx_conf_merge_size_value(conf->merge_buffer_size, prev->merge_buffer_size,
                              (size_t) ngx_pagesize);
    ngx_conf_merge_size_value(conf->range_header_buffer_size,
                              prev->range_header_buffer_size, 256);
    ngx_conf_merge_size_value(conf->max_part_header_length,
                              prev->max_part_header_length, 512);
    ngx_conf_merge_size_value(conf->max_output_body_length,
                              prev->max_output_body_length, 100 * 1024);
    ngx_conf_merge_size_value(conf->limit_rate, prev->limit_rate, 0);
    ngx_conf_merge_off_value(conf->max_file_size, prev->max_file_size, 0);
    ngx_conf_merge_off_value(conf->min_free_space, prev->min_free_space, 0);
    ngx_conf_merge_uint_value(conf->max_parts, prev->max_parts, 10000);
    ngx_conf_merge_uint_value(conf->max_fields, prev->max_fields, 10000);
    ngx_conf_merge_uint_value(conf->checksums, prev->checksums, 0);
    ngx_conf_merge_value(conf->sync, prev->sync, 1);
    ngx_conf_merge_value(conf->resumable, prev->resumable, 0);
    ngx_conf_merge_value(conf->raw, prev->raw, 0);
    ngx_conf_merge_value(conf->reserve, prev->reserve, 0);
    ngx_conf_merge_str_value(conf->pool_name, prev->pool_name, "default");
    ngx_conf_merge_value(conf->pass_args, prev->pass_args, 0);
    ngx_conf_merge_value(conf->tame_arrays, prev->tame_arrays, 0);
    ngx_conf_merge_value(conf->empty_names, prev->empty_names, 0);

    conf->digests = conf->checksums
                    | ngx_http_upload_field_digests(conf->set_fields)
                    | ngx_http_upload_field_digests(conf->aggregate_fields)
                    | ngx_http_upload_field_digests(conf->headers);

    if (conf->pass == NULL ? prev->pass : conf->pass) {
        conf->digests |= (conf->pass == NULL ? prev->pass : conf->pass)->digests;
    }

    return ngx_http_upload_merge_handler(cf, prev, conf);
}


/*
 * A nested location inherits the target and not the handler; "if" and
 * limit_except are the same location still.
 */

static char *
ngx_http_upload_merge_handler(ngx_conf_t *cf, ngx_http_upload_loc_conf_t *prev,
    ngx_http_upload_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->pass == NULL) {
        conf->pass = prev->pass;

        if (clcf->noname && prev->handler && clcf->handler == NULL) {
            clcf->handler = ngx_http_upload_handler;
            conf->handler = 1;
        }
    }

    if (conf->handler && conf->store == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "upload_store: missing in location \"%V\", which has "
                      "upload_pass; add \"upload_store /path;\"",
                      &clcf->name);
        return NGX_CONF_ERROR;
    }

#if (NGX_THREADS)

    if (conf->handler && ngx_strcmp(conf->pool_name.data, "off") != 0) {

        conf->pool = ngx_thread_pool_add(cf, &conf->pool_name);
        if (conf->pool == NULL) {
            return NGX_CONF_ERROR;
        }
    }

#endif

    return NGX_CONF_OK;
}
