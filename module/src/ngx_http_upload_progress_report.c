
#include "ngx_http_upload_progress.h"


/* The list has so many at most, the newest ones. */
#define NGX_HTTP_UPLOAD_PROGRESS_LISTED  500

/* What of an entry in the list is no text of the client. */
#define NGX_HTTP_UPLOAD_PROGRESS_FRAME                                       \
    (sizeof("{\"id\":\"\",\"given\":false,\"name\":\"\",\"field\":\"\","     \
            "\"received\":,\"size\":,\"started\":,"                          \
            "\"protocol\":\"ranged\"},") - 1                                 \
     + NGX_HTTP_UPLOAD_PROGRESS_ID + 2 * NGX_OFF_T_LEN + NGX_TIME_T_LEN)


static size_t ngx_http_upload_progress_state(ngx_http_request_t *r,
    ngx_str_t *id, u_char *out);
static ngx_int_t ngx_http_upload_progress_answer(ngx_http_request_t *r,
    ngx_buf_t *b);
static ngx_int_t ngx_http_upload_progress_list(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static size_t ngx_http_upload_progress_listed(
    ngx_http_upload_progress_table_t *table);
static u_char *ngx_http_upload_progress_record(u_char *p,
    ngx_http_upload_progress_t *entry);


static ngx_str_t  ngx_http_upload_progress_list_name =
    ngx_string("upload_progress_list");


/* Names of ngx_http_upload_progress_e. */

static const char  *ngx_http_upload_progress_protocols[] = {
    "form", "raw", "piece", "ranged"
};


ngx_int_t
ngx_http_upload_progress_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &ngx_http_upload_progress_list_name,
                                NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_http_upload_progress_list;

    return NGX_OK;
}


ngx_int_t
ngx_http_upload_progress_handler(ngx_http_request_t *r)
{
    ngx_int_t   rc;
    ngx_str_t   id;
    ngx_buf_t  *b;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    /* who may see one upload may not see all of them */

    if (ngx_http_upload_progress_id(r, &id) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    b = ngx_create_temp_buf(r->pool,
                            sizeof("{ \"state\" : \"uploading\", "
                                   "\"received\" : , \"size\" :  }\n")
                            + 2 * NGX_OFF_T_LEN);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last += ngx_http_upload_progress_state(r, &id, b->last);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    return ngx_http_upload_progress_answer(r, b);
}


/* Of what has never been heard of, it is taken that it is yet to come. */

static size_t
ngx_http_upload_progress_state(ngx_http_request_t *r, ngx_str_t *id,
    u_char *out)
{
    u_char                               *p;
    off_t                                 received, size;
    ngx_int_t                             status;
    ngx_http_upload_progress_t           *entry;
    ngx_http_upload_progress_zone_t      *zone;
    ngx_http_upload_progress_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_upload_progress_module);
    zone = plcf->report->data;

    received = 0;
    size = 0;
    status = -1;

    ngx_shmtx_lock(&zone->shpool->mutex);

    entry = ngx_http_upload_progress_find(zone->table, id);

    if (entry) {
        received = entry->received;
        size = entry->size;
        status = entry->status;
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (status == -1) {
        p = ngx_sprintf(out, "{ \"state\" : \"starting\" }\n");

    } else if (status >= NGX_HTTP_BAD_REQUEST) {
        p = ngx_sprintf(out, "{ \"state\" : \"error\", \"status\" : %i }\n",
                        status);

    } else if (status > 0) {
        p = ngx_sprintf(out, "{ \"state\" : \"done\" }\n");

    } else if (size < 0) {
        p = ngx_sprintf(out, "{ \"state\" : \"uploading\", "
                        "\"received\" : %O, \"size\" : null }\n", received);

    } else {
        p = ngx_sprintf(out, "{ \"state\" : \"uploading\", "
                        "\"received\" : %O, \"size\" : %O }\n",
                        received, size);
    }

    return p - out;
}


static ngx_int_t
ngx_http_upload_progress_answer(ngx_http_request_t *r, ngx_buf_t *b)
{
    ngx_int_t         rc;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* $upload_progress_list: those under way in the zone that is tracked here. */

static ngx_int_t
ngx_http_upload_progress_list(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                               *p;
    ngx_uint_t                            n;
    ngx_queue_t                          *q;
    ngx_http_upload_progress_zone_t      *zone;
    ngx_http_upload_progress_loc_conf_t  *plcf;

    plcf = ngx_http_get_module_loc_conf(r, ngx_http_upload_progress_module);

    if (plcf->track == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    zone = plcf->track->data;

    ngx_shmtx_lock(&zone->shpool->mutex);

    ngx_http_upload_progress_sweep(zone->table);

    v->data = ngx_pnalloc(r->pool,
                          ngx_http_upload_progress_listed(zone->table));

    if (v->data == NULL) {
        ngx_shmtx_unlock(&zone->shpool->mutex);
        return NGX_ERROR;
    }

    p = v->data;
    *p++ = '[';
    n = 0;

    for (q = ngx_queue_head(&zone->table->active);
         q != ngx_queue_sentinel(&zone->table->active)
         && n < NGX_HTTP_UPLOAD_PROGRESS_LISTED;
         q = ngx_queue_next(q), n++)
    {
        if (n) {
            *p++ = ',';
        }

        p = ngx_http_upload_progress_record(p,
                        ngx_queue_data(q, ngx_http_upload_progress_t, queue));
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    *p++ = ']';

    v->len = p - v->data;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


/* Bytes that the list has at most. */

static size_t
ngx_http_upload_progress_listed(ngx_http_upload_progress_table_t *table)
{
    size_t                       size;
    ngx_uint_t                   n;
    ngx_queue_t                 *q;
    ngx_http_upload_progress_t  *entry;

    size = sizeof("[]");
    n = 0;

    for (q = ngx_queue_head(&table->active);
         q != ngx_queue_sentinel(&table->active)
         && n < NGX_HTTP_UPLOAD_PROGRESS_LISTED;
         q = ngx_queue_next(q), n++)
    {
        entry = ngx_queue_data(q, ngx_http_upload_progress_t, queue);

        size += NGX_HTTP_UPLOAD_PROGRESS_FRAME
                + entry->name_length + entry->field_length
                + ngx_escape_json(NULL, entry->name, entry->name_length)
                + ngx_escape_json(NULL, entry->field, entry->field_length);
    }

    return size;
}


static u_char *
ngx_http_upload_progress_record(u_char *p, ngx_http_upload_progress_t *entry)
{
    p = ngx_sprintf(p, "{\"id\":\"%*s\",\"given\":%s,\"name\":\"",
                    (size_t) entry->id_length, entry->id,
                    entry->given ? "true" : "false");
    p = (u_char *) ngx_escape_json(p, entry->name, entry->name_length);
    p = ngx_sprintf(p, "\",\"field\":\"");
    p = (u_char *) ngx_escape_json(p, entry->field, entry->field_length);
    p = ngx_sprintf(p, "\",\"received\":%O,\"size\":", entry->received);

    p = entry->size < 0 ? ngx_sprintf(p, "null")
                        : ngx_sprintf(p, "%O", entry->size);

    return ngx_sprintf(p, ",\"started\":%T,\"protocol\":\"%s\"}", entry->start,
                       ngx_http_upload_progress_protocols[entry->protocol]);
}
