
#include "ngx_http_upload_progress.h"


static ngx_http_upload_progress_t *ngx_http_upload_progress_new(
    ngx_http_upload_progress_zone_t *zone, ngx_str_t *id, ngx_uint_t refused);
static ngx_http_upload_progress_t *ngx_http_upload_progress_room(
    ngx_http_upload_progress_zone_t *zone, ngx_uint_t refused);
static void ngx_http_upload_progress_expire(
    ngx_http_upload_progress_zone_t *zone, ngx_queue_t *queue);
static ngx_uint_t ngx_http_upload_progress_evict(
    ngx_http_upload_progress_zone_t *zone, ngx_queue_t *queue);
static void ngx_http_upload_progress_finish(
    ngx_http_upload_progress_table_t *table, ngx_http_upload_progress_t *entry,
    ngx_uint_t status);
static ngx_uint_t ngx_http_upload_progress_lost(
    ngx_http_upload_progress_t *entry);
static ngx_uint_t ngx_http_upload_progress_over(
    ngx_http_upload_progress_t *entry);
static ngx_int_t ngx_http_upload_progress_own_id(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_queue_t *ngx_http_upload_progress_bucket(
    ngx_http_upload_progress_table_t *table, u_char *id, size_t length);
static void ngx_http_upload_progress_fill(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_progress_t *entry);
static u_char ngx_http_upload_progress_text(u_char *out, size_t most,
    ngx_str_t *text);


ngx_int_t
ngx_http_upload_progress_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_upload_progress_zone_t *before = data;

    ngx_uint_t                         i;
    ngx_http_upload_progress_zone_t   *zone;
    ngx_http_upload_progress_table_t  *table;

    zone = shm_zone->data;

    if (before) {
        *zone = *before;
        return NGX_OK;
    }

    zone->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        zone->table = zone->shpool->data;
        return NGX_OK;
    }

    table = ngx_slab_alloc(zone->shpool,
                           sizeof(ngx_http_upload_progress_table_t));
    if (table == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_init(&table->active);
    ngx_queue_init(&table->ended);
    ngx_queue_init(&table->refused);

    for (i = 0; i < NGX_HTTP_UPLOAD_PROGRESS_BUCKETS; i++) {
        ngx_queue_init(&table->bucket[i]);
    }

    /* a full zone is no failure */

    zone->shpool->log_nomem = 0;
    zone->shpool->data = table;
    zone->table = table;

    return NGX_OK;
}


/* A worker that died is followed by this one, maybe with its process id. */

ngx_int_t
ngx_http_upload_progress_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                             i;
    ngx_queue_t                           *q, *next;
    ngx_shm_zone_t                       **shm_zone;
    ngx_http_upload_progress_t            *entry;
    ngx_http_upload_progress_zone_t       *zone;
    ngx_http_upload_progress_main_conf_t  *pmcf;

    pmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_upload_progress_module);
    if (pmcf == NULL) {
        return NGX_OK;
    }

    shm_zone = pmcf->zones.elts;

    for (i = 0; i < pmcf->zones.nelts; i++) {

        zone = shm_zone[i]->data;

        ngx_shmtx_lock(&zone->shpool->mutex);

        for (q = ngx_queue_head(&zone->table->active);
             q != ngx_queue_sentinel(&zone->table->active);
             q = next)
        {
            next = ngx_queue_next(q);
            entry = ngx_queue_data(q, ngx_http_upload_progress_t, queue);

            if (entry->pid == ngx_pid || ngx_http_upload_progress_lost(entry)) {
                ngx_http_upload_progress_finish(zone->table, entry,
                                               NGX_HTTP_INTERNAL_SERVER_ERROR);
            }
        }

        ngx_shmtx_unlock(&zone->shpool->mutex);
    }

    return NGX_OK;
}


void
ngx_http_upload_progress_begin(ngx_http_upload_ctx_t *ctx)
{
    ngx_int_t                             rc;
    ngx_str_t                             id;
    ngx_uint_t                            given;
    ngx_http_request_t                   *r;
    ngx_http_upload_progress_t           *entry;
    ngx_http_upload_progress_zone_t      *zone;
    ngx_http_upload_progress_loc_conf_t  *plcf;

    r = ctx->request;
    plcf = ngx_http_get_module_loc_conf(r, ngx_http_upload_progress_module);

    ngx_http_upload_progress_begun(r);

    if (plcf->track == NULL) {
        return;
    }

    rc = ngx_http_upload_progress_id(r, &id);
    given = (rc == NGX_OK);

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "upload: X-Progress-ID is not 1 to %d letters, digits, "
                      "\"-\", \".\", \"_\" or \"~\"; it is left out",
                      NGX_HTTP_UPLOAD_PROGRESS_ID);
    }

    if (!given && ngx_http_upload_progress_own_id(r, &id) != NGX_OK) {
        return;
    }

    zone = plcf->track->data;

    ngx_shmtx_lock(&zone->shpool->mutex);

    entry = ngx_http_upload_progress_new(zone, &id, 0);

    if (entry) {
        entry->given = given;
        ngx_http_upload_progress_fill(ctx, entry);
        ngx_queue_insert_head(&zone->table->active, &entry->queue);
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (entry == NULL) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "upload: upload_progress_zone \"%V\" is full; "
                      "this upload is not counted", &plcf->track->shm.name);
        return;
    }

    ctx->progress = entry;
    ctx->progress_zone = plcf->track;
}


void
ngx_http_upload_progress_update(ngx_http_upload_ctx_t *ctx)
{
    if (ctx->progress == NULL) {
        return;
    }

    ctx->progress->received = ngx_http_upload_arrived(ctx);
    ctx->progress->updated = ngx_current_msec;
}


void
ngx_http_upload_progress_name(ngx_http_upload_ctx_t *ctx)
{
    ngx_http_upload_progress_t       *entry;
    ngx_http_upload_progress_zone_t  *zone;

    entry = ctx->progress;

    if (entry == NULL) {
        return;
    }

    zone = ctx->progress_zone->data;

    ngx_shmtx_lock(&zone->shpool->mutex);

    entry->name_length = ngx_http_upload_progress_text(entry->name,
                                                 NGX_HTTP_UPLOAD_PROGRESS_NAME,
                                                 &ctx->file_name);
    entry->field_length = ngx_http_upload_progress_text(entry->field,
                                                NGX_HTTP_UPLOAD_PROGRESS_FIELD,
                                                &ctx->field_name);

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_http_upload_progress_end(ngx_http_upload_ctx_t *ctx, ngx_int_t status)
{
    ngx_http_upload_progress_zone_t  *zone;

    if (ctx->progress == NULL) {
        return;
    }

    zone = ctx->progress_zone->data;

    /* nothing was answered: the connection or nginx has ended */

    if (status < NGX_HTTP_OK) {
        status = NGX_HTTP_CLIENT_CLOSED_REQUEST;
    }

    ngx_shmtx_lock(&zone->shpool->mutex);

    ngx_http_upload_progress_finish(zone->table, ctx->progress, status);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    ctx->progress = NULL;
}


void
ngx_http_upload_progress_refuse(ngx_shm_zone_t *shm_zone, ngx_str_t *id,
    ngx_uint_t status)
{
    ngx_http_upload_progress_t        *entry;
    ngx_http_upload_progress_zone_t   *zone;
    ngx_http_upload_progress_table_t  *table;

    zone = shm_zone->data;
    table = zone->table;

    ngx_shmtx_lock(&zone->shpool->mutex);

    entry = ngx_http_upload_progress_find(table, id);

    if (entry && entry->refused) {
        ngx_queue_remove(&entry->queue);

    } else if (entry == NULL || entry->status) {
        entry = ngx_http_upload_progress_new(zone, id, 1);

    } else {
        entry = NULL;
    }

    if (entry) {
        entry->status = status;
        entry->updated = ngx_current_msec;
        ngx_queue_insert_head(&table->refused, &entry->queue);
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


ngx_int_t
ngx_http_upload_progress_id(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char                      c;
    size_t                      i;
    ngx_table_elt_t            *h;
    ngx_http_upload_headers_t   at = ngx_http_upload_headers_of(r);

    if (ngx_http_arg(r, (u_char *) "X-Progress-ID",
                     sizeof("X-Progress-ID") - 1, id)
        != NGX_OK)
    {
        h = ngx_http_upload_headers_next(&at, "x-progress-id");

        if (h == NULL) {
            return NGX_DECLINED;
        }

        *id = h->value;
    }

    if (id->len == 0 || id->len > NGX_HTTP_UPLOAD_PROGRESS_ID) {
        return NGX_ERROR;
    }

    for (i = 0; i < id->len; i++) {

        c = id->data[i];

        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
              || c == '-' || c == '.' || c == '_' || c == '~'))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_http_upload_progress_t *
ngx_http_upload_progress_find(ngx_http_upload_progress_table_t *table,
    ngx_str_t *id)
{
    ngx_queue_t                 *q, *bucket;
    ngx_http_upload_progress_t  *entry;

    bucket = ngx_http_upload_progress_bucket(table, id->data, id->len);

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        entry = ngx_queue_data(q, ngx_http_upload_progress_t, chain);

        if (entry->id_length != id->len
            || ngx_memcmp(entry->id, id->data, id->len) != 0)
        {
            continue;
        }

        if (entry->status) {
            return ngx_http_upload_progress_over(entry) ? NULL : entry;
        }

        if (ngx_http_upload_progress_lost(entry)) {
            ngx_http_upload_progress_finish(table, entry,
                                            NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        return entry;
    }

    return NULL;
}


void
ngx_http_upload_progress_sweep(ngx_http_upload_progress_table_t *table)
{
    ngx_queue_t                 *q, *next;
    ngx_http_upload_progress_t  *entry;

    for (q = ngx_queue_head(&table->active);
         q != ngx_queue_sentinel(&table->active);
         q = next)
    {
        next = ngx_queue_next(q);
        entry = ngx_queue_data(q, ngx_http_upload_progress_t, queue);

        if (ngx_http_upload_progress_lost(entry)) {
            ngx_http_upload_progress_finish(table, entry,
                                            NGX_HTTP_INTERNAL_SERVER_ERROR);
        }
    }
}


static ngx_http_upload_progress_t *
ngx_http_upload_progress_new(ngx_http_upload_progress_zone_t *zone,
    ngx_str_t *id, ngx_uint_t refused)
{
    ngx_http_upload_progress_t  *entry;

    ngx_http_upload_progress_expire(zone, &zone->table->refused);
    ngx_http_upload_progress_expire(zone, &zone->table->ended);

    entry = ngx_http_upload_progress_room(zone, refused);
    if (entry == NULL) {
        return NULL;
    }

    entry->refused = refused;
    entry->id_length = (u_char) id->len;
    ngx_memcpy(entry->id, id->data, id->len);

    ngx_queue_insert_head(ngx_http_upload_progress_bucket(zone->table,
                                                          id->data, id->len),
                          &entry->chain);

    return entry;
}


/*
 * Where there is none, what was refused makes some, or else what has ended.
 * Anybody can be refused as often as he likes, so that this must not cost what
 * is known of an upload.
 */

static ngx_http_upload_progress_t *
ngx_http_upload_progress_room(ngx_http_upload_progress_zone_t *zone,
    ngx_uint_t refused)
{
    ngx_http_upload_progress_t  *entry;

    entry = ngx_slab_calloc_locked(zone->shpool,
                                   sizeof(ngx_http_upload_progress_t));

    if (entry) {
        return entry;
    }

    if (!ngx_http_upload_progress_evict(zone, &zone->table->refused)) {

        if (refused) {
            return NULL;
        }

        if (ngx_queue_empty(&zone->table->ended)) {
            ngx_http_upload_progress_sweep(zone->table);
        }

        if (!ngx_http_upload_progress_evict(zone, &zone->table->ended)) {
            return NULL;
        }
    }

    return ngx_slab_calloc_locked(zone->shpool,
                                  sizeof(ngx_http_upload_progress_t));
}


/* Frees those whose time is over. */

static void
ngx_http_upload_progress_expire(ngx_http_upload_progress_zone_t *zone,
    ngx_queue_t *queue)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(queue)) {

        q = ngx_queue_last(queue);

        if (!ngx_http_upload_progress_over(
                        ngx_queue_data(q, ngx_http_upload_progress_t, queue)))
        {
            return;
        }

        ngx_http_upload_progress_evict(zone, queue);
    }
}


/* Frees the one that has ended first; false when there is none. */

static ngx_uint_t
ngx_http_upload_progress_evict(ngx_http_upload_progress_zone_t *zone,
    ngx_queue_t *queue)
{
    ngx_http_upload_progress_t  *entry;

    if (ngx_queue_empty(queue)) {
        return 0;
    }

    entry = ngx_queue_data(ngx_queue_last(queue), ngx_http_upload_progress_t,
                           queue);

    ngx_queue_remove(&entry->queue);
    ngx_queue_remove(&entry->chain);
    ngx_slab_free_locked(zone->shpool, entry);

    return 1;
}


static void
ngx_http_upload_progress_finish(ngx_http_upload_progress_table_t *table,
    ngx_http_upload_progress_t *entry, ngx_uint_t status)
{
    entry->status = status;
    entry->updated = ngx_current_msec;

    ngx_queue_remove(&entry->queue);
    ngx_queue_insert_head(&table->ended, &entry->queue);
}


static ngx_uint_t
ngx_http_upload_progress_over(ngx_http_upload_progress_t *entry)
{
    return (ngx_msec_int_t) (ngx_current_msec - entry->updated)
           > NGX_HTTP_UPLOAD_PROGRESS_KEPT;
}


/* A worker may write to its entry without a lock for as long as it lives. */

static ngx_uint_t
ngx_http_upload_progress_lost(ngx_http_upload_progress_t *entry)
{
    return entry->pid != ngx_pid && kill(entry->pid, 0) == -1
           && ngx_errno == ESRCH;
}


/* $request_id, by which logs and the target know the request as well. */

static ngx_int_t
ngx_http_upload_progress_own_id(ngx_http_request_t *r, ngx_str_t *id)
{
    ngx_http_variable_value_t             *vv;
    ngx_http_upload_progress_main_conf_t  *pmcf;

    pmcf = ngx_http_get_module_main_conf(r, ngx_http_upload_progress_module);
    vv = ngx_http_get_indexed_variable(r, pmcf->request_id);

    if (vv == NULL || vv->not_found
        || vv->len == 0 || vv->len > NGX_HTTP_UPLOAD_PROGRESS_ID)
    {
        return NGX_ERROR;
    }

    id->data = vv->data;
    id->len = vv->len;

    return NGX_OK;
}


static ngx_queue_t *
ngx_http_upload_progress_bucket(ngx_http_upload_progress_table_t *table,
    u_char *id, size_t length)
{
    return &table->bucket[ngx_crc32_short(id, length)
                          % NGX_HTTP_UPLOAD_PROGRESS_BUCKETS];
}


/* A new file of a raw upload is called what its address ends with. */

static void
ngx_http_upload_progress_fill(ngx_http_upload_ctx_t *ctx,
    ngx_http_upload_progress_t *entry)
{
    u_char     *p;
    ngx_str_t   name;

    entry->updated = ngx_current_msec;
    entry->start = ngx_time();
    entry->size = ctx->request->headers_in.content_length_n;
    entry->pid = ngx_pid;

    name = ctx->file_name;

    if (!ctx->conf->raw) {
        entry->protocol = ctx->session.len ? NGX_HTTP_UPLOAD_PROGRESS_RANGED
                                           : NGX_HTTP_UPLOAD_PROGRESS_FORM;

    } else if (ctx->segment) {
        entry->protocol = NGX_HTTP_UPLOAD_PROGRESS_PIECE;

    } else {
        entry->protocol = NGX_HTTP_UPLOAD_PROGRESS_RAW;

        name = ctx->request->uri;

        for (p = name.data + name.len; p > name.data && p[-1] != '/'; p--) {
            /* void */
        }

        name.len -= p - name.data;
        name.data = p;
    }

    entry->name_length = ngx_http_upload_progress_text(entry->name,
                                                 NGX_HTTP_UPLOAD_PROGRESS_NAME,
                                                 &name);
}


/* As much as fits of whole characters; what is no UTF-8 becomes "?". */

static u_char
ngx_http_upload_progress_text(u_char *out, size_t most, ngx_str_t *text)
{
    u_char    *p, *start, *end, *last;
    uint32_t   c;

    p = text->data;
    end = text->data + text->len;
    last = out;

    while (p < end) {

        start = p;
        c = *p < 0x80 ? *p++ : ngx_utf8_decode(&p, end - p);

        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {

            if (last == out + most) {
                break;
            }

            *last++ = '?';
            p = start + 1;
            continue;
        }

        if ((size_t) (p - start) > most - (last - out)) {
            break;
        }

        last = ngx_cpymem(last, start, p - start);
    }

    return (u_char) (last - out);
}
