
/*
 * Requests that are refused before an upload of theirs begins, by core or by
 * another module: whoever asks for their id is told so.
 */

#include "ngx_http_upload_progress.h"


typedef struct {
    ngx_http_request_t  *request;
    ngx_str_t            id;
    ngx_shm_zone_t      *zone;          /* NULL: it is not tracked */

    unsigned             located:1;     /* zone is known */
    unsigned             settled:1;     /* begun, or told */
} ngx_http_upload_progress_announced_t;


static ngx_int_t ngx_http_upload_progress_announce(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_progress_locate(ngx_http_request_t *r);
static ngx_int_t ngx_http_upload_progress_header_filter(ngx_http_request_t *r);
static void ngx_http_upload_progress_cleanup(void *data);
static ngx_http_upload_progress_announced_t *
    ngx_http_upload_progress_announced(ngx_http_request_t *r);
static void ngx_http_upload_progress_tell(
    ngx_http_upload_progress_announced_t *announced, ngx_uint_t status);
static ngx_shm_zone_t *ngx_http_upload_progress_tracked(ngx_http_request_t *r);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


ngx_int_t
ngx_http_upload_progress_refused_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *announce, *locate;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    announce = ngx_array_push(
                         &cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    locate = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);

    if (announce == NULL || locate == NULL) {
        return NGX_ERROR;
    }

    *announce = ngx_http_upload_progress_announce;
    *locate = ngx_http_upload_progress_locate;

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_upload_progress_header_filter;

    return NGX_OK;
}


void
ngx_http_upload_progress_begun(ngx_http_request_t *r)
{
    ngx_http_upload_progress_announced_t  *announced;

    announced = ngx_http_upload_progress_announced(r);

    if (announced) {
        announced->settled = 1;
    }
}


/*
 * The method and the arguments of an error page are not the client's, so they
 * are looked at before anything is answered.
 */

static ngx_int_t
ngx_http_upload_progress_announce(ngx_http_request_t *r)
{
    ngx_str_t                              id;
    ngx_pool_cleanup_t                    *cln;
    ngx_http_upload_progress_announced_t  *announced;

    if (!(r->method & (NGX_HTTP_POST|NGX_HTTP_PUT|NGX_HTTP_PATCH))
        || (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked)
        || ngx_http_upload_progress_id(r, &id) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    cln = ngx_pool_cleanup_add(r->pool,
                               sizeof(ngx_http_upload_progress_announced_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    announced = cln->data;

    ngx_memzero(announced, sizeof(ngx_http_upload_progress_announced_t));

    announced->request = r;
    announced->id = id;

    cln->handler = ngx_http_upload_progress_cleanup;

    ngx_http_set_ctx(r, announced, ngx_http_upload_progress_module);

    return NGX_DECLINED;
}


/*
 * An error page may be anywhere: it is the location that refuses which counts.
 * A page that sets the status anew ("error_page 403 = /page") can only be told
 * from another redirect by what it lacks.
 */

static ngx_int_t
ngx_http_upload_progress_locate(ngx_http_request_t *r)
{
    ngx_shm_zone_t                        *zone;
    ngx_http_upload_progress_announced_t  *announced;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    announced = ngx_http_upload_progress_announced(r);

    if (announced == NULL) {
        return NGX_DECLINED;
    }

    zone = ngx_http_upload_progress_tracked(r);

    if (ngx_http_get_module_ctx(r, ngx_http_upload_progress_module) == NULL
        && (r->err_status || r->error_page || zone == NULL))
    {
        return NGX_DECLINED;
    }

    announced->zone = zone;
    announced->located = 1;

    return NGX_DECLINED;
}


/* Not when the request ends: nginx may read on for half a minute. */

static ngx_int_t
ngx_http_upload_progress_header_filter(ngx_http_request_t *r)
{
    ngx_http_upload_progress_announced_t  *announced;

    if (r == r->main && r->headers_out.status >= NGX_HTTP_BAD_REQUEST) {

        announced = ngx_http_upload_progress_announced(r);

        if (announced) {
            ngx_http_upload_progress_tell(announced, r->headers_out.status);
        }
    }

    return ngx_http_next_header_filter(r);
}


static void
ngx_http_upload_progress_cleanup(void *data)
{
    ngx_http_upload_progress_announced_t *announced = data;

    ngx_uint_t  status;

    status = ngx_http_upload_status(announced->request);

    /* nothing was answered: the connection or nginx has ended */

    if (status < NGX_HTTP_OK) {
        status = NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    if (status >= NGX_HTTP_BAD_REQUEST) {
        ngx_http_upload_progress_tell(announced, status);
    }
}


static ngx_http_upload_progress_announced_t *
ngx_http_upload_progress_announced(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t                    *cln;
    ngx_http_upload_progress_announced_t  *announced;

    announced = ngx_http_get_module_ctx(r, ngx_http_upload_progress_module);

    if (announced == NULL && (r->internal || r->filter_finalize)) {

        /* an internal redirect has cleared the contexts */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_upload_progress_cleanup) {
                return cln->data;
            }
        }
    }

    return announced;
}


static void
ngx_http_upload_progress_tell(ngx_http_upload_progress_announced_t *announced,
    ngx_uint_t status)
{
    ngx_shm_zone_t  *zone;

    if (announced->settled) {
        return;
    }

    announced->settled = 1;

    /* core compares client_max_body_size before any module is asked */

    zone = announced->located ? announced->zone
                        : ngx_http_upload_progress_tracked(announced->request);

    if (zone) {
        ngx_http_upload_progress_refuse(zone, &announced->id, status);
    }
}


/* What asks how far an upload is, is none. */

static ngx_shm_zone_t *
ngx_http_upload_progress_tracked(ngx_http_request_t *r)
{
    ngx_http_upload_progress_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_upload_progress_module);

    return plcf->report ? NULL : plcf->track;
}
