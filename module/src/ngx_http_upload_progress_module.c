
#include "ngx_http_upload_progress.h"


static char *ngx_http_upload_progress_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_progress_track(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_upload_progress_report(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_shm_zone_t *ngx_http_upload_progress_named(ngx_conf_t *cf,
    ngx_str_t *name);
static ngx_int_t ngx_http_upload_progress_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_upload_progress_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_upload_progress_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_upload_progress_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);


static ngx_command_t  ngx_http_upload_progress_commands[] = {

    { ngx_string("upload_progress_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_upload_progress_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("upload_progress_track"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_progress_track,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("upload_progress_report"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_upload_progress_report,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_upload_progress_module_ctx = {
    ngx_http_upload_progress_add_variables,     /* preconfiguration */
    ngx_http_upload_progress_postconfiguration, /* postconfiguration */

    ngx_http_upload_progress_create_main_conf, /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_upload_progress_create_loc_conf, /* create location configuration */
    ngx_http_upload_progress_merge_loc_conf   /* merge location configuration */
};


ngx_module_t  ngx_http_upload_progress_module = {
    NGX_MODULE_V1,
    &ngx_http_upload_progress_module_ctx,  /* module context */
    ngx_http_upload_progress_commands,     /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_upload_progress_init_process, /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_upload_progress_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_progress_main_conf_t *pmcf = conf;

    ssize_t                           size;
    ngx_str_t                        *value;
    ngx_shm_zone_t                   *shm_zone, **slot;
    ngx_http_upload_progress_zone_t  *zone;

    value = cf->args->elts;

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < (ssize_t) (8 * ngx_pagesize)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "upload_progress_zone: not a size, or too small, "
                           "got \"%V\"; use at least %uz, as in \"1m\"",
                           &value[2], (size_t) (8 * ngx_pagesize));
        return NGX_CONF_ERROR;
    }

    shm_zone = ngx_shared_memory_add(cf, &value[1], size,
                                     &ngx_http_upload_progress_module);
    if (shm_zone == NULL) {
        return NGX_CONF_ERROR;
    }

    if (shm_zone->data) {
        return "is duplicate";
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_upload_progress_zone_t));
    slot = ngx_array_push(&pmcf->zones);

    if (zone == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    shm_zone->init = ngx_http_upload_progress_init_zone;
    shm_zone->data = zone;
    *slot = shm_zone;

    return NGX_CONF_OK;
}


static char *
ngx_http_upload_progress_track(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_progress_loc_conf_t *plcf = conf;

    ngx_str_t  *value;

    if (plcf->track != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        plcf->track = NULL;
        return NGX_CONF_OK;
    }

    plcf->track = ngx_http_upload_progress_named(cf, &value[1]);

    return plcf->track ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_upload_progress_report(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_upload_progress_loc_conf_t *plcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (plcf->report) {
        return "is duplicate";
    }

    value = cf->args->elts;

    plcf->report = ngx_http_upload_progress_named(cf, &value[1]);
    if (plcf->report == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_upload_progress_handler;

    return NGX_CONF_OK;
}


/* The zone itself may stand further below; core misses one that does not. */

static ngx_shm_zone_t *
ngx_http_upload_progress_named(ngx_conf_t *cf, ngx_str_t *name)
{
    if (name->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "upload_progress: the name of the zone is empty; "
                           "use that of an upload_progress_zone");
        return NULL;
    }

    return ngx_shared_memory_add(cf, name, 0,
                                 &ngx_http_upload_progress_module);
}


static ngx_int_t
ngx_http_upload_progress_postconfiguration(ngx_conf_t *cf)
{
    ngx_str_t                              name = ngx_string("request_id");
    ngx_http_upload_progress_main_conf_t  *pmcf;

    pmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_upload_progress_module);

    if (pmcf->zones.nelts == 0) {
        return NGX_OK;
    }

    pmcf->request_id = ngx_http_get_variable_index(cf, &name);

    if (pmcf->request_id == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_upload_progress_refused_init(cf);
}


static void *
ngx_http_upload_progress_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_upload_progress_main_conf_t  *pmcf;

    pmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_upload_progress_main_conf_t));
    if (pmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&pmcf->zones, cf->pool, 1, sizeof(ngx_shm_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return pmcf;
}


static void *
ngx_http_upload_progress_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_upload_progress_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_upload_progress_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->report = NULL;
     */

    conf->track = NGX_CONF_UNSET_PTR;

    return conf;
}


/* Nobody inherits a report: the handler of a location is its own. */

static char *
ngx_http_upload_progress_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_upload_progress_loc_conf_t *prev = parent;
    ngx_http_upload_progress_loc_conf_t *conf = child;

    ngx_conf_merge_ptr_value(conf->track, prev->track, NULL);

    return NGX_CONF_OK;
}
