
/* What becomes of the files when the request ends. */

#include "ngx_http_upload.h"


static ngx_uint_t ngx_http_upload_answered(ngx_http_upload_ctx_t *ctx);
static ngx_uint_t ngx_http_upload_asked(ngx_http_upload_ctx_t *ctx,
    ngx_uint_t answered);
static ngx_uint_t ngx_http_upload_unwanted(ngx_http_upload_ctx_t *ctx);
static ngx_uint_t ngx_http_upload_unclaimed(ngx_http_upload_ctx_t *ctx);
static ngx_uint_t ngx_http_upload_listed(ngx_http_upload_ctx_t *ctx);


void
ngx_http_upload_settle(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_progress_end(ctx, ngx_http_upload_status(ctx->request));

    if (ctx->segment) {

        ngx_http_upload_segment_stop(ctx);

        /* with the file open, and so held, until the state knows */

        if (ctx->session.len && ctx->handed_on && ngx_http_upload_listed(ctx)) {
            ngx_http_upload_segment_remove(ctx);

        } else if (ctx->session.len
                   && (!ctx->handed_on || ngx_http_upload_unclaimed(ctx)))
        {
            ngx_http_upload_segment_return(ctx, ngx_http_upload_asked(ctx, 0));
        }

        /* what is not whole stays for the next request */

        ngx_http_upload_store_remove(ctx);
        ngx_http_upload_segment_free(ctx);

        return;
    }

    if (!ctx->handed_on || ngx_http_upload_unwanted(ctx)) {
        ngx_http_upload_store_remove(ctx);
        return;
    }

    ngx_http_upload_store_free(ctx);
}


/*
 * Whether the target has said anything, be it an error.  That nginx does not
 * let the request in to it is none of what it says.
 */

static ngx_uint_t
ngx_http_upload_answered(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (r->upstream == ctx->upstream) {
        return ctx->reached || ngx_http_upload_status(r) < NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_upload_asked(ctx, 1);
}


/*
 * Whether a target may know of the file, as it has the request, or a part of
 * it; or whether one has answered as well.
 */

static ngx_uint_t
ngx_http_upload_asked(ngx_http_upload_ctx_t *ctx, ngx_uint_t answered)
{
    ngx_uint_t                  i;
    ngx_array_t                *states;
    ngx_http_upstream_state_t  *state;

    states = ctx->request->upstream_states;

    if (states == NULL) {
        return 0;
    }

    state = states->elts;

    for (i = ctx->upstreams; i < states->nelts; i++) {

        if (state[i].peer
            && (answered ? state[i].header_time != (ngx_msec_t) -1
                         : state[i].bytes_sent > 0))
        {
            return 1;
        }
    }

    return 0;
}


/*
 * A request that was cut off leaves no file, nor does one whose target could
 * not be asked; what the target has decided on is for upload_cleanup.
 */

static ngx_uint_t
ngx_http_upload_unwanted(ngx_http_upload_ctx_t *ctx)
{
    return ngx_http_upload_unclaimed(ctx) || ngx_http_upload_listed(ctx);
}


static ngx_uint_t
ngx_http_upload_unclaimed(ngx_http_upload_ctx_t *ctx)
{
    ngx_uint_t  status;

    if (ctx->judged) {
        return ctx->unclaimed;
    }

    status = ngx_http_upload_status(ctx->request);

    return status == 0 || status == NGX_HTTP_CLIENT_CLOSED_REQUEST
           || status == NGX_HTTP_REQUEST_TIME_OUT
           || !ngx_http_upload_answered(ctx);
}


/* The answer to a post_action takes the place of the one that has been sent. */

void
ngx_http_upload_judge(ngx_http_upload_ctx_t *ctx)
{
    if (!ctx->judged) {
        ctx->unclaimed = ngx_http_upload_unclaimed(ctx);
        ctx->listed = ngx_http_upload_listed(ctx);
        ctx->judged = 1;
    }
}


/* Whether the final status is in upload_cleanup. */

static ngx_uint_t
ngx_http_upload_listed(ngx_http_upload_ctx_t *ctx)
{
    ngx_uint_t                   i, status;
    ngx_http_upload_statuses_t  *statuses;

    if (ctx->judged) {
        return ctx->listed;
    }

    if (ctx->conf->cleanup == NULL) {
        return 0;
    }

    status = ngx_http_upload_status(ctx->request);
    statuses = ctx->conf->cleanup->elts;

    for (i = 0; i < ctx->conf->cleanup->nelts; i++) {

        if (status >= statuses[i].from && status <= statuses[i].to) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_upload_status(ngx_http_request_t *r)
{
    return r->err_status ? r->err_status : r->headers_out.status;
}
